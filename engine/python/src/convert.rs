//! Plain data both ways, and errors out.

use std::panic::{AssertUnwindSafe, catch_unwind};

use karyaksham_core::error::EngineError;
use karyaksham_core::task::panicked;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// An error of the engine on its way to Python.
pub struct Raised(PyErr);

/// What a function of the module returns.
pub type PyOutcome<T> = Result<T, Raised>;

impl From<Raised> for PyErr {
    fn from(raised: Raised) -> Self {
        raised.0
    }
}

impl From<PyErr> for Raised {
    fn from(error: PyErr) -> Self {
        Self(error)
    }
}

impl From<EngineError> for Raised {
    fn from(error: EngineError) -> Self {
        Self(Python::attach(|py| {
            exception(py, &error).unwrap_or_else(|e| e)
        }))
    }
}

/// The exception of `karyaksham_engine.errors` for an error.
fn exception(py: Python<'_>, error: &EngineError) -> PyResult<PyErr> {
    let fault = error.to_fault();
    let kind = py
        .import("karyaksham_engine.errors")?
        .getattr(error.kind())?;
    let keywords = PyDict::new(py);
    keywords.set_item("retryable", fault.retryable)?;
    keywords.set_item("detail", value_out(py, &Value::Object(fault.detail))?)?;
    let raised = kind.call(
        (fault.code.as_ref(), fault.message, fault.hint),
        Some(&keywords),
    )?;
    Ok(PyErr::from_value(raised))
}

/// Work without the GIL; a panic is an InternalError.
pub fn released<T: Send>(
    py: Python<'_>,
    work: impl FnOnce() -> Result<T, EngineError> + Send,
) -> PyOutcome<T> {
    let outcome = py.detach(|| catch_unwind(AssertUnwindSafe(work)));
    Ok(outcome.unwrap_or_else(|panic| Err(panicked(panic.as_ref())))?)
}

/// A dictionary of Python as a type of ours.
pub fn from_python<T: DeserializeOwned>(what: &str, value: &Bound<'_, PyAny>) -> PyOutcome<T> {
    let json: String = value
        .py()
        .import("json")?
        .call_method1("dumps", (value,))?
        .extract()?;
    serde_json::from_str(&json).map_err(|e| {
        EngineError::invalid_job(
            "INVALID_FIELD",
            format!("The {what} is not as it should be: {e}."),
        )
        .into()
    })
}

/// A type of ours as dictionaries, lists and scalars of Python.
pub fn to_python<'py, T: Serialize>(py: Python<'py>, value: &T) -> PyOutcome<Bound<'py, PyAny>> {
    let value = serde_json::to_value(value).map_err(|e| PyRuntimeError::new_err(e.to_string()))?;
    Ok(value_out(py, &value)?)
}

fn value_out<'py>(py: Python<'py>, value: &Value) -> PyResult<Bound<'py, PyAny>> {
    match value {
        Value::Null => Ok(py.None().into_bound(py)),
        Value::Bool(value) => Ok(value.into_pyobject(py)?.to_owned().into_any()),
        Value::String(value) => Ok(value.into_pyobject(py)?.into_any()),
        Value::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
            (Some(value), _, _) => Ok(value.into_pyobject(py)?.into_any()),
            (_, Some(value), _) => Ok(value.into_pyobject(py)?.into_any()),
            (_, _, value) => Ok(value.into_pyobject(py)?.into_any()),
        },
        Value::Array(values) => {
            let list = PyList::empty(py);
            for value in values {
                list.append(value_out(py, value)?)?;
            }
            Ok(list.into_any())
        }
        Value::Object(fields) => {
            let dict = PyDict::new(py);
            for (key, value) in fields {
                dict.set_item(key, value_out(py, value)?)?;
            }
            Ok(dict.into_any())
        }
    }
}
