//! A sample of numbers, every one of them with the same chance: quantiles and a histogram come from it. The choice is
//! the same in every run.

use super::Bin;
use super::sketch::mix;

const BINS: usize = 20;

/// Of the choice.
const SEED: u64 = 0x1d8e_4e27_c47d_124f;

/// Keeps up to `capacity` of the numbers it is given. Which number is the next to be kept is known beforehand (Li's
/// algorithm L, 1994), so that the others cost nothing.
pub(super) struct Sample {
    kept: Vec<f64>,
    capacity: usize,
    seen: u64,
    /// Numbers before the next one that is kept, once there are `capacity`.
    skipped: u64,
    weight: f64,
    drawn: u64,
}

impl Sample {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            kept: Vec::new(),
            capacity: capacity.max(1),
            seen: 0,
            skipped: 0,
            weight: 1.0,
            drawn: 0,
        }
    }

    pub(super) fn add(&mut self, numbers: &[f64]) {
        self.seen += numbers.len() as u64;
        let room = (self.capacity - self.kept.len()).min(numbers.len());
        let (first, mut numbers) = numbers.split_at(room);
        if room > 0 {
            self.kept.extend_from_slice(first);
            if self.kept.len() == self.capacity {
                self.skip();
            }
        }
        while let Some(number) = numbers.get(self.skipped as usize) {
            let place = (self.random() * self.capacity as f64) as usize;
            self.kept[place.min(self.capacity - 1)] = *number;
            numbers = &numbers[self.skipped as usize + 1..];
            self.skip();
        }
        if self.kept.len() == self.capacity {
            self.skipped -= numbers.len() as u64;
        }
    }

    /// Choose the next number.
    fn skip(&mut self) {
        self.weight *= (self.random().ln() / self.capacity as f64).exp();
        self.skipped = (self.random().ln() / (1.0 - self.weight).ln()) as u64;
    }

    /// Above 0, below 1, and the same in every run.
    fn random(&mut self) -> f64 {
        self.drawn += 1;
        let bits = mix(mix(self.drawn, 0x2545_f491_4f6c_dd1d), SEED) >> 11;
        (bits as f64 + 0.5) / (1_u64 << 53) as f64
    }

    /// To be called before the questions: from now on all numbers are divided by `divisor`.
    pub(super) fn sort(&mut self, divisor: f64) {
        self.kept.iter_mut().for_each(|number| *number /= divisor);
        self.kept.sort_by(f64::total_cmp);
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
}
