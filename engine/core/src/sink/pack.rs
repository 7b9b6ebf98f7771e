//! Text out, compressed so that it can be read in pieces later: gzip as BGZF, small members that say how long they are;
//! zstd in frames with a seek table at the end. Both formats let members and frames follow one another, so that the parts
//! of tasks become one file by being put one after the other; only the end of the file is the commit's business.
//!
//! BGZF: the SAM specification, section 4.1. Seek tables: the Zstandard Seekable Format 0.1.0.

use std::io;

use flate2::{Compress, Compression, Crc, FlushCompress, Status};
use zstd::bulk::Compressor;
use zstd::zstd_safe::CParameter;

use crate::error::{EngineError, Result};
use crate::job::{Output, OutputFormat};
use crate::part::{Content, Destination, PartBuffer};

/// Bytes of text in a member of BGZF, as other programs cut it: a member must stay below 64 KiB whatever the text.
const MEMBER_BYTES: usize = 0xff00;

/// Bytes of text in a frame of zstd.
const FRAME_BYTES: usize = 2 << 20;

/// What the formats' own programs take, where nobody says anything else.
const GZIP_LEVEL: u32 = 6;
const ZSTD_LEVEL: i32 = 3;

/// The empty member with which BGZF ends.
const GZIP_END: [u8; 28] = [
    0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 0xff, 6, 0, 0x42, 0x43, 2, 0, 0x1b, 0, 3, 0, 0, 0, 0, 0, 0, 0,
    0, 0,
];

/// The head of a member, before its length.
const MEMBER_HEAD: [u8; 16] = [
    0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 0xff, 6, 0, 0x42, 0x43, 2, 0,
];

/// What follows the compressed bytes of a member: checksum and size.
const MEMBER_FOOT_BYTES: usize = 8;

/// Of the frame that holds the seek table, and of the table itself.
const SKIPPABLE_MAGIC: u32 = 0x184D_2A5E;
const TABLE_MAGIC: u32 = 0x8F92_EAB1;
const TABLE_HEAD_BYTES: u64 = 8;
const TABLE_FOOT_BYTES: u64 = 9;
const ENTRY_BYTES: u64 = 8;

/// How text is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Packing {
    /// BGZF.
    Gzip,
    /// Seekable.
    Zstd,
}

impl Packing {
    /// Of an output; None: as it is, or the format's own business.
    ///
    /// # Errors
    /// InvalidJob INVALID_OUTPUT.
    pub(crate) fn of(output: &Output) -> Result<Option<Self>> {
        let text = matches!(output.format, OutputFormat::Csv | OutputFormat::Ndjson);
        match output.compression.as_deref() {
            None | Some("none") => Ok(None),
            _ if output.format == OutputFormat::Parquet => Ok(None),
            Some("gzip") if text => Ok(Some(Self::Gzip)),
            Some("zstd") if text => Ok(Some(Self::Zstd)),
            Some(other) => Err(EngineError::invalid_job(
                "INVALID_OUTPUT",
                format!("This format can't be written with the compression {other:?}."),
            )
            .hint(
                "CSV and NDJSON take gzip and zstd, Parquet also snappy and lz4; or leave it out.",
            )),
        }
    }

    /// How names end.
    pub(crate) fn extension(self) -> &'static str {
        match self {
            Self::Gzip => ".gz",
            Self::Zstd => ".zst",
        }
    }
}

/// A part of text in the making, compressed where that was asked for.
pub(super) struct TextBuffer {
    buffer: PartBuffer,
    packer: Option<Packer>,
}

impl TextBuffer {
    pub(super) fn new(
        packing: Option<Packing>,
        destination: &Destination,
        file_name: &str,
    ) -> Result<Self> {
        Ok(Self {
            buffer: PartBuffer::new(destination, file_name)?,
            packer: packing.map(Packer::new).transpose()?,
        })
    }

    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<()> {
        match &mut self.packer {
            None => self.buffer.push(bytes),
            Some(packer) => packer.push(bytes, &mut |packed| self.buffer.push(packed)),
        }
    }

