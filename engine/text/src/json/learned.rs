//! What was learned of the shape of records: for each place where an object can be, its keys, and which came after which.
//! It only makes reading quick; what is read never depends on it.

use std::collections::HashMap;

use super::columns::Members;

/// More keys than this are not remembered; they are read by the exact reader.
const MAX_KEYS: usize = 4096;
/// Nor are more places.
const MAX_PLACES: usize = 2 * MAX_KEYS;

/// No key, no place, no column.
pub(super) const NONE: u32 = u32::MAX;

/// The place of the record itself.
pub(super) const ROOT: u32 = 0;

/// Shapes of all records so far.
pub(super) struct Learned {
    pub keys: Vec<Key>,
    places: Vec<Place>,
    /// Of the object that was opened last.
    object: u64,
}

/// A place in the record where a value can be: the record, the value of a key, or the items of a list.
struct Place {
    /// The keys that objects here began with, the last one first.
    first: [u32; 2],
    /// The place of the items of the list that was read here.
    items: u32,
    by_name: HashMap<Box<[u8]>, u32>,
}

/// A key of the objects of one place.
pub(super) struct Key {
    /// With its quotes and the colon.
    spelling: Box<[u8]>,
    /// The first and last eight bytes of it; of a shorter one all bytes, twice.
    head: u64,
    tail: u64,
    mask: u64,
    /// The keys that came after it, the last one first.
    next: [u32; 2],
    /// The object that it was seen in last.
    seen: u64,
    /// The place of its values.
    pub place: u32,
    /// The number of its column; [`NONE`]: it is not read.
    pub column: u32,
}

#[inline(always)]
fn word(data: &[u8], at: usize) -> u64 {
    let mut word = [0; 8];
    word.copy_from_slice(&data[at..at + 8]);
    u64::from_le_bytes(word)
}

impl Key {
    fn new(name: &[u8], place: u32, column: u32) -> Self {
        let mut spelling = vec![b'"'];
        spelling.extend_from_slice(name);
        spelling.extend_from_slice(b"\":");
        let len = spelling.len();
        let mut padded = spelling.clone();
        padded.resize(len.max(8), 0);
        Self {
            head: word(&padded, 0),
            tail: word(&padded, len.max(8) - 8),
            mask: if len < 8 { (1 << (8 * len)) - 1 } else { !0 },
            spelling: spelling.into(),
            next: [NONE; 2],
            seen: 0,
            place,
            column,
        }
    }

    /// Whether `data` goes on with it at `at`; 64 bytes are readable there.
    #[inline(always)]
    pub fn is_at(&self, data: &[u8], at: usize) -> bool {
        let len = self.spelling.len();
        if (word(data, at) ^ self.head) & self.mask != 0 {
            return false;
        }
        if len <= 8 {
            return true;
        }
        if len <= 16 {
            return word(data, at + len - 8) == self.tail;
        }
        data.get(at..at + len) == Some(&self.spelling)
    }

    #[inline(always)]
    pub fn len(&self) -> usize {
        self.spelling.len()
    }
}

impl Default for Learned {
    fn default() -> Self {
        Self {
            keys: vec![],
            places: vec![Place::new()],
            object: 0,
        }
    }
}

impl Place {
    fn new() -> Self {
        Self {
            first: [NONE; 2],
            items: NONE,
            by_name: HashMap::new(),
        }
    }
}

impl Learned {
    /// The number of an object that begins.
    #[inline]
    pub fn open(&mut self) -> u64 {
        self.object += 1;
        self.object
    }

    /// Note that an object has a key; false if it had it before.
    #[inline]
    pub fn mark(&mut self, key: u32, object: u64) -> bool {
        let seen = &mut self.keys[key as usize].seen;
        *seen != object && {
            *seen = object;
            true
        }
    }

    /// The key that is expected after `last` (in an object of `place`), if `data` goes on with it at `at`.
    #[inline(always)]
    pub fn predict(&mut self, place: u32, last: u32, data: &[u8], at: usize) -> Option<u32> {
        let [likely, other] = *self.after(place, last);
        let is_at = |key: u32| key != NONE && self.keys[key as usize].is_at(data, at);
        if is_at(likely) {
            return Some(likely);
        }
        if is_at(other) {
            *self.after(place, last) = [other, likely];
            return Some(other);
        }
        None
    }

    /// The keys that came after `last`; [`NONE`]: that came first.
    #[inline(always)]
    fn after(&mut self, place: u32, last: u32) -> &mut [u32; 2] {
        match last {
            NONE => &mut self.places[place as usize].first,
            _ => &mut self.keys[last as usize].next,
        }
    }

    /// The key of this name, learned if it is new, and what to expect after `last` from now on. None: too many are known.
    #[inline(never)]
    pub fn look_up(
        &mut self,
        place: u32,
        last: u32,
        name: &[u8],
        members: Option<&Members>,
    ) -> Option<u32> {
        let known = self.places[place as usize].by_name.get(name).copied();
        let key = match known {
            Some(key) => key,
            None => self.learn(place, name, members)?,
        };
        let next = self.after(place, last);
        *next = [key, next[0]];
        Some(key)
    }

    fn learn(&mut self, place: u32, name: &[u8], members: Option<&Members>) -> Option<u32> {
        if self.keys.len() >= MAX_KEYS {
            return None;
        }
        let column = members.and_then(|members| members.find(name));
        let column = column.map_or(NONE, |column| column as u32);
        let values = self.add_place()?;
        let key = self.keys.len() as u32;
        self.keys.push(Key::new(name, values, column));
        self.places[place as usize].by_name.insert(name.into(), key);
        Some(key)
    }

    /// The place of the items of lists at `place`.
    #[inline]
    pub fn items(&mut self, place: u32) -> Option<u32> {
        let items = self.places[place as usize].items;
        if items != NONE {
            return Some(items);
        }
        let items = self.add_place()?;
        self.places[place as usize].items = items;
        Some(items)
    }

    fn add_place(&mut self) -> Option<u32> {
        if self.places.len() >= MAX_PLACES {
            return None;
        }
        self.places.push(Place::new());
        Some(self.places.len() as u32 - 1)
    }
}
