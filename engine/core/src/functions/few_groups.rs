//! Exact sums of a batch of floats in few groups. To add a float to an exact total takes a chain of some ten additions, of
//! which each waits for the one before. But the values of a batch are mostly of similar size: then each is split into
//! whole units and the rest, where the unit is so large that the sum of all units has no more than the 53 digits of
//! a float, and the smallest digit of any value so near to it that the sum of all rests has neither. Both are added up as
//! they are, without any rounding, in lanes that do not wait for each other (the splitting of Rump, Ogita and Oishi,
//! 2008). Where values differ more in size, they are added one by one.

/// More groups have their own cache lines anyway.
const MAX_GROUPS: usize = 64;

/// Rows that follow one another often have the same group; each of them adds to a sum of its own.
const LANES: usize = 4;

/// Fewer values are not worth the sums of all groups.
const MIN_VALUES: usize = 256;

/// More values would leave no room between the units and the rest.
const MAX_VALUES: usize = 1 << 16;

const EXPONENT_BITS: u32 = 11;
const FRACTION_BITS: u32 = 52;
const BIAS: i64 = 1023;

#[derive(Clone, Copy, Default)]
struct Sum {
    units: f64,
    rest: f64,
    count: u64,
}

/// For each group numbers whose sum is exactly that of its values, and how many values it has. None where it must be done
/// one by one.
pub(super) fn add(
    values: &[f64],
    groups: &[usize],
    group_count: usize,
) -> Option<impl Iterator<Item = ([f64; 2], u64)>> {
    if group_count > MAX_GROUPS || !(MIN_VALUES..=MAX_VALUES).contains(&values.len()) {
        return None;
    }
    let shift = shift(values)?;
    let mut sums = [Sum::default(); MAX_GROUPS * LANES];
    let mut add = |lane: usize, value: f64, group: usize| {
        let sum = &mut sums[group % MAX_GROUPS * LANES + lane];
        let units = (value + shift) - shift;
        sum.units += units;
        sum.rest += value - units;
        sum.count += 1;
    };
    let (fours, last) = values.as_chunks::<LANES>();
    let (group_fours, last_groups) = groups.as_chunks::<LANES>();
    for (values, groups) in fours.iter().zip(group_fours) {
        for (lane, (value, group)) in values.iter().zip(groups).enumerate() {
            add(lane, *value, *group);
        }
    }
    for (value, group) in last.iter().zip(last_groups) {
        add(0, *value, *group);
    }
    Some((0..group_count).map(move |group| {
        let lanes = &sums[group * LANES..][..LANES];
        let units = lanes.iter().map(|sum| sum.units).sum();
        let rest = lanes.iter().map(|sum| sum.rest).sum();
        ([units, rest], lanes.iter().map(|sum| sum.count).sum())
    }))
}

/// What splits the values: added to one of them, and taken away again, it leaves whole units. None where their sizes
/// differ too much, or one is not finite.
fn shift(values: &[f64]) -> Option<f64> {
    const SIGN: u64 = 1 << (FRACTION_BITS + EXPONENT_BITS);
    let (mut least, mut greatest) = (u64::MAX, 0);
    for value in values {
        let size = value.to_bits() & !SIGN;
        greatest = greatest.max(size);
        // Zero has no digits.
        least = least.min(size.wrapping_sub(1));
    }
    if greatest == 0 {
        return Some(0.0);
    }
    let exponent = |size: u64| ((size >> FRACTION_BITS) as i64).max(1) - BIAS;
    let (lowest, highest) = (exponent(least.saturating_add(1)), exponent(greatest));
    let count_digits = i64::from(values.len().next_power_of_two().trailing_zeros());
    // All values are below 2^(highest + 1), and multiples of 2^(lowest - 52). The sum of all units is below
    // 2^(highest + 1 + count_digits), and the unit is its last digit but 52; the sum of all rests is below half a unit
    // times their number.
    let scale = highest + count_digits;
    let rests_fit = scale - 53 + count_digits <= lowest + 1;
    // 1.5 keeps the sum with a negative value in the same power of two.
    let fits = rests_fit && scale < BIAS;
    fits.then(|| 1.5 * f64::from_bits(((scale + BIAS) as u64) << FRACTION_BITS))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::super::exact::{Float, Total};
    use super::*;

    fn one_by_one(values: &[f64], groups: &[usize], count: usize) -> Vec<(u64, u64)> {
        let mut totals = vec![(Float::default(), 0); count];
        for (value, group) in values.iter().zip(groups) {
            totals[*group].0.add(*value);
            totals[*group].1 += 1;
        }
        let bits = |(total, count): &(Float, u64)| (total.value().to_bits(), *count);
        totals.iter().map(bits).collect()
    }

    fn together(values: &[f64], groups: &[usize], count: usize) -> Option<Vec<(u64, u64)>> {
        let sums = add(values, groups, count)?;
        let total = |(parts, count): ([f64; 2], u64)| {
            let mut total = Float::default();
            parts.into_iter().for_each(|part| total.add(part));
            (total.value().to_bits(), count)
        };
        Some(sums.map(total).collect())
    }

    fn random(state: &mut u64) -> u64 {
        *state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
        *state >> 11
    }

    #[test]
    fn sums_are_those_of_adding_one_by_one() {
        let mut state = 7;
        let mut taken = 0;
        for round in 0..400 {
            let count = 1 + round % MAX_GROUPS;
            let rows = [256, 257, 1_000, 8_192, 8_191][round % 5];
            let spread = (round % 40) as i32;
            let start = [-1_060, -300, -20, 0, 12, 900, 980][round % 7];
            let mut value = || {
                let fraction = 1.0 + random(&mut state) as f64 / (1_u64 << 53) as f64;
                let exponent = start + (random(&mut state) % (spread as u64 + 1)) as i32;
                let sign = if random(&mut state).is_multiple_of(3) {
                    -1.0
                } else {
                    1.0
                };
                match random(&mut state) % 50 {
                    0 => 0.0,
                    1 => -0.0,
                    _ => {
                        sign * fraction
                            * 2_f64.powi(exponent / 2)
                            * 2_f64.powi(exponent - exponent / 2)
                    }
                }
            };
            let values: Vec<f64> = (0..rows).map(|_| value()).collect();
            let groups: Vec<usize> = (0..rows)
                .map(|_| random(&mut state) as usize % count)
                .collect();
            if let Some(found) = together(&values, &groups, count) {
                taken += 1;
                assert_eq!(found, one_by_one(&values, &groups, count), "round {round}");
            }
        }
        assert!(taken > 150, "{taken}");
    }

    #[test]
    fn prices_are_taken_and_the_strange_is_not() {
        let mut values: Vec<f64> = (0..8_192_u32)
            .map(|n| f64::from(90_000 + n * 7_919 % 10_000_000) / 100.0 * 0.93 * 1.07)
            .collect();
        let groups: Vec<usize> = (0..8_192).map(|n| n % 4).collect();
        assert_eq!(
            together(&values, &groups, 4).unwrap(),
            one_by_one(&values, &groups, 4)
        );
        assert!(together(&values, &groups, MAX_GROUPS + 1).is_none());
        for strange in [f64::NAN, f64::INFINITY, 1e300, 1e-300] {
            values[77] = strange;
            assert!(together(&values, &groups, 4).is_none(), "{strange}");
        }
        let zeros = [0.0, -0.0].repeat(200);
        assert_eq!(
            together(&zeros, &[0; 400], 1).unwrap(),
            one_by_one(&zeros, &[0; 400], 1)
        );
    }
}
