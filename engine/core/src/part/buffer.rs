//! Bytes on their way into a part: gathered in memory, moved into a file when they are many.

use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;

use super::{Content, Destination, Keep, MEMORY_LIMIT_BYTES};
use crate::error::{EngineError, Result};

/// What is gathered before it is written to a file.
const CHUNK_BYTES: usize = 1 << 20;

/// A growing part. Dropped unfinished, it leaves its file to whoever owns the folder.
pub struct PartBuffer {
    pending: Vec<u8>,
    path: PathBuf,
    file: Option<File>,
    flushed_bytes: u64,
    limit_bytes: usize,
}

impl PartBuffer {
    /// For a file of the name `file_name`, which is made when it is needed.
    ///
    /// # Errors
    /// Those of making the file.
    pub fn new(destination: &Destination, file_name: &str) -> Result<Self> {
        let mut buffer = Self {
            pending: Vec::new(),
            path: destination.staging_dir.join(file_name),
            file: None,
            flushed_bytes: 0,
            limit_bytes: MEMORY_LIMIT_BYTES,
        };
        if destination.keep == Keep::File {
            buffer.spill().map_err(not_kept)?;
        }
        Ok(buffer)
    }

    /// Add `bytes`.
    ///
    /// # Errors
    /// ResourceError DISK_FULL, and others of writing.
    pub fn push(&mut self, bytes: &[u8]) -> Result<()> {
        self.write_all(bytes).map_err(not_kept)
    }

    /// The bytes so far.
    pub fn size_bytes(&self) -> u64 {
        self.flushed_bytes + self.pending.len() as u64
    }

    /// All of it.
    ///
    /// # Errors
    /// Those of writing.
    pub fn finish(mut self) -> Result<(Content, u64)> {
        let size_bytes = self.size_bytes();
        if self.file.is_none() {
            return Ok((Content::Memory(self.pending.into()), size_bytes));
        }
        self.make_room().map_err(not_kept)?;
        Ok((Content::File(self.path), size_bytes))
    }

    fn make_room(&mut self) -> io::Result<()> {
        if self.file.is_none() {
            self.spill()?;
        }
        let pending = std::mem::take(&mut self.pending);
        self.write_through(&pending)?;
        if pending.capacity() <= 2 * CHUNK_BYTES {
            self.pending = pending;
            self.pending.clear();
        }
        Ok(())
    }

    fn spill(&mut self) -> io::Result<()> {
        self.file = Some(File::create(&self.path)?);
        self.limit_bytes = CHUNK_BYTES;
        Ok(())
    }

    fn write_through(&mut self, bytes: &[u8]) -> io::Result<()> {
        if let Some(file) = &mut self.file {
            file.write_all(bytes)?;
            self.flushed_bytes += bytes.len() as u64;
        }
        Ok(())
    }
}

impl Write for PartBuffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.pending.len() + bytes.len() > self.limit_bytes {
            self.make_room()?;
            if bytes.len() > self.limit_bytes {
                self.write_through(bytes)?;
                return Ok(bytes.len());
            }
        }
        self.pending.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A result could not be written into the attempt's folder.
pub(crate) fn not_kept(error: io::Error) -> EngineError {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            error.into()
        }
        _ => EngineError::transient("IO_ERROR", format!("A result could not be kept: {error}.")),
    }
}
