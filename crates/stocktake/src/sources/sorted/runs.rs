//! Sorted runs of records in temporary files, merged level by level.

use super::record::{self, Ranking};
use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    fs::File,
    io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};
use stocktake_core::ObjectBatch;

/// Records in memory before they are sorted and spilled; with their index and a batch they take about 28 MiB.
const RUN_BYTES: usize = 16 << 20;

/// Runs that are merged at once. Three levels of so many hold 4 TiB of records.
const RUNS_MERGED: usize = 64;

/// Bytes read ahead of each run, and written at once.
const BUFFER_BYTES: usize = 64 << 10;

/// Rows in order, once all have come.
#[derive(Debug)]
pub(super) struct Runs {
    ranking: Ranking,
    temp_dir: PathBuf,
    run_bytes: usize,
    records: Vec<u8>,
    /// Where each record in memory begins and ends.
    ends: Vec<(usize, usize)>,
    /// Spilled runs; a run of a level holds those of [`RUNS_MERGED`] runs of the level below. Earlier rows stand first.
    levels: Vec<Vec<File>>,
    merge: Option<Merge>,
}

impl Runs {
    pub(super) fn new(ranking: Ranking, temp_dir: &Path) -> Self {
        Self {
            ranking,
            temp_dir: temp_dir.to_owned(),
            run_bytes: RUN_BYTES,
            records: Vec::new(),
            ends: Vec::new(),
            levels: Vec::new(),
            merge: None,
        }
    }

    /// Takes in rows.
    ///
    /// # Errors
    /// If they cannot be spilled.
    pub(super) fn add(&mut self, batch: &ObjectBatch) -> io::Result<()> {
        let fields = batch.fields();
        for row in 0..batch.len() {
            let begin = self.records.len();
            record::write(batch, row, fields, self.ranking, &mut self.records);
            self.ends.push((begin, self.records.len()));
            if self.records.len() >= self.run_bytes {
                self.spill()?;
            }
        }
        Ok(())
    }

    /// Ends taking in.
    ///
    /// # Errors
    /// If the last rows cannot be spilled, or the runs not be read.
    pub(super) fn begin_merge(&mut self) -> io::Result<()> {
        self.spill()?;
        (self.records, self.ends) = (Vec::new(), Vec::new());
        // Runs of higher levels hold earlier rows.
        let runs = std::mem::take(&mut self.levels).into_iter().rev().flatten().collect();
        self.merge = Some(Merge::try_new(runs)?);
        Ok(())
    }

    /// The next record in order.
    ///
    /// # Errors
    /// If it cannot be read.
    pub(super) fn next(&mut self) -> io::Result<Option<Vec<u8>>> {
        self.merge.as_mut().map_or(Ok(None), Merge::next)
    }

    fn spill(&mut self) -> io::Result<()> {
        if self.ends.is_empty() {
            return Ok(());
        }
        let records = &self.records;
        // Stable: equal records stay as they came.
        self.ends.sort_by(|left, right| record::order(&records[left.0..left.1], &records[right.0..right.1]));
        let mut run = BufWriter::with_capacity(BUFFER_BYTES, tempfile::tempfile_in(&self.temp_dir)?);
        for (begin, end) in &self.ends {
            write_record(&mut run, &self.records[*begin..*end])?;
        }
        let run = rewound(run)?;
        self.records.clear();
        self.ends.clear();
        self.keep(run, 0)
    }

    /// Keeps a run; merges its level once that is full.
    fn keep(&mut self, run: File, level: usize) -> io::Result<()> {
        if self.levels.len() <= level {
            self.levels.push(Vec::new());
        }
        self.levels[level].push(run);
        if self.levels[level].len() < RUNS_MERGED {
            return Ok(());
        }
        let mut merge = Merge::try_new(std::mem::take(&mut self.levels[level]))?;
        let mut merged = BufWriter::with_capacity(BUFFER_BYTES, tempfile::tempfile_in(&self.temp_dir)?);
        while let Some(record) = merge.next()? {
            write_record(&mut merged, &record)?;
        }
        let merged = rewound(merged)?;
        self.keep(merged, level + 1)
    }
}

