//! Compressed files that can be read at any place: they are blocks that were compressed one by one, and where these lie
//! can be told without decompressing. BGZF says so in each block's header; zstd in a seek table at the end, or in the
//! headers of its frames. The text is decompressed where it is asked for, so that such files are cut like plain ones.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::sync::{Arc, Mutex, PoisonError};

use super::Compression;
use super::error::DecodeError;
use super::limit::Limit;
use super::{bgzf, zstd_frames};
use crate::ReadAt;

/// Decompressed blocks that a reader keeps: the one at hand, and its neighbours.
const KEPT_BLOCKS: usize = 4;
/// A block is decompressed as a whole, so larger ones are rather read as a stream.
pub(super) const BLOCK_MAX_BYTES: u64 = 32 << 20;
/// Indexes that are remembered, because many tasks of one process read the same file.
const REMEMBERED: usize = 8;

/// Where blocks begin, in the file and in the text. The last entry is where both end.
#[derive(Debug)]
pub(super) struct Index {
    starts: Vec<(u64, u64)>,
}

impl Index {
    /// Before any block.
    pub fn new() -> Self {
        Self {
            starts: vec![(0, 0)],
        }
    }

    /// One more block, or bytes without text.
    pub fn push(&mut self, stored_bytes: u64, text_bytes: u64) {
        let (stored, text) = self.end();
        if text_bytes == 0 && self.starts.len() > 1 {
            // What has no text belongs to the block before.
            if let Some(end) = self.starts.last_mut() {
                end.0 += stored_bytes;
            }
        } else {
            self.starts.push((stored + stored_bytes, text + text_bytes));
        }
    }

    /// Where the blocks end.
    pub fn end(&self) -> (u64, u64) {
        self.starts.last().copied().unwrap_or_default()
    }

    fn block_at(&self, offset: u64) -> usize {
        self.starts.partition_point(|(_, text)| *text <= offset) - 1
    }

    /// Where in the file an offset of the text lies, about.
    fn place(&self, offset: u64) -> u64 {
        let block = self.block_at(offset);
        let (stored, text) = self.starts[block];
        let Some((next_stored, next_text)) = self.starts.get(block + 1) else {
            return stored;
        };
        let part = u128::from(next_stored - stored) * u128::from(offset - text);
        stored + (part / u128::from((next_text - text).max(1))) as u64
    }
}

/// Reads blocks.
pub(super) struct Blocks {
    stored: Arc<dyn ReadAt>,
    compression: Compression,
    index: Arc<Index>,
    kept: Mutex<VecDeque<(usize, Arc<Vec<u8>>)>>,
}

static LAST: Mutex<VecDeque<(String, Option<Arc<Index>>)>> = Mutex::new(VecDeque::new());

/// The index of a file; None: it can only be read as a stream.
fn index_of(stored: &dyn ReadAt, compression: Compression) -> io::Result<Option<Arc<Index>>> {
    let identity = stored.identity();
    let lock = || LAST.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(name) = &identity
        && let Some((_, index)) = lock().iter().find(|(known, _)| known == name)
    {
        return Ok(index.clone());
    }
    let index = match compression {
        Compression::Gzip => bgzf::index(stored)?,
        Compression::Zstd => zstd_frames::index(stored)?,
        Compression::Bzip2 | Compression::Lz4 => None,
    };
    let index = index.map(Arc::new);
    if let Some(name) = identity {
        let mut last = lock();
        last.push_front((name, index.clone()));
        last.truncate(REMEMBERED);
    }
    Ok(index)
}

impl Blocks {
    /// None: the file can only be read as a stream.
    ///
    /// # Errors
    /// Those of reading; a limit that is exceeded, and an end that is missing.
    pub fn open(
        stored: &Arc<dyn ReadAt>,
        compression: Compression,
        limit: Limit,
    ) -> io::Result<Option<Self>> {
        let Some(index) = index_of(&**stored, compression)? else {
            return Ok(None);
        };
        let (stored_bytes, text_bytes) = index.end();
        limit.check(compression.name(), text_bytes, stored_bytes)?;
        Ok(Some(Self {
            stored: Arc::clone(stored),
            compression,
            index,
            kept: Mutex::default(),
        }))
    }

    fn block(&self, number: usize) -> io::Result<Arc<Vec<u8>>> {
        let lock = || self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, block)) = lock().iter().find(|(kept, _)| *kept == number) {
            return Ok(Arc::clone(block));
        }
        let block = Arc::new(self.decompress(number)?);
        let mut kept = lock();
        kept.truncate(KEPT_BLOCKS - 1);
        kept.push_front((number, Arc::clone(&block)));
        Ok(block)
    }

    fn decompress(&self, number: usize) -> io::Result<Vec<u8>> {
        let ((from, text), (to, next_text)) =
            (self.index.starts[number], self.index.starts[number + 1]);
        let size = (next_text - text) as usize;
        let mut bytes = vec![0; (to - from) as usize];
        let read = self.stored.read_at(from, &mut bytes)?;
        let name = self.compression.name();
        if read < bytes.len() {
            return Err(DecodeError::truncated(name, from + read as u64).into());
        }
        let decompressed = match self.compression {
            Compression::Zstd => zstd::stream::read::Decoder::with_buffer(&bytes[..])
                .and_then(|decoder| at_most(decoder, size)),
            _ => at_most(flate2::bufread::MultiGzDecoder::new(&bytes[..]), size),
        };
        match decompressed {
            Ok(block) if block.len() == size => Ok(block),
            Ok(_) => {
                let why = "a block is not as long as its header says";
                Err(DecodeError::corrupt(name, from, why).into())
            }
            Err(error) => Err(DecodeError::corrupt(name, from, &error.to_string()).into()),
        }
    }
}

/// What `decoder` has, cut one byte after `size`.
fn at_most(decoder: impl Read, size: usize) -> io::Result<Vec<u8>> {
    let mut block = Vec::with_capacity(size + 1);
    decoder.take(size as u64 + 1).read_to_end(&mut block)?;
    Ok(block)
}

impl ReadAt for Blocks {
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        let left = self.size_bytes().saturating_sub(offset);
        let want = usize::try_from(left).unwrap_or(usize::MAX).min(buf.len());
        let mut filled = 0;
        while filled < want {
            let at = offset + filled as u64;
            let number = self.index.block_at(at);
            let block = self.block(number)?;
            let text = &block[(at - self.index.starts[number].1) as usize..];
            let length = text.len().min(want - filled);
            buf[filled..filled + length].copy_from_slice(&text[..length]);
            filled += length;
        }
        Ok(filled)
    }

    fn size_bytes(&self) -> u64 {
        self.index.end().1
    }

    fn stored_bytes(&self, from: u64, to: u64) -> u64 {
        self.index.place(to).saturating_sub(self.index.place(from))
    }
}
