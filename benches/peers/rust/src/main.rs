//! One measured write by a Rust library: the `parquet` crate's ArrowWriter, orc-rust, or csv with flate2.
//!
//! The Arrow IPC file is read into memory before the clock starts. With several threads the rows are cut into as many
//! contiguous files, one thread each. The last line is the JSON that the runner reads.

mod text;

use arrow_array::RecordBatch;
use arrow_buffer::Buffer;
use arrow_ipc::{
    convert::fb_to_schema,
    reader::{FileDecoder, read_footer_length},
    root_as_footer,
};
use clap::{Parser, ValueEnum};
use flate2::{Compression, write::GzEncoder};
use orc_rust::{ArrowWriterBuilder, compression::CompressionType};
use parquet::{
    arrow::ArrowWriter,
    basic::{Compression as ParquetCompression, ZstdLevel},
    file::properties::WriterProperties,
};
use rustix::time::{ClockId, clock_gettime};
use std::{
    error::Error,
    fs::{self, File},
    io::BufWriter,
    path::{Path, PathBuf},
    sync::Arc,
    thread,
};

#[derive(Debug, Parser)]
struct Arguments {
    #[arg(long = "in")]
    input: PathBuf,
    #[arg(long)]
    out: PathBuf,
    #[arg(long)]
    writer: Writer,
    #[arg(long)]
    codec: String,
    #[arg(long, default_value_t = 1)]
    threads: usize,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Writer {
    ArrowWriter,
    OrcRust,
    Csv,
}

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// Size of the buffer before a file, as writers in Rust have it.
const BUFFER_BYTES: usize = 1 << 20;

fn main() -> Outcome<()> {
    let arguments = Arguments::parse();
    let batches = load(&arguments.input)?;
    let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
    let parts = cut(&batches, rows.div_ceil(arguments.threads).max(1));
    let before = [seconds(ClockId::Monotonic), seconds(ClockId::ProcessCPUTime)];
    let bytes = thread::scope(|scope| {
        let threads: Vec<_> = (0..)
            .zip(&parts)
            .map(|(number, part)| {
                let path = if number == 0 {
                    arguments.out.clone()
                } else {
                    PathBuf::from(format!("{}.{number}", arguments.out.display()))
                };
                let (writer, codec) = (arguments.writer, arguments.codec.as_str());
                scope.spawn(move || write(writer, codec, part, &path))
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().map_err(|_| "a thread failed")?).sum::<Outcome<u64>>()
    })?;
    let after = [seconds(ClockId::Monotonic), seconds(ClockId::ProcessCPUTime)];
    println!(
        "{{\"write_s\": {:.6}, \"write_cpu_s\": {:.6}, \"rows\": {rows}, \"bytes\": {bytes}}}",
        after[0] - before[0],
        after[1] - before[1]
    );
    Ok(())
}

fn write(writer: Writer, codec: &str, batches: &[RecordBatch], path: &Path) -> Outcome<u64> {
    let file = File::create(path)?;
    let schema = batches.first().ok_or("no rows")?.schema();
    match writer {
        Writer::ArrowWriter => {
            let compression = match codec {
                "snappy" => ParquetCompression::SNAPPY,
                "zstd" => ParquetCompression::ZSTD(ZstdLevel::default()),
                other => return Err(format!("no codec {other}").into()),
            };
            let properties = WriterProperties::builder().set_compression(compression).build();
            let mut writer = ArrowWriter::try_new(file, schema, Some(properties))?;
            batches.iter().try_for_each(|batch| writer.write(batch))?;
            writer.close()?;
        }
        Writer::OrcRust => {
            let compression = match codec {
                "zlib" => CompressionType::Zlib,
                "zstd" => CompressionType::Zstd,
                other => return Err(format!("no codec {other}").into()),
            };
            let mut writer = ArrowWriterBuilder::new(file, schema).with_compression(compression).try_build()?;
            for batch in batches {
                writer.write(batch)?;
            }
            writer.close()?;
        }
        Writer::Csv => {
            let gzip = GzEncoder::new(BufWriter::with_capacity(BUFFER_BYTES, file), Compression::new(6));
            let mut options = csv::WriterBuilder::new();
            let mut writer = options.quote_style(csv::QuoteStyle::Always).has_headers(false).from_writer(gzip);
            for batch in batches {
                text::write(batch, &mut writer)?;
            }
            let gzip = writer.into_inner().map_err(|error| error.to_string())?;
            gzip.finish()?.into_inner().map_err(|error| error.to_string())?;
        }
    }
    Ok(fs::metadata(path)?.len())
}

/// Record batches whose columns are slices of the file's bytes.
fn load(path: &Path) -> Outcome<Vec<RecordBatch>> {
    let file = Buffer::from_vec(fs::read(path)?);
    let tail = file.len().checked_sub(10).ok_or("the file is too short")?;
    let footer_length = read_footer_length(file[tail..].try_into()?)?;
    let footer = root_as_footer(&file[tail - footer_length..tail]).map_err(|error| error.to_string())?;
    let schema = Arc::new(fb_to_schema(footer.schema().ok_or("the file has no schema")?));
    let mut decoder = FileDecoder::new(schema, footer.version());
    let body = |block: &arrow_ipc::Block| -> Outcome<Buffer> {
        let length = usize::try_from(block.bodyLength())? + usize::try_from(block.metaDataLength())?;
        Ok(file.slice_with_length(usize::try_from(block.offset())?, length))
    };
    for block in footer.dictionaries().iter().flatten() {
        decoder.read_dictionary(block, &body(block)?)?;
    }
    let mut batches = Vec::new();
    for block in footer.recordBatches().iter().flatten() {
        batches.extend(decoder.read_record_batch(block, &body(block)?)?);
    }
    Ok(batches)
}

/// Contiguous parts of at most so many rows.
fn cut(batches: &[RecordBatch], rows: usize) -> Vec<Vec<RecordBatch>> {
    let (mut parts, mut room) = (vec![Vec::new()], rows);
    for batch in batches {
        let mut at = 0;
        while at < batch.num_rows() {
            if room == 0 {
                parts.push(Vec::new());
                room = rows;
            }
            let taken = room.min(batch.num_rows() - at);
            if let Some(part) = parts.last_mut() {
                part.push(batch.slice(at, taken));
            }
            at += taken;
            room -= taken;
        }
    }
    parts
}

fn seconds(clock: ClockId) -> f64 {
    let time = clock_gettime(clock);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}
