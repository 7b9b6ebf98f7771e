//! AVX2: a block is two registers, and positions are taken from the mask eight at a time.

use std::arch::x86_64::*;

use super::pass::{self, Blocks};
use super::{Index, JsonIndex, Symbols, json};

pub(super) struct Avx2;

pub(super) fn is_available() -> bool {
    is_x86_feature_detected!("avx2")
        && is_x86_feature_detected!("bmi1")
        && is_x86_feature_detected!("bmi2")
        && is_x86_feature_detected!("lzcnt")
        && is_x86_feature_detected!("popcnt")
        && is_x86_feature_detected!("pclmulqdq")
}

/// # Safety
/// [`is_available`], and what [`pass::run`] asks for.
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt,pclmulqdq")]
pub(super) unsafe fn run(
    index: &mut Index,
    symbols: Symbols,
    data: &[u8],
    from: usize,
    to: usize,
) -> (Option<usize>, usize) {
    // SAFETY: handed on from the caller.
    unsafe { pass::run::<Avx2>(index, symbols, data, from, to) }
}

/// # Safety
/// [`is_available`], and what [`json::pass`] asks for.
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt,pclmulqdq")]
pub(super) unsafe fn run_json(index: &mut JsonIndex, data: &[u8], from: usize, to: usize) {
    // SAFETY: handed on from the caller.
    unsafe { json::pass::<Avx2>(index, data, from, to) }
}

/// A carry-less multiply by all ones is a prefix xor.
///
/// # Safety
/// PCLMULQDQ is available.
#[inline(always)]
pub(super) unsafe fn prefix_xor(mask: u64) -> u64 {
    // SAFETY: the caller vouches for the feature; SSE2 is part of x86-64.
    unsafe {
        let product = _mm_clmulepi64_si128::<0>(_mm_set_epi64x(0, mask as i64), _mm_set1_epi8(-1));
        _mm_cvtsi128_si64(product) as u64
    }
}

// SAFETY of the blocks below: each needs only the features that the trait's callers vouch for, and memory that they
// vouch for.
impl Blocks for Avx2 {
    type Block = (__m256i, __m256i);

    #[inline(always)]
    unsafe fn load(at: *const u8) -> Self::Block {
        // SAFETY: 64 bytes are readable; the loads need no alignment.
        unsafe {
            (
                _mm256_loadu_si256(at.cast()),
                _mm256_loadu_si256(at.add(32).cast()),
            )
        }
    }

    #[inline(always)]
    unsafe fn equal((low, high): Self::Block, byte: u8) -> u64 {
        // SAFETY: features vouched for.
        unsafe {
            let wanted = _mm256_set1_epi8(byte as i8);
            let low = _mm256_movemask_epi8(_mm256_cmpeq_epi8(low, wanted)) as u32;
            let high = _mm256_movemask_epi8(_mm256_cmpeq_epi8(high, wanted)) as u32;
            u64::from(low) | u64::from(high) << 32
        }
    }

    #[inline(always)]
    unsafe fn controls((low, high): Self::Block) -> u64 {
        // SAFETY: features vouched for.
        unsafe {
            let last = _mm256_set1_epi8(0x1f);
            let is_control = |part| {
                _mm256_movemask_epi8(_mm256_cmpeq_epi8(_mm256_min_epu8(part, last), part)) as u32
            };
            u64::from(is_control(low)) | u64::from(is_control(high)) << 32
        }
    }

    #[inline(always)]
    unsafe fn high((low, high): Self::Block) -> u64 {
        // SAFETY: features vouched for.
        unsafe {
            let low = _mm256_movemask_epi8(low) as u32;
            let high = _mm256_movemask_epi8(high) as u32;
            u64::from(low) | u64::from(high) << 32
        }
    }

    #[inline(always)]
    unsafe fn prefix_xor(mask: u64) -> u64 {
        // SAFETY: features vouched for.
        unsafe { prefix_xor(mask) }
    }

    #[inline(always)]
    unsafe fn positions(mask: u64, base: u32, out: *mut u32) -> usize {
        let count = mask.count_ones() as usize;
        let mut rest = mask;
        let mut written = 0;
        while written < count {
            for i in 0..8 {
                // SAFETY: `written` is a multiple of 8 below `count` <= 64, so that the entry is one of 64.
                unsafe {
                    out.add(written + i)
                        .write(base.wrapping_add(rest.trailing_zeros()))
                };
                rest &= rest.wrapping_sub(1);
            }
            written += 8;
        }
        count
    }
}
