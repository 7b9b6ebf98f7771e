//! One decompressor a format, over inputs of several members, frames or streams.

use std::io::{self, BufRead, Read};

use bzip2::bufread::MultiBzDecoder;
use flate2::bufread::MultiGzDecoder;
use lz4_flex::frame::FrameDecoder;
use zstd::stream::read::Decoder;

use super::Compression;
use super::input::Input;

/// Whatever `input` holds; plain bytes without a compression.
pub(super) fn open(compression: Option<Compression>, input: Input) -> io::Result<Box<dyn Read>> {
    Ok(match compression {
        None => Box::new(input),
        Some(Compression::Gzip) => Box::new(MultiGzDecoder::new(input)),
        // It refuses windows over 128 MiB, so that a frame's header can't ask for any amount of memory.
        Some(Compression::Zstd) => Box::new(Decoder::with_buffer(input)?),
        Some(Compression::Bzip2) => Box::new(MultiBzDecoder::new(input)),
        Some(Compression::Lz4) => Box::new(Lz4Frames::new(input)),
    })
}

/// LZ4 frames one after the other. The decoder takes an input that ends within a frame for the end of the frame, so it
/// gets an input that never ends but fails.
struct Lz4Frames {
    frames: FrameDecoder<Endless>,
}

impl Lz4Frames {
    fn new(input: Input) -> Self {
        Self {
            frames: FrameDecoder::new(Endless(input)),
        }
    }
}

impl Read for Lz4Frames {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.frames.read(buf) {
                // The end of a frame.
                Ok(0) if self.frames.get_mut().0.fill_buf()?.is_empty() => return Ok(0),
                Ok(0) => {}
                Err(error) if error.kind() == END => {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                other => return other,
            }
        }
    }
}

/// Stands for an end that the decoder must not see.
const END: io::ErrorKind = io::ErrorKind::NotConnected;

struct Endless(Input);

impl Read for Endless {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self.0.read(buf)? {
            0 if !buf.is_empty() => Err(END.into()),
            read => Ok(read),
        }
    }
}
