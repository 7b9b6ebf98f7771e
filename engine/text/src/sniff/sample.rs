//! The bytes that are looked at: the head of the file, and windows spread evenly over the rest of it.

use memchr::memchr2;

use super::format;
use crate::{ReadAt, SIZE_UNKNOWN, TextError};

/// The head, when its first records are not longer.
const HEAD_BYTES: u64 = 512 << 10;
/// The head is never longer: no record is read that is.
const HEAD_MAX_BYTES: u64 = 16 << 20;
/// A file of at most this size is looked at as a whole.
const WHOLE_BYTES: u64 = 3 << 19;
/// A stream is looked at this far, because it is read in order.
const STREAM_BYTES: u64 = 32 << 20;
const WINDOWS: u64 = 32;
const WINDOW_BYTES: u64 = 32 << 10;
/// What a UTF-8 file may begin with.
pub(super) const BOM: &[u8] = b"\xef\xbb\xbf";

/// Some bytes of the file.
pub(super) struct Window {
    pub offset: u64,
    pub bytes: Vec<u8>,
    /// They reach the end of the file.
    pub whole: bool,
}

/// The head, from after the byte order mark.
pub(super) struct Head {
    pub window: Window,
    pub has_bom: bool,
    limit: u64,
}

impl Head {
    /// Read the head of `source`: text, with a line end if the file has one.
    pub fn read(source: &dyn ReadAt) -> Result<Self, TextError> {
        let size = source.size_bytes();
        let limit = if size <= WHOLE_BYTES {
            size
        } else {
            HEAD_BYTES
        };
        let mut head = Self::of_limit(source, limit)?;
        while !head.has_lines() && head.grow(source)? {}
        let bytes = &head.window.bytes;
        if bytes.trim_ascii().is_empty() {
            return Err(format::empty(if size == 0 {
                "The file is empty."
            } else {
                "The file has no text: only blank lines or a byte order mark."
            }));
        }
        if !head.has_lines() && !head.window.whole {
            return Err(format::not_a_table(
                format!(
                    "The first line does not end within {} MiB, so it is no row of a table.",
                    HEAD_MAX_BYTES >> 20
                ),
                "Check that the file is delimited text with one record a line.",
            ));
        }
        Ok(head)
    }

    /// Read more of the file; false when there is no more or it would be too much.
    pub fn grow(&mut self, source: &dyn ReadAt) -> Result<bool, TextError> {
        if self.window.whole || self.limit >= HEAD_MAX_BYTES {
            return Ok(false);
        }
        *self = Self::of_limit(source, (self.limit * 4).min(HEAD_MAX_BYTES))?;
        Ok(true)
    }

    fn of_limit(source: &dyn ReadAt, limit: u64) -> Result<Self, TextError> {
        let mut window = read(source, 0, limit)?;
        format::check_head(&window.bytes)?;
        let has_bom = window.bytes.starts_with(BOM);
        if has_bom {
            window.bytes.drain(..BOM.len());
            window.offset = BOM.len() as u64;
        }
        Ok(Self {
            window,
            has_bom,
            limit,
        })
    }

    /// A line end comes after something that is no line end.
    fn has_lines(&self) -> bool {
        let bytes = &self.window.bytes;
        let text = bytes.iter().position(|b| !matches!(b, b'\n' | b'\r'));
        text.is_some_and(|at| memchr2(b'\n', b'\r', &bytes[at..]).is_some())
    }

    /// Windows over what lies after the head, the last of them at the end of the file.
    pub fn windows(&self, source: &dyn ReadAt) -> Result<Vec<Window>, TextError> {
        let first = self.window.offset + self.window.bytes.len() as u64;
        let size = source.size_bytes().min(match source.is_stream() {
            true => STREAM_BYTES,
            false => SIZE_UNKNOWN,
        });
        let last = size.saturating_sub(WINDOW_BYTES);
        if self.window.whole || last <= first {
            let rest = size.saturating_sub(first);
            let rest = (rest > 0).then(|| read(source, first, rest));
            return rest.into_iter().collect();
        }
        // In 128 bits: an offset times the number of windows can pass 64.
        let place = |i: u64| u128::from(last - first) * u128::from(i) / u128::from(WINDOWS - 1);
        (0..WINDOWS)
            .map(|i| {
                let offset = first + u64::try_from(place(i)).expect("at most the distance itself");
                read(source, offset, WINDOW_BYTES)
            })
            .collect()
    }
}

fn read(source: &dyn ReadAt, offset: u64, length: u64) -> Result<Window, TextError> {
    let length = length.min(source.size_bytes().saturating_sub(offset));
    let mut bytes = vec![0; usize::try_from(length).expect("a window fits memory")];
    let got = fill(source, offset, &mut bytes)?;
    bytes.truncate(got);
    Ok(Window {
        offset,
        bytes,
        whole: offset + got as u64 >= source.size_bytes(),
    })
}

/// Read from `offset` until `buffer` is full or the file ends; the bytes read. Shorter than that: the file changed.
pub(super) fn fill(
    source: &dyn ReadAt,
    offset: u64,
    buffer: &mut [u8],
) -> Result<usize, TextError> {
    let left = source.size_bytes().saturating_sub(offset);
    let length = buffer
        .len()
        .min(usize::try_from(left).unwrap_or(usize::MAX));
    let got = source
        .read_at(offset, &mut buffer[..length])
        .map_err(|error| TextError::reading(offset, error))?;
    // The end of a stream is seen by reading past it.
    if got < length && offset + (got as u64) < source.size_bytes() {
        return Err(TextError::Changed {
            offset: offset + got as u64,
        });
    }
    Ok(got)
}
