//! Strings as Arrow views, checked as UTF-8 when they are pushed, so that the array needs no second check.

use arrow_array::StringViewArray;
use arrow_buffer::{Buffer, NullBuffer, ScalarBuffer};
use encoding_rs::{Encoding, UTF_8};

const INLINE_BYTES: usize = 12;

/// Longer strings are copied by their length.
const BLOCK_BYTES: usize = 64;

const HIGH_BITS: u64 = 0x8080_8080_8080_8080;

/// What is kept of a view of each length: the first four bytes after the length, and the other eight.
const MASKS: [[u64; 2]; INLINE_BYTES + 1] = {
    let mut masks = [[0; 2]; INLINE_BYTES + 1];
    let mut len = 0;
    while len <= INLINE_BYTES {
        let all = ((1_u128 << (8 * len)) - 1) << 32;
        masks[len] = [all as u64, (all >> 64) as u64];
        len += 1;
    }
    masks
};

#[inline(always)]
fn le(bytes: &[u8]) -> u64 {
    let mut word = [0; 8];
    word.copy_from_slice(bytes);
    u64::from_le_bytes(word)
}

#[inline(always)]
fn is_ascii(block: &[u8; BLOCK_BYTES]) -> bool {
    block.iter().fold(0, |all, byte| all | byte) < 0x80
}

/// The bytes are not valid in their encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NotUtf8;

/// Strings that will be an array. Every view refers to checked bytes: of its own, or of `long`.
#[derive(Debug, Default, Clone)]
pub(crate) struct Views {
    views: Vec<u128>,
    long: Vec<u8>,
    encoding: Option<&'static Encoding>,
}

impl Views {
    /// What is pushed is in this encoding, in which ASCII is ASCII; without a word it is UTF-8.
    pub(crate) fn decode_from(&mut self, encoding: &'static Encoding) {
        self.encoding = Some(encoding);
    }

    /// Room for this many more strings.
    pub(crate) fn reserve(&mut self, rows: usize) {
        self.views.reserve(rows);
    }

    /// How many strings there are.
    pub(crate) fn len(&self) -> usize {
        self.views.len()
    }

    /// Push `data[from..to]`. Bytes that are not UTF-8 push an empty string and are reported.
    #[inline(always)]
    pub(crate) fn push(&mut self, data: &[u8], from: usize, to: usize) -> Result<(), NotUtf8> {
        let len = to - from;
        if len <= INLINE_BYTES {
            if let Some(bytes) = data.get(from..from + INLINE_BYTES) {
                let low = le(&bytes[..8]) << 32 & MASKS[len][0];
                let high = le(&bytes[4..12]) & MASKS[len][1];
                if (low | high) & HIGH_BITS == 0 {
                    self.views
                        .push(u128::from(high) << 64 | u128::from(low | len as u64));
                    return Ok(());
                }
            }
        } else if let (true, Some(block)) = (len <= BLOCK_BYTES, data[from..].first_chunk())
            && is_ascii(block)
        {
            // A copy of a fixed size is one instruction or two.
            let offset = self.long.len();
            self.long.extend_from_slice(block);
            self.long.truncate(offset + len);
            self.push_view(offset, block, len);
            return Ok(());
        }
        self.push_checked(&data[from..to])
    }

    /// Forget the strings from `len` on.
    pub(crate) fn truncate(&mut self, len: usize) {
        self.views.truncate(len);
    }

    /// Push an empty string.
    pub(crate) fn push_empty(&mut self) {
        self.views.push(0);
    }

    /// Push bytes of any length, after a check.
    #[inline(never)]
    pub(crate) fn push_checked(&mut self, bytes: &[u8]) -> Result<(), NotUtf8> {
        if !bytes.is_ascii() {
            return self.push_decoded(bytes);
        }
        self.push_text(bytes);
        Ok(())
    }

