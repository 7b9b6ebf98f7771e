//! Columns of texts: in a dictionary as long as it is small, then one after the other. Texts are looked at as Arrow's
//! views, in which short ones lie whole: these are found, compared and written as the 16 bytes of their view.

use std::cmp::Ordering;

use arrow::array::{Array, StringViewArray};
use arrow::buffer::Buffer;
use parquet::basic::Encoding;
use parquet::data_type::ByteArray;
use parquet::file::statistics::{Statistics, ValueStatistics};

use super::PAGE_BYTES;
use super::chunk::{Dictionary, Page, page_buffer};
use super::packed::hybrid;
use super::words::{Words, with_bytes, write};

/// Of the bounds that are written of longer texts.
const BOUND_BYTES: usize = 64;

/// The values of a page in the making.
pub(super) struct Texts {
    /// None: each text is written.
    words: Option<Words>,
    /// Of the page, where there is a dictionary.
    ids: Vec<u32>,
    /// Of the page, where there is none.
    bytes: Vec<u8>,
    least: Option<Bound>,
    greatest: Option<Bound>,
    text_bytes: usize,
    whole_bounds: Option<(Vec<u8>, Vec<u8>)>,
}

/// A text that is the least or the greatest so far.
struct Bound {
    /// Its first four bytes, to be compared at once.
    start: u32,
    text: Vec<u8>,
}

impl Texts {
    pub(super) fn new(has_dictionary: bool) -> Self {
        Self {
            words: has_dictionary.then(Words::new),
            ids: Vec::new(),
            bytes: page_buffer(0),
            least: None,
            greatest: None,
            text_bytes: 0,
            whole_bounds: None,
        }
    }

    /// Append rows up to where the page is full; how many there are.
    pub(super) fn append(&mut self, column: &StringViewArray) -> usize {
        let nulls = column.nulls().filter(|nulls| nulls.null_count() > 0);
        let buffers = column.data_buffers();
        for (row, view) in column.views().iter().enumerate() {
            if nulls.is_some_and(|nulls| nulls.is_null(row)) {
                continue;
            }
            self.text_bytes += *view as u32 as usize;
            match &mut self.words {
                Some(words) => match words.id(*view, buffers) {
                    Some(id) => self.ids.push(id),
                    // The caller ends the page, after which there is no dictionary.
                    None => {
                        self.text_bytes -= *view as u32 as usize;
                        return row;
                    }
                },
                None => {
                    self.bound(*view, buffers);
                    write(*view, buffers, &mut self.bytes);
                    if self.bytes.len() >= PAGE_BYTES {
                        return row + 1;
                    }
                }
            }
        }
        column.len()
    }

    #[inline]
    fn bound(&mut self, view: u128, buffers: &[Buffer]) {
        let start = (view >> 32) as u32;
        let start = start.swap_bytes();
        if let (Some(least), Some(greatest)) = (&self.least, &self.greatest)
            && least.start < start
            && start < greatest.start
        {
            return;
        }
        with_bytes(view, buffers, |text| self.bound_bytes(start, text));
    }

    fn bound_bytes(&mut self, start: u32, text: &[u8]) {
        let bound = || {
            Some(Bound {
                start,
                text: text.to_vec(),
            })
        };
        if self.least.as_ref().is_none_or(|b| text < b.text.as_slice()) {
            self.least = bound();
        }
        if self
            .greatest
            .as_ref()
            .is_none_or(|b| text > b.text.as_slice())
        {
            self.greatest = bound();
        }
    }

