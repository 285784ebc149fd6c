//! Sixteen bytes at once. It knows nothing of what the bytes are.

use wide::u8x16;

/// Number of bytes.
pub(crate) const LANES: usize = 16;

/// Number of equal bytes at the front, if not all are equal.
#[inline(always)]
pub(crate) fn equal_front(a: &[u8; LANES], b: &[u8; LANES]) -> Option<usize> {
    let differ = differences(a, b);
    (differ != 0).then(|| differ.trailing_zeros() as usize)
}

/// Number of equal bytes at the front of twice as many; not told without a difference.
#[inline(always)]
pub(crate) fn first_difference(a: &[u8; 2 * LANES], b: &[u8; 2 * LANES]) -> usize {
    let half = |bytes: &[u8; 2 * LANES], from: usize| bytes[from..].first_chunk().copied().unwrap_or_default();
    let differ = |from: usize| differences(&half(a, from), &half(b, from));
    // Without a branch, since nothing tells in which half it will be.
    (differ(0) | differ(LANES) << LANES).trailing_zeros() as usize
}

/// Number of equal bytes at the back, if not all are equal.
#[inline(always)]
pub(crate) fn equal_back(a: &[u8; LANES], b: &[u8; LANES]) -> Option<usize> {
    let differ = differences(a, b);
    (differ != 0).then(|| (differ << ALL.leading_zeros()).leading_zeros() as usize)
}

/// A bit for each lane.
const ALL: u32 = (1 << LANES) - 1;

/// Numbers of equal bytes before and from the middle of twice as many, each at most [`LANES`].
#[inline(always)]
pub(crate) fn equal_around(a: &[u8; 2 * LANES], b: &[u8; 2 * LANES]) -> (usize, usize) {
    let half = |bytes: &[u8; 2 * LANES], from: usize| bytes[from..].first_chunk().copied().unwrap_or_default();
    let differ = |from: usize| differences(&half(a, from), &half(b, from));
    // One more lane, which always differs, ends each.
    let back = (differ(0) << ALL.leading_zeros() | 1 << (LANES - 1)).leading_zeros();
    let front = (differ(LANES) | 1 << LANES).trailing_zeros();
    (back as usize, front as usize)
}

/// A bit for each lane that differs, the first lowest.
#[inline(always)]
fn differences(a: &[u8; LANES], b: &[u8; LANES]) -> u32 {
    u8x16::new(*a).simd_eq(u8x16::new(*b)).to_bitmask() ^ ALL
}

/// Bits that `/`, `+`, `.` and `*` differ in: the first two part keys, the others come for free.
const SLASH_LIKE: u8 = b'/' ^ b'*';

/// A bit for each byte that parts keys, the first lowest; sometimes an exclamation mark after a space counts too.
#[inline(always)]
pub(crate) fn separators_of(bytes: &[u8; LANES]) -> u32 {
    let all = u8x16::new(*bytes);
    let like_slash = (all | u8x16::splat(SLASH_LIKE)).simd_eq(u8x16::splat(b'/'));
    let found = (like_slash | all.simd_eq(u8x16::splat(b' '))).to_bitmask();
    if found & all.simd_eq(u8x16::splat(b'!')).to_bitmask() >> 1 == 0 { found } else { separators_slowly(bytes) }
}

#[cold]
#[inline(never)]
fn separators_slowly(bytes: &[u8; LANES]) -> u32 {
    let bits = |eight: &[u8; 8]| {
        let found = separators(*eight);
        (0..8).fold(0, |bits, byte| bits | u32::from(found >> (8 * byte + 7) & 1 == 1) << byte)
    };
    let (eights, _) = bytes.as_chunks();
    eights.iter().rev().fold(0, |all, eight| all << 8 | bits(eight))
}

/// The highest bit of each byte that parts keys, `/`, `+`, a space, `.` and `*`; sometimes an exclamation mark after a space counts too.
fn separators(bytes: [u8; 8]) -> u64 {
    const ONES: u64 = u64::MAX / 0xff;
    // Subtracting borrows from the byte after a zero, which makes a one there look like another.
    let zeros = |bytes: u64| bytes.wrapping_sub(ONES) & !bytes & (ONES << 7);
    let all = u64::from_le_bytes(bytes);
    let of = |byte: u8| ONES * u64::from(byte);
    zeros((all | of(SLASH_LIKE)) ^ of(b'/')) | zeros(all ^ of(b' '))
}

/// A bit for each byte that is one of those wanted, of which each stands in all lanes, the first lowest.
#[inline(always)]
pub(crate) fn marks_of(bytes: [u8; LANES], wanted: &[[u8; LANES]; 4]) -> u32 {
    let bytes = u8x16::new(bytes);
    let [a, b, c, d] = wanted.map(|byte| bytes.simd_eq(u8x16::new(byte)));
    (a | b | c | d).to_bitmask()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wanted_bytes_are_marked() {
        let bytes = *b"a/b%.//zz%%z.z/z";
        let wanted = (0..LANES).filter(|place| b"/%.".contains(&bytes[*place])).fold(0, |all, place| all | 1 << place);
        assert_eq!(marks_of(bytes, &b"/%./".map(|byte| [byte; LANES])), wanted);
    }

    #[test]
    fn separators_are_found_wherever_they_stand() {
        for byte in 0..=255u8 {
            for other in [0, 1, 0x20, 0x21, 0x2f, 0x30, 0x7f, 0x80, 0xa0, 0xaf, 0xff] {
                for place in 0..LANES {
                    let mut bytes = [other; LANES];
                    bytes[place] = byte;
                    let wanted = bytes.map(|byte| if b"/+.* ".contains(&byte) { 0x80 } else { 0 });
                    let follows = bytes.array_windows().any(|pair| pair == b" !");
                    let bits = (0..LANES).fold(0, |bits, lane| bits | u32::from(wanted[lane] != 0) << lane);
                    assert!(follows || separators_of(&bytes) == bits, "{bytes:?}");
                    assert_eq!(separators_of(&bytes), separators_slowly(&bytes), "{bytes:?}");
                }
            }
        }
    }
}
