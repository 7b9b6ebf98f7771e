//! How many distinct values there are, from the hashes of all of them: HyperLogLog with the estimator of Ertl (2017),
//! which needs no correction for small or large counts.

/// Registers are 2 to this power; the standard error is 1.04 / sqrt(registers), 0.8 %.
const BITS: u32 = 14;

const REGISTERS: usize = 1 << BITS;

/// A register counts up to this many leading zeros, and one.
const MAX_RANK: usize = 64 - BITS as usize + 1;

/// Counts distinct hashes.
pub(super) struct Sketch {
    registers: Vec<u8>,
}

impl Sketch {
    pub(super) fn new() -> Self {
        Self {
            registers: vec![0; REGISTERS],
        }
    }

    #[inline]
    pub(super) fn add(&mut self, hash: u64) {
        let register = &mut self.registers[(hash >> (64 - BITS)) as usize];
        // The bit below the hash's rest bounds the rank.
        let rank = ((hash << BITS) | (1 << (BITS - 1))).leading_zeros() as u8 + 1;
        *register = (*register).max(rank);
    }

    /// Count what another sketch has counted too; the same as adding its hashes.
    pub(super) fn merge(&mut self, other: &Self) {
        for (register, theirs) in self.registers.iter_mut().zip(&other.registers) {
            *register = (*register).max(*theirs);
        }
    }

    pub(super) fn estimate(&self) -> u64 {
        let mut counts = [0_u32; MAX_RANK + 1];
        for &rank in &self.registers {
            counts[usize::from(rank)] += 1;
        }
        let registers = REGISTERS as f64;
        let mut sum = registers * tau(1.0 - f64::from(counts[MAX_RANK]) / registers);
        for &count in counts[1..MAX_RANK].iter().rev() {
            sum = 0.5 * (sum + f64::from(count));
        }
        sum += registers * sigma(f64::from(counts[0]) / registers);
        (registers / (2.0 * std::f64::consts::LN_2) * registers / sum).round() as u64
    }
}

/// The weight of the registers that are still empty.
fn sigma(mut share: f64) -> f64 {
    if share >= 1.0 {
        return f64::INFINITY;
    }
    let mut weight = 1.0;
    let mut sum = share;
    loop {
        share *= share;
        let before = sum;
        sum += share * weight;
        weight += weight;
        if sum <= before {
            return sum;
        }
    }
}

/// The weight of the registers that are full.
fn tau(mut share: f64) -> f64 {
    if share <= 0.0 || share >= 1.0 {
        return 0.0;
    }
    let mut weight = 1.0;
    let mut sum = 1.0 - share;
    loop {
        share = share.sqrt();
        let before = sum;
        weight *= 0.5;
        sum -= (1.0 - share).powi(2) * weight;
        if sum >= before {
            return sum / 3.0;
        }
    }
}

/// Spreads the bits of two numbers over one.
#[inline]
pub(super) fn mix(a: u64, b: u64) -> u64 {
    let product = u128::from(a ^ 0x9e37_79b9_7f4a_7c15) * u128::from(b ^ 0xe703_7ed1_a0b4_28db);
    (product as u64) ^ (product >> 64) as u64
}

/// The hash of a number; never 0.
#[inline]
pub(super) fn hash_number(number: i128) -> u64 {
    mix(
        mix(number as u64, (number >> 64) as u64 ^ 0x8ebc_6af0_9c88_c6e3),
        0x5899_65cc_7537_4cc3,
    )
    .max(1)
}

/// The longest text that [`hash_short`] takes.
pub(super) const SHORT_BYTES: usize = 12;

/// The hash of a short text, given as Arrow keeps it in a view: its length, its bytes, zeros.
#[inline]
pub(super) fn hash_short(view: u128) -> u64 {
    mix(
        mix(view as u64, (view >> 64) as u64 ^ 0x8ebc_6af0_9c88_c6e3),
        0x1d8e_4e27_c47d_124f,
    )
    .max(1)
}

/// The hash of a text; never 0. The same on every machine and in every run.
#[inline]
pub(super) fn hash_text(text: &[u8]) -> u64 {
    if text.len() <= SHORT_BYTES {
        let mut view = [0; 16];
        view[0] = text.len() as u8;
        view[4..4 + text.len()].copy_from_slice(text);
        return hash_short(u128::from_le_bytes(view));
    }
    let (words, rest) = text.as_chunks::<8>();
    let mut hash = text.len() as u64;
    for word in words {
        hash = mix(hash, u64::from_le_bytes(*word));
    }
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    mix(mix(hash, u64::from_le_bytes(last)), 0x1d8e_4e27_c47d_124f).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_come_to_the_same_as_the_whole() {
        let of = |numbers: std::ops::Range<i128>| {
            let mut sketch = Sketch::new();
            numbers.for_each(|n| sketch.add(hash_number(n)));
            sketch
        };
        let mut merged = of(0..60_000);
        merged.merge(&of(40_000..100_000));
        assert_eq!(merged.registers, of(0..100_000).registers);
    }

    #[test]
    fn estimates_stay_within_three_percent() {
        for distinct in [0, 1, 10, 1_000, 16_384, 50_000, 1_000_000_u64] {
            let mut numbers = Sketch::new();
            let mut texts = Sketch::new();
            for n in 0..distinct {
                numbers.add(hash_number(i128::from(n)));
                numbers.add(hash_number(i128::from(n)));
                texts.add(hash_text(format!("customer-{n}").as_bytes()));
            }
            for estimate in [numbers.estimate(), texts.estimate()] {
                let off = (estimate as f64 - distinct as f64).abs();
                assert!(off <= 0.03 * distinct as f64, "{estimate} for {distinct}");
            }
        }
    }
}