    /// The values since the last page, as a page.
    pub(super) fn page(&mut self) -> Page {
        let text_bytes = Some(std::mem::take(&mut self.text_bytes) as i64);
        let bounds = self.take_bounds();
        let (bytes, encoding) = match &mut self.words {
            Some(words) => {
                let mut bytes = page_buffer(self.ids.len());
                let width = words.id_bits();
                bytes.push(width as u8);
                hybrid(&self.ids, width, &mut bytes);
                self.ids.clear();
                (bytes, Encoding::RLE_DICTIONARY)
            }
            None => {
                // The next page is about as large.
                let next = page_buffer(self.bytes.len() / 8 * 9);
                let bytes = std::mem::replace(&mut self.bytes, next);
                (bytes, Encoding::PLAIN)
            }
        };
        Page {
            bytes,
            encoding,
            bounds: bounds.map(|(least, greatest)| (cut_down(&least).0, cut_up(&greatest).0)),
            text_bytes,
        }
    }

    fn take_bounds(&mut self) -> Option<(Vec<u8>, Vec<u8>)> {
        let bounds = match &self.words {
            Some(words) => words.bounds(&self.ids),
            None => self
                .least
                .take()
                .zip(self.greatest.take())
                .map(|(a, b)| (a.text, b.text)),
        }?;
        match &mut self.whole_bounds {
            None => self.whole_bounds = Some(bounds.clone()),
            Some((least, greatest)) => {
                if bounds.0 < *least {
                    least.clone_from(&bounds.0);
                }
                if bounds.1 > *greatest {
                    greatest.clone_from(&bounds.1);
                }
            }
        }
        Some(bounds)
    }

    /// Whether a text did not fit into the dictionary any more.
    pub(super) fn is_dictionary_full(&self) -> bool {
        self.words.as_ref().is_some_and(Words::is_full)
    }

    /// The dictionary, after which each text is written.
    pub(super) fn take_dictionary(&mut self) -> Option<Dictionary> {
        self.words.take().map(Words::into_dictionary)
    }

    /// How bounds are ordered.
    pub(super) fn compare(a: &[u8], b: &[u8]) -> Ordering {
        a.cmp(b)
    }

    /// Of all pages.
    pub(super) fn statistics(&self, nulls: u64) -> Statistics {
        let (least, greatest) = self
            .whole_bounds
            .as_ref()
            .map(|(a, b)| (cut_down(a), cut_up(b)))
            .unzip();
        let is_exact =
            |bound: &Option<(Vec<u8>, bool)>| bound.as_ref().is_none_or(|(_, exact)| *exact);
        let (least_is_exact, greatest_is_exact) = (is_exact(&least), is_exact(&greatest));
        let stored = |bound: Option<(Vec<u8>, bool)>| bound.map(|(text, _)| ByteArray::from(text));
        let values =
            ValueStatistics::new(stored(least), stored(greatest), None, Some(nulls), false)
                .with_min_is_exact(least_is_exact)
                .with_max_is_exact(greatest_is_exact);
        Statistics::ByteArray(values)
    }
}

/// The start of a text, which is not greater than it, and whether it is all of it.
fn cut_down(text: &[u8]) -> (Vec<u8>, bool) {
    if text.len() <= BOUND_BYTES {
        return (text.to_vec(), true);
    }
    (text[..start_bytes(text)].to_vec(), false)
}

/// The same, but not less than the text: the last character that has a next one of the same length is replaced by it.
fn cut_up(text: &[u8]) -> (Vec<u8>, bool) {
    let start = match std::str::from_utf8(&text[..start_bytes(text)]) {
        Ok(start) if text.len() > BOUND_BYTES => start,
        _ => return (text.to_vec(), true),
    };
    for (at, last) in start.char_indices().rev() {
        if let Some(next) = char::from_u32(last as u32 + 1)
            && next.len_utf8() == last.len_utf8()
        {
            let bound = format!("{}{next}", &start[..at]);
            return (bound.into_bytes(), false);
        }
    }
    (text.to_vec(), true)
}

/// How many bytes the whole characters at the start of a text have, at most [`BOUND_BYTES`].
fn start_bytes(text: &[u8]) -> usize {
    let is_boundary = |at: &usize| text.get(*at).is_none_or(|byte| (*byte as i8) >= -0x40);
    (0..=BOUND_BYTES.min(text.len()))
        .rev()
        .find(is_boundary)
        .unwrap_or(0)
}
