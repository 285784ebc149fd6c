//! Data files that claim more than they hold: one number of a footer is another, all else is sound.

use crate::properties::fault;
use bytes::Bytes;
use parquet::{
    basic::Compression,
    data_type::{ByteArray, ByteArrayType},
    file::{
        metadata::{
            ColumnChunkMetaData, ColumnChunkMetaDataBuilder, FileMetaData, ParquetMetaDataBuilder,
            ParquetMetaDataReader, ParquetMetaDataWriter, RowGroupMetaData, RowGroupMetaDataBuilder,
        },
        properties::WriterProperties,
        writer::SerializedFileWriter,
    },
    schema::parser::parse_message_type,
};
use std::sync::Arc;

/// The message of a file of keys alone.
pub const KEYS_ALONE: &str = "message s3.inventory {  required binary key (STRING);}";

/// A file, and which of its numbers is another.
pub type Claim = (String, Vec<u8>);

/// A number of a column chunk, and how it is set.
type OfColumn = (&'static str, fn(ColumnChunkMetaDataBuilder, i64) -> ColumnChunkMetaDataBuilder);

/// A number of a row group, and how it is set.
type OfGroup = (&'static str, fn(RowGroupMetaDataBuilder, i64) -> RowGroupMetaDataBuilder);

const OF_COLUMN: [OfColumn; 7] = [
    ("values of a column", ColumnChunkMetaDataBuilder::set_num_values),
    ("compressed bytes of a column", ColumnChunkMetaDataBuilder::set_total_compressed_size),
    ("uncompressed bytes of a column", ColumnChunkMetaDataBuilder::set_total_uncompressed_size),
    ("place of a column's pages", ColumnChunkMetaDataBuilder::set_data_page_offset),
    ("place of a dictionary", |column, claim| column.set_dictionary_page_offset(Some(claim))),
    ("place of an offset index", |column, claim| column.set_offset_index_offset(Some(claim))),
    ("place of a bloom filter", |column, claim| column.set_bloom_filter_offset(Some(claim))),
];

const OF_GROUP: [OfGroup; 3] = [
    ("rows of a row group", RowGroupMetaDataBuilder::set_num_rows),
    ("bytes of a row group", RowGroupMetaDataBuilder::set_total_byte_size),
    ("place of a row group", RowGroupMetaDataBuilder::set_file_offset),
];

/// A Parquet file with each number of its footer in turn replaced by `claim`: those of the file, of its first row group, of the
/// columns there.
///
/// # Errors
/// If the file has no footer that can be read and written again.
pub fn parquet_claims(file: &[u8], claim: i64) -> Result<Vec<Claim>, String> {
    let metadata = ParquetMetaDataReader::new()
        .parse_and_finish(&Bytes::copy_from_slice(file))
        .map_err(|error| fault("the footer")(&error))?;
    let of_file = metadata.file_metadata().clone();
    let groups: Vec<RowGroupMetaData> = metadata.row_groups().to_vec();
    let first = groups.first().ok_or("there is no row group")?.clone();
    let rows = |rows: i64| {
        let (by, pairs) = (of_file.created_by().map(str::to_owned), of_file.key_value_metadata().cloned());
        FileMetaData::new(
            of_file.version(),
            rows,
            by,
            pairs,
            of_file.schema_descr_ptr(),
            of_file.column_orders().cloned(),
        )
    };
    let of_group = |change: &dyn Fn(RowGroupMetaDataBuilder) -> RowGroupMetaDataBuilder| {
        let changed = change(first.clone().into_builder()).build().map_err(|error| fault("a row group")(&error))?;
        Ok::<_, String>([&[changed], &groups[1..]].concat())
    };
    let mut claims = vec![("rows of the file".to_owned(), rows(claim), groups.clone())];
    for (name, set) in OF_GROUP {
        let sum =
            if name.starts_with("rows") { of_file.num_rows() - first.num_rows() + claim } else { of_file.num_rows() };
        claims.push((name.to_owned(), rows(sum), of_group(&|group| set(group, claim))?));
    }
    for (name, set) in OF_COLUMN {
        for index in 0..first.columns().len() {
            let mut columns: Vec<ColumnChunkMetaData> = first.columns().to_vec();
            let changed = set(columns[index].clone().into_builder(), claim).build();
            columns[index] = changed.map_err(|error| fault("a column")(&error))?;
            let groups = of_group(&|group| group.set_column_metadata(columns.clone()))?;
            claims.push((format!("{name} {index}"), rows(of_file.num_rows()), groups));
        }
    }
    let end = file.len() - 8 - footer_bytes(file)?;
    let written = claims.into_iter().map(|(name, of_file, groups)| {
        let metadata = ParquetMetaDataBuilder::new(of_file).set_row_groups(groups).build();
        let mut bytes = file[..end].to_vec();
        let mut footer = Vec::new();
        ParquetMetaDataWriter::new(&mut footer, &metadata).finish().map_err(|error| fault("the footer")(&error))?;
        bytes.extend_from_slice(&footer);
        Ok((name, bytes))
    });
    let mut written = written.collect::<Result<Vec<_>, String>>()?;
    let mut long = file.to_vec();
    let at = long.len() - 8;
    long[at..at + 4].copy_from_slice(&u32::MAX.to_le_bytes());
    written.push(("bytes of the footer".to_owned(), long));
    Ok(written)
}

/// A Parquet file of keys alone, one page of them in Snappy, whose header claims so many inflated bytes.
///
/// # Errors
/// If the file cannot be made.
pub fn parquet_page_claim(keys: &[&str], claim: u32) -> Result<Vec<u8>, String> {
    let schema = parse_message_type(KEYS_ALONE).map_err(|error| fault("the message")(&error))?;
    let properties = WriterProperties::builder().set_dictionary_enabled(false).set_compression(Compression::SNAPPY);
    let mut writer = SerializedFileWriter::new(Vec::new(), Arc::new(schema), Arc::new(properties.build()))
        .map_err(|error| fault("the schema")(&error))?;
    let mut group = writer.next_row_group().map_err(|error| fault("a row group")(&error))?;
    if let Some(mut column) = group.next_column().map_err(|error| fault("a column")(&error))? {
        let keys: Vec<_> = keys.iter().map(|key| ByteArray::from(key.as_bytes().to_vec())).collect();
        column.typed::<ByteArrayType>().write_batch(&keys, None, None).map_err(|error| fault("a column")(&error))?;
        column.close().map_err(|error| fault("a column")(&error))?;
    }
    group.close().map_err(|error| fault("a row group")(&error))?;
    let file = writer.into_inner().map_err(|error| fault("the footer")(&error))?;
    let metadata = ParquetMetaDataReader::new().parse_and_finish(&Bytes::copy_from_slice(&file));
    let metadata = metadata.map_err(|error| fault("the footer")(&error))?;
    let group = metadata.row_group(0);
    let (at, length) = group.column(0).byte_range();
    let (at, end) = (usize::try_from(at).unwrap_or(0), usize::try_from(at + length).unwrap_or(0));
    // A header begins with its page's kind, one byte and a number of one; then comes the number of inflated bytes.
    let mut rest = file.get(at + 3..end).ok_or("there is no page")?;
    varint(&mut rest).ok_or("there is no page")?;
    let page = [&file[at..at + 3], &encoded(u64::from(claim) << 1), rest].concat();
    let column =
        group.column(0).clone().into_builder().set_total_compressed_size(i64::try_from(page.len()).unwrap_or(0));
    let column = column.build().map_err(|error| fault("a column")(&error))?;
    let group = group.clone().into_builder().set_column_metadata(vec![column]);
    let group = group.build().map_err(|error| fault("a row group")(&error))?;
    let of_file = metadata.file_metadata().clone();
    let metadata = ParquetMetaDataBuilder::new(of_file).set_row_groups(vec![group]).build();
    let mut footer = Vec::new();
    ParquetMetaDataWriter::new(&mut footer, &metadata).finish().map_err(|error| fault("the footer")(&error))?;
    Ok([&file[..at], &page, &footer].concat())
}

fn footer_bytes(file: &[u8]) -> Result<usize, String> {
    let length = file.get(file.len().saturating_sub(8)..).and_then(|tail| tail.first_chunk::<4>());
    length
        .and_then(|length| usize::try_from(u32::from_le_bytes(*length)).ok())
        .ok_or_else(|| "there is no footer".to_owned())
}

/// An ORC file that is not compressed, with each number of its tail and of its first stripe's footer in turn replaced by `claim`.
///
/// # Errors
/// If the file has no tail of the kind.
pub fn orc_claims(file: &[u8], claim: u64) -> Result<Vec<Claim>, String> {
    let cut = || "the file is too short".to_owned();
    // ORC specification v1, "File Tail": footer, postscript, length of the postscript in a byte.
    let (&length, front) = file.split_last().ok_or_else(cut)?;
    let (front, postscript) = front.split_at(front.len().checked_sub(length.into()).ok_or_else(cut)?);
    let footer_bytes = number_of(postscript, &[1]).ok_or("the postscript has no length of the footer")?;
    let footer_at = front.len().checked_sub(usize::try_from(footer_bytes).map_err(|_| cut())?).ok_or_else(cut)?;
    let (front, footer) = front.split_at(footer_at);
    let tail = |front: &[u8], footer: &[u8], postscript: &[u8]| {
        let length = u8::try_from(postscript.len()).map_err(|_| "the postscript is too long".to_owned())?;
        Ok::<_, String>([front, footer, postscript, &[length]].concat())
    };
    let with_footer = |front: &[u8], footer: &[u8]| {
        let postscript =
            with_number(postscript, &[1], footer.len() as u64).ok_or("the postscript cannot be changed")?;
        tail(front, footer, &postscript)
    };
    let mut claims = Vec::new();
    for (name, path) in [("bytes of the footer", [1]), ("bytes of a block", [3]), ("bytes of the metadata", [5])] {
        if let Some(postscript) = with_number(postscript, &path, claim) {
            claims.push((name.to_owned(), tail(front, footer, &postscript)?));
        }
    }
    let of_footer: [(&str, &[u64]); 9] = [
        ("bytes of the header", &[1]),
        ("bytes of the content", &[2]),
        ("place of a stripe", &[3, 1]),
        ("bytes of an index", &[3, 2]),
        ("bytes of a stripe", &[3, 3]),
        ("bytes of a stripe's footer", &[3, 4]),
        ("rows of a stripe", &[3, 5]),
        ("rows of the file", &[6]),
        ("rows of a stride", &[8]),
    ];
    for (name, path) in of_footer {
        // Numbers that are zero or left to readers are not written.
        let Some(changed) = with_number(footer, path, claim) else { continue };
        claims.push((name.to_owned(), with_footer(front, &changed)?));
        if name == "rows of a stripe" {
            let both = with_number(&changed, &[6], claim).ok_or("the footer has no rows")?;
            claims.push(("rows of a stripe and the file".to_owned(), with_footer(front, &both)?));
        }
    }
    // The footer of the first stripe: its streams and dictionaries.
    let place = |path: &[u64]| number_of(footer, path).and_then(|number| usize::try_from(number).ok()).ok_or_else(cut);
    let at = place(&[3, 1])? + place(&[3, 2]).unwrap_or(0) + place(&[3, 3])?;
    let stripe = front.get(at..at + place(&[3, 4])?).ok_or_else(cut)?;
    for (name, path) in
        [("bytes of a stream", [1, 3]), ("values of a dictionary", [2, 2]), ("column of a stream", [1, 2])]
    {
        let Some(changed) = with_number(stripe, &path, claim) else { continue };
        let moved = [&front[..at], &changed, &front[at + stripe.len()..]].concat();
        let footer = with_number(footer, &[3, 4], changed.len() as u64).ok_or("the footer has no stripe")?;
        claims.push((name.to_owned(), with_footer(&moved, &footer)?));
    }
    Ok(claims)
}

/// A member of a protocol buffer's message: its number, its bytes with the tag, and what it holds.
struct Member<'a> {
    number: u64,
    whole: &'a [u8],
    content: Content<'a>,
}

enum Content<'a> {
    Number(u64),
    Bytes(&'a [u8]),
    Other,
}

fn members(mut message: &[u8]) -> Option<Vec<Member<'_>>> {
    let mut members = Vec::new();
    while !message.is_empty() {
        let start = message;
        let tag = varint(&mut message)?;
        let content = match tag & 7 {
            0 => Content::Number(varint(&mut message)?),
            1 => {
                message = message.get(8..)?;
                Content::Other
            }
            2 => {
                let length = usize::try_from(varint(&mut message)?).ok()?;
                let (bytes, rest) = message.split_at_checked(length)?;
                message = rest;
                Content::Bytes(bytes)
            }
            _ => return None,
        };
        members.push(Member { number: tag >> 3, whole: &start[..start.len() - message.len()], content });
    }
    Some(members)
}

