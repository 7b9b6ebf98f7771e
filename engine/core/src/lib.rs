//! Jobs over files: SQL to stages ([`plan`]), one task of a stage ([`task`]), rows out ([`sink`], [`commit`]), and
//! what a file holds ([`inspect`], [`preview`], [`profile`]). Knows DataFusion; knows no Python, no Ray, no user.

pub mod commit;
mod dialect;
pub mod error;
pub mod exchange;
pub mod functions;
pub mod inspect;
pub mod job;
mod numbered;
pub mod part;
pub mod plan;
pub mod preview;
pub mod profile;
pub mod progress;
pub mod scan;
pub mod sink;
mod spill;
pub mod storage;
pub mod task;

pub use error::{EngineError, Fault, Result};
pub use job::Job;
