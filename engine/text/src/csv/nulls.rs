//! Nulls of a column being made.

use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer};

/// Rows that are null, as bits; nothing is stored while there are none.
#[derive(Debug, Default, Clone)]
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

    pub fn is_set(&self, row: usize) -> bool {
        self.words
            .get(row / 64)
            .is_some_and(|word| word >> (row % 64) & 1 == 1)
    }

    /// Of the rows from `from` on, keep those with these numbers, counted from there and ascending.
    pub fn select(&mut self, from: usize, rows: &[u32]) {
        if self.words.is_empty() {
            return;
        }
        for (kept, row) in rows.iter().enumerate() {
            let is_null = self.is_set(from + *row as usize);
            self.assign(from + kept, is_null);
        }
        self.truncate(from + rows.len());
    }

    fn assign(&mut self, row: usize, is_null: bool) {
        if is_null {
            self.set(row);
        } else if let Some(word) = self.words.get_mut(row / 64) {
            *word &= !(1 << (row % 64));
        }
    }

    /// Forget the rows from `len` on.
    pub fn truncate(&mut self, len: usize) {
        self.words.truncate(len.div_ceil(64));
        if let (Some(last), true) = (self.words.get_mut(len / 64), !len.is_multiple_of(64)) {
            *last &= (1 << (len % 64)) - 1;
        }
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
