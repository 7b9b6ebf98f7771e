//! Any machine: eight bytes at a time in 64-bit words.

use super::pass::Blocks;

pub(super) struct Words;

const ONES: u64 = 0x0101_0101_0101_0101;
const LOW: u64 = 0x7f7f_7f7f_7f7f_7f7f;

/// The high bit of each byte of what `map` makes of each word.
#[inline(always)]
fn gather(block: [u64; 8], map: impl Fn(u64) -> u64) -> u64 {
    let mut mask = 0;
    for (i, word) in block.into_iter().enumerate() {
        // Each high bit lands on its own bit of the top byte.
        let bits = ((map(word) & !LOW) >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56;
        mask |= bits << (8 * i);
    }
    mask
}

impl Blocks for Words {
    type Block = [u64; 8];

    #[inline(always)]
    unsafe fn load(at: *const u8) -> Self::Block {
        // SAFETY: the caller vouches for 64 readable bytes; an array of bytes needs no alignment.
        let bytes = unsafe { at.cast::<[[u8; 8]; 8]>().read() };
        bytes.map(u64::from_le_bytes)
    }

    #[inline(always)]
    unsafe fn equal(block: Self::Block, byte: u8) -> u64 {
        let wanted = ONES * u64::from(byte);
        gather(block, |word| {
            let differs = word ^ wanted;
            // The high bit of each byte says that the byte is zero; no carry crosses bytes.
            !(((differs & LOW) + LOW) | differs)
        })
    }

    #[inline(always)]
    unsafe fn controls(block: Self::Block) -> u64 {
        // A byte is below 0x20 where its three high bits are zero.
        gather(block, |word| !(word | word << 1 | word << 2))
    }

    #[inline(always)]
    unsafe fn high(block: Self::Block) -> u64 {
        gather(block, |word| word)
    }

    #[inline(always)]
    unsafe fn prefix_xor(mask: u64) -> u64 {
        let mut bits = mask;
        for shift in [1, 2, 4, 8, 16, 32] {
            bits ^= bits << shift;
        }
        bits
    }

    #[inline(always)]
    unsafe fn positions(mask: u64, base: u32, out: *mut u32) -> usize {
        let mut rest = mask;
        let mut written = 0;
        while rest != 0 {
            // SAFETY: at most 64 bits are set, and 64 entries are writable.
            unsafe { out.add(written).write(base + rest.trailing_zeros()) };
            rest &= rest - 1;
            written += 1;
        }
        written
    }
}
