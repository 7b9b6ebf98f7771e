//! Parts into a folder of files.

use karyaksham_core::commit;
use karyaksham_core::job::{Column, Output};
use pyo3::prelude::*;

use crate::convert::{PyOutcome, from_python, released, to_python};
use crate::parts::Part;

/// A folder of whole files, one a part.
#[pyfunction]
pub fn commit_parts<'py>(
    py: Python<'py>,
    target_dir: &str,
    parts: Vec<Bound<'py, Part>>,
    output: &Bound<'py, PyAny>,
    columns: &Bound<'py, PyAny>,
) -> PyOutcome<Bound<'py, PyAny>> {
    let output: Output = from_python("output", output)?;
    let columns: Vec<Column> = from_python("list of columns", columns)?;
    let parts: Vec<_> = parts.iter().map(|part| part.get().0.clone()).collect();
    let committed = released(py, || {
        commit::commit_parts(target_dir, &parts, &output, &columns)
    })?;
    to_python(py, &committed)
}