    pub(super) fn finish(mut self) -> Result<(Content, u64)> {
        if let Some(packer) = &mut self.packer {
            packer.flush(&mut |packed| self.buffer.push(packed))?;
            self.buffer.push(&packer.table())?;
        }
        self.buffer.finish()
    }
}

/// Text into members or frames.
pub(crate) struct Packer {
    engine: Engine,
    waiting: Vec<u8>,
    packed: Vec<u8>,
    frames: Vec<(u32, u32)>,
}

enum Engine {
    Gzip(Compress),
    Zstd(Compressor<'static>),
}

type Out<'a> = &'a mut dyn FnMut(&[u8]) -> Result<()>;

impl Packer {
    pub(crate) fn new(packing: Packing) -> Result<Self> {
        let engine = match packing {
            Packing::Gzip => Engine::Gzip(Compress::new(Compression::new(GZIP_LEVEL), false)),
            Packing::Zstd => {
                let mut compressor = Compressor::new(ZSTD_LEVEL).map_err(failed)?;
                compressor
                    .set_parameter(CParameter::ChecksumFlag(true))
                    .map_err(failed)?;
                Engine::Zstd(compressor)
            }
        };
        Ok(Self {
            engine,
            waiting: Vec::new(),
            packed: Vec::new(),
            frames: Vec::new(),
        })
    }

    /// Add text; whole members and frames go out.
    pub(crate) fn push(&mut self, mut bytes: &[u8], out: Out<'_>) -> Result<()> {
        let size = match self.engine {
            Engine::Gzip(_) => MEMBER_BYTES,
            Engine::Zstd(_) => FRAME_BYTES,
        };
        while self.waiting.len() + bytes.len() >= size {
            let (taken, rest) = bytes.split_at(size - self.waiting.len());
            self.waiting.extend_from_slice(taken);
            self.flush(out)?;
            bytes = rest;
        }
        self.waiting.extend_from_slice(bytes);
        Ok(())
    }

    /// What is left goes out.
    pub(crate) fn flush(&mut self, out: Out<'_>) -> Result<()> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        match &mut self.engine {
            Engine::Gzip(compress) => pack_member(compress, &self.waiting, &mut self.packed)?,
            Engine::Zstd(compressor) => {
                let bound = zstd::zstd_safe::compress_bound(self.waiting.len());
                self.packed.clear();
                self.packed.reserve(bound);
                compressor
                    .compress_to_buffer(&self.waiting, &mut self.packed)
                    .map_err(failed)?;
                let sizes = (self.packed.len() as u32, self.waiting.len() as u32);
                self.frames.push(sizes);
            }
        }
        self.waiting.clear();
        out(&self.packed)
    }

    /// The seek table of the frames so far.
    fn table(&self) -> Vec<u8> {
        match self.engine {
            Engine::Gzip(_) => Vec::new(),
            Engine::Zstd(_) => table(&self.frames),
        }
    }
}

/// One file from the bytes of parts.
pub(crate) struct Joined {
    packing: Packing,
    frames: Vec<(u32, u32)>,
}

impl Joined {
    pub(crate) fn new(packing: Packing) -> Self {
        Self {
            packing,
            frames: Vec::new(),
        }
    }

    /// Text that comes before the parts, compressed.
    pub(crate) fn head(&mut self, text: &[u8]) -> Result<Vec<u8>> {
        let mut packed = Vec::new();
        let mut packer = Packer::new(self.packing)?;
        let mut out = |bytes: &[u8]| {
            packed.extend_from_slice(bytes);
            Ok(())
        };
        packer.push(text, &mut out)?;
        packer.flush(&mut out)?;
        self.frames.append(&mut packer.frames);
        Ok(packed)
    }

