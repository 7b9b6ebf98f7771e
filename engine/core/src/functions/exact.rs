//! Totals that do not depend on the order in which they were added up: whole numbers in 128 bits, and floats as a few
//! numbers whose sum is exact (Shewchuk's expansions), rounded once at the end. Any cut of the rows into shards, batches
//! and SIMD lanes therefore gives the same bits.

use std::fmt::Debug;

/// The running total of one group.
pub(super) trait Total: Default + Clone + Debug + Send + Sync + 'static {
    /// What is added.
    type Value: Copy;

    fn add(&mut self, value: Self::Value);

    /// Undo an `add`.
    fn remove(&mut self, value: Self::Value);
}

/// Of whole numbers, and of the digits of decimals.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Whole {
    pub(super) sum: i128,
    pub(super) overflowed: bool,
}

impl Total for Whole {
    type Value = i128;

    #[inline]
    fn add(&mut self, value: i128) {
        let (sum, overflowed) = self.sum.overflowing_add(value);
        self.sum = sum;
        self.overflowed |= overflowed;
    }

    fn remove(&mut self, value: i128) {
        let (sum, overflowed) = self.sum.overflowing_sub(value);
        self.sum = sum;
        self.overflowed |= overflowed;
    }
}

/// Of floats. The total is the exact sum of all fields.
#[derive(Debug, Clone, Default)]
pub(super) struct Float {
    high: f64,
    middle: f64,
    low: f64,
    /// What three numbers can't hold; nearly always empty.
    rest: Vec<f64>,
    /// Infinities, and what came of them.
    special: f64,
}

impl Total for Float {
    type Value = f64;

    #[inline]
    fn add(&mut self, value: f64) {
        let (high, error) = two_sum(self.high, value);
        if !high.is_finite() {
            // The sum of what was added so far stays as it is; infinite is infinite.
            self.special += value;
            return;
        }
        self.high = high;
        if error != 0.0 {
            let (middle, error) = two_sum(self.middle, error);
            self.middle = middle;
            if error != 0.0 {
                let (low, error) = two_sum(self.low, error);
                self.low = low;
                if error != 0.0 {
                    grow(&mut self.rest, error);
                }
            }
        }
    }

    fn remove(&mut self, value: f64) {
        self.add(-value);
    }
}

impl Float {
    /// Numbers whose sum is the total.
    pub(super) fn parts(&self) -> impl Iterator<Item = f64> {
        let fixed = [self.high, self.middle, self.low, self.special];
        fixed
            .into_iter()
            .chain(self.rest.iter().copied())
            .filter(|part| *part != 0.0)
    }

    /// The total, rounded once.
    pub(super) fn value(&self) -> f64 {
        if self.special != 0.0 {
            return self.special;
        }
        if self.middle == 0.0 && self.low == 0.0 && self.rest.is_empty() {
            return self.high;
        }
        let mut expansion = Vec::with_capacity(4 + self.rest.len());
        self.parts().for_each(|part| grow(&mut expansion, part));
        rounded(expansion)
    }
}

/// The sum of two numbers, and what rounding took from it.
#[inline]
fn two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    let b_rounded = sum - a;
    let a_rounded = sum - b_rounded;
    (sum, (a - a_rounded) + (b - b_rounded))
}

/// Add to an expansion: numbers of growing magnitude whose bits do not overlap.
fn grow(expansion: &mut Vec<f64>, value: f64) {
    let mut carried = value;
    let mut kept = 0;
    for i in 0..expansion.len() {
        let (sum, error) = two_sum(carried, expansion[i]);
        if error != 0.0 {
            expansion[kept] = error;
            kept += 1;
        }
        carried = sum;
    }
    expansion.truncate(kept);
    if carried != 0.0 {
        expansion.push(carried);
    }
}

/// The number nearest to the sum of an expansion; of two, the even one.
fn rounded(mut expansion: Vec<f64>) -> f64 {
    let mut high = expansion.pop().unwrap_or(0.0);
    while let Some(next) = expansion.pop() {
        let (sum, error) = two_sum(high, next);
        high = sum;
        if error == 0.0 {
            continue;
        }
        // `error` may be half of the last place, taken as a tie; what is below it says which way to go.
        if let Some(below) = expansion.last()
            && (*below < 0.0) == (error < 0.0)
        {
            let (further, lost) = (high + error * 2.0, error * 2.0);
            if further - high == lost {
                high = further;
            }
        }
        return high;
    }
    high
}

#[cfg(test)]
mod tests {
    use super::*;

    fn total(values: &[f64]) -> f64 {
        let mut total = Float::default();
        values.iter().for_each(|value| total.add(*value));
        total.value()
    }

    #[test]
    fn sums_are_exact_in_any_order() {
        let mut values: Vec<f64> = (0..2_000)
            .map(|n| f64::from(n * 7_919 % 2_003) / 7.0 * 10f64.powi(n % 40 - 20))
            .collect();
        let forwards = total(&values);
        values.reverse();
        assert_eq!(total(&values).to_bits(), forwards.to_bits());
        values.sort_by(f64::total_cmp);
        assert_eq!(total(&values).to_bits(), forwards.to_bits());
        let mut parts = Float::default();
        for chunk in values.chunks(77) {
            let mut part = Float::default();
            chunk.iter().for_each(|value| part.add(*value));
            part.parts().for_each(|value| parts.add(value));
        }
        assert_eq!(parts.value().to_bits(), forwards.to_bits());
    }

    #[test]
    fn nothing_is_lost_to_large_neighbours() {
        assert_eq!(total(&[1e300, 1.0, -1e300]), 1.0);
        assert_eq!(total(&[1e16, 1.0, 1e-16, -1e16]), 1.0 + 1e-16);
        assert_eq!(total(&[0.1; 10]), 1.0);
        assert_eq!(
            total(&[1e100, 1e50, 1.0, 1e-50, 1e-100, -1e100, -1e50, -1.0, -1e-50]),
            1e-100
        );
        assert_eq!(
            total(&[9_007_199_254_740_992.0, 1.0, 1e-20]),
            9_007_199_254_740_994.0
        );
        assert_eq!(total(&[]), 0.0);
    }

    #[test]
    fn what_is_taken_away_is_gone() {
        let mut total = Float::default();
        for value in [0.1, 1e20, 0.2] {
            total.add(value);
        }
        total.remove(1e20);
        assert_eq!(total.value(), 0.1 + 0.2);
    }

    #[test]
    fn infinities_stay() {
        assert_eq!(total(&[1.0, f64::INFINITY, 2.0]), f64::INFINITY);
        assert!(total(&[f64::INFINITY, f64::NEG_INFINITY]).is_nan());
        assert!(total(&[f64::NAN, 1.0]).is_nan());
    }
}
