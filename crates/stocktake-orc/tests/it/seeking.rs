//! A reader for tests that decodes one row group at a time, from the positions of its entry in the row index.

use super::{
    proto::{self, column_encoding::Kind as Encoding, stream::Kind, r#type::Kind as Type},
    support::Cell,
};
use prost::Message;
use std::io::Read;

/// A file taken apart.
pub(crate) struct File {
    bytes: Vec<u8>,
    pub(crate) postscript: proto::PostScript,
    pub(crate) footer: proto::Footer,
    pub(crate) metadata: proto::Metadata,
}

/// A stripe taken apart.
pub(crate) struct Stripe<'a> {
    file: &'a File,
    pub(crate) rows: usize,
    pub(crate) footer: proto::StripeFooter,
    start: usize,
}

impl File {
    pub(crate) fn open(bytes: Vec<u8>) -> Self {
        assert_eq!(&bytes[..3], b"ORC");
        let length = usize::from(*bytes.last().unwrap());
        let end = bytes.len() - 1 - length;
        let postscript = proto::PostScript::decode(&bytes[end..bytes.len() - 1]).unwrap();
        let kind = postscript.compression();
        let footer_start = end - postscript.footer_length() as usize;
        let metadata_start = footer_start - postscript.metadata_length() as usize;
        let footer = proto::Footer::decode(&*decompressed(&bytes[footer_start..end], kind)).unwrap();
        let metadata = proto::Metadata::decode(&*decompressed(&bytes[metadata_start..footer_start], kind)).unwrap();
        assert_eq!(footer.content_length() as usize, metadata_start);
        Self { bytes, postscript, footer, metadata }
    }

    pub(crate) fn stripes(&self) -> impl Iterator<Item = Stripe<'_>> {
        self.footer.stripes.iter().map(|stripe| {
            let start = stripe.offset() as usize;
            let end = start + (stripe.index_length() + stripe.data_length()) as usize;
            let footer = &self.bytes[end..end + stripe.footer_length() as usize];
            let footer = proto::StripeFooter::decode(&*decompressed(footer, self.postscript.compression())).unwrap();
            let lengths: u64 = footer.streams.iter().map(|stream| stream.length()).sum();
            assert_eq!(lengths, stripe.index_length() + stripe.data_length());
            Stripe { file: self, rows: stripe.number_of_rows() as usize, footer, start }
        })
    }

    pub(crate) fn column_type(&self, column: usize) -> Type {
        self.footer.types[column].kind()
    }
}

