//! Handles on results of tasks.

use karyaksham_core::part;
use pyo3::prelude::*;

/// Rows for a later stage.
#[pyclass(frozen, module = "karyaksham_engine")]
pub struct Block(pub part::Block);

/// One task's piece of the output.
#[pyclass(frozen, module = "karyaksham_engine")]
pub struct Part(pub part::Part);

/// One task's rejects.
#[pyclass(frozen, module = "karyaksham_engine")]
pub struct RejectsPart(pub part::RejectsPart);

macro_rules! handle {
    ($name:ident, $inner:path) => {
        #[pymethods]
        impl $name {
            #[staticmethod]
            #[pyo3(signature = (path, *, rows, size_bytes))]
            fn open(path: &str, rows: u64, size_bytes: u64) -> Self {
                Self(<$inner>::open(path, rows, size_bytes))
            }

            #[getter]
            fn path(&self) -> Option<String> {
                self.0
                    .path()
                    .map(|path| path.to_string_lossy().into_owned())
            }

            #[getter]
            fn rows(&self) -> u64 {
                self.0.rows()
            }

            #[getter]
            fn size_bytes(&self) -> u64 {
                self.0.size_bytes()
            }

            fn __repr__(&self) -> String {
                let place = self
                    .0
                    .path()
                    .map_or("in memory".into(), |path| path.to_string_lossy());
                format!(
                    "{}({} rows, {} bytes, {place})",
                    stringify!($name),
                    self.0.rows(),
                    self.0.size_bytes()
                )
            }
        }
    };
}

handle!(Block, part::Block);
handle!(Part, part::Part);
handle!(RejectsPart, part::RejectsPart);
