//! Page headers in Thrift's compact protocol: the one part of a Parquet file that the `parquet` crate keeps to itself.
//!
//! Field numbers and types are those of `parquet.thrift` (apache/parquet-format, version 2.11).

/// Encodings of values, by their number in `parquet.thrift`.
pub(crate) mod encoding {
    pub(crate) const PLAIN: i32 = 0;
    pub(crate) const PLAIN_DICTIONARY: i32 = 2;
    pub(crate) const RLE: i32 = 3;
    pub(crate) const DELTA_BINARY_PACKED: i32 = 5;
    pub(crate) const DELTA_LENGTH_BYTE_ARRAY: i32 = 6;
    pub(crate) const RLE_DICTIONARY: i32 = 8;
}

/// Sizes and checksum that every page header begins with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sizes {
    pub(crate) uncompressed_bytes: usize,
    pub(crate) compressed_bytes: usize,
    pub(crate) crc32: u32,
}

/// What kind of page a header is of.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Dictionary { values: usize, encoding: i32 },
    DataV1 { rows: usize, encoding: i32 },
    DataV2 { rows: usize, nulls: usize, encoding: i32, levels_bytes: usize, compressed: bool },
}

const I32: u8 = 5;
const STRUCT: u8 = 12;
const TRUE: u8 = 1;
const FALSE: u8 = 2;
const STOP: u8 = 0;

/// Appends a page header.
pub(crate) fn put_header(out: &mut Vec<u8>, sizes: Sizes, kind: Kind) {
    let page_type = match kind {
        Kind::DataV1 { .. } => 0,
        Kind::Dictionary { .. } => 2,
        Kind::DataV2 { .. } => 3,
    };
    put_i32(out, 1, page_type);
    put_i32(out, 1, number(sizes.uncompressed_bytes));
    put_i32(out, 1, number(sizes.compressed_bytes));
    put_i32(out, 1, sizes.crc32.cast_signed());
    match kind {
        Kind::DataV1 { rows, encoding } => {
            put_tag(out, 1, STRUCT);
            put_i32(out, 1, number(rows));
            put_i32(out, 1, encoding);
            // Definition levels, then repetition levels, of which there are none.
            put_i32(out, 1, encoding::RLE);
            put_i32(out, 1, encoding::RLE);
        }
        Kind::Dictionary { values, encoding } => {
            put_tag(out, 3, STRUCT);
            put_i32(out, 1, number(values));
            put_i32(out, 1, encoding);
            put_tag(out, 1, TRUE);
        }
        Kind::DataV2 { rows, nulls, encoding, levels_bytes, compressed } => {
            put_tag(out, 4, STRUCT);
            put_i32(out, 1, number(rows));
            put_i32(out, 1, number(nulls));
            put_i32(out, 1, number(rows));
            put_i32(out, 1, encoding);
            put_i32(out, 1, number(levels_bytes));
            put_i32(out, 1, 0);
            put_tag(out, 1, if compressed { TRUE } else { FALSE });
        }
    }
    out.extend([STOP, STOP]);
}

/// A count of a page: pages stay far below 2 GiB, since chunks do.
fn number(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

/// The head of a field whose number is `step` above the one before.
fn put_tag(out: &mut Vec<u8>, step: u8, wire_type: u8) {
    out.push(step << 4 | wire_type);
}

fn put_i32(out: &mut Vec<u8>, step: u8, value: i32) {
    put_tag(out, step, I32);
    put_varint(out, u64::from((value << 1 ^ value >> 31).cast_unsigned()));
}

/// Appends an unsigned LEB128 number.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "seven bits at a time")]
pub(crate) fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}