impl Stripe<'_> {
    pub(crate) fn stream(&self, column: usize, kind: Kind) -> Option<&[u8]> {
        let mut start = self.start;
        for stream in &self.footer.streams {
            let end = start + stream.length() as usize;
            if stream.column() as usize == column && stream.kind() == kind {
                return Some(&self.file.bytes[start..end]);
            }
            start = end;
        }
        None
    }

    pub(crate) fn index(&self, column: usize) -> proto::RowIndex {
        let stream = self.stream(column, Kind::RowIndex).unwrap();
        proto::RowIndex::decode(&*decompressed(stream, self.file.postscript.compression())).unwrap()
    }

    pub(crate) fn filters(&self, column: usize) -> Option<proto::BloomFilterIndex> {
        let stream = self.stream(column, Kind::BloomFilterUtf8)?;
        Some(proto::BloomFilterIndex::decode(&*decompressed(stream, self.file.postscript.compression())).unwrap())
    }

    /// The cells of a row group, decoded from its positions alone.
    pub(crate) fn group(&self, column: usize, group: usize) -> Vec<Cell> {
        let stride = self.file.footer.row_index_stride() as usize;
        let rows = stride.min(self.rows - group * stride);
        let index = self.index(column);
        let mut positions = index.entry[group].positions.iter().copied();
        let present = self.stream(column, Kind::Present).map(|_| {
            let mut present = self.open(column, Kind::Present, &mut positions);
            let (bytes, bits) = (positions.next().unwrap(), positions.next().unwrap());
            decoded_bits(&mut present, bytes as usize, bits as usize, rows)
        });
        let present = present.unwrap_or_else(|| vec![true; rows]);
        let count = present.iter().filter(|present| **present).count();
        let mut values = self.values(column, count, &mut positions).into_iter();
        assert_eq!(positions.next(), None, "every position is used");
        present.into_iter().map(|present| if present { values.next().unwrap() } else { Cell::Null }).collect()
    }

    fn values(&self, column: usize, count: usize, positions: &mut dyn Iterator<Item = u64>) -> Vec<Cell> {
        let encoding = self.footer.columns[column].kind();
        let mut data = self.open(column, Kind::Data, positions);
        let column_type = self.file.column_type(column);
        let mut next = |used: bool| if used { positions.next().unwrap() as usize } else { 0 };
        // Plain bytes have no runs; only booleans have bits.
        let plain = matches!(column_type, Type::Float | Type::Double | Type::Binary);
        let direct_text = column_type == Type::String && encoding == Encoding::DirectV2;
        let skip = next(!plain && !direct_text);
        let bits = next(column_type == Type::Boolean);
        match (column_type, encoding) {
            (Type::Boolean, Encoding::Direct) => {
                decoded_bits(&mut data, skip, bits, count).into_iter().map(Cell::Boolean).collect()
            }
            (Type::Byte, Encoding::Direct) => {
                let bytes = decoded_bytes(&mut data, skip, count);
                bytes.into_iter().map(|byte| Cell::Int(byte.cast_signed().into())).collect()
            }
            (Type::Short | Type::Int | Type::Long | Type::Date, Encoding::DirectV2) => {
                decoded_integers(&mut data, true, skip, count).into_iter().map(Cell::Int).collect()
            }
            (Type::Float, Encoding::Direct) => {
                (0..count).map(|_| Cell::Double(f64::from(f32::from_le_bytes(take(&mut data))).to_bits())).collect()
            }
            (Type::Double, Encoding::Direct) => {
                (0..count).map(|_| Cell::Double(u64::from_le_bytes(take(&mut data)))).collect()
            }
            (Type::String, Encoding::DictionaryV2) => {
                let ranks = decoded_integers(&mut data, false, skip, count);
                let texts = self.dictionary(column);
                ranks.into_iter().map(|rank| Cell::Bytes(texts[rank as usize].clone())).collect()
            }
            (Type::String | Type::Binary, Encoding::DirectV2) => {
                let mut lengths = self.open(column, Kind::Length, positions);
                let skip = positions.next().unwrap() as usize;
                let lengths = decoded_integers(&mut lengths, false, skip, count);
                lengths.into_iter().map(|length| Cell::Bytes(data.drain(..length as usize).collect())).collect()
            }
            (Type::Timestamp | Type::TimestampInstant, Encoding::DirectV2) => {
                let seconds = decoded_integers(&mut data, true, skip, count);
                let mut nanos = self.open(column, Kind::Secondary, positions);
                let skip = positions.next().unwrap() as usize;
                let nanos = decoded_integers(&mut nanos, false, skip, count);
                seconds.into_iter().zip(nanos).map(|(second, nanos)| time(second, nanos)).collect()
            }
            other => panic!("no column is written as {other:?}"),
        }
    }

    fn dictionary(&self, column: usize) -> Vec<Vec<u8>> {
        let size = self.footer.columns[column].dictionary_size() as usize;
        let mut zeros = std::iter::repeat(0);
        let mut lengths = self.open(column, Kind::Length, &mut zeros);
        let mut bytes = self.open(column, Kind::DictionaryData, &mut zeros);
        let lengths = decoded_integers(&mut lengths, false, 0, size);
        let texts: Vec<Vec<u8>> = lengths.into_iter().map(|length| bytes.drain(..length as usize).collect()).collect();
        assert!(texts.is_sorted() && bytes.is_empty());
        texts
    }

    /// A stream's bytes from a position on.
    fn open(&self, column: usize, kind: Kind, positions: &mut dyn Iterator<Item = u64>) -> Vec<u8> {
        let stream = self.stream(column, kind).unwrap();
        let start = positions.next().unwrap() as usize;
        match self.file.postscript.compression() {
            proto::CompressionKind::None => stream[start..].to_vec(),
            compression => {
                let skip = positions.next().unwrap() as usize;
                decompressed(&stream[start..], compression).split_off(skip)
            }
        }
    }
}

fn time(second: i64, nanos: i64) -> Cell {
    let zeros = nanos & 7;
    let nanos = if zeros == 0 { nanos >> 3 } else { (nanos >> 3) * 10i64.pow(zeros as u32 + 1) };
    let second = second + 1_420_070_400;
    let second = if second < 0 && nanos > 999_999 { second - 1 } else { second };
    Cell::Time(i128::from(second) * 1_000_000_000 + i128::from(nanos))
}

fn decompressed(mut bytes: &[u8], kind: proto::CompressionKind) -> Vec<u8> {
    if kind == proto::CompressionKind::None {
        return bytes.to_vec();
    }
    let mut out = Vec::new();
    while let Some((header, rest)) = bytes.split_first_chunk::<3>() {
        let header = u32::from_le_bytes([header[0], header[1], header[2], 0]);
        let (block, rest) = rest.split_at(header as usize >> 1);
        bytes = rest;
        match kind {
            _ if header & 1 == 1 => out.extend_from_slice(block),
            proto::CompressionKind::Zlib => {
                flate2::read::DeflateDecoder::new(block).read_to_end(&mut out).map(|_| ()).unwrap();
            }
            proto::CompressionKind::Snappy => out.extend(snap::raw::Decoder::new().decompress_vec(block).unwrap()),
            proto::CompressionKind::Zstd => out.extend(zstd::bulk::decompress(block, 1 << 24).unwrap()),
            other => panic!("no file is compressed by {other:?}"),
        }
    }
    assert!(bytes.is_empty(), "blocks are whole");
    out
}

