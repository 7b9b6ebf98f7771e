//! Rows out and back: parts, commits, and what is said about files.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod commit;
mod csv;
mod formats;
mod inspect;
mod jump;
mod packed;
mod parquet;
mod preview;
mod profile;
mod speed;
mod support;
