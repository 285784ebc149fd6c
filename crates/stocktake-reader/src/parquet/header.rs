//! The sizes that a page's header states, in Thrift's compact protocol (Parquet format, `PageHeader`).

/// What a header says of its page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PageHeader {
    /// Bytes of the header itself.
    pub(super) header_bytes: u64,
    /// Bytes of the page as it is stored.
    pub(super) compressed_bytes: u64,
    /// Bytes of the page when it is inflated.
    pub(super) inflated_bytes: u64,
    /// Whether it is a page of an index, which has no values.
    pub(super) is_index: bool,
}

/// Deepest structs in structs that are passed over; a header has three.
const DEPTH_MAX: usize = 8;

/// `PageType.INDEX_PAGE`.
const INDEX_PAGE: i64 = 1;

impl PageHeader {
    /// Reads a header from the front of some bytes; none if it is damaged or does not end there.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes;
        let (mut page_type, mut inflated, mut compressed) = (None, None, None);
        fields(&mut rest, |id, kind, bytes| {
            match (id, kind) {
                (1, Kind::INT32) => page_type = Some(zigzag(bytes)?),
                (2, Kind::INT32) => inflated = Some(zigzag(bytes)?),
                (3, Kind::INT32) => compressed = Some(zigzag(bytes)?),
                _ => skip(bytes, kind, DEPTH_MAX)?,
            }
            Some(())
        })?;
        Some(Self {
            header_bytes: (bytes.len() - rest.len()) as u64,
            compressed_bytes: u64::try_from(compressed?).ok()?,
            inflated_bytes: u64::try_from(inflated?).ok()?,
            is_index: page_type? == INDEX_PAGE,
        })
    }
}

/// Kinds of values by their number in Thrift's compact protocol.
struct Kind;

impl Kind {
    const TRUE: u8 = 1;
    const FALSE: u8 = 2;
    const BYTE: u8 = 3;
    const INT16: u8 = 4;
    const INT32: u8 = 5;
    const INT64: u8 = 6;
    const DOUBLE: u8 = 7;
    const BINARY: u8 = 8;
    const LIST: u8 = 9;
    const SET: u8 = 10;
    const STRUCT: u8 = 12;
}

/// Calls `each` with number, kind and bytes of each field of a struct up to its end.
fn fields(bytes: &mut &[u8], mut each: impl FnMut(i64, u8, &mut &[u8]) -> Option<()>) -> Option<()> {
    let mut id = 0i64;
    loop {
        let head = byte(bytes)?;
        if head == 0 {
            return Some(());
        }
        // The difference to the number before, or the number itself behind the head.
        id = match head >> 4 {
            0 => zigzag(bytes)?,
            step => id.checked_add(i64::from(step))?,
        };
        each(id, head & 0x0F, bytes)?;
    }
}

fn skip(bytes: &mut &[u8], kind: u8, depth: usize) -> Option<()> {
    match kind {
        Kind::TRUE | Kind::FALSE => Some(()),
        Kind::BYTE => byte(bytes).map(drop),
        Kind::INT16 | Kind::INT32 | Kind::INT64 => varint(bytes).map(drop),
        Kind::DOUBLE => take(bytes, 8),
        Kind::BINARY => {
            let length = usize::try_from(varint(bytes)?).ok()?;
            take(bytes, length)
        }
        Kind::LIST | Kind::SET => {
            let head = byte(bytes)?;
            let count = if head >> 4 == 15 { varint(bytes)? } else { u64::from(head >> 4) };
            let kind = head & 0x0F;
            for _ in 0..count {
                // In a list a boolean has a byte of its own.
                if matches!(kind, Kind::TRUE | Kind::FALSE) { take(bytes, 1)? } else { skip(bytes, kind, depth)? }
            }
            Some(())
        }
        Kind::STRUCT => {
            let depth = depth.checked_sub(1)?;
            fields(bytes, |_, kind, bytes| skip(bytes, kind, depth))
        }
        _ => None,
    }
}

fn take(bytes: &mut &[u8], length: usize) -> Option<()> {
    *bytes = bytes.get(length..)?;
    Some(())
}

fn byte(bytes: &mut &[u8]) -> Option<u8> {
    let (first, rest) = bytes.split_first()?;
    *bytes = rest;
    Some(*first)
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let next = byte(bytes)?;
        value |= u64::from(next & 0x7F) << shift;
        if next & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

fn zigzag(bytes: &mut &[u8]) -> Option<i64> {
    let value = varint(bytes)?;
    Some((value >> 1).cast_signed() ^ -((value & 1).cast_signed()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A data page's header as parquet-mr writes it: sizes, a checksum, a struct with statistics in it.
    const HEADER: &[u8] = &[
        0x15, 0x00, // type: DATA_PAGE
        0x15, 0x80, 0x08, // 512 bytes
        0x15, 0xC8, 0x01, // 100 bytes stored
        0x15, 0x0E, // crc
        0x1C, // data_page_header
        0x15, 0x06, 0x15, 0x00, 0x15, 0x06, 0x15, 0x06, // values, encodings
        0x1C, 0x18, 0x02, b'a', b'b', 0x16, 0x00, 0x00, // statistics
        0x00, 0x00,
    ];

    #[test]
    fn sizes_are_read_and_the_rest_is_passed_over() {
        let behind = [HEADER, b"page"].concat();
        let wanted = PageHeader {
            header_bytes: HEADER.len() as u64,
            compressed_bytes: 100,
            inflated_bytes: 512,
            is_index: false,
        };
        assert_eq!(PageHeader::parse(&behind), Some(wanted));
    }

    #[test]
    fn damage_is_none_and_no_loop_or_panic() {
        for length in 0..HEADER.len() {
            assert_eq!(PageHeader::parse(&HEADER[..length]), None, "{length}");
        }
        for at in 0..HEADER.len() {
            for byte in 0..=255 {
                let mut bytes = HEADER.to_vec();
                bytes[at] = byte;
                // Whatever it says, it ends.
                let header = PageHeader::parse(&bytes);
                assert!(header.is_none_or(|header| header.header_bytes <= bytes.len() as u64));
            }
        }
        let nested = [0x1C; 100];
        assert_eq!(PageHeader::parse(&nested), None);
        let long_list = [&[0x19, 0xF1][..], &[0xFF; 9], &[0x7F]].concat();
        assert_eq!(PageHeader::parse(&long_list), None);
    }
}
