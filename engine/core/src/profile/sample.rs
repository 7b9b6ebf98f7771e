//! A sample of numbers: quantiles and a histogram come from it. Of every 2^level numbers that follow one another one is kept,
//! chosen at random; where the sample is full, one of each two that it holds goes, and the level rises. So every number
//! has the same chance, numbers in order are sampled evenly, and two samples become one by raising the lower level. The
//! choice is the same in every run.
//!
//! A full sample holds half of its capacity at least: of n numbers a quantile is off by about 0.5 / sqrt(n) of all ranks,
//! 0.3 % for the usual 32,768, and by far less where the column is sorted.

use super::Bin;
use super::sketch::mix;

const BINS: usize = 20;

/// Of the choice.
const SEED: u64 = 0x1d8e_4e27_c47d_124f;

/// Keeps up to `capacity` of the numbers it is given.
pub(super) struct Sample {
    kept: Vec<f64>,
    capacity: usize,
    seen: u64,
    level: u32,
    /// Numbers before the next one that is kept.
    before: u64,
    /// Numbers after that one which stand behind it.
    behind: u64,
    drawn: u64,
}

impl Sample {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            kept: Vec::new(),
            capacity: capacity.max(2) & !1,
            seen: 0,
            level: 0,
            before: 0,
            behind: 0,
            drawn: 0,
        }
    }

    pub(super) fn add(&mut self, mut numbers: &[f64]) {
        self.seen += numbers.len() as u64;
        if self.level == 0 {
            let room = (self.capacity - self.kept.len()).min(numbers.len());
            let (first, rest) = numbers.split_at(room);
            self.kept.extend_from_slice(first);
            numbers = rest;
        }
        while let Some(number) = numbers.get(self.before as usize) {
            numbers = &numbers[self.before as usize + 1..];
            self.meet(*number);
        }
        self.before -= numbers.len() as u64;
    }

    /// Keep a number whose turn it is, and choose the next.
    fn meet(&mut self, number: f64) {
        if self.kept.len() == self.capacity {
            let block = 1_u64 << self.level;
            self.raise();
            // Its block is the first half of one of the next level.
            if self.draw(2) == 1 {
                let place = self.draw(block);
                self.before = self.behind + place;
                self.behind = block - 1 - place;
                return;
            }
            self.behind += block;
        }
        self.kept.push(number);
        let block = 1 << self.level;
        let place = self.draw(block);
        self.before = self.behind + place;
        self.behind = block - 1 - place;
    }

    /// One of each two stays.
    fn raise(&mut self) {
        self.level += 1;
        let pairs = self.kept.len() / 2;
        for pair in 0..pairs {
            let of_two = self.draw(2) as usize;
            self.kept[pair] = self.kept[2 * pair + of_two];
        }
        let odd = self.kept.len() % 2 == 1 && self.draw(2) == 1;
        if odd {
            self.kept[pairs] = self.kept[2 * pairs];
        }
        self.kept.truncate(pairs + usize::from(odd));
    }

    /// Add what another sample stands for. Exact while all numbers are kept.
    pub(super) fn merge(&mut self, mut other: Self) {
        self.seen += other.seen;
        while self.level < other.level {
            self.raise();
        }
        while other.level < self.level {
            other.raise();
        }
        self.kept.append(&mut other.kept);
        while self.kept.len() > self.capacity {
            self.raise();
        }
        let block = 1 << self.level;
        self.before = self.draw(block);
        self.behind = block - 1 - self.before;
    }

    /// From 0 to below a power of two, and the same in every run.
    fn draw(&mut self, below: u64) -> u64 {
        self.drawn += 1;
        let seen = mix(self.drawn, 0x2545_f491_4f6c_dd1d);
        mix(seen, SEED) & (below - 1)
    }

    /// To be called before the questions: from now on all numbers are divided by `divisor`.
    pub(super) fn sort(&mut self, divisor: f64) {
        self.kept.iter_mut().for_each(|number| *number /= divisor);
        self.kept.sort_unstable_by(f64::total_cmp);
    }

    /// The number below which a share of all numbers lies; one that was seen.
    pub(super) fn quantile(&self, share: f64) -> Option<f64> {
        let last = self.kept.len().checked_sub(1)?;
        Some(self.kept[(share * last as f64).round() as usize])
    }

    /// All numbers in bins of one width, from the least to the greatest of the sample.
    pub(super) fn histogram(&self) -> Option<Vec<Bin>> {
        let (lo, hi) = (*self.kept.first()?, *self.kept.last()?);
        let width = hi / BINS as f64 - lo / BINS as f64;
        if !width.is_finite() || width <= 0.0 {
            return Some(vec![Bin {
                lo,
                hi,
                count: self.seen,
            }]);
        }
        let mut counts = [0_u64; BINS];
        for number in &self.kept {
            let bin = ((number - lo) / width) as usize;
            counts[bin.min(BINS - 1)] += 1;
        }
        let scale = self.seen as f64 / self.kept.len() as f64;
        let bins = counts.iter().enumerate().map(|(number, &count)| Bin {
            lo: lo + width * number as f64,
            hi: if number == BINS - 1 {
                hi
            } else {
                lo + width * (number + 1) as f64
            },
            count: (count as f64 * scale).round() as u64,
        });
        Some(bins.collect())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn a_sample_of_many_numbers_is_close() {
        let mut sample = Sample::new(10_000);
        let numbers: Vec<f64> = (0..1_000_000).map(f64::from).collect();
        numbers.chunks(8_192).for_each(|some| sample.add(some));
        sample.sort(1.0);
        for share in [0.05, 0.5, 0.95] {
            let found = sample.quantile(share).unwrap();
            assert!((found - share * 1e6).abs() < 25_000.0, "{found} at {share}");
        }
        let bins = sample.histogram().unwrap();
        assert_eq!(bins.len(), BINS);
        assert!(bins.iter().all(|bin| (40_000..60_000).contains(&bin.count)));
    }

    #[test]
    fn few_numbers_are_exact() {
        let mut sample = Sample::new(100);
        sample.add(&[3.0, 1.0, 2.0]);
        sample.add(&[5.0, 4.0]);
        sample.sort(1.0);
        assert_eq!(sample.quantile(0.5), Some(3.0));
        let bins = sample.histogram().unwrap();
        assert_eq!(bins.iter().map(|bin| bin.count).sum::<u64>(), 5);
        assert_eq!((bins[0].lo, bins[BINS - 1].hi), (1.0, 5.0));
    }

    fn of(numbers: &[f64]) -> Sample {
        let mut sample = Sample::new(1_000);
        numbers.chunks(77).for_each(|some| sample.add(some));
        sample
    }

    #[test]
    fn parts_come_to_the_same_as_the_whole_while_all_is_kept() {
        let numbers: Vec<f64> = (0..1_000).map(|n| f64::from(n * 37 % 499)).collect();
        let mut whole = of(&numbers);
        whole.sort(1.0);
        for cut in [0, 1, 400, 999] {
            let mut left = of(&numbers[..cut]);
            left.merge(of(&numbers[cut..]));
            left.sort(1.0);
            assert_eq!(left.kept, whole.kept);
            assert_eq!(left.histogram(), whole.histogram());
        }
    }

    #[test]
    fn merged_samples_are_close() {
        let numbers: Vec<f64> = (0..1_000_000)
            .map(|n| f64::from(n) * 7_919.0 % 1e6)
            .collect();
        let mut merged = Sample::new(10_000);
        let part = |numbers: &[f64]| {
            let mut sample = Sample::new(10_000);
            numbers.chunks(8_192).for_each(|some| sample.add(some));
            sample
        };
        // Of very different sizes, and one is added to after merging.
        for some in [
            &numbers[..3],
            &numbers[3..20_000],
            &numbers[20_000..900_000],
        ] {
            merged.merge(part(some));
        }
        merged.add(&numbers[900_000..]);
        assert!((5_000..=10_000).contains(&merged.kept.len()));
        merged.sort(1.0);
        for share in [0.05, 0.25, 0.5, 0.75, 0.95] {
            let found = merged.quantile(share).unwrap();
            assert!((found - share * 1e6).abs() < 25_000.0, "{found} at {share}");
        }
        let bins = merged.histogram().unwrap();
        assert!(bins.iter().all(|bin| (40_000..60_000).contains(&bin.count)));
    }

    #[test]
    fn every_place_has_the_same_chance() {
        let numbers: Vec<f64> = (0..64_000).map(f64::from).collect();
        let mut sample = of(&numbers);
        sample.sort(1.0);
        assert!((500..=1_000).contains(&sample.kept.len()));
        // One of each block of numbers that follow one another.
        let block = 1 << sample.level;
        let blocks: Vec<u64> = sample.kept.iter().map(|n| *n as u64 / block).collect();
        assert!(blocks.windows(2).all(|pair| pair[1] == pair[0] + 1));
    }
}
