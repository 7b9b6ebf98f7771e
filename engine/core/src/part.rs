//! What one task hands on: a [`Part`] of the output, a [`Block`] of rows for a later stage, a [`RejectsPart`]. Each is
//! in memory while it is small and a file in the attempt's own folder otherwise. Files are not synced: a part that
//! is lost is made again, and only the commit of the whole output must last.

mod block;
mod buffer;
mod layout;
mod rejects;

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;

use crate::error::{EngineError, Result};

pub(crate) use block::compact;
pub use block::{Batches, Block, BlockWriter, Segment};
pub use buffer::PartBuffer;
pub(crate) use buffer::not_kept;
pub use layout::{Layout, SortKeys};
pub use rejects::{RejectsPart, RejectsPartWriter};

/// Bytes of output that are larger go into a file.
pub const MEMORY_LIMIT_BYTES: usize = 64 << 20;

/// Where results are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// In memory up to [`MEMORY_LIMIT_BYTES`], then in a file.
    Memory,
    /// In a file always.
    File,
    /// In a file always, with little in memory before: for one of many.
    Sparse,
}

/// Where one attempt puts its results.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    /// Belongs to this attempt alone. Made when the first file needs it: most attempts need none, and on some file
    /// systems a folder takes milliseconds to remove.
    pub staging_dir: PathBuf,
    /// In memory or there.
    pub keep: Keep,
}

/// A new file in an attempt's folder, which is made with it.
pub(crate) fn create(path: &Path) -> io::Result<File> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    File::create(path)
}

/// Bytes in memory, or in a file.
#[derive(Debug, Clone)]
pub enum Content {
    /// In chunks, shared and not copied.
    Memory(Arc<[Bytes]>),
    /// A whole file.
    File(PathBuf),
}

/// Reads chunks one after the other.
struct Chunks {
    chunks: Arc<[Bytes]>,
    chunk: usize,
    at: usize,
}

impl Read for Chunks {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while let Some(chunk) = self.chunks.get(self.chunk) {
            let left = &chunk[self.at..];
            if left.is_empty() {
                self.chunk += 1;
                self.at = 0;
                continue;
            }
            let length = left.len().min(out.len());
            out[..length].copy_from_slice(&left[..length]);
            self.at += length;
            return Ok(length);
        }
        Ok(0)
    }
}

impl Content {
    /// Where the file is; None in memory.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Memory(_) => None,
            Self::File(path) => Some(path),
        }
    }

    /// The last `length` bytes, which there must be.
    ///
    /// # Errors
    /// As [`Self::reader`].
    pub(crate) fn last(&self, size_bytes: u64, length: u64) -> Result<Vec<u8>> {
        let at = size_bytes.checked_sub(length);
        let at = at.ok_or_else(|| EngineError::internal("a part is shorter than its end"))?;
        let mut bytes = Vec::new();
        match self {
            Self::Memory(_) => {
                let mut reader = self.reader(size_bytes)?;
                io::copy(&mut (&mut reader).take(at), &mut io::sink())?;
                reader.read_to_end(&mut bytes)?;
            }
            Self::File(path) => {
                let mut file = open_whole(path, size_bytes)?;
                file.seek(SeekFrom::Start(at))?;
                file.read_to_end(&mut bytes)?;
            }
        }
        Ok(bytes)
    }

    /// Read from the start; a file must have the size it was made with.
    ///
    /// # Errors
    /// TransientIo PART_LOST where the file is gone or not whole: its task can make it again.
    pub(crate) fn reader(&self, size_bytes: u64) -> Result<Box<dyn Read + Send>> {
        Ok(match self {
            Self::Memory(chunks) => Box::new(Chunks {
                chunks: Arc::clone(chunks),
                chunk: 0,
                at: 0,
            }),
            Self::File(path) => Box::new(open_whole(path, size_bytes)?),
        })
    }
}

/// Open a part's file, if it is whole.
pub(crate) fn open_whole(path: &Path, size_bytes: u64) -> Result<File> {
    let lost = |why: String| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        EngineError::transient(
            "PART_LOST",
            format!("The result file {name} of a task {why}."),
        )
    };
    let file = File::open(path).map_err(|e| lost(format!("can't be opened: {e}")))?;
    let found = file.metadata()?.len();
    if found != size_bytes {
        return Err(lost(format!("has {found} bytes instead of {size_bytes}")));
    }
    Ok(file)
}

/// One task's piece of the output, in the output's format, without what the whole has only once (CSV: the header).
#[derive(Debug, Clone)]
pub struct Part {
    content: Content,
    rows: u64,
    size_bytes: u64,
}

impl Part {
    /// A part from what was written.
    pub(crate) fn new(content: Content, rows: u64, size_bytes: u64) -> Self {
        Self {
            content,
            rows,
            size_bytes,
        }
    }

    /// A part that another process wrote. Its file is looked at when it is read.
    pub fn open(path: impl Into<PathBuf>, rows: u64, size_bytes: u64) -> Self {
        Self::new(Content::File(path.into()), rows, size_bytes)
    }

    /// Where the file is; None in memory.
    pub fn path(&self) -> Option<&Path> {
        self.content.path()
    }

    /// Rows of the result.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Of the bytes written.
    pub fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// The bytes, or the file.
    pub fn content(&self) -> &Content {
        &self.content
    }
}
