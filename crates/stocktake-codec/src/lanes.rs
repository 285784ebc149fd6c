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

/// Number of equal bytes at the back, if not all are equal.
#[inline(always)]
pub(crate) fn equal_back(a: &[u8; LANES], b: &[u8; LANES]) -> Option<usize> {
    let differ = differences(a, b);
    (differ != 0).then(|| (differ << ALL.leading_zeros()).leading_zeros() as usize)
}

/// A bit for each lane.
const ALL: u32 = (1 << LANES) - 1;

/// A bit for each lane that differs, the first lowest.
#[inline(always)]
fn differences(a: &[u8; LANES], b: &[u8; LANES]) -> u32 {
    u8x16::new(*a).simd_eq(u8x16::new(*b)).to_bitmask() ^ ALL
}

/// Whether a byte parts keys: `/`, `+`, a space, and with the first two `.` and `*`, which come for free.
#[inline(always)]
fn parts(byte: u8) -> bool {
    ((byte | SLASH_LIKE) == b'/') | (byte == b' ')
}

/// Bits that `/`, `+`, `.` and `*` differ in.
const SLASH_LIKE: u8 = b'/' ^ b'*';

/// Whether any of these bytes parts keys.
#[inline(always)]
pub(crate) fn any_separator(bytes: &[u8; LANES]) -> bool {
    bytes.iter().fold(false, |any, byte| any | parts(*byte))
}

/// The highest bit of each byte that parts keys; sometimes an exclamation mark after a space counts too.
#[inline(always)]
pub(crate) fn separators(bytes: [u8; 8]) -> u64 {
    const ONES: u64 = u64::MAX / 0xff;
    // Subtracting borrows from the byte after a zero, which makes a one there look like another.
    let zeros = |bytes: u64| bytes.wrapping_sub(ONES) & !bytes & (ONES << 7);
    let all = u64::from_le_bytes(bytes);
    let of = |byte: u8| ONES * u64::from(byte);
    zeros((all | of(SLASH_LIKE)) ^ of(b'/')) | zeros(all ^ of(b' '))
}

/// A bit for each byte that is one of those wanted, the first lowest.
#[inline(always)]
pub(crate) fn marks_of(bytes: [u8; LANES], wanted: [u8; 4]) -> u32 {
    let bytes = u8x16::new(bytes);
    let [a, b, c, d] = wanted.map(|byte| bytes.simd_eq(u8x16::splat(byte)));
    (a | b | c | d).to_bitmask()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wanted_bytes_are_marked() {
        let bytes = *b"a/b%.//zz%%z.z/z";
        let wanted = (0..LANES).filter(|place| b"/%.".contains(&bytes[*place])).fold(0, |all, place| all | 1 << place);
        assert_eq!(marks_of(bytes, *b"/%./"), wanted);
    }

    #[test]
    fn separators_are_found_wherever_they_stand() {
        for byte in 0..=255u8 {
            for other in [0, 1, 0x20, 0x21, 0x2f, 0x30, 0x7f, 0x80, 0xa0, 0xaf, 0xff] {
                for place in 0..LANES {
                    let mut bytes = [other; LANES];
                    bytes[place] = byte;
                    let wanted = bytes.map(|byte| if b"/+.* ".contains(&byte) { 0x80 } else { 0 });
                    assert_eq!(any_separator(&bytes), wanted != [0; LANES]);
                    let (eights, wanted) = (bytes.as_chunks().0, wanted.as_chunks().0);
                    for (eight, wanted) in eights.iter().zip(wanted) {
                        let follows = eight.array_windows().any(|pair| pair == b" !");
                        assert!(follows || separators(*eight) == u64::from_le_bytes(*wanted), "{eight:?}");
                    }
                }
            }
        }
    }
}
