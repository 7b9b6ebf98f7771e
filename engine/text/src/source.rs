//! Where bytes come from: positioned reads, so that many shards share one handle.

use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;

/// The size of a stream whose end was not seen yet: larger than any.
pub const SIZE_UNKNOWN: u64 = i64::MAX as u64;

/// Positioned, blocking reads of one immutable object.
pub trait ReadAt: Send + Sync {
    /// Fill `buf` from `offset`; short only at the end of the object, whose size is known from then on. Returns the
    /// bytes read.
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize>;

    /// Size in bytes, fixed when the source was opened; of a stream [`SIZE_UNKNOWN`] until its end was seen.
    fn size_bytes(&self) -> u64;

    /// Reads are quick only where offsets ascend, so that there is nothing to be gained from cutting it.
    fn is_stream(&self) -> bool {
        false
    }

    /// Names the object in this version, for what is remembered of it; None: nothing may be.
    fn identity(&self) -> Option<String> {
        None
    }

    /// The bytes from `from` to `to` will be read in order: what takes time to come may be asked for now.
    fn will_read(&self, _from: u64, _to: u64) {}

    /// How many bytes of the stored file stand for the bytes from `from` to `to`; of a stream, all that were used up.
    fn stored_bytes(&self, from: u64, to: u64) -> u64 {
        to.saturating_sub(from)
    }
}

/// A file on disk, read with `pread`.
pub struct FileSource {
    file: File,
    size_bytes: u64,
}

impl FileSource {
    /// Open `path` for reading; its size is taken now.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let size_bytes = file.metadata()?.len();
        Ok(Self { file, size_bytes })
    }
}

impl ReadAt for FileSource {
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        while filled < buf.len() {
            match self
                .file
                .read_at(&mut buf[filled..], offset + filled as u64)
            {
                Ok(0) => break,
                Ok(n) => filled += n,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        Ok(filled)
    }

    fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    fn identity(&self) -> Option<String> {
        let of = self.file.metadata().ok()?;
        let changed = (of.mtime(), of.mtime_nsec(), of.ctime(), of.ctime_nsec());
        Some(format!(
            "{}:{}:{}:{changed:?}",
            of.dev(),
            of.ino(),
            of.len()
        ))
    }
}

impl ReadAt for [u8] {
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        let start = (offset as usize).min(self.len());
        let n = buf.len().min(self.len() - start);
        buf[..n].copy_from_slice(&self[start..start + n]);
        Ok(n)
    }

    fn size_bytes(&self) -> u64 {
        self.len() as u64
    }
}

impl ReadAt for Vec<u8> {
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        self.as_slice().read_at(offset, buf)
    }

    fn size_bytes(&self) -> u64 {
        self.len() as u64
    }
}
