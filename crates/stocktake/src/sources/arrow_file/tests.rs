//! Files written by arrow-ipc's own writer, read back through the source; damaged ones.

use super::*;
use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray, TimestampMillisecondArray};
use arrow_ipc::{
    CompressionType,
    writer::{FileWriter, IpcWriteOptions},
};
use std::{fs, sync::Arc};
use stocktake_core::{BucketName, Column, Field};

/// Rows `key-N` with size N, in record batches of `batch` rows.
fn write(path: &Path, rows: usize, batch: usize) {
    let numbers: Vec<i64> = (0..rows as i64).collect();
    let record_batch = |numbers: &[i64]| {
        let keys: StringArray = numbers.iter().map(|number| Some(format!("key-{:06}", number / 3 * 3))).collect();
        let versions: StringArray = numbers.iter().map(|number| Some(format!("v{number}"))).collect();
        let columns: [(&str, ArrayRef); 4] = [
            ("key", Arc::new(keys)),
            ("version_id", Arc::new(versions)),
            ("size", Arc::new(Int64Array::from(numbers.to_vec()))),
            ("last_modified_date", Arc::new(TimestampMillisecondArray::from(numbers.to_vec()).with_timezone("UTC"))),
        ];
        RecordBatch::try_from_iter(columns).unwrap()
    };
    let mut writer = FileWriter::try_new(fs::File::create(path).unwrap(), &record_batch(&[]).schema()).unwrap();
    for numbers in numbers.chunks(batch) {
        writer.write(&record_batch(numbers)).unwrap();
    }
    writer.finish().unwrap();
}

fn context() -> ReadContext {
    ReadContext::new(BucketName::try_new("b").unwrap(), Field::all().collect())
}

fn read(
    source: &ArrowFileSource,
    lane: &LaneDescriptor,
    after: Option<&str>,
) -> Result<Vec<(String, i64, u64)>, SourceError> {
    let after = after.map(|after| ObjectKey::try_new(after).unwrap());
    let mut stream = source.open(lane, after.as_ref(), &context())?;
    let mut builder = ObjectBatchBuilder::new(context().fields);
    let mut rows = Vec::new();
    loop {
        builder.clear();
        if !stream.next_batch(&mut builder)? {
            return Ok(rows);
        }
        let batch = builder.finish();
        let Some(Column::Int(sizes)) = batch.column(Field::Size) else { panic!() };
        let line = |row| batch.origin().unwrap().number(row);
        rows.extend((0..batch.len()).map(|row| (batch.key(row).to_owned(), sizes.value(row).unwrap(), line(row))));
    }
}

#[test]
fn lanes_and_resumed_streams_hold_the_rows_of_the_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rows.arrow");
    write(&path, 30_000, 1000);
    let source = ArrowFileSource::try_open(&path).unwrap();
    let whole_plan = source.plan(NonZeroU32::MIN).unwrap();
    let whole = read(&source, &whole_plan.lanes()[0], None).unwrap();
    assert_eq!(whole.len(), 30_000);
    assert!(whole.iter().enumerate().all(|(row, (_, size, line))| *size == row as i64 && *line == row as u64 + 1));
    for lanes in 2..6 {
        let plan = source.plan(NonZeroU32::new(lanes).unwrap()).unwrap();
        assert!(plan.lanes().len() > 1);
        let parts: Vec<_> = plan.lanes().iter().flat_map(|lane| read(&source, lane, None).unwrap()).collect();
        assert_eq!(parts, whole, "{lanes} lanes");
    }
    for after in ["key-000000", "key-000998", "key-000999", "key-015000", "key-029997", "zzz"] {
        let rest: Vec<_> = whole.iter().filter(|(key, _, _)| key.as_str() > after).cloned().collect();
        assert_eq!(read(&source, &whole_plan.lanes()[0], Some(after)).unwrap(), rest, "{after}");
    }
}

#[test]
fn a_damaged_file_is_an_error_and_never_a_panic() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rows.arrow");
    write(&path, 500, 100);
    let bytes = fs::read(&path).unwrap();
    let attempt = |bytes: &[u8]| -> Result<usize, SourceError> {
        fs::write(&path, bytes).unwrap();
        let source = ArrowFileSource::try_open(&path)?;
        Ok(read(&source, &source.plan(NonZeroU32::MIN)?.lanes()[0], None)?.len())
    };
    for part in 0..50 {
        assert!(attempt(&bytes[..bytes.len() * part / 50]).is_err(), "{part} fiftieths of the file");
    }
    for at in (0..bytes.len()).step_by(7) {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x5A;
        // Most damage is noticed; what is not must still be rows, not a panic.
        let _ = attempt(&damaged);
    }
    assert_eq!(attempt(&bytes).unwrap(), 500);
}

#[test]
fn files_that_are_not_what_they_should_be_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(
        ArrowFileSource::try_open(folder.path().join("absent")).unwrap_err().kind(),
        SourceErrorKind::Unreadable
    );
    assert_eq!(ArrowFileSource::try_open(folder.path()).unwrap_err().kind(), SourceErrorKind::Unreadable);
    let path = folder.path().join("odd.arrow");
    let odd = RecordBatch::try_from_iter([
        ("key", Arc::new(StringArray::from(vec!["a"])) as ArrayRef),
        ("colour", Arc::new(StringArray::from(vec!["red"]))),
    ]);
    let odd = odd.unwrap();
    let mut writer = FileWriter::try_new(fs::File::create(&path).unwrap(), &odd.schema()).unwrap();
    writer.write(&odd).unwrap();
    writer.finish().unwrap();
    let error = ArrowFileSource::try_open(&path).unwrap_err();
    assert!(error.to_string().ends_with("column \"colour\" is no inventory field"), "{error}");
}

#[test]
fn an_empty_file_has_no_rows() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("empty.arrow");
    write(&path, 0, 1);
    let source = ArrowFileSource::try_open(&path).unwrap();
    let plan = source.plan(NonZeroU32::new(4).unwrap()).unwrap();
    assert_eq!(plan.lanes().len(), 1);
    assert_eq!(read(&source, &plan.lanes()[0], None).unwrap(), []);
}

#[test]
fn compressed_bodies_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("compressed.arrow");
    let keys: ArrayRef = Arc::new(StringArray::from_iter_values((0..1000).map(|key| format!("{key:06}"))));
    let words: arrow_array::DictionaryArray<arrow_array::types::Int32Type> = (0..1000).map(|_| "STANDARD").collect();
    let words: ArrayRef = Arc::new(words);
    let plain = RecordBatch::try_from_iter([("key", Arc::clone(&keys))]).unwrap();
    let with_dictionary = RecordBatch::try_from_iter([("key", keys), ("storage_class", words)]).unwrap();
    for batch in [plain, with_dictionary] {
        for compression in [CompressionType::LZ4_FRAME, CompressionType::ZSTD] {
            let options = IpcWriteOptions::default().try_with_compression(Some(compression)).unwrap();
            let file = fs::File::create(&path).unwrap();
            let mut writer = FileWriter::try_new_with_options(file, &batch.schema(), options).unwrap();
            writer.write(&batch).unwrap();
            writer.finish().unwrap();
            let source = ArrowFileSource::try_open(&path).unwrap();
            let error = read(&source, &Plan::whole("x").lanes()[0], None).unwrap_err();
            assert!(error.to_string().ends_with("write the file without compression"), "{error}");
        }
    }
}
