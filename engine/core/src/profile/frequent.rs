//! Which values are frequent, in bounded memory: lossy counting (Manku and Motwani, 2002). While there are few values all
//! counts are exact. When the table is full, the rarest are forgotten, and `floor` remembers how often a forgotten
//! value may have been seen.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use serde_json::Value;

use super::TopValue;

/// Values that are named.
const TOP: usize = 10;

/// Counts values by their hashes.
pub(super) struct Frequent {
    entries: HashMap<u64, Entry, BuildHasherDefault<Hashed>>,
    capacity: usize,
    seen: u64,
    floor: u64,
}

struct Entry {
    value: Value,
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
            capacity,
            seen: 0,
            floor: 0,
        }
    }

    /// Count a value; `value` is called the first time only.
    #[inline]
    pub(super) fn add(&mut self, hash: u64, value: impl FnOnce() -> Value) {
        self.seen += 1;
        if let Some(entry) = self.entries.get_mut(&hash) {
            entry.count += 1;
            return;
        }
        if self.entries.len() >= self.capacity {
            self.forget();
        }
        let entry = Entry {
            value: value(),
            count: 1,
            missed: self.floor,
        };
        self.entries.insert(hash, entry);
    }

    /// How many values there are, while none was forgotten.
    pub(super) fn exact_distinct(&self) -> Option<u64> {
        (self.floor == 0).then_some(self.entries.len() as u64)
    }

    /// The most frequent values, by count and then by value. After something was forgotten, a value is named only when
    /// none of the forgotten ones can have been more frequent.
    pub(super) fn top(self) -> Vec<TopValue> {
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

    #[cold]
    fn forget(&mut self) {
        self.floor = self
            .floor
            .max(self.seen / (self.capacity as u64 / 2).max(1))
            .max(1);
        self.entries
            .retain(|_, entry| entry.count + entry.missed > self.floor);
        while self.entries.len() > self.capacity / 4 * 3 {
            self.floor *= 2;
            self.entries
                .retain(|_, entry| entry.count + entry.missed > self.floor);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::sketch::hash_number;
    use super::*;

    fn add(frequent: &mut Frequent, number: i64) {
        frequent.add(hash_number(number.into()), || number.into());
    }

    #[test]
    fn few_values_are_counted_exactly() {
        let mut frequent = Frequent::new(1_000);
        for n in 0..10_000 {
            add(&mut frequent, n % 30 * (n % 30) / 29);
        }
        assert_eq!(frequent.exact_distinct(), Some(22));
        let top = frequent.top();
        assert_eq!(top.len(), TOP);
        assert_eq!((top[0].value.clone(), top[0].count), (0.into(), 2_004));
    }

    #[test]
    fn frequent_values_survive_a_flood_of_others() {
        let mut frequent = Frequent::new(1_000);
        for n in 0..1_000_000 {
            add(&mut frequent, if n % 20 == 0 { -1 } else { n });
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
