//! Rejects of one task: JSON lines with the keys of `Reject`, rows and lines counted within the shard.

use std::io::{BufRead, BufReader, Lines, Read};
use std::path::{Path, PathBuf};

use super::{Content, Destination, PartBuffer};
use crate::error::{EngineError, Result};
use crate::job::FileReject;

/// The file's name in the folder of the attempt.
const FILE_NAME: &str = "rejects.ndjson";

/// One task's rejects, rows and lines counted within the shard.
#[derive(Debug, Clone)]
pub struct RejectsPart {
    content: Content,
    rows: u64,
    size_bytes: u64,
}

impl RejectsPart {
    /// A part that another process wrote. Its file is looked at when it is read.
    pub fn open(path: impl Into<PathBuf>, rows: u64, size_bytes: u64) -> Self {
        Self {
            content: Content::File(path.into()),
            rows,
            size_bytes,
        }
    }

    /// Where the file is; None in memory.
    pub fn path(&self) -> Option<&Path> {
        self.content.path()
    }

    /// Rejects in it.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Of the bytes written.
    pub fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// The rejects in the order of the file.
    ///
    /// # Errors
    /// TransientIo PART_LOST where the file is gone or not whole.
    pub fn rejects(&self) -> Result<impl Iterator<Item = Result<FileReject>>> {
        let reader = self.content.reader(self.size_bytes)?;
        Ok(Rejects(BufReader::new(reader).lines()))
    }
}

struct Rejects(Lines<BufReader<Box<dyn Read + Send>>>);

impl Iterator for Rejects {
    type Item = Result<FileReject>;

    fn next(&mut self) -> Option<Self::Item> {
        let line = match self.0.next()? {
            Ok(line) => line,
            Err(error) => return Some(Err(error.into())),
        };
        Some(
            serde_json::from_str(&line).map_err(|e| {
                EngineError::internal(format!("a line of {FILE_NAME} is no reject: {e}"))
            }),
        )
    }
}

/// Gathers the rejects of one task.
pub struct RejectsPartWriter {
    buffer: PartBuffer,
    rows: u64,
}

impl RejectsPartWriter {
    /// For the attempt that owns `destination`.
    ///
    /// # Errors
    /// Those of making the file.
    pub fn new(destination: &Destination) -> Result<Self> {
        Ok(Self {
            buffer: PartBuffer::new(destination, FILE_NAME)?,
            rows: 0,
        })
    }

    /// Add one.
    ///
    /// # Errors
    /// ResourceError DISK_FULL, and others of writing.
    pub fn push(&mut self, reject: &FileReject) -> Result<()> {
        let mut line = serde_json::to_vec(reject)
            .map_err(|e| EngineError::internal(format!("a reject is not JSON: {e}")))?;
        line.push(b'\n');
        self.rows += 1;
        self.buffer.push(&line)
    }

    /// How many there are.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// All of them.
    ///
    /// # Errors
    /// Those of writing.
    pub fn finish(self) -> Result<RejectsPart> {
        let (content, size_bytes) = self.buffer.finish()?;
        Ok(RejectsPart {
            content,
            rows: self.rows,
            size_bytes,
        })
    }
}
