//! Counts the bytes that a reader with a page index reads of Parquet files for the rows of one key.
//!
//! ```text
//! one_key [--columns a,b] [--whole-index] KEY FILE...
//! ```
//!
//! Footers are read first; row groups are left out by the statistics of `key`, pages by its column index, and of the other
//! columns only the pages are read where the key matched. `--whole-index` reads the page index of a whole file at once, as simple readers
//! do; without it only the parts that the question needs. The last line is JSON. It measures files and knows nothing of
//! Stocktake.
#![expect(clippy::print_stdout, reason = "the measurement is what the program is for")]

use arrow_array::{BooleanArray, cast::AsArray};
use bytes::Bytes;
use clap::Parser;
use parquet::{
    arrow::{
        ProjectionMask,
        arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder, RowSelection},
    },
    errors::{ParquetError, Result},
    file::{
        metadata::{PageIndexPolicy, ParquetMetaData, ParquetMetaDataReader},
        page_index::column_index::ColumnIndexMetaData,
        reader::{ChunkReader, Length},
    },
};
use std::{
    fs::File,
    io::{BufReader, Read},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

#[derive(Debug, Parser)]
struct Arguments {
    /// Columns of the answer; all by default.
    #[arg(long, value_delimiter = ',')]
    columns: Vec<String>,
    #[arg(long)]
    whole_index: bool,
    key: String,
    files: Vec<PathBuf>,
}

/// What was read for one purpose.
#[derive(Clone, Copy, Debug, Default)]
struct Spent {
    bytes: u64,
    reads: u64,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let (mut rows, mut whole_bytes, mut phases) = (0, 0, [Spent::default(); 3]);
    for path in &arguments.files {
        let file = CountingFile::open(path)?;
        whole_bytes += file.len();
        rows += lookup(&file, &arguments, &mut phases)?;
    }
    let total = |count: fn(&Spent) -> u64| phases.iter().map(count).sum::<u64>();
    println!(
        "{{\"rows\": {rows}, \"bytes\": {}, \"reads\": {}, \"footer_bytes\": {}, \"index_bytes\": {}, \"page_bytes\": {}, \"files\": {}, \"file_bytes\": {whole_bytes}}}",
        total(|spent| spent.bytes),
        total(|spent| spent.reads),
        phases[0].bytes,
        phases[1].bytes,
        phases[2].bytes,
        arguments.files.len()
    );
    Ok(())
}

/// Rows of the key in one file; adds what footer, index and pages cost.
fn lookup(file: &CountingFile, arguments: &Arguments, phases: &mut [Spent; 3]) -> Result<u64> {
    let key = arguments.key.as_str();
    let metadata = ParquetMetaDataReader::new().parse_and_finish(file)?;
    file.hand_over(&mut phases[0]);
    let names = metadata.file_metadata().schema_descr();
    let key_column = (0..names.num_columns()).find(|column| names.column(*column).name() == "key");
    let key_column = key_column.ok_or_else(|| ParquetError::General("the file has no column key".to_owned()))?;
    let metadata = if arguments.whole_index {
        ParquetMetaDataReader::new().with_page_index_policy(PageIndexPolicy::Required).parse_and_finish(file)?
    } else {
        metadata
    };
    let metadata = with_row_groups_of(metadata, key_column, key);
    if metadata.num_row_groups() == 0 {
        file.hand_over(&mut phases[1]);
        return Ok(0);
    }
    let metadata = if arguments.whole_index { metadata } else { with_needed_index(file, metadata, key_column)? };
    file.hand_over(&mut phases[1]);

    let selection = pages_of(&metadata, key_column, key);
    let metadata = ArrowReaderMetadata::try_new(Arc::new(metadata), ArrowReaderOptions::new())?;
    let open = || ParquetRecordBatchReaderBuilder::new_with_metadata(file.clone(), metadata.clone());
    let schema = metadata.metadata().file_metadata().schema_descr();

    // The key's pages alone; what it is in the answer is known by then.
    let keys =
        open().with_projection(ProjectionMask::leaves(schema, [key_column])).with_row_selection(selection.clone());
    let mut matches = Vec::new();
    for batch in keys.build()? {
        matches.extend(batch?.column(0).as_string::<i32>().iter().map(|found| found == Some(key)));
    }
    let rows = matches.iter().filter(|found| **found).count();
    let others = (0..schema.num_columns()).filter(|column| {
        let found = schema.column(*column);
        let is_asked = arguments.columns.is_empty() || arguments.columns.iter().any(|wanted| wanted == found.name());
        is_asked && *column != key_column
    });
    let selection = selection.and_then(&RowSelection::from_filters(&[BooleanArray::from(matches)]));
    let answer = open().with_projection(ProjectionMask::leaves(schema, others)).with_row_selection(selection);
    let mut answered = 0;
    for batch in answer.build()? {
        answered += batch?.num_rows();
    }
    file.hand_over(&mut phases[2]);
    if answered != rows {
        return Err(ParquetError::General(format!("{answered} rows are read where {rows} match")));
    }
    Ok(rows as u64)
}

/// The metadata without the row groups whose statistics leave the key out.
fn with_row_groups_of(metadata: ParquetMetaData, key_column: usize, key: &str) -> ParquetMetaData {
    let kept = (0..metadata.num_row_groups()).filter(|group| {
        let statistics = metadata.row_group(*group).column(key_column).statistics();
        let bounds = statistics.and_then(|found| Some((found.min_bytes_opt()?, found.max_bytes_opt()?)));
        bounds.is_none_or(|(low, high)| low <= key.as_bytes() && key.as_bytes() <= high)
    });
    let kept: Vec<usize> = kept.collect();
    let row_groups = kept.iter().map(|group| metadata.row_group(*group).clone()).collect();
    let columns = metadata.column_index().map(|index| kept.iter().map(|group| index[*group].clone()).collect());
    let offsets = metadata.offset_index().map(|index| kept.iter().map(|group| index[*group].clone()).collect());
    let builder = metadata.into_builder().set_row_groups(row_groups);
    builder.set_column_index(columns).set_offset_index(offsets).build()
}

/// Reads the column index of the key alone, and the offset indexes of all columns, of the row groups that are left.
fn with_needed_index(file: &CountingFile, metadata: ParquetMetaData, key_column: usize) -> Result<ParquetMetaData> {
    let whole = metadata.row_groups().to_vec();
    let mut only_key = Vec::new();
    for row_group in &whole {
        let mut columns = row_group.columns().to_vec();
        for (number, column) in columns.iter_mut().enumerate() {
            if number != key_column {
                let builder = column.clone().into_builder().set_column_index_offset(None).set_column_index_length(None);
                *column = builder.build()?;
            }
        }
        only_key.push(row_group.clone().into_builder().set_column_metadata(columns).build()?);
    }
    let read = |row_groups, column: PageIndexPolicy, offset: PageIndexPolicy| -> Result<ParquetMetaData> {
        let metadata = metadata.clone().into_builder().set_row_groups(row_groups).build();
        let reader = ParquetMetaDataReader::new_with_metadata(metadata);
        let mut reader = reader.with_column_index_policy(column).with_offset_index_policy(offset);
        reader.read_page_indexes(file)?;
        reader.finish()
    };
    let columns = read(only_key, PageIndexPolicy::Optional, PageIndexPolicy::Skip)?.column_index().cloned();
    let offsets = read(whole, PageIndexPolicy::Skip, PageIndexPolicy::Required)?.offset_index().cloned();
    Ok(metadata.into_builder().set_column_index(columns).set_offset_index(offsets).build())
}

/// The rows of the pages that may hold the key.
fn pages_of(metadata: &ParquetMetaData, key_column: usize, key: &str) -> RowSelection {
    let (mut ranges, mut before, mut total) = (Vec::new(), 0, 0);
    for (number, row_group) in metadata.row_groups().iter().enumerate() {
        let rows = usize::try_from(row_group.num_rows()).unwrap_or(0);
        total += rows;
        let column = metadata.column_index().map(|index| &index[number][key_column]);
        let offsets = metadata.offset_index().map(|index| index[number][key_column].page_locations());
        if let (Some(ColumnIndexMetaData::BYTE_ARRAY(column)), Some(locations)) = (column, offsets) {
            let starts: Vec<_> =
                locations.iter().map(|page| usize::try_from(page.first_row_index).unwrap_or(0)).collect();
            for (page, start) in starts.iter().enumerate() {
                let may_hold = match (column.min_value(page), column.max_value(page)) {
                    (Some(low), Some(high)) => low <= key.as_bytes() && key.as_bytes() <= high,
                    _ => true,
                };
                if may_hold {
                    ranges.push(before + start..before + starts.get(page + 1).copied().unwrap_or(rows));
                }
            }
        } else {
            ranges.push(before..before + rows);
        }
        before += rows;
    }
    RowSelection::from_consecutive_ranges(ranges.into_iter(), total)
}

/// A file that counts what is read of it, as a buffered file reads it.
#[derive(Clone)]
struct CountingFile {
    file: Arc<File>,
    bytes: Arc<AtomicU64>,
    reads: Arc<AtomicU64>,
}

impl CountingFile {
    fn open(path: &PathBuf) -> Result<Self> {
        Ok(Self { file: Arc::new(File::open(path)?), bytes: Arc::default(), reads: Arc::default() })
    }

    /// Adds what was read since the last call.
    fn hand_over(&self, spent: &mut Spent) {
        spent.bytes += self.bytes.swap(0, Ordering::Relaxed);
        spent.reads += self.reads.swap(0, Ordering::Relaxed);
    }
}

impl Length for CountingFile {
    fn len(&self) -> u64 {
        self.file.len()
    }
}

impl ChunkReader for CountingFile {
    type T = BufReader<CountingRead>;

    fn get_read(&self, start: u64) -> Result<Self::T> {
        Ok(BufReader::new(CountingRead { of: self.clone(), at: start }))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        let mut bytes = Vec::with_capacity(length);
        CountingRead { of: self.clone(), at: start }.take(length as u64).read_to_end(&mut bytes)?;
        Ok(bytes.into())
    }
}

struct CountingRead {
    of: CountingFile,
    at: u64,
}

impl Read for CountingRead {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let count = std::os::unix::fs::FileExt::read_at(&*self.of.file, into, self.at)?;
        self.at += count as u64;
        self.of.bytes.fetch_add(count as u64, Ordering::Relaxed);
        self.of.reads.fetch_add(1, Ordering::Relaxed);
        Ok(count)
    }
}
