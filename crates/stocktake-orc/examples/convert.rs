//! Converts an Arrow IPC file to ORC: `convert IN.arrow OUT.orc|- [none|zlib|snappy|zstd] [LEVEL] [ROUNDS]`.
//!
//! Columns with the names of an inventory are told as one. With more than one round it is of use to profilers; few-valued
//! texts come as plain ones, of which dictionaries are made.

use arrow_ipc::reader::FileReader;
use std::{error::Error, fs::File, io::Write, sync::Arc};
use stocktake_orc::{ColumnHint, Compression, OrcWriter, WriterOptions};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let argument = |at: usize, default: &str| arguments.get(at).cloned().unwrap_or_else(|| default.to_owned());
    let batches = FileReader::try_new(File::open(argument(0, ""))?, None)?.collect::<Result<Vec<_>, _>>()?;
    let level = argument(3, "1").parse()?;
    let compression = match argument(2, "zlib").as_str() {
        "none" => Compression::None,
        "snappy" => Compression::Snappy,
        "zstd" => Compression::Zstd { level },
        _ => Compression::Zlib { level },
    };
    let Some(first) = batches.first() else { return Err("the file has no batch".into()) };
    let mut options =
        WriterOptions::default().with_compression(compression).with_stripe_rows(131_072).with_stripe_bytes(1 << 30);
    for (column, hint) in
        [("key", ColumnHint::SortedText), ("e_tag", ColumnHint::RandomText), ("version_id", ColumnHint::RandomText)]
    {
        if first.schema_ref().column_with_name(column).is_some() {
            options = options.with_hint(column, hint);
        }
    }
    let mut file = Vec::new();
    for _ in 0..argument(4, "1").parse::<usize>()? {
        file.clear();
        let mut writer = OrcWriter::try_new(file, Arc::clone(first.schema_ref()), &options)?;
        batches.iter().try_for_each(|batch| writer.write(batch))?;
        file = writer.finish()?;
    }
    match argument(1, "-").as_str() {
        "-" => writeln!(std::io::stdout(), "{} bytes", file.len())?,
        path => File::create(path)?.write_all(&file)?,
    }
    Ok(())
}
