//! The Python module `karyaksham_engine._engine`: converts and forwards. Every call that works releases the GIL, every
//! panic becomes an InternalError, and every error is one of `karyaksham_engine.errors`.

mod commit;
mod convert;
mod inspect;
mod parts;
mod plan;
mod storage;
mod task;
mod writers;

use pyo3::prelude::*;

/// The engine's version; task payloads of another version are refused.
#[pyfunction]
fn version() -> &'static str {
    karyaksham_core::plan::VERSION
}

/// The structural index that this machine uses.
#[pyfunction]
fn simd_path() -> &'static str {
    karyaksham_text::simd_path()
}

#[pymodule]
fn _engine(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<parts::Block>()?;
    module.add_class::<parts::Part>()?;
    module.add_class::<parts::RejectsPart>()?;
    module.add_class::<plan::Plan>()?;
    module.add_class::<plan::Task>()?;
    module.add_class::<task::CancelToken>()?;
    module.add_class::<task::Progress>()?;
    module.add_class::<task::TaskContext>()?;
    module.add_class::<task::TaskOutcome>()?;
    module.add_class::<writers::OutputWriter>()?;
    module.add_class::<writers::RejectsWriter>()?;
    module.add_function(wrap_pyfunction!(commit::commit_parts, module)?)?;
    module.add_function(wrap_pyfunction!(version, module)?)?;
    module.add_function(wrap_pyfunction!(simd_path, module)?)?;
    module.add_function(wrap_pyfunction!(inspect::sniff, module)?)?;
    module.add_function(wrap_pyfunction!(inspect::preview, module)?)?;
    module.add_function(wrap_pyfunction!(inspect::profile, module)?)?;
    module.add_function(wrap_pyfunction!(plan::plan, module)?)?;
    module.add_function(wrap_pyfunction!(task::run_task, module)?)?;
    module.add_function(wrap_pyfunction!(storage::stat_objects, module)?)?;
    module.add_function(wrap_pyfunction!(storage::list_objects, module)?)?;
    module.add_function(wrap_pyfunction!(storage::remove_objects, module)?)?;
    Ok(())
}
