//! The Python module `karyaksham_engine._engine`.
use pyo3::prelude::*;

#[pymodule]
fn _engine(_m: &Bound<'_, PyModule>) -> PyResult<()> {
    Ok(())
}
