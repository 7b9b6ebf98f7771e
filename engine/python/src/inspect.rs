//! What files are and hold.

use karyaksham_core::job::{Column, DialectOverrides, FileFormat, Source};
use karyaksham_core::{inspect, preview as core_preview, profile as core_profile};
use pyo3::prelude::*;

use crate::convert::{PyOutcome, from_python, released, to_python};
use crate::storage::storage_of;

/// What a file is: format, dialect, columns, each with evidence.
#[pyfunction]
#[pyo3(signature = (path, *, format = None, dialect = None, columns = None, storage = None))]
pub fn sniff<'py>(
    py: Python<'py>,
    path: &str,
    format: Option<&Bound<'py, PyAny>>,
    dialect: Option<&Bound<'py, PyAny>>,
    columns: Option<&Bound<'py, PyAny>>,
    storage: Option<&Bound<'py, PyAny>>,
) -> PyOutcome<Bound<'py, PyAny>> {
    let format: Option<FileFormat> = format.map(|f| from_python("format", f)).transpose()?;
    let dialect: Option<DialectOverrides> =
        dialect.map(|d| from_python("dialect", d)).transpose()?;
    let columns: Option<Vec<Column>> = columns
        .map(|c| from_python("list of columns", c))
        .transpose()?;
    let dialect = dialect.unwrap_or_default();
    let storage = storage_of(storage)?;
    let sniffed = released(py, || {
        inspect::sniff(path, &storage, format, &dialect, columns.as_deref())
    })?;
    to_python(py, &sniffed)
}

/// The first rows after the first `offset` ones, cells as JSON values.
#[pyfunction]
#[pyo3(signature = (source, *, limit = 50, offset = 0, storage = None))]
pub fn preview<'py>(
    py: Python<'py>,
    source: &Bound<'py, PyAny>,
    limit: usize,
    offset: u64,
    storage: Option<&Bound<'py, PyAny>>,
) -> PyOutcome<Bound<'py, PyAny>> {
    let mut source: Source = from_python("source", source)?;
    source.storage = storage_of(storage)?;
    let preview = released(py, || core_preview::preview(&source, limit, offset))?;
    to_python(py, &preview)
}
/// Statistics of every column of a whole source.
#[pyfunction]
#[pyo3(signature = (source, *, threads = 1, memory_bytes = None, storage = None))]
pub fn profile<'py>(
    py: Python<'py>,
    source: &Bound<'py, PyAny>,
    threads: usize,
    memory_bytes: Option<usize>,
    storage: Option<&Bound<'py, PyAny>>,
) -> PyOutcome<Bound<'py, PyAny>> {
    let mut source: Source = from_python("source", source)?;
    source.storage = storage_of(storage)?;
    let columns = released(py, || core_profile::profile(&source, threads, memory_bytes))?;
    to_python(py, &columns)
}
