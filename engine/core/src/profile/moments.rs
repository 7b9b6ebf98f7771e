//! Mean and spread of numbers, batch by batch, so that large counts lose nothing, and in lanes, so that adding up is
//! quick. The same batches give the same bits.

const LANES: usize = 8;

/// Of all numbers so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Moments {
    count: f64,
    mean: f64,
    squares: f64,
}

impl Moments {
    /// Add numbers, which are finite.
    pub(super) fn add(&mut self, numbers: &[f64]) {
        if numbers.is_empty() {
            return;
        }
        let count = numbers.len() as f64;
        let mean = total(numbers, |number| number) / count;
        let squares = total(numbers, |number| (number - mean) * (number - mean));
        self.merge(&Self {
            count,
            mean,
            squares,
        });
    }

    /// Add what is known of other numbers; the same as adding them but for rounding.
    pub(super) fn merge(&mut self, other: &Self) {
        if other.count == 0.0 {
            return;
        }
        let all = self.count + other.count;
        let apart = other.mean - self.mean;
        self.mean += apart * other.count / all;
        self.squares += other.squares + apart * apart * self.count * other.count / all;
        self.count = all;
    }

    /// None without numbers, or where they are too large to be added up.
    pub(super) fn mean(&self) -> Option<f64> {
        (self.count > 0.0)
            .then_some(self.mean)
            .filter(|mean| mean.is_finite())
    }

    /// Of a sample; None with fewer than two numbers.
    pub(super) fn stddev(&self) -> Option<f64> {
        let variance = (self.count > 1.0).then(|| self.squares / (self.count - 1.0))?;
        Some(variance.sqrt()).filter(|stddev| stddev.is_finite())
    }
}

fn total(numbers: &[f64], term: impl Fn(f64) -> f64) -> f64 {
    let (eights, rest) = numbers.as_chunks::<LANES>();
    let mut lanes = [0.0; LANES];
    for eight in eights {
        for (lane, number) in lanes.iter_mut().zip(eight) {
            *lane += term(*number);
        }
    }
    for (lane, number) in lanes.iter_mut().zip(rest) {
        *lane += term(*number);
    }
    lanes.iter().sum()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn batches_come_to_the_same_as_all_at_once() {
        let numbers: Vec<f64> = (0..10_007).map(|n| 1e9 + f64::from(n % 101)).collect();
        let mean = numbers.iter().map(|n| n - 1e9).sum::<f64>() / 10_007.0 + 1e9;
        let squares: f64 = numbers.iter().map(|n| (n - mean).powi(2)).sum();
        let mut moments = Moments::default();
        numbers.chunks(333).for_each(|some| moments.add(some));
        assert!((moments.mean().unwrap() - mean).abs() < 1e-5);
        assert!((moments.stddev().unwrap() - (squares / 10_006.0).sqrt()).abs() < 1e-9);
    }

    #[test]
    fn one_number_has_no_spread_and_none_no_mean() {
        let mut moments = Moments::default();
        assert_eq!((moments.mean(), moments.stddev()), (None, None));
        moments.add(&[2.5]);
        assert_eq!((moments.mean(), moments.stddev()), (Some(2.5), None));
    }
}
