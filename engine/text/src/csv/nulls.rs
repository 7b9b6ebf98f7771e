//! Nulls of a column being made.

use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer};

/// Rows that are null, as bits; nothing is stored while there are none.
#[derive(Debug, Default)]
pub(crate) struct Nulls {
    words: Vec<u64>,
}

impl Nulls {
    pub fn set(&mut self, row: usize) {
        if self.words.len() <= row / 64 {
            self.words.resize(row / 64 + 1, 0);
        }
        self.words[row / 64] |= 1 << (row % 64);
    }

    fn is_set(&self, row: usize) -> bool {
        self.words
            .get(row / 64)
            .is_some_and(|word| word >> (row % 64) & 1 == 1)
    }

    /// Keep the rows from `from` to `len` for which `keep` says so.
    pub fn retain(&mut self, from: usize, len: usize, keep: impl Fn(usize) -> bool) {
        if self.words.is_empty() {
            return;
        }
        let mut kept = from;
        let mut words = Self::default();
        (0..from)
            .filter(|row| self.is_set(*row))
            .for_each(|row| words.set(row));
        for row in from..len {
            if keep(row) {
                if self.is_set(row) {
                    words.set(kept);
                }
                kept += 1;
            }
        }
        *self = words;
    }

    /// The validity of `len` rows, leaving nothing.
    pub fn take(&mut self, len: usize) -> Option<NullBuffer> {
        if self.words.is_empty() {
            return None;
        }
        let mut words = std::mem::take(&mut self.words);
        words.resize(len.div_ceil(64), 0);
        words.iter_mut().for_each(|word| *word = !*word);
        Some(NullBuffer::new(BooleanBuffer::new(
            Buffer::from_vec(words),
            0,
            len,
        )))
    }
}
