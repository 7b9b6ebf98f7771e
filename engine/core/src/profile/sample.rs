//! A sample of numbers, every one of them with the same chance: quantiles and a histogram come from it. The choice is
//! the same in every run.

use super::Bin;
use super::sketch::mix;

const BINS: usize = 20;

/// Keeps up to `capacity` of the numbers it is given.
pub(super) struct Sample {
    kept: Vec<f64>,
    capacity: usize,
    seen: u64,
}

impl Sample {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            kept: Vec::new(),
            capacity,
            seen: 0,
        }
    }

    #[inline]
    pub(super) fn add(&mut self, number: f64) {
        self.seen += 1;
        if self.kept.len() < self.capacity {
            self.kept.push(number);
            return;
        }
        let random = mix(self.seen, 0x2545_f491_4f6c_dd1d);
        let place = ((u128::from(random) * u128::from(self.seen)) >> 64) as usize;
        if let Some(kept) = self.kept.get_mut(place) {
            *kept = number;
        }
    }

    /// To be called before the questions.
    pub(super) fn sort(&mut self) {
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
        for n in 0..1_000_000 {
            sample.add(f64::from(n));
        }
        sample.sort();
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
        for n in [3.0, 1.0, 2.0, 5.0, 4.0] {
            sample.add(n);
        }
        sample.sort();
        assert_eq!(sample.quantile(0.5), Some(3.0));
        let bins = sample.histogram().unwrap();
        assert_eq!(bins.iter().map(|bin| bin.count).sum::<u64>(), 5);
        assert_eq!((bins[0].lo, bins[BINS - 1].hi), (1.0, 5.0));
    }
}
