//! Measures blocks of column values from an Arrow IPC file beside general compressors.
//!
//! ```sh
//! cargo run --release -p stocktake-codec --example blocks -- FILE.arrow [ROUNDS [ONLY]]
//! cargo run --release -p stocktake-codec --example blocks -- --hostile [ROUNDS [ONLY]]
//! ```
//! Columns are laid out as Parquet's PLAIN pages for Snappy, and as ORC's streams for DEFLATE. Prints, for each, the least
//! time of a row over so many rounds, and bytes of a row. ONLY, a part of a line's name, leaves the other lines out.
//! Hostile columns are keys without structure, and one key or hash again and again.
#![expect(clippy::print_stdout, reason = "the table is what it makes")]

use arrow_array::{Array, Int64Array, StringArray, TimestampMillisecondArray, cast::AsArray};
use arrow_ipc::reader::FileReader;
use std::{
    error::Error,
    fs::File,
    time::{Duration, Instant},
};
use stocktake_codec::{DeflateBlocks, Layout, SnappyBlocks};

/// Length of Parquet's pages.
const PAGE_BYTES: usize = 128 << 10;

/// Length of ORC's blocks.
const ORC_BYTES: usize = 256 << 10;

/// The second that ORC counts from: the beginning of 2015.
const ORC_EPOCH_SECONDS: i64 = 1_420_070_400;

/// Values of a run in ORC's integers.
const RUN: usize = 512;

/// A column's values.
enum Column {
    Sorted(Vec<Vec<u8>>),
    Random(Vec<Vec<u8>>),
    Integers(Vec<i64>),
    /// Milliseconds, of which ORC's streams have seconds.
    Times(Vec<i64>),
}

/// A block, where its values begin, and which layout it is said to have.
struct Block {
    bytes: Vec<u8>,
    starts: Vec<u32>,
    kind: Kind,
}

#[derive(Clone, Copy)]
enum Kind {
    Sorted(usize),
    Random(usize),
    Words,
}

impl Block {
    fn layout(&self) -> Layout<'_> {
        match self.kind {
            Kind::Sorted(length_bytes) => Layout::Sorted { starts: &self.starts, length_bytes },
            Kind::Random(length_bytes) => Layout::Random { starts: &self.starts, length_bytes },
            Kind::Words => Layout::Words { head: 0, width: 8 },
        }
    }
}

/// Appends a compressed block.
type Compress<'a> = Box<dyn FnMut(&Block, &mut Vec<u8>) + 'a>;

/// Columns by their names.
type Columns = Vec<(String, Column)>;

