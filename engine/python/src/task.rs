//! One attempt of one task, and what is shared with it while it runs.

use karyaksham_core::error::EngineError;
use karyaksham_core::part::{Destination, Keep};
use karyaksham_core::{progress, task as core};
use pyo3::prelude::*;

use crate::convert::{PyOutcome, released, to_python};
use crate::parts::{Block, Part, RejectsPart};
use crate::storage::storage_of;

/// Ends all engine calls that hold it.
#[pyclass(frozen, module = "karyaksham_engine")]
#[derive(Default)]
pub struct CancelToken(progress::CancelToken);

#[pymethods]
impl CancelToken {
    #[new]
    fn new() -> Self {
        Self::default()
    }

    fn cancel(&self) {
        self.0.cancel();
    }

    #[getter]
    fn canceled(&self) -> bool {
        self.0.is_canceled()
    }
}

/// Counters of running work.
#[pyclass(frozen, module = "karyaksham_engine")]
#[derive(Default)]
pub struct Progress(progress::Progress);

#[pymethods]
impl Progress {
    #[new]
    fn new() -> Self {
        Self::default()
    }

    #[getter]
    fn bytes_read(&self) -> u64 {
        self.0.bytes_read()
    }

    #[getter]
    fn rows_read(&self) -> u64 {
        self.0.rows_read()
    }

    #[getter]
    fn rows_rejected(&self) -> u64 {
        self.0.rows_rejected()
    }

    #[getter]
    fn rows_written(&self) -> u64 {
        self.0.rows_written()
    }
}

/// Where and how one attempt runs.
#[pyclass(frozen, module = "karyaksham_engine")]
pub struct TaskContext(core::Context);

#[pymethods]
impl TaskContext {
    #[new]
    #[pyo3(signature = (*, staging_dir, keep = "file", memory_bytes = None, cancel = None, progress = None, storage = None))]
    fn new(
        staging_dir: &str,
        keep: &str,
        memory_bytes: Option<usize>,
        cancel: Option<&Bound<'_, CancelToken>>,
        progress: Option<&Bound<'_, Progress>>,
        storage: Option<&Bound<'_, PyAny>>,
    ) -> PyOutcome<Self> {
        let keep = match keep {
            "memory" => Keep::Memory,
            "file" => Keep::File,
            other => {
                let message = format!("keep must be \"memory\" or \"file\", not {other:?}.");
                return Err(EngineError::invalid_job("INVALID_FIELD", message).into());
            }
        };
        Ok(Self(core::Context {
            destination: Destination {
                staging_dir: staging_dir.into(),
                keep,
            },
            memory_bytes,
            cancel: cancel
                .map(|token| token.get().0.clone())
                .unwrap_or_default(),
            progress: progress
                .map(|counters| counters.get().0.clone())
                .unwrap_or_default(),
            storage: storage_of(storage)?,
        }))
    }
}

/// What an attempt made.
#[pyclass(frozen, module = "karyaksham_engine")]
pub struct TaskOutcome(core::Outcome);

#[pymethods]
impl TaskOutcome {
    #[getter]
    fn block(&self) -> Option<Block> {
        self.0.block.clone().map(Block)
    }

    #[getter]
    fn part(&self) -> Option<Part> {
        self.0.part.clone().map(Part)
    }

    #[getter]
    fn rejects(&self) -> Option<RejectsPart> {
        self.0.rejects.clone().map(RejectsPart)
    }

    #[getter]
    fn report<'py>(&self, py: Python<'py>) -> PyOutcome<Bound<'py, PyAny>> {
        to_python(py, &self.0.report)
    }

    #[getter]
    fn first_reject<'py>(&self, py: Python<'py>) -> PyOutcome<Bound<'py, PyAny>> {
        to_python(py, &self.0.first_reject)
    }

    #[getter]
    fn rows_written(&self) -> u64 {
        self.0.rows_written
    }
}

/// Run one attempt, blocking, with the GIL released.
#[pyfunction]
#[pyo3(signature = (payload, context, *, inputs = None, start = None))]
pub fn run_task(
    py: Python<'_>,
    payload: &[u8],
    context: &Bound<'_, TaskContext>,
    inputs: Option<Vec<Vec<Bound<'_, Block>>>>,
    start: Option<u64>,
) -> PyOutcome<TaskOutcome> {
    let blocks =
        |stage: Vec<Bound<'_, Block>>| stage.iter().map(|block| block.get().0.clone()).collect();
    let inputs: Vec<Vec<_>> = inputs.unwrap_or_default().into_iter().map(blocks).collect();
    let context = context.get().0.clone();
    Ok(TaskOutcome(released(py, || {
        core::run(payload, &context, &inputs, start)
    })?))
}
