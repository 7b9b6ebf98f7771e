//! Jobs into stages and tasks.

use karyaksham_core::{Job, plan as core};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::convert::{PyOutcome, from_python, released, to_python};
use crate::storage::storage_of;

/// A job cut into stages.
#[pyclass(frozen, module = "karyaksham_engine")]
pub struct Plan(core::Plan);

/// One task of one stage.
#[pyclass(frozen, module = "karyaksham_engine")]
pub struct Task(core::Task);

/// Parse, bind and cut a job.
#[pyfunction]
#[pyo3(signature = (job, *, storage = None))]
pub fn plan(
    py: Python<'_>,
    job: &Bound<'_, PyAny>,
    storage: Option<&Bound<'_, PyAny>>,
) -> PyOutcome<Plan> {
    let job: Job = from_python("job", job)?;
    let job = job.reached_by(&storage_of(storage)?);
    Ok(Plan(released(py, || core::plan(job))?))
}

#[pymethods]
impl Plan {
    #[getter]
    fn stages<'py>(&self, py: Python<'py>) -> PyOutcome<Bound<'py, PyAny>> {
        to_python(py, &self.0.stages)
    }

    #[getter]
    fn columns<'py>(&self, py: Python<'py>) -> PyOutcome<Bound<'py, PyAny>> {
        to_python(py, &self.0.columns)
    }

    #[getter]
    fn effective_sql(&self) -> &str {
        &self.0.effective_sql
    }

    #[getter]
    fn bytes_to_read(&self) -> u64 {
        self.0.bytes_to_read()
    }

    #[getter]
    fn text(&self) -> &str {
        &self.0.text
    }

    fn tasks(&self, py: Python<'_>, stage: usize) -> PyOutcome<Vec<Task>> {
        Ok(released(py, || self.0.tasks(stage))?
            .into_iter()
            .map(Task)
            .collect())
    }

    fn __repr__(&self) -> String {
        format!(
            "Plan({} stages, {} bytes to read)",
            self.0.stages.len(),
            self.0.bytes_to_read()
        )
    }
}

#[pymethods]
impl Task {
    #[getter]
    fn stage(&self) -> usize {
        self.0.stage
    }

    #[getter]
    fn shard(&self) -> usize {
        self.0.shard
    }

    #[getter]
    fn file(&self) -> usize {
        self.0.file
    }

    #[getter]
    fn bytes_total(&self) -> u64 {
        self.0.bytes_total
    }

    #[getter]
    fn header_lines(&self) -> u64 {
        self.0.header_lines
    }

    #[getter]
    fn payload<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.0.payload)
    }

    #[getter]
    fn digest(&self) -> String {
        self.0.digest()
    }

    fn __repr__(&self) -> String {
        format!(
            "Task(stage={}, shard={}, {} bytes)",
            self.0.stage, self.0.shard, self.0.bytes_total
        )
    }
}
