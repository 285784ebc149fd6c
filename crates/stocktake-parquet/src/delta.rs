//! DELTA_BINARY_PACKED: integers, and lengths of texts, as packed differences.

use crate::thrift::put_varint;

/// Values of a block, and of each of its miniblocks.
const BLOCK: usize = 128;
const MINIBLOCK: usize = 32;

/// Appends numbers as DELTA_BINARY_PACKED: blocks of 128 in four miniblocks.
///
/// `bits` is the width of the type, 32 or 64: differences wrap around in it.
pub(crate) fn put_packed(out: &mut Vec<u8>, numbers: &[i64], bits: u32) {
    put_varint(out, BLOCK as u64);
    put_varint(out, (BLOCK / MINIBLOCK) as u64);
    put_varint(out, numbers.len() as u64);
    let Some((first, rest)) = numbers.split_first() else {
        put_varint(out, 0);
        return;
    };
    put_varint(out, zigzag(*first));
    let mut last = *first;
    for block in rest.chunks(BLOCK) {
        let mut deltas = [0; BLOCK];
        for (delta, number) in deltas.iter_mut().zip(block) {
            *delta = number.wrapping_sub(last);
            if bits == 32 {
                // Wraps around as a 32-bit reader's sum does.
                *delta = *delta << 32 >> 32;
            }
            last = *number;
        }
        let deltas = &mut deltas[..block.len()];
        let least = deltas.iter().copied().min().unwrap_or(0);
        put_varint(out, zigzag(least));
        let widths_at = out.len();
        out.extend([0; BLOCK / MINIBLOCK]);
        for (number, miniblock) in deltas.chunks(MINIBLOCK).enumerate() {
            let mut above = [0_u64; MINIBLOCK];
            for (above, delta) in above.iter_mut().zip(miniblock) {
                let difference = delta.wrapping_sub(least).cast_unsigned();
                *above = if bits == 32 { difference & 0xffff_ffff } else { difference };
            }
            let width = u64::BITS - above.iter().fold(0, |all, one| all | one).leading_zeros();
            out[widths_at + number] = u8::try_from(width).unwrap_or(64);
            put_miniblock(out, &above, width);
        }
    }
}

#[inline]
fn put_miniblock(out: &mut Vec<u8>, numbers: &[u64; MINIBLOCK], width: u32) {
    let mut pending: u128 = 0;
    let mut filled = 0;
    for number in numbers {
        pending |= u128::from(*number) << filled;
        filled += width;
        if filled >= 64 {
            // The lower 64 bits are full.
            out.extend_from_slice(&pending.to_le_bytes()[..8]);
            pending >>= 64;
            filled -= 64;
        }
    }
    // 32 numbers end on a byte.
    out.extend_from_slice(&pending.to_le_bytes()[..filled.div_ceil(8) as usize]);
}

fn zigzag(number: i64) -> u64 {
    (number << 1 ^ number >> 63).cast_unsigned()
}

/// Bytes that two texts share at their fronts.
#[inline]
pub(crate) fn shared_front(one: &[u8], other: &[u8]) -> usize {
    let words = one.chunks_exact(8).zip(other.chunks_exact(8));
    let mut shared = 0;
    for (a, b) in words {
        let word = |bytes: &[u8]| bytes.try_into().map_or(0, u64::from_le_bytes);
        let differs = word(a) ^ word(b);
        if differs != 0 {
            return shared + (differs.trailing_zeros() / 8) as usize;
        }
        shared += 8;
    }
    shared + one[shared..].iter().zip(&other[shared..]).take_while(|(a, b)| a == b).count()
}
