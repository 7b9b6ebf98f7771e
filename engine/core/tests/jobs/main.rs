//! Whole jobs over real files, task by task.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod arrow;
mod common;
mod errors;
mod exchanges;
mod filters;
mod ndjson;
mod parquet;
mod sql;
mod tasks;