#[expect(clippy::disallowed_methods, reason = "time is what it measures")]
fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let file = arguments.next().ok_or("which file?")?;
    let rounds = arguments.next().map_or(Ok(5), |rounds| rounds.parse())?;
    let only = arguments.next().unwrap_or_default();
    let (rows, columns) = if file == "--hostile" { hostile() } else { read(&file)? };
    let mut totals: Vec<(String, Duration, usize)> = Vec::new();
    for (name, column) in &columns {
        let pages = blocks(column, 4, PAGE_BYTES);
        let streams = blocks(column, 0, ORC_BYTES);
        let mut snappy = SnappyBlocks::new();
        let mut deflate = DeflateBlocks::new();
        let mut encoder = snap::raw::Encoder::new();
        let mut compressors: Vec<(&str, &[Block], Compress<'_>)> = vec![
            ("snappy", &pages, Box::new(|block, out| snappy.compress(&block.bytes, block.layout(), out))),
            ("snappy unknown", &pages, {
                let mut snappy = SnappyBlocks::new();
                Box::new(move |block, out| snappy.compress(&block.bytes, Layout::Unknown, out))
            }),
            ("snap", &pages, {
                let mut room = vec![0; snap::raw::max_compress_len(2 * PAGE_BYTES)];
                Box::new(move |block, out| {
                    let bytes = encoder.compress(&block.bytes, &mut room).expect("room for a page");
                    out.extend_from_slice(&room[..bytes]);
                })
            }),
            ("deflate", &streams, Box::new(|block, out| deflate.compress(&block.bytes, block.layout(), out))),
            ("deflate unknown", &streams, {
                let mut deflate = DeflateBlocks::new();
                Box::new(move |block, out| deflate.compress(&block.bytes, Layout::Unknown, out))
            }),
        ];
        for (label, level) in [("zlib-rs 1", 1), ("zlib-rs 6", 6)] {
            let mut zlib = flate2::Compress::new(flate2::Compression::new(level), false);
            let mut room = vec![0; 2 * ORC_BYTES];
            compressors.push((
                label,
                &streams,
                Box::new(move |block, out| {
                    zlib.reset();
                    zlib.compress(&block.bytes, &mut room, flate2::FlushCompress::Finish).expect("a sound state");
                    out.extend_from_slice(&room[..usize::try_from(zlib.total_out()).expect("as long as the room")]);
                }),
            ));
        }
        for (label, blocks, mut compress) in compressors {
            let label = format!("{label:16}");
            if !format!("{name} {label}").contains(&only) {
                continue;
            }
            let (mut out, mut least, mut bytes) = (Vec::new(), Duration::MAX, 0);
            for _ in 0..rounds {
                let begin = Instant::now();
                bytes = 0;
                for block in blocks {
                    out.clear();
                    compress(block, &mut out);
                    bytes += out.len();
                }
                least = least.min(begin.elapsed());
            }
            print(name, &label, rows, least, bytes);
            match totals.iter_mut().find(|(of, ..)| *of == label) {
                Some((_, time, sum)) => (*time, *sum) = (*time + least, *sum + bytes),
                None => totals.push((label, least, bytes)),
            }
        }
    }
    totals.iter().for_each(|(label, time, bytes)| print("all", label, rows, *time, *bytes));
    Ok(())
}

fn print(name: &str, label: &str, rows: usize, time: Duration, bytes: usize) {
    let (ns, bytes) = (time.as_secs_f64() * 1e9 / rows as f64, bytes as f64 / rows as f64);
    println!("{name:20} {label} {ns:8.1} ns/row {bytes:8.3} bytes/row");
}

/// The columns that are worth a codec: not those of few values, which have dictionaries.
fn read(file: &str) -> Result<(usize, Columns), Box<dyn Error>> {
    let mut columns = Columns::new();
    let mut rows = 0;
    for batch in FileReader::try_new(File::open(file)?, None)? {
        let batch = batch?;
        rows += batch.num_rows();
        for (field, array) in batch.schema().fields().iter().zip(batch.columns()) {
            let name = field.name();
            let found = columns.iter().position(|(of, _)| of == name).unwrap_or_else(|| {
                let column = match name.as_str() {
                    "key" => Column::Sorted(Vec::new()),
                    "e_tag" | "version_id" => Column::Random(Vec::new()),
                    "last_modified_date" => Column::Times(Vec::new()),
                    _ => Column::Integers(Vec::new()),
                };
                columns.push((name.clone(), column));
                columns.len() - 1
            });
            match &mut columns[found].1 {
                Column::Sorted(texts) | Column::Random(texts) => {
                    let array: &StringArray = array.as_string();
                    texts.extend(array.iter().flatten().map(|text| text.as_bytes().to_vec()));
                }
                Column::Integers(integers) | Column::Times(integers) => {
                    let any = array.as_any();
                    if let Some(array) = any.downcast_ref::<Int64Array>() {
                        integers.extend(array.iter().flatten());
                    } else if let Some(array) = any.downcast_ref::<TimestampMillisecondArray>() {
                        integers.extend(array.iter().flatten());
                    }
                }
            }
        }
    }
    columns.retain(|(_, column)| !matches!(column, Column::Integers(integers) if integers.is_empty()));
    Ok((rows, columns))
}

