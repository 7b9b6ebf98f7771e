//! Stored bytes in order, as decompressors take them.

use std::io::{self, BufRead, Read};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use super::error::DecodeError;
use crate::ReadAt;

const READ_BYTES: usize = 256 << 10;

/// What is known of an input whose decompressor has it.
#[derive(Debug, Default)]
pub(super) struct Place {
    used: AtomicU64,
    failed: OnceLock<Arc<io::Error>>,
}

impl Place {
    /// Stored bytes that were used up.
    pub fn used(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }

    /// What storage failed with: an error is its, not the data's, whatever the decompressor makes of it.
    pub fn failed(&self) -> Option<Arc<io::Error>> {
        self.failed.get().cloned()
    }
}

/// The stored bytes from the first to the last.
pub(super) struct Input {
    stored: Arc<dyn ReadAt>,
    read_to: u64,
    bytes: Vec<u8>,
    at: usize,
    place: Arc<Place>,
}

impl Input {
    pub fn new(stored: Arc<dyn ReadAt>) -> Self {
        Self {
            stored,
            read_to: 0,
            bytes: vec![],
            at: 0,
            place: Arc::default(),
        }
    }

    pub fn place(&self) -> Arc<Place> {
        Arc::clone(&self.place)
    }

    fn more(&mut self) -> io::Result<()> {
        let left = self.stored.size_bytes().saturating_sub(self.read_to);
        let want = left.min(READ_BYTES as u64) as usize;
        self.bytes.resize(want, 0);
        self.at = 0;
        let read = self.stored.read_at(self.read_to, &mut self.bytes);
        let read = read.map_err(|error| {
            let kind = error.kind();
            let _ = self.place.failed.set(Arc::new(error));
            io::Error::from(kind)
        })?;
        self.bytes.truncate(read);
        self.read_to += read as u64;
        if read < want {
            return Err(DecodeError::truncated("stored", self.read_to).into());
        }
        Ok(())
    }
}

impl BufRead for Input {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.at == self.bytes.len() {
            self.more()?;
        }
        Ok(&self.bytes[self.at..])
    }

    fn consume(&mut self, bytes: usize) {
        self.at += bytes;
        self.place.used.fetch_add(bytes as u64, Ordering::Relaxed);
    }
}

impl Read for Input {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(buf)?;
        self.consume(read);
        Ok(read)
    }
}
