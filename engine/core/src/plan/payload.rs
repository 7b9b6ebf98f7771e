//! What one task is told: the job, which piece of it to do, and everything that planning it again must not decide anew.
//! The worker plans the job again, so that a payload is plain data that says what it does; the version keeps a worker
//! from doing something else than was planned.

use serde::{Deserialize, Serialize};

use crate::error::{EngineError, Result};
use crate::job::{FileRef, Job};
use crate::scan::Shard;

/// Of the payload and of everything that decides how a job is planned.
pub const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "/3");

/// One task of one stage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Payload {
    /// Of the engine that planned it.
    pub version: String,
    /// Microseconds since the epoch; what `now()` says in every task.
    pub planned_at_us: i64,
    /// With one file of each source, since a task reads one only.
    pub job: Job,
    /// The file that it reads.
    pub file: Option<FileRef>,
    /// Shards of each source.
    pub shards: Vec<usize>,
    /// Which stage.
    pub stage: usize,
    /// What to do of it.
    pub work: Work,
}

/// What a task does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Work {
    /// Read one shard.
    Scan(Shard),
    /// Bring together what earlier stages left: the partitions from one up to and without another.
    Merge(usize, usize),
}

/// Only the version, which must be readable from a payload of any version.
#[derive(Deserialize)]
struct Versioned {
    version: String,
}

impl Payload {
    /// For the wire.
    ///
    /// # Errors
    /// Faults of ours.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        serde_json::to_vec(self)
            .map_err(|e| EngineError::internal(format!("a task can't be written: {e}")))
    }

    /// From the wire.
    ///
    /// # Errors
    /// InternalError for payloads of another version, and for what is no payload.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let unreadable =
            |e: serde_json::Error| EngineError::internal(format!("a task can't be read: {e}"));
        let found: Versioned = serde_json::from_slice(bytes).map_err(unreadable)?;
        if found.version != VERSION {
            let message = format!(
                "the task was planned by engine {}, this is {VERSION}",
                found.version
            );
            return Err(EngineError::internal(message)
                .hint("Plan the job again; every worker must run the same version."));
        }
        serde_json::from_slice(bytes).map_err(unreadable)
    }
}
