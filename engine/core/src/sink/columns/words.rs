//! Texts of a column with their numbers, up to the size of a dictionary; and the views that they come in.

use std::hash::BuildHasher;

use arrow::buffer::Buffer;
use datafusion::common::hash_utils::RandomState;
use parquet::file::properties::DEFAULT_DICTIONARY_PAGE_SIZE_LIMIT;

use super::chunk::Dictionary;

/// The longest text that lies in its view.
const INLINE_BYTES: usize = 12;

/// Of the length before each text.
const LENGTH_BYTES: usize = 4;

const FIRST_SLOTS: usize = 256;

/// Texts with their numbers.
pub(super) struct Words {
    /// Numbers and one, by hash; 0 where there is none.
    slots: Vec<u32>,
    keys: Vec<u128>,
    /// The texts with their lengths, and where they end.
    bytes: Vec<u8>,
    ends: Vec<u32>,
    random: RandomState,
    is_full: bool,
}

impl Words {
    pub(super) fn new() -> Self {
        Self {
            slots: vec![0; FIRST_SLOTS],
            keys: Vec::new(),
            bytes: Vec::new(),
            ends: Vec::new(),
            random: RandomState::with_seed(0),
            is_full: false,
        }
    }

    /// The number of a text; None: the dictionary is full.
    #[inline]
    pub(super) fn id(&mut self, view: u128, buffers: &[Buffer]) -> Option<u32> {
        let is_inline = view as u32 as usize <= INLINE_BYTES;
        // A long text is told by its length, its start and its hash, and then looked at.
        let key = if is_inline {
            view
        } else {
            let hash = with_bytes(view, buffers, |text| self.random.hash_one(text));
            u128::from(view as u64) | u128::from(hash) << 64
        };
        let mut slot = self.slot(key);
        loop {
            match self.slots[slot] {
                0 => return self.insert(key, view, buffers, slot),
                taken => {
                    let id = taken - 1;
                    if self.keys[id as usize] == key
                        && (is_inline || with_bytes(view, buffers, |text| text == self.text(id)))
                    {
                        return Some(id);
                    }
                }
            }
            slot = (slot + 1) & (self.slots.len() - 1);
        }
    }

    #[inline]
    fn slot(&self, key: u128) -> usize {
        self.random.hash_one(key) as usize & (self.slots.len() - 1)
    }

    fn text(&self, id: u32) -> &[u8] {
        let start = match id {
            0 => 0,
            id => self.ends[id as usize - 1] as usize,
        };
        &self.bytes[start + LENGTH_BYTES..self.ends[id as usize] as usize]
    }

    #[cold]
    fn insert(&mut self, key: u128, view: u128, buffers: &[Buffer], slot: usize) -> Option<u32> {
        let length = view as u32 as usize;
        if self.bytes.len() + LENGTH_BYTES + length > DEFAULT_DICTIONARY_PAGE_SIZE_LIMIT {
            self.is_full = true;
            return None;
        }
        write(view, buffers, &mut self.bytes);
        self.ends.push(self.bytes.len() as u32);
        self.keys.push(key);
        let id = self.keys.len() as u32 - 1;
        self.slots[slot] = id + 1;
        if self.keys.len() * 2 > self.slots.len() {
            self.grow();
        }
        Some(id)
    }

    fn grow(&mut self) {
        self.slots = vec![0; self.slots.len() * 2];
        for id in 0..self.keys.len() {
            let mut slot = self.slot(self.keys[id]);
            while self.slots[slot] != 0 {
                slot = (slot + 1) & (self.slots.len() - 1);
            }
            self.slots[slot] = id as u32 + 1;
        }
    }

    /// Whether a text did not fit any more.
    pub(super) fn is_full(&self) -> bool {
        self.is_full
    }

    /// All texts with their lengths, in the order of their numbers, as a page holds them.
    pub(super) fn into_dictionary(self) -> Dictionary {
        Dictionary {
            values: self.ends.len() as u32,
            bytes: self.bytes,
        }
    }

    /// That a number takes.
    pub(super) fn id_bits(&self) -> u32 {
        let greatest = self.keys.len().saturating_sub(1) as u32;
        (u32::BITS - greatest.leading_zeros()).max(1)
    }

    /// The least and the greatest of the texts with these numbers.
    pub(super) fn bounds(&self, ids: &[u32]) -> Option<(Vec<u8>, Vec<u8>)> {
        let mut seen = vec![false; self.keys.len()];
        ids.iter().for_each(|id| seen[*id as usize] = true);
        let seen = (0_u32..).zip(&seen).filter(|(_, seen)| **seen);
        let texts = || seen.clone().map(|(id, _)| self.text(id));
        let (least, greatest) = texts().min().zip(texts().max())?;
        Some((least.to_vec(), greatest.to_vec()))
    }
}

/// Append a text with its length before it, which a view of a short one holds as it is.
#[inline]
pub(super) fn write(view: u128, buffers: &[Buffer], out: &mut Vec<u8>) {
    let length = view as u32 as usize;
    if length <= INLINE_BYTES {
        let end = out.len() + LENGTH_BYTES + length;
        out.extend_from_slice(&view.to_le_bytes());
        out.truncate(end);
    } else {
        out.extend_from_slice(&(length as u32).to_le_bytes());
        out.extend_from_slice(outside(view, buffers));
    }
}

#[inline]
pub(super) fn with_bytes<T>(view: u128, buffers: &[Buffer], f: impl FnOnce(&[u8]) -> T) -> T {
    let length = view as u32 as usize;
    if length <= INLINE_BYTES {
        f(&view.to_le_bytes()[LENGTH_BYTES..LENGTH_BYTES + length])
    } else {
        f(outside(view, buffers))
    }
}

/// The bytes of a text that does not lie in its view.
#[inline]
fn outside(view: u128, buffers: &[Buffer]) -> &[u8] {
    let (length, buffer, offset) = (view as u32, (view >> 64) as u32, (view >> 96) as u32);
    &buffers[buffer as usize][offset as usize..][..length as usize]
}
