//! Run-length encodings of ORC: integers (version 2), bytes, and bits as bytes.
//!
//! Each encodes the values of one row group: runs end with it, so that positions never point into a run.

pub(crate) mod bits;
pub(crate) mod bytes;
pub(crate) mod integers;
mod pack;
mod patch;
pub(crate) mod width;

/// Appends a number in groups of seven bits, the least first.
pub(crate) fn write_varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        // The low eight bits.
        out.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    out.push(value.to_le_bytes()[0]);
}

/// A signed number with its sign in the lowest bit.
#[inline(always)]
pub(crate) fn zigzag(value: i64) -> u64 {
    (value << 1 ^ value >> 63).cast_unsigned()
}
