//! Whole jobs over real files, task by task.

mod common;
mod errors;
mod parquet;
mod sql;
mod tasks;