/// The first number at a path of member numbers.
fn number_of(message: &[u8], path: &[u64]) -> Option<u64> {
    let (first, rest) = path.split_first()?;
    members(message)?.into_iter().filter(|member| member.number == *first).find_map(|member| match member.content {
        Content::Number(number) if rest.is_empty() => Some(number),
        Content::Bytes(inner) => number_of(inner, rest),
        _ => None,
    })
}

/// The message with the first number at a path replaced; none if there is none.
fn with_number(message: &[u8], path: &[u64], number: u64) -> Option<Vec<u8>> {
    let (first, rest) = path.split_first()?;
    let (mut changed, mut done) = (Vec::new(), false);
    for member in members(message)? {
        let new = match member.content {
            _ if done || member.number != *first => None,
            Content::Number(_) if rest.is_empty() => Some([encoded(*first << 3), encoded(number)].concat()),
            Content::Bytes(inner) => with_number(inner, rest, number)
                .map(|inner| [encoded(*first << 3 | 2), encoded(inner.len() as u64), inner].concat()),
            _ => None,
        };
        done |= new.is_some();
        match new {
            Some(new) => changed.extend(new),
            None => changed.extend_from_slice(member.whole),
        }
    }
    done.then_some(changed)
}

fn varint(message: &mut &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = message.split_first()?;
        *message = rest;
        value |= u64::from(byte & 0x7F) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

fn encoded(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = u8::try_from(number & 0x7F).unwrap_or_default();
        number >>= 7;
        if number == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}