    /// How many bytes of the next part are to be taken over: all but its seek table.
    ///
    /// # Errors
    /// TransientIo PART_LOST; InternalError for what is no part.
    pub(crate) fn take_in(&mut self, content: &Content, size_bytes: u64) -> Result<u64> {
        if self.packing == Packing::Gzip {
            return Ok(size_bytes);
        }
        let wrong = || EngineError::internal("a part of zstd has no seek table");
        let foot = content.last(size_bytes, TABLE_FOOT_BYTES)?;
        let words = words(&foot[..4])
            .chain(self::words(&foot[5..]))
            .collect::<Vec<u32>>();
        let &[count, TABLE_MAGIC] = words.as_slice() else {
            return Err(wrong());
        };
        let entries = u64::from(count) * ENTRY_BYTES;
        let length = TABLE_HEAD_BYTES + entries + TABLE_FOOT_BYTES;
        let table = content.last(size_bytes, length)?;
        let entries = table
            .get(TABLE_HEAD_BYTES as usize..(TABLE_HEAD_BYTES + entries) as usize)
            .ok_or_else(wrong)?;
        for entry in entries.chunks_exact(ENTRY_BYTES as usize) {
            if let [packed, text] = self::words(entry).collect::<Vec<u32>>()[..] {
                self.frames.push((packed, text));
            }
        }
        Ok(size_bytes - length)
    }

    /// What comes after the last part.
    pub(crate) fn end(&self) -> Vec<u8> {
        match self.packing {
            Packing::Gzip => GZIP_END.to_vec(),
            Packing::Zstd => table(&self.frames),
        }
    }
}

fn pack_member(compress: &mut Compress, text: &[u8], packed: &mut Vec<u8>) -> Result<()> {
    packed.clear();
    packed.extend_from_slice(&MEMBER_HEAD);
    packed.extend_from_slice(&[0, 0]);
    // Text that can't be made smaller grows by some bytes.
    packed.reserve(text.len() + 1024);
    compress.reset();
    let status = compress
        .compress_vec(text, packed, FlushCompress::Finish)
        .map_err(io::Error::from)
        .map_err(failed)?;
    let length = packed.len() + MEMBER_FOOT_BYTES;
    let (Status::StreamEnd, Ok(length)) = (status, u16::try_from(length - 1)) else {
        return Err(EngineError::internal("a member of gzip became too long"));
    };
    packed[MEMBER_HEAD.len()..MEMBER_HEAD.len() + 2].copy_from_slice(&length.to_le_bytes());
    let mut crc = Crc::new();
    crc.update(text);
    packed.extend_from_slice(&crc.sum().to_le_bytes());
    packed.extend_from_slice(&(text.len() as u32).to_le_bytes());
    Ok(())
}

fn table(frames: &[(u32, u32)]) -> Vec<u8> {
    let entries = frames.len() as u64 * ENTRY_BYTES;
    let mut table = Vec::with_capacity((TABLE_HEAD_BYTES + entries + TABLE_FOOT_BYTES) as usize);
    table.extend_from_slice(&SKIPPABLE_MAGIC.to_le_bytes());
    table.extend_from_slice(&((entries + TABLE_FOOT_BYTES) as u32).to_le_bytes());
    for (packed, text) in frames {
        table.extend_from_slice(&packed.to_le_bytes());
        table.extend_from_slice(&text.to_le_bytes());
    }
    table.extend_from_slice(&(frames.len() as u32).to_le_bytes());
    table.push(0);
    table.extend_from_slice(&TABLE_MAGIC.to_le_bytes());
    table
}

fn words(bytes: &[u8]) -> impl Iterator<Item = u32> {
    let (words, _) = bytes.as_chunks::<4>();
    words.iter().map(|word| u32::from_le_bytes(*word))
}

fn failed(error: io::Error) -> EngineError {
    EngineError::internal(format!("text could not be compressed: {error}"))
}
