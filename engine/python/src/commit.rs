//! Parts into a folder of files.

use karyaksham_core::commit;
use karyaksham_core::job::{Column, Output};
use pyo3::prelude::*;

use crate::convert::{PyOutcome, from_python, released, to_python};
use crate::parts::Part;
use crate::storage::storage_of;

/// A folder of whole files, one a part.
#[pyfunction]
#[pyo3(signature = (target_dir, parts, output, columns, *, storage = None))]
pub fn commit_parts<'py>(
    py: Python<'py>,
    target_dir: &str,
    parts: Vec<Bound<'py, Part>>,
    output: &Bound<'py, PyAny>,
    columns: &Bound<'py, PyAny>,
    storage: Option<&Bound<'py, PyAny>>,
) -> PyOutcome<Bound<'py, PyAny>> {
    let output: Output = from_python("output", output)?;
    let columns: Vec<Column> = from_python("list of columns", columns)?;
    let storage = storage_of(storage)?;
    let parts: Vec<_> = parts.iter().map(|part| part.get().0.clone()).collect();
    let committed = released(py, || {
        commit::commit_parts_in_storage(target_dir, &storage, &parts, &output, &columns)
    })?;
    to_python(py, &committed)
}
