//! AVX-512 with VBMI2: a block is one register, and positions are compressed in a register.

use std::arch::x86_64::*;

use super::pass::{self, Blocks};
use super::{Index, JsonIndex, Symbols, json};

pub(super) struct Avx512;

pub(super) fn is_available() -> bool {
    is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512vbmi2")
        && is_x86_feature_detected!("bmi1")
        && is_x86_feature_detected!("bmi2")
        && is_x86_feature_detected!("lzcnt")
        && is_x86_feature_detected!("popcnt")
        && is_x86_feature_detected!("pclmulqdq")
}

/// # Safety
/// [`is_available`], and what [`pass::run`] asks for.
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi2,bmi1,bmi2,lzcnt,popcnt,pclmulqdq")]
pub(super) unsafe fn run(
    index: &mut Index,
    symbols: Symbols,
    data: &[u8],
    from: usize,
    to: usize,
) -> (Option<usize>, usize) {
    // SAFETY: handed on from the caller.
    unsafe { pass::run::<Avx512>(index, symbols, data, from, to) }
}

/// # Safety
/// [`is_available`], and what [`json::pass`] asks for.
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi2,bmi1,bmi2,lzcnt,popcnt,pclmulqdq")]
pub(super) unsafe fn run_json(index: &mut JsonIndex, data: &[u8], from: usize, to: usize) {
    // SAFETY: handed on from the caller.
    unsafe { json::pass::<Avx512>(index, data, from, to) }
}

const IOTA: [u8; 64] = {
    let mut iota = [0; 64];
    let mut i = 0;
    while i < 64 {
        iota[i] = i as u8;
        i += 1;
    }
    iota
};

// SAFETY of the blocks below: each needs only the features that the trait's callers vouch for, and memory that they
// vouch for.
impl Blocks for Avx512 {
    type Block = __m512i;

    #[inline(always)]
    unsafe fn load(at: *const u8) -> __m512i {
        // SAFETY: 64 bytes are readable; the load needs no alignment.
        unsafe { _mm512_loadu_si512(at.cast()) }
    }

    #[inline(always)]
    unsafe fn equal(block: __m512i, byte: u8) -> u64 {
        // SAFETY: features vouched for.
        unsafe { _mm512_cmpeq_epi8_mask(block, _mm512_set1_epi8(byte as i8)) }
    }

    #[inline(always)]
    unsafe fn controls(block: __m512i) -> u64 {
        // SAFETY: features vouched for.
        unsafe { _mm512_cmplt_epu8_mask(block, _mm512_set1_epi8(0x20)) }
    }

    #[inline(always)]
    unsafe fn high(block: __m512i) -> u64 {
        // SAFETY: features vouched for.
        unsafe { _mm512_movepi8_mask(block) }
    }

    #[inline(always)]
    unsafe fn prefix_xor(mask: u64) -> u64 {
        // SAFETY: features vouched for.
        unsafe { super::avx2::prefix_xor(mask) }
    }

    #[inline(always)]
    unsafe fn positions(mask: u64, base: u32, out: *mut u32) -> usize {
        // SAFETY: features vouched for; 64 entries are writable at `out`, and the stores need no alignment.
        unsafe {
            let count = mask.count_ones() as usize;
            let bytes = _mm512_maskz_compress_epi8(mask, _mm512_loadu_si512(IOTA.as_ptr().cast()));
            let base = _mm512_set1_epi32(base as i32);
            let widen = |part: __m128i| _mm512_add_epi32(base, _mm512_cvtepu8_epi32(part));
            _mm512_storeu_si512(out.cast(), widen(_mm512_castsi512_si128(bytes)));
            if count > 16 {
                _mm512_storeu_si512(
                    out.add(16).cast(),
                    widen(_mm512_extracti32x4_epi32::<1>(bytes)),
                );
                if count > 32 {
                    _mm512_storeu_si512(
                        out.add(32).cast(),
                        widen(_mm512_extracti32x4_epi32::<2>(bytes)),
                    );
                    _mm512_storeu_si512(
                        out.add(48).cast(),
                        widen(_mm512_extracti32x4_epi32::<3>(bytes)),
                    );
                }
            }
            count
        }
    }
}
