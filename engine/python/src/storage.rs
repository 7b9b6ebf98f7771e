//! Object storage: how it is reached, and what is there.

use karyaksham_core::storage::{self as core, Options, Storage};
use pyo3::prelude::*;

use crate::convert::{PyOutcome, from_python, released, to_python};

/// What a dictionary of options says; None: as little as can be.
pub fn storage_of(options: Option<&Bound<'_, PyAny>>) -> PyOutcome<Storage> {
    let options: Option<Options> = options
        .filter(|given| !given.is_none())
        .map(|given| from_python("storage", given))
        .transpose()?;
    Ok(Storage::new(options.unwrap_or_default()))
}

/// Objects as they are now, in the order of their URIs.
#[pyfunction]
#[pyo3(signature = (uris, *, storage = None))]
pub fn stat_objects<'py>(
    py: Python<'py>,
    uris: Vec<String>,
    storage: Option<&Bound<'py, PyAny>>,
) -> PyOutcome<Bound<'py, PyAny>> {
    let storage = storage_of(storage)?;
    let found = released(py, || core::stat(&storage, &uris))?;
    to_python(py, &found)
}

/// Objects in a folder, at any depth.
#[pyfunction]
#[pyo3(signature = (uri, *, limit, storage = None))]
pub fn list_objects<'py>(
    py: Python<'py>,
    uri: &str,
    limit: usize,
    storage: Option<&Bound<'py, PyAny>>,
) -> PyOutcome<Bound<'py, PyAny>> {
    let storage = storage_of(storage)?;
    let found = released(py, || core::list(&storage, uri, limit))?;
    to_python(py, &found)
}

/// Remove objects.
#[pyfunction]
#[pyo3(signature = (uris, *, storage = None))]
pub fn remove_objects(
    py: Python<'_>,
    uris: Vec<String>,
    storage: Option<&Bound<'_, PyAny>>,
) -> PyOutcome<()> {
    let storage = storage_of(storage)?;
    released(py, || core::remove(&storage, &uris))
}
