//! Which values are frequent, in bounded memory: lossy counting (Manku and Motwani, 2002). While there are few values all
//! counts are exact. When the table is full, the rarest are forgotten, and `floor` remembers how often a forgotten
//! value may have been seen. From then on a value enters the table when it comes for the second time lately: most of what
//! comes once would be forgotten soon.
//!
//! The table is open addressing over hashes, with eight bytes a slot and as large as its entries need, so that the few
//! values of most columns stay in the cache next to the core. A value is made for people only once it has outlived a
//! batch.

use serde_json::Value;

use super::TopValue;

/// Values that are named.
const TOP: usize = 10;

/// Slots of an empty table; a power of two.
const FEWEST_SLOTS: usize = 1 << 8;

/// Bits that say which hashes came lately; two hashes may share one.
const ONCE_BITS: usize = 1 << 16;

/// Between two times of forgetting, a value can lose two: one that is not entered, and one that is forgotten.
const LOST: u64 = 2;

/// A slot holds the upper bits of a hash above a count of this width; the lower bits of the hash say where it is.
const COUNT_BITS: u32 = 24;

/// Set in the slots that are taken.
const TAKEN: u64 = 1 << 63;

/// After so many values the counts move from the slots to the entries, before one can be too large.
const MAX_COUNTED: usize = 1 << (COUNT_BITS - 1);

/// Counts values by their hashes.
pub(super) struct Frequent {
    /// At most half of them are taken; 0 is a free one.
    slots: Vec<u64>,
    entries: Vec<Entry>,
    /// The entries from this one on have no values yet.
    fresh: usize,
    once: Vec<u64>,
    capacity: usize,
    /// Values since something was due to be forgotten.
    since: usize,
    /// Values since the counts moved.
    counted: usize,
    floor: u64,
}

struct Entry {
    hash: u64,
    value: Value,
    /// Of the batch, while the value is not made yet.
    row: u32,
    /// Beside what its slot has counted since.
    count: u64,
    /// How often it may have been seen before it was entered.
    missed: u64,
}

