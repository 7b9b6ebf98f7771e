//! Bytes on their way into a part: gathered in memory, moved into a file when they are many.

use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;

use bytes::Bytes;

use super::{Content, Destination, Keep, MEMORY_LIMIT_BYTES, create};
use crate::error::{EngineError, Result};

/// Memory is taken in chunks of this size, because one piece that grows is copied again and again, and a file is written
/// in them.
const CHUNK_BYTES: usize = 1 << 20;

/// The same for one of many buffers.
const SPARSE_CHUNK_BYTES: usize = 64 << 10;

/// A growing part. Dropped unfinished, it leaves its file to whoever owns the folder.
pub struct PartBuffer {
    chunk: Vec<u8>,
    full: Vec<Bytes>,
    full_bytes: usize,
    path: PathBuf,
    file: Option<File>,
    /// The file is open only while it is written, because there are many.
    is_sparse: bool,
    flushed_bytes: u64,
}

impl PartBuffer {
    /// For a file of the name `file_name`, which is made when it is needed.
    ///
    /// # Errors
    /// Those of making the file.
    pub fn new(destination: &Destination, file_name: &str) -> Result<Self> {
        let mut buffer = Self {
            chunk: Vec::new(),
            full: Vec::new(),
            full_bytes: 0,
            path: destination.staging_dir.join(file_name),
            file: None,
            is_sparse: destination.keep == Keep::Sparse,
            flushed_bytes: 0,
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
        self.flushed_bytes + (self.full_bytes + self.chunk.len()) as u64
    }

    /// All of it.
    ///
    /// # Errors
    /// Those of writing.
    pub fn finish(mut self) -> Result<(Content, u64)> {
        let size_bytes = self.size_bytes();
        self.end_chunk().map_err(not_kept)?;
        let content = match self.file {
            None if self.is_sparse => Content::File(self.path),
            None => Content::Memory(self.full.into()),
            Some(_) => Content::File(self.path),
        };
        Ok((content, size_bytes))
    }

    /// Put the chunk where it is to stay, and begin another.
    fn end_chunk(&mut self) -> io::Result<()> {
        if self.is_sparse {
            let mut file = File::options().create(true).append(true).open(&self.path)?;
            file.write_all(&self.chunk)?;
            self.flushed_bytes += self.chunk.len() as u64;
            self.chunk.clear();
            return Ok(());
        }
        if let Some(file) = &mut self.file {
            file.write_all(&self.chunk)?;
            self.flushed_bytes += self.chunk.len() as u64;
            self.chunk.clear();
            return Ok(());
        }
        self.full_bytes += self.chunk.len();
        self.full.push(std::mem::take(&mut self.chunk).into());
        if self.full_bytes > MEMORY_LIMIT_BYTES {
            self.spill()?;
        } else {
            self.chunk.reserve(CHUNK_BYTES);
        }
        Ok(())
    }

    fn spill(&mut self) -> io::Result<()> {
        let mut file = create(&self.path)?;
        for chunk in self.full.drain(..) {
            file.write_all(&chunk)?;
            self.flushed_bytes += chunk.len() as u64;
        }
        self.full_bytes = 0;
        self.file = Some(file);
        Ok(())
    }
}

impl Write for PartBuffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let chunk_bytes = if self.is_sparse {
            SPARSE_CHUNK_BYTES
        } else {
            CHUNK_BYTES
        };
        if self.chunk.len() + bytes.len() > chunk_bytes && !self.chunk.is_empty() {
            self.end_chunk()?;
        }
        let taken = &bytes[..bytes.len().min(chunk_bytes)];
        self.chunk.extend_from_slice(taken);
        Ok(taken.len())
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
