//! Parts into whole outputs.

use std::sync::{Mutex, MutexGuard, PoisonError};

use karyaksham_core::commit;
use karyaksham_core::job::{Column, Output};
use pyo3::prelude::*;

use crate::convert::{PyOutcome, from_python, released, to_python};
use crate::parts::{Part, RejectsPart};
use crate::storage::storage_of;

/// One output file from parts in order.
#[pyclass(frozen, module = "karyaksham_engine")]
pub struct OutputWriter(Mutex<commit::OutputWriter>);

/// The rejects artifact from parts in order.
#[pyclass(frozen, module = "karyaksham_engine")]
pub struct RejectsWriter(Mutex<commit::RejectsWriter>);

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A writer that panicked has nothing left to commit, and says so itself.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[pymethods]
impl OutputWriter {
    #[new]
    #[pyo3(signature = (target, output, columns, *, checksum = true, storage = None))]
    fn new(
        py: Python<'_>,
        target: &str,
        output: &Bound<'_, PyAny>,
        columns: &Bound<'_, PyAny>,
        checksum: bool,
        storage: Option<&Bound<'_, PyAny>>,
    ) -> PyOutcome<Self> {
        let output: Output = from_python("output", output)?;
        let columns: Vec<Column> = from_python("list of columns", columns)?;
        let storage = storage_of(storage)?;
        let writer = released(py, || {
            commit::OutputWriter::in_storage(target, &storage, &output, &columns, checksum)
        })?;
        Ok(Self(Mutex::new(writer)))
    }

    fn append(&self, py: Python<'_>, part: &Bound<'_, Part>) -> PyOutcome<()> {
        let part = part.get();
        released(py, || lock(&self.0).append(&part.0))
    }

    fn commit<'py>(&self, py: Python<'py>) -> PyOutcome<Bound<'py, PyAny>> {
        let committed = released(py, || lock(&self.0).commit())?;
        to_python(py, &committed)
    }

    fn abort(&self, py: Python<'_>) -> PyOutcome<()> {
        released(py, || {
            lock(&self.0).abort();
            Ok(())
        })
    }
}

#[pymethods]
impl RejectsWriter {
    #[new]
    #[pyo3(signature = (target, *, checksum = true, storage = None))]
    fn new(
        py: Python<'_>,
        target: &str,
        checksum: bool,
        storage: Option<&Bound<'_, PyAny>>,
    ) -> PyOutcome<Self> {
        let storage = storage_of(storage)?;
        let writer = released(py, || {
            commit::RejectsWriter::in_storage(target, &storage, checksum)
        })?;
        Ok(Self(Mutex::new(writer)))
    }

    #[pyo3(signature = (part, *, row_base, line_base))]
    fn append(
        &self,
        py: Python<'_>,
        part: &Bound<'_, RejectsPart>,
        row_base: u64,
        line_base: u64,
    ) -> PyOutcome<()> {
        let part = part.get();
        released(py, || lock(&self.0).append(&part.0, row_base, line_base))
    }

    fn commit<'py>(&self, py: Python<'py>) -> PyOutcome<Bound<'py, PyAny>> {
        let committed = released(py, || lock(&self.0).commit())?;
        to_python(py, &committed)
    }

    fn abort(&self, py: Python<'_>) -> PyOutcome<()> {
        released(py, || {
            lock(&self.0).abort();
            Ok(())
        })
    }
}