impl Frequent {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            slots: vec![0; FEWEST_SLOTS],
            entries: Vec::new(),
            fresh: 0,
            once: Vec::new(),
            capacity,
            since: 0,
            counted: 0,
            floor: 0,
        }
    }

    /// Count a value that is in the table; false where it is not, then [`Frequent::enter`] it.
    #[inline(always)]
    pub(super) fn hit(&mut self, hash: u64) -> bool {
        let mask = self.slots.len() - 1;
        let mut place = hash as usize & mask;
        loop {
            let slot = &mut self.slots[place & mask];
            if *slot >> COUNT_BITS == (hash | TAKEN) >> COUNT_BITS {
                *slot += 1;
                return true;
            }
            if *slot == 0 {
                return false;
            }
            place += 1;
        }
    }

    /// Count the value in `row` of the batch, which is not in the table.
    #[inline]
    pub(super) fn enter(&mut self, hash: u64, row: usize) {
        if self.floor > 0 && !self.had(hash) {
            return;
        }
        self.entries.push(Entry {
            hash,
            value: Value::Null,
            row: row as u32,
            count: 0,
            missed: self.floor,
        });
        if self.entries.len() * 2 > self.slots.len() {
            self.collect();
            self.hit(hash);
        } else {
            self.take_slot(hash, 1);
        }
    }

    /// For a hash that is not in the table.
    #[inline]
    fn take_slot(&mut self, hash: u64, count: u64) {
        let mask = self.slots.len() - 1;
        let mut place = hash as usize & mask;
        while self.slots[place] != 0 {
            place = (place + 1) & mask;
        }
        self.slots[place] = (hash | TAKEN) >> COUNT_BITS << COUNT_BITS | count;
    }

    /// What the slot of a hash has counted, if it has one.
    fn slot(&self, hash: u64) -> Option<u64> {
        let mask = self.slots.len() - 1;
        let mut place = hash as usize & mask;
        while self.slots[place] != 0 {
            if self.slots[place] >> COUNT_BITS == (hash | TAKEN) >> COUNT_BITS {
                return Some(self.slots[place] & ((1 << COUNT_BITS) - 1));
            }
            place = (place + 1) & mask;
        }
        None
    }

    /// Move the counts to the entries.
    fn collect(&mut self) {
        for number in 0..self.entries.len() {
            self.entries[number].count += self.slot(self.entries[number].hash).unwrap_or(0);
        }
        self.index(|_| 0);
        self.counted = 0;
    }

    /// Make the slots again, with these numbers for the entries.
    fn index(&mut self, count: impl Fn(usize) -> u64) {
        let slots = (self.entries.len() * 3).next_power_of_two();
        self.slots.clear();
        self.slots.resize(slots.max(FEWEST_SLOTS), 0);
        for entry in 0..self.entries.len() {
            self.take_slot(self.entries[entry].hash, count(entry));
        }
    }

    /// Whether a value of this hash came lately, or, rarely, of another one.
    #[inline]
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
        self.since += values;
        self.counted += values;
        if self.entries.len() > self.capacity
            || self.floor > 0 && self.since >= (self.capacity / 4).max(1)
        {
            self.forget(self.floor + LOST);
        } else if self.counted > MAX_COUNTED {
            self.collect();
        }
        for entry in &mut self.entries[self.fresh..] {
            entry.value = shown(entry.row as usize);
        }
        self.fresh = self.entries.len();
    }

    /// Add what another table has counted; both are settled. Exact while nothing was forgotten.
    pub(super) fn merge(&mut self, mut other: Self) {
        let (floor, their_floor) = (self.floor, other.floor);
        self.collect();
        other.collect();
        for entry in &mut self.entries {
            entry.missed += their_floor;
        }
        // For now the slots hold the numbers of the entries.
        self.index(|entry| entry as u64);
        for mut entry in other.entries {
            if let Some(number) = self.slot(entry.hash) {
                let ours = &mut self.entries[number as usize];
                ours.count += entry.count;
                // It was in their table, so that only what they missed counts.
                ours.missed = ours.missed - their_floor + entry.missed;
            } else {
                entry.missed += floor;
                self.entries.push(entry);
            }
        }
        self.index(|_| 0);
        self.floor = floor + their_floor;
        self.fresh = self.entries.len();
        if self.floor > 0 || self.entries.len() > self.capacity {
            self.forget(self.floor.max(LOST));
        }
    }

    /// How many values there are, while none was forgotten.
    pub(super) fn exact_distinct(&self) -> Option<u64> {
        (self.floor == 0).then_some(self.entries.len() as u64)
    }

    /// The most frequent values, by count and then by value. After something was forgotten, a value is named only when
    /// none of the forgotten ones can have been more frequent.
    pub(super) fn top(mut self) -> Vec<TopValue> {
        self.collect();
        let surely = self.entries.into_iter().filter(|e| e.count > self.floor);
        let mut top: Vec<TopValue> = surely
            .map(|entry| TopValue {
                value: entry.value,
                count: entry.count,
            })
            .collect();
        top.sort_by_cached_key(|found| (std::cmp::Reverse(found.count), found.value.to_string()));
        top.truncate(TOP);
        top
    }

    /// Forget what was seen at most `floor` times; more, where that is too little.
    fn forget(&mut self, floor: u64) {
        self.collect();
        self.floor = floor;
        let stays = |entry: &Entry, floor: u64| entry.count + entry.missed > floor;
        let left = |floor| self.entries.iter().filter(|e| stays(e, floor)).count();
        while left(self.floor) > self.capacity / 4 * 3 {
            self.floor *= 2;
        }
        let old = &self.entries[..self.fresh];
        self.fresh = old.iter().filter(|e| stays(e, self.floor)).count();
        self.entries.retain(|entry| stays(entry, self.floor));
        self.index(|_| 0);
        self.once.clear();
        self.once.resize(ONCE_BITS / 64, 0);
        self.since = 0;
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

    fn of(numbers: &[i64]) -> Frequent {
        let mut frequent = Frequent::new(1_000);
        numbers
            .chunks(500)
            .for_each(|some| add(&mut frequent, some));
        frequent
    }

    #[test]
    fn few_values_are_counted_exactly() {
        let numbers: Vec<i64> = (0..10_000).map(|n| n % 30 * (n % 30) / 29).collect();
        let frequent = of(&numbers);
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

    #[test]
    fn parts_come_to_the_same_as_the_whole_while_it_is_exact() {
        let numbers: Vec<i64> = (0..10_000).map(|n| n * n % 997).collect();
        let whole = of(&numbers);
        for cut in [0, 1, 5_000, 9_999] {
            let mut left = of(&numbers[..cut]);
            left.merge(of(&numbers[cut..]));
            assert_eq!(left.exact_distinct(), whole.exact_distinct());
            assert_eq!(left.top(), of(&numbers).top());
        }
    }

    #[test]
    fn frequent_values_survive_merging() {
        // Every tenth is one of three, and all others differ.
        let numbers: Vec<i64> = (0..300_000)
            .map(|n| if n % 10 == 0 { -1 - n / 10 % 3 } else { n })
            .collect();
        let mut merged = Frequent::new(1_000);
        for part in numbers.chunks(37_777) {
            merged.merge(of(part));
            assert!(merged.entries.len() <= 1_000);
        }
        assert_eq!(merged.exact_distinct(), None);
        let top = merged.top();
        assert_eq!(top.len(), 3, "{top:?}");
        for found in &top {
            assert!((9_000..=10_000).contains(&found.count), "{top:?}");
            assert!(found.value.as_i64().is_some_and(|value| value < 0));
        }
    }

    #[test]
    fn merged_with_the_empty_nothing_changes() {
        let numbers: Vec<i64> = (0..5_000).map(|n| n % 7).collect();
        let mut empty = Frequent::new(1_000);
        empty.merge(of(&numbers));
        let mut full = of(&numbers);
        full.merge(Frequent::new(1_000));
        assert_eq!(empty.top(), of(&numbers).top());
        assert_eq!(full.top(), of(&numbers).top());
    }
}