/// Keys without structure, and one value again and again.
fn hostile() -> (usize, Columns) {
    const ROWS: usize = 50_000;
    let mut state = 1u64;
    let mut below = |bound: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % bound
    };
    let mut texts = |lengths: std::ops::Range<u64>, from: u8, bytes: u64| {
        let mut text = || {
            let length = lengths.start + below(lengths.end - lengths.start);
            (0..length).map(|_| from.wrapping_add((below(bytes) & 0xff) as u8)).collect::<Vec<u8>>()
        };
        let mut texts: Vec<_> = (0..ROWS).map(|_| text()).collect();
        texts.sort();
        texts
    };
    let columns = [
        ("printable 20-100", Column::Sorted(texts(20..101, b'!', 94))),
        ("bytes 20-100", Column::Sorted(texts(20..101, 0, 256))),
        ("bytes 100-1024", Column::Sorted(texts(100..1025, 0, 256))),
        ("letters 64", Column::Sorted(texts(64..65, b'a', 16))),
        ("one key", Column::Sorted(vec![b"photos/2026/11/22/0001.jpg".to_vec(); ROWS])),
        ("one hash", Column::Random(vec![b"d41d8cd98f00b204e9800998ecf8427e".to_vec(); ROWS])),
        ("one time", Column::Times(vec![1_790_000_000_000; ROWS])),
    ];
    (ROWS, columns.map(|(name, column)| (name.to_owned(), column)).into())
}

/// Cuts a column into blocks: as Parquet's PLAIN with lengths of four bytes, as ORC's streams with none.
fn blocks(column: &Column, length_bytes: usize, block_bytes: usize) -> Vec<Block> {
    let mut stream = Vec::new();
    let mut starts = Vec::new();
    let kind = match column {
        Column::Sorted(texts) | Column::Random(texts) => {
            for text in texts {
                starts.push(stream.len());
                stream.extend(&text.len().to_le_bytes()[..length_bytes]);
                stream.extend(text);
            }
            if matches!(column, Column::Sorted(_)) { Kind::Sorted(length_bytes) } else { Kind::Random(length_bytes) }
        }
        Column::Integers(integers) | Column::Times(integers) if length_bytes > 0 => {
            starts.extend((0..integers.len()).map(|number| 8 * number));
            stream.extend(integers.iter().flat_map(|integer| integer.to_le_bytes()));
            Kind::Words
        }
        Column::Integers(integers) => {
            stream = packed(integers);
            Kind::Random(0)
        }
        Column::Times(times) => {
            let seconds: Vec<i64> = times.iter().map(|ms| ms / 1000 - ORC_EPOCH_SECONDS).collect();
            stream = packed(&seconds);
            Kind::Random(0)
        }
    };
    let mut blocks = Vec::new();
    let mut begin = 0;
    while begin < stream.len() {
        // Pages hold whole values; blocks of a stream end anywhere.
        let full = (begin + block_bytes).min(stream.len());
        let next = starts.partition_point(|start| *start < full);
        let end = if length_bytes > 0 && next > 0 && full < stream.len() { starts[next - 1] } else { full };
        let of = starts.partition_point(|start| *start < begin)..starts.partition_point(|start| *start < end);
        blocks.push(Block {
            bytes: stream[begin..end].to_vec(),
            starts: starts[of].iter().map(|start| u32::try_from(start - begin).expect("a short block")).collect(),
            kind,
        });
        begin = end;
    }
    blocks
}

/// ORC's integers in runs of a fixed width, highest bit first, without the rarer kinds of runs.
fn packed(integers: &[i64]) -> Vec<u8> {
    let mut out = Vec::new();
    for run in integers.chunks(RUN) {
        let zigzag = |value: &i64| (value << 1 ^ value >> 63).cast_unsigned();
        let all = run.iter().fold(1, |all, value| all | zigzag(value));
        let width = 64 - all.leading_zeros();
        out.extend([0x41, 0xff]);
        let (mut held, mut count) = (0u128, 0);
        for value in run {
            held = held << width | u128::from(zigzag(value));
            count += width;
            while count >= 8 {
                count -= 8;
                out.push((held >> count & 0xff) as u8);
            }
        }
        if count > 0 {
            out.push((held << (8 - count) & 0xff) as u8);
        }
    }
    out
}