fn write_record(run: &mut impl Write, record: &[u8]) -> io::Result<()> {
    let bytes = u32::try_from(record.len()).map_err(io::Error::other)?;
    run.write_all(&bytes.to_le_bytes())?;
    run.write_all(record)
}

fn rewound(run: BufWriter<File>) -> io::Result<File> {
    let mut run = run.into_inner().map_err(io::IntoInnerError::into_error)?;
    run.seek(SeekFrom::Start(0))?;
    Ok(run)
}

/// The runs of a merge, by their next record.
#[derive(Debug)]
struct Merge {
    runs: Vec<BufReader<File>>,
    heads: BinaryHeap<Reverse<Head>>,
}

/// The next record of a run.
#[derive(Debug, PartialEq, Eq)]
struct Head {
    record: Vec<u8>,
    run: usize,
}

impl Ord for Head {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        // Of equal records, that of the earlier run came first.
        record::order(&self.record, &other.record).then(self.run.cmp(&other.run))
    }
}

impl PartialOrd for Head {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Merge {
    fn try_new(runs: Vec<File>) -> io::Result<Self> {
        let runs: Vec<_> = runs.into_iter().map(|run| BufReader::with_capacity(BUFFER_BYTES, run)).collect();
        let mut merge = Self { heads: BinaryHeap::with_capacity(runs.len()), runs };
        for run in 0..merge.runs.len() {
            merge.read(run)?;
        }
        Ok(merge)
    }

    fn next(&mut self) -> io::Result<Option<Vec<u8>>> {
        let Some(Reverse(Head { record, run })) = self.heads.pop() else { return Ok(None) };
        self.read(run)?;
        Ok(Some(record))
    }

    fn read(&mut self, run: usize) -> io::Result<()> {
        let reader = &mut self.runs[run];
        let mut bytes = [0; 4];
        match reader.read(&mut bytes[..1])? {
            0 => return Ok(()),
            _ => reader.read_exact(&mut bytes[1..])?,
        }
        let length = usize::try_from(u32::from_le_bytes(bytes)).map_err(io::Error::other)?;
        let mut record = vec![0; length];
        reader.read_exact(&mut record)?;
        self.heads.push(Reverse(Head { record, run }));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stocktake_core::{Column, Field, FieldSet, ObjectBatchBuilder};

    /// Rows of keys that come in no order, each key several times, through many runs on two levels.
    #[test]
    fn runs_of_all_levels_are_merged_in_order() {
        let fields = FieldSet::REQUIRED.with(Field::Size).with(Field::StorageClass);
        let mut runs = Runs::new(Ranking::AsDelivered, &std::env::temp_dir());
        runs.run_bytes = 100;
        let mut expected = Vec::new();
        let mut builder = ObjectBatchBuilder::new(fields);
        for number in 0..1000_i64 {
            let key = format!("{:03}", number * 7919 % 300);
            let row = builder.row(&key).int(Field::Size, number);
            let row = if number % 3 == 0 { row.storage_class("STANDARD") } else { row };
            row.finish().unwrap();
            expected.push((key, number, if number % 3 == 0 { "STANDARD" } else { "" }.to_owned()));
        }
        expected.sort();
        runs.add(&builder.finish()).unwrap();
        assert!(runs.levels.len() == 2, "{}", runs.levels.len());
        runs.begin_merge().unwrap();
        while let Some(record) = runs.next().unwrap() {
            record::append(&record, &mut builder).unwrap();
        }
        let batch = builder.finish();
        let found: Vec<_> = (0..batch.len())
            .map(|row| {
                let Some(Column::Int(sizes)) = batch.column(Field::Size) else { unreachable!("sizes were set") };
                let Some(Column::Code(classes)) = batch.column(Field::StorageClass) else {
                    unreachable!("classes were set")
                };
                (batch.key(row).to_owned(), sizes.value(row).unwrap(), classes.value(row).to_owned())
            })
            .collect();
        assert_eq!(found, expected);
    }
}
