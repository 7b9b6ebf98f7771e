//! Rows out and back: parts, commits, and what is said about files.

mod commit;
mod csv;
mod formats;
mod inspect;
mod preview;
mod profile;
mod speed;
mod support;