    /// Push bytes that are not ASCII.
    fn push_decoded(&mut self, bytes: &[u8]) -> Result<(), NotUtf8> {
        let encoding = self.encoding.unwrap_or(UTF_8);
        match encoding.decode_without_bom_handling_and_without_replacement(bytes) {
            Some(text) => {
                self.push_text(text.as_bytes());
                Ok(())
            }
            None => {
                self.push_empty();
                Err(NotUtf8)
            }
        }
    }

    /// Push UTF-8.
    fn push_text(&mut self, bytes: &[u8]) {
        let len = bytes.len();
        if len <= INLINE_BYTES {
            let mut word = [0; 16];
            word[4..4 + len].copy_from_slice(bytes);
            self.views.push(u128::from_le_bytes(word) | len as u128);
        } else {
            self.push_long(bytes);
        }
    }

    /// Push checked bytes that are too many for a view.
    fn push_long(&mut self, bytes: &[u8]) {
        let offset = self.long.len();
        self.long.extend_from_slice(bytes);
        self.push_view(offset, bytes, bytes.len());
    }

    /// The view of `len` bytes at `offset` of `long`, which begin as `bytes` do.
    #[inline(always)]
    fn push_view(&mut self, offset: usize, bytes: &[u8], len: usize) {
        let prefix = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        self.views
            .push((offset as u128) << 96 | u128::from(prefix) << 32 | len as u128);
    }

    /// Bytes of long strings so far; an array holds at most 2 GiB.
    pub(crate) fn long_bytes(&self) -> usize {
        self.long.len()
    }

    /// Of the strings from `from` on, keep those with these numbers, counted from there and ascending.
    pub(crate) fn select(&mut self, from: usize, rows: &[u32]) {
        for (kept, row) in rows.iter().enumerate() {
            self.views[from + kept] = self.views[from + *row as usize];
        }
        self.views.truncate(from + rows.len());
    }

    /// Push these rows of an array.
    pub(crate) fn extend(&mut self, array: &StringViewArray, rows: &[u32]) {
        self.views.reserve(rows.len());
        for row in rows {
            let view = array.views()[*row as usize];
            if view as u32 as usize <= INLINE_BYTES {
                self.views.push(view);
            } else {
                self.push_long(array.value(*row as usize).as_bytes());
            }
        }
    }

    /// Push these of other strings.
    pub(crate) fn extend_from(&mut self, other: &Self, rows: &[u32]) {
        self.views.reserve(rows.len());
        for row in rows {
            let view = other.views[*row as usize];
            let len = view as u32 as usize;
            if len <= INLINE_BYTES {
                self.views.push(view);
            } else {
                let offset = (view >> 96) as usize;
                self.push_long(&other.long[offset..offset + len]);
            }
        }
    }

    /// The array, leaving nothing.
    pub(crate) fn take(&mut self, nulls: Option<NullBuffer>) -> StringViewArray {
        let mut views = std::mem::take(&mut self.views);
        if views.len() < views.capacity() / 4 {
            views.shrink_to_fit();
        }
        let views = ScalarBuffer::from(views);
        let long = std::mem::take(&mut self.long);
        assert!(
            i32::try_from(long.len()).is_ok(),
            "a batch of strings is bounded by the scan"
        );
        assert!(
            nulls
                .as_ref()
                .is_none_or(|nulls| nulls.len() == views.len())
        );
        let buffers = if long.is_empty() {
            vec![]
        } else {
            vec![Buffer::from_vec(long)]
        };
        // SAFETY: views are made only by `push_checked`, the ASCII paths of `push`, and `extend` and
        // `extend_from` from views made so. Inline ones hold their whole,
        // zero-padded, checked bytes; the others name buffer 0 (bits 64 to 95 are zero), an offset and a length inside
        // it, the right prefix, and bytes that were checked; `long` only grows, to less than 2 GiB.
        unsafe { StringViewArray::new_unchecked(views, buffers, nulls) }
    }
}