fn take<const BYTES: usize>(bytes: &mut Vec<u8>) -> [u8; BYTES] {
    let taken: Vec<u8> = bytes.drain(..BYTES).collect();
    taken.try_into().unwrap()
}

fn decoded_bits(bytes: &mut Vec<u8>, skip: usize, bits: usize, count: usize) -> Vec<bool> {
    let decoded = decoded_bytes(bytes, skip, (bits + count).div_ceil(8));
    let bit = |at: usize| decoded[at / 8] >> (7 - at % 8) & 1 == 1;
    (bits..bits + count).map(bit).collect()
}

fn decoded_bytes(bytes: &mut Vec<u8>, skip: usize, count: usize) -> Vec<u8> {
    let mut out = Vec::new();
    while out.len() < skip + count {
        let [header] = take(bytes);
        if header < 128 {
            let [byte] = take(bytes);
            out.extend(std::iter::repeat_n(byte, usize::from(header) + 3));
        } else {
            out.extend(bytes.drain(..256 - usize::from(header)));
        }
    }
    out.truncate(skip + count);
    out.split_off(skip)
}

pub(crate) fn decoded_integers(bytes: &mut Vec<u8>, signed: bool, skip: usize, count: usize) -> Vec<i64> {
    let mut out = Vec::new();
    while out.len() < skip + count {
        decode_run(bytes, signed, &mut out);
    }
    out.truncate(skip + count);
    out.split_off(skip)
}

fn decode_run(bytes: &mut Vec<u8>, signed: bool, out: &mut Vec<i64>) {
    let plain = |value: u64| if signed { unzigzag(value) } else { value.cast_signed() };
    let [header] = take(bytes);
    if header >> 6 == 0 {
        let value = big_endian(bytes, usize::from(header >> 3 & 7) + 1);
        out.extend(std::iter::repeat_n(plain(value), usize::from(header & 7) + 3));
        return;
    }
    let [low] = take(bytes);
    let (code, count) = (header >> 1 & 31, (usize::from(header & 1) << 8 | usize::from(low)) + 1);
    match header >> 6 {
        1 => out.extend(unpacked(bytes, width(code), count).into_iter().map(plain)),
        2 => {
            let [third, fourth] = take(bytes);
            let base_bytes = usize::from(third >> 5) + 1;
            let (patch_width, gap_width) = (width(third & 31), usize::from(fourth >> 5) + 1);
            let base = big_endian(bytes, base_bytes);
            let sign = 1 << (base_bytes * 8 - 1);
            let base = if base & sign == 0 { base.cast_signed() } else { -(base & !sign).cast_signed() };
            let mut values = unpacked(bytes, width(code), count);
            let entry_width = (patch_width + gap_width..=64).find(|width| exists(*width)).unwrap();
            let mut at = 0;
            for entry in unpacked(bytes, entry_width, usize::from(fourth & 31)) {
                at += (entry >> patch_width) as usize;
                values[at] |= (entry & ((1 << patch_width) - 1)) << width(code);
            }
            out.extend(values.into_iter().map(|value| base.wrapping_add(value.cast_signed())));
        }
        _ => {
            let mut value = plain(varint(bytes));
            let first = unzigzag(varint(bytes));
            out.push(value);
            if code == 0 {
                out.extend((1..count).map(|_| {
                    value += first;
                    value
                }));
            } else {
                value += first;
                out.push(value);
                for delta in unpacked(bytes, width(code), count - 2) {
                    value = if first < 0 { value - delta.cast_signed() } else { value + delta.cast_signed() };
                    out.push(value);
                }
            }
        }
    }
}

fn exists(width: usize) -> bool {
    (1..=24).contains(&width) || [26, 28, 30, 32, 40, 48, 56, 64].contains(&width)
}

fn width(code: u8) -> usize {
    (1..=64).filter(|width| exists(*width)).nth(usize::from(code)).unwrap()
}

fn unpacked(bytes: &mut Vec<u8>, width: usize, count: usize) -> Vec<u64> {
    let packed: Vec<u8> = bytes.drain(..(width * count).div_ceil(8)).collect();
    let bit = |at: usize| u64::from(packed[at / 8] >> (7 - at % 8) & 1);
    (0..count).map(|value| (0..width).fold(0, |all, at| all << 1 | bit(value * width + at))).collect()
}

fn big_endian(bytes: &mut Vec<u8>, count: usize) -> u64 {
    bytes.drain(..count).fold(0, |all, byte| all << 8 | u64::from(byte))
}

fn varint(bytes: &mut Vec<u8>) -> u64 {
    let end = bytes.iter().position(|byte| *byte < 128).unwrap();
    bytes.drain(..=end).rev().fold(0, |all, byte| all << 7 | u64::from(byte & 127))
}

fn unzigzag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -((value & 1).cast_signed())
}
