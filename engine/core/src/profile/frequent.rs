//! Which values are frequent, in bounded memory: lossy counting (Manku and Motwani, 2002). While there are few values all
//! counts are exact. When the table is full, the rarest are forgotten, and `floor` remembers how often a forgotten
//! value may have been seen. From then on a value enters the table when it comes for the second time lately: most of what
//! comes once would be forgotten soon.
//!
//! Most columns repeat a few values, so the last ones seen are counted in a small array of one slot a hash, and reach
//! the table when another value takes the slot. A value is made for people only once it has outlived a batch.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use serde_json::Value;

use super::TopValue;

/// Values that are named.
const TOP: usize = 10;

/// Slots for the last values seen; they fit the cache of a core.
const SLOTS: usize = 1 << 11;

/// Bits that say which hashes came lately; two hashes may share one.
const ONCE_BITS: usize = 1 << 16;

/// Between two times of forgetting, a value can lose two: one that is not entered, and one that is forgotten.
const LOST: u64 = 2;

/// Counts values by their hashes, which are not 0.
pub(super) struct Frequent {
    entries: HashMap<u64, Entry, BuildHasherDefault<Hashed>>,
    /// Hashes with counts that are not in the table yet; all of them have an entry.
    slots: Vec<(u64, u64)>,
    once: Vec<u64>,
    /// Entries whose values are not made yet.
    fresh: usize,
    capacity: usize,
    seen: u64,
    /// Values since something was due to be forgotten.
    since: usize,
    floor: u64,
}

struct Entry {
    value: Value,
    /// Of the batch, where the value is not made yet.
    row: Option<u32>,
    count: u64,
    /// How often it may have been seen before it was entered.
    missed: u64,
}

/// The keys are hashes already.
#[derive(Default)]
struct Hashed(u64);

impl Hasher for Hashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

impl Frequent {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            entries: HashMap::default(),
            slots: vec![(0, 0); SLOTS],
            once: vec![0; ONCE_BITS / 64],
            fresh: 0,
            capacity,
            seen: 0,
            since: 0,
            floor: 0,
        }
    }

    /// Count a value that was seen lately; false where it was not, then [`Frequent::enter`] it.
    #[inline]
    pub(super) fn hit(&mut self, hash: u64) -> bool {
        let slot = &mut self.slots[hash as usize % SLOTS];
        let hit = slot.0 == hash;
        slot.1 += u64::from(hit);
        hit
    }

    /// Count the value in `row` of the batch.
    pub(super) fn enter(&mut self, hash: u64, row: usize) {
        if let Some(entry) = self.entries.get_mut(&hash) {
            entry.count += 1;
        } else if self.floor == 0 || self.had(hash) {
            let entry = Entry {
                value: Value::Null,
                row: u32::try_from(row).ok(),
                count: 1,
                missed: self.floor,
            };
            self.entries.insert(hash, entry);
            self.fresh += 1;
        } else {
            return;
        }
        let slot = &mut self.slots[hash as usize % SLOTS];
        let (left, count) = std::mem::replace(slot, (hash, 0));
        if count > 0
            && let Some(entry) = self.entries.get_mut(&left)
        {
            entry.count += count;
        }
    }

    /// Whether a value of this hash came lately, or, rarely, of another one.
    fn had(&mut self, hash: u64) -> bool {
        let bit = (hash >> 32) as usize % ONCE_BITS;
        let word = &mut self.once[bit / 64];
        let had = *word >> (bit % 64) & 1 == 1;
        *word |= 1 << (bit % 64);
        had
    }

    /// To be called after each batch of at most some thousand rows, `values` of them not NULL; `shown` makes the value in
    /// a row.
    pub(super) fn settle(&mut self, values: usize, shown: impl Fn(usize) -> Value) {
        self.seen += values as u64;
        self.since += values;
        let is_due = self.since >= self.capacity / 2;
        if self.entries.len() > self.capacity || self.floor > 0 && is_due {
            self.forget();
        }
        if is_due {
            self.once.fill(0);
            self.since = 0;
        }
        if self.fresh > 0 {
            for entry in self.entries.values_mut() {
                if let Some(row) = entry.row.take() {
                    entry.value = shown(row as usize);
                }
            }
            self.fresh = 0;
        }
    }

    /// How many values there are, while none was forgotten.
    pub(super) fn exact_distinct(&self) -> Option<u64> {
        (self.floor == 0).then_some(self.entries.len() as u64)
    }

    /// The most frequent values, by count and then by value. After something was forgotten, a value is named only when
    /// none of the forgotten ones can have been more frequent.
    pub(super) fn top(mut self) -> Vec<TopValue> {
        self.empty_slots();
        let mut top: Vec<TopValue> = self
            .entries
            .into_values()
            .filter(|entry| entry.count > self.floor)
            .map(|entry| TopValue {
                value: entry.value,
                count: entry.count,
            })
            .collect();
        top.sort_by_cached_key(|found| (std::cmp::Reverse(found.count), found.value.to_string()));
        top.truncate(TOP);
        top
    }

    fn forget(&mut self) {
        self.empty_slots();
        self.floor = self
            .floor
            .max(LOST * self.seen / (self.capacity as u64 / 2).max(1))
            .max(1);
        self.entries
            .retain(|_, entry| entry.count + entry.missed > self.floor);
        while self.entries.len() > self.capacity / 4 * 3 {
            self.floor *= 2;
            self.entries
                .retain(|_, entry| entry.count + entry.missed > self.floor);
        }
    }

    fn empty_slots(&mut self) {
        for slot in &mut self.slots {
            let (hash, count) = std::mem::take(slot);
            if let Some(entry) = self.entries.get_mut(&hash) {
                entry.count += count;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::sketch::hash_number;
    use super::*;

    fn add(frequent: &mut Frequent, numbers: &[i64]) {
        for (row, number) in numbers.iter().enumerate() {
            let hash = hash_number((*number).into());
            if !frequent.hit(hash) {
                frequent.enter(hash, row);
            }
        }
        frequent.settle(numbers.len(), |row| numbers[row].into());
    }

    #[test]
    fn few_values_are_counted_exactly() {
        let mut frequent = Frequent::new(1_000);
        let numbers: Vec<i64> = (0..10_000).map(|n| n % 30 * (n % 30) / 29).collect();
        numbers.chunks(77).for_each(|some| add(&mut frequent, some));
        assert_eq!(frequent.exact_distinct(), Some(22));
        let top = frequent.top();
        assert_eq!(top.len(), TOP);
        assert_eq!((top[0].value.clone(), top[0].count), (0.into(), 2_004));
        for found in top {
            let count = numbers.iter().filter(|n| found.value == **n).count();
            assert_eq!(found.count, count as u64, "{}", found.value);
        }
    }

    #[test]
    fn frequent_values_survive_a_flood_of_others() {
        let mut frequent = Frequent::new(1_000);
        let numbers: Vec<i64> = (0..1_000_000)
            .map(|n| if n % 20 == 0 { -1 } else { n })
            .collect();
        for some in numbers.chunks(500) {
            add(&mut frequent, some);
            assert!(frequent.entries.len() <= 1_000);
        }
        assert_eq!(frequent.exact_distinct(), None);
        let top = frequent.top();
        assert_eq!(top.len(), 1);
        assert_eq!(top[0].value, Value::from(-1));
        assert!(
            (48_000..=50_000).contains(&top[0].count),
            "{}",
            top[0].count
        );
    }
}
