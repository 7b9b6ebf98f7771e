//! Rows as text beside some of their columns: what sorts rows moves one value for each instead of all columns.

use std::sync::Arc;

use arrow_array::builder::make_view;
use arrow_array::{ArrayRef, BinaryViewArray};
use arrow_buffer::{Buffer, ScalarBuffer};

use super::super::field::Nulled;
use super::super::tokens::Tokens;
use super::super::verbatim::Verbatim;

/// Gathers the lines of a batch.
pub(super) struct Carried {
    columns: Vec<usize>,
    verbatim: Verbatim,
    text: Vec<u8>,
    /// Of each line in the text.
    ends: Vec<usize>,
}

impl Carried {
    pub fn new(columns: &[usize], verbatim: Verbatim) -> Self {
        Self {
            columns: columns.to_vec(),
            verbatim,
            text: Vec::new(),
            ends: Vec::new(),
        }
    }

    /// Of the file, in the order of the text.
    pub fn columns(&self) -> &[usize] {
        &self.columns
    }

    /// Of the text so far.
    pub fn bytes(&self) -> usize {
        self.text.len()
    }

    /// Add the records whose first fields are `entries`; `nulled` as in [`Verbatim::write`].
    pub fn add(&mut self, data: &[u8], tokens: &Tokens, entries: &[u32], nulled: &[Nulled]) {
        let mut nulled = nulled;
        for (row, entry) in entries.iter().enumerate() {
            let here = nulled.iter().take_while(|null| null.row == row).count();
            let (of_row, rest) = nulled.split_at(here);
            nulled = rest;
            let of_row: Vec<Nulled> = of_row
                .iter()
                .map(|null| Nulled { row: 0, ..*null })
                .collect();
            let entry = std::slice::from_ref(entry);
            self.verbatim
                .write(data, tokens, entry, &of_row, &mut self.text);
            self.ends.push(self.text.len());
        }
    }

    /// The lines as a column, and begin anew.
    pub fn take(&mut self) -> ArrayRef {
        let text = Buffer::from_vec(std::mem::take(&mut self.text));
        let mut from = 0;
        let views: Vec<u128> = self
            .ends
            .drain(..)
            .map(|to| {
                let view = make_view(&text[from..to], 0, from as u32);
                from = to;
                view
            })
            .collect();
        let views = ScalarBuffer::from(views);
        Arc::new(BinaryViewArray::new(views, vec![text], None))
    }
}
