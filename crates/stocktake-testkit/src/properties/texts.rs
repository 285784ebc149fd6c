//! Parsers of the core on any text: an error or a value, and a value means the same after it was written and read again.

use super::fault;
use serde::{Serialize, de::DeserializeOwned};
use std::{fmt::Debug, path::Component};
use stocktake_core::{
    BucketName, ConfigurationId, DestinationPrefix, FieldSelection, FieldSet, FileFormat, JournalBegin, JournalEntry,
    Manifest, ObjectKey, Plan, Receipt, RecordedSpec, ReportKey, ReportLayout, ReportRoot, ReportSpec, RowDigest,
    Timestamp, Versions, parse_receipts, receipts_text,
};

/// Any bytes are parsed as everything that a report has a text of.
///
/// # Errors
/// If a value is another one after it was written and read again, or a name climbs out of its folder.
pub fn texts_do_not_panic(bytes: &[u8]) -> Result<(), String> {
    manifest(bytes)?;
    manifest_with(&String::from_utf8_lossy(bytes))?;
    receipts(bytes)?;
    bytes.first_chunk().map_or(Ok(()), |ms| time_of(i64::from_le_bytes(*ms)))?;
    if let Some(plan) = json_identity::<Plan>(bytes)? {
        plan.digest();
    }
    json_identity::<Receipt>(bytes)?;
    journal(bytes)?;
    if let Some(spec) = json_identity::<ReportSpec>(bytes)? {
        report_spec(&spec);
    }
    std::str::from_utf8(bytes).map_or(Ok(()), |text| {
        timestamp(text)?;
        names(text)?;
        field_selection(text);
        schemas(text)?;
        digest_of_rows(text)
    })
}

fn manifest(bytes: &[u8]) -> Result<(), String> {
    let Ok(manifest) = Manifest::parse(bytes) else { return Ok(()) };
    let text = manifest.to_text();
    let again = Manifest::parse(text.as_bytes()).map_err(|error| fault("the text of a manifest")(&error))?;
    same("a manifest", &again, &manifest)?;
    same("the text of a manifest", &again.to_text(), &text)
}

/// A manifest with the text in every place that takes one.
fn manifest_with(text: &str) -> Result<(), String> {
    let file = serde_json::json!({ "key": text, "size": text.len(), "MD5checksum": text });
    let made = serde_json::json!({
        "sourceBucket": text, "destinationBucket": text, "version": text, "creationTimestamp": text,
        "fileFormat": "ORC", "fileSchema": text, "files": [file, file], "unknown": text,
    });
    let made = made.to_string();
    Manifest::parse(made.as_bytes()).map_err(|error| fault(&made)(&error))?;
    manifest(made.as_bytes())
}

fn receipts(bytes: &[u8]) -> Result<(), String> {
    let Ok((header, receipts)) = parse_receipts(bytes) else { return Ok(()) };
    if matches!(&header.spec, RecordedSpec::Foreign(value) if has_fraction(value)) {
        // The JSON library reads numbers with a fraction to the last digit but one.
        return Ok(());
    }
    let text = receipts_text(&header, &receipts);
    let again = parse_receipts(text.as_bytes()).map_err(|error| fault("the text of receipts")(&error))?;
    same("receipts", &again, &(header, receipts))
}

fn has_fraction(value: &serde_json::Value) -> bool {
    match value {
        serde_json::Value::Number(number) => number.is_f64(),
        serde_json::Value::Array(values) => values.iter().any(has_fraction),
        serde_json::Value::Object(members) => members.values().any(has_fraction),
        _ => false,
    }
}

/// The value of a JSON text, if it is one.
fn json_identity<T: DeserializeOwned + Serialize + PartialEq + Debug>(bytes: &[u8]) -> Result<Option<T>, String> {
    let Ok(value) = serde_json::from_slice::<T>(bytes) else { return Ok(None) };
    let text = serde_json::to_string(&value).map_err(|error| fault("a value that was read")(&error))?;
    let again: T = serde_json::from_str(&text).map_err(|error| fault(&text)(&error))?;
    same("a value", &again, &value)?;
    Ok(Some(value))
}

/// Objects of a journal, without the MD5 behind them, which a fuzzer would hardly find.
fn journal(bytes: &[u8]) -> Result<(), String> {
    if let Some(begin) = json_identity::<JournalBegin>(bytes)? {
        let again = JournalBegin::parse(begin.to_text().as_bytes()).map_err(|error| fault("a journal")(&error))?;
        same("the beginning of a journal", &again, &begin)?;
        begin.plan.digest();
        for key in [begin.layout.journal_begin(), begin.layout.data(0, 0, begin.attempt), begin.layout.symlink()] {
            stays_below(key.as_str())?;
        }
    }
    if let Some(entry) = json_identity::<JournalEntry>(bytes)? {
        let again = JournalEntry::parse(entry.to_text().as_bytes()).map_err(|error| fault("an entry")(&error))?;
        same("an entry of a journal", &again, &entry)?;
        if let Some(row) = entry.last_row() {
            same("a last row", row.key(0), entry.receipt.last_key.as_deref().unwrap_or_default())?;
        }
    }
    let _ = (JournalBegin::parse(bytes).is_ok(), JournalEntry::parse(bytes).is_ok());
    Ok(())
}

/// Schemas of every format: what is read of a schema that was written is what was written.
fn schemas(text: &str) -> Result<(), String> {
    for format in [FileFormat::Csv, FileFormat::Orc, FileFormat::Parquet] {
        let Some(columns) = format.parse_schema(text) else { continue };
        let fields: FieldSet = columns.iter().filter_map(|column| column.field).collect();
        if fields.is_empty() {
            continue;
        }
        let read = format.parse_schema(&format.schema_text(fields)).ok_or("a schema is not read back")?;
        let again: FieldSet = read.iter().filter_map(|column| column.field).collect();
        same("the fields of a schema", &again, &fields)?;
    }
    Ok(())
}

fn digest_of_rows(text: &str) -> Result<(), String> {
    let Ok(digest) = RowDigest::try_from(text.to_owned()) else { return Ok(()) };
    let again = RowDigest::try_from(digest.to_string()).map_err(|error| fault("a digest")(&error))?;
    same("a digest of rows", &again, &digest)
}

/// What every run asks of a spec before it begins.
fn report_spec(spec: &ReportSpec) {
    let layout = ReportLayout::new(spec);
    for key in [layout.data(0, 0, 0), layout.manifest(), layout.checksum(), layout.receipts(), layout.symlink()] {
        debug_assert!(key.as_str().starts_with(layout.root().as_str()));
    }
    spec.schema_text();
    // A limit that is too small is an error, never an overflow.
    for limit in [0, spec.memory_floor(), u64::MAX] {
        let _ = spec.chunk_budget_bytes(limit);
    }
}

/// A time of this many milliseconds, cut to the years that there are.
fn time_of(ms: i64) -> Result<(), String> {
    let years = Timestamp::MAX.ms() - Timestamp::MIN.ms() + 1;
    let time = Timestamp::try_from_ms(Timestamp::MIN.ms() + ms.rem_euclid(years));
    timestamp(&time.map_err(|error| fault("a time")(&error))?.to_string())
}

fn timestamp(text: &str) -> Result<(), String> {
    let Ok(time) = Timestamp::parse(text) else { return Ok(()) };
    time.folder_stamp();
    time.hive_stamp();
    let again = Timestamp::parse(&time.to_string()).map_err(|error| fault("a time")(&error))?;
    same("a time", &again, &time)
}

fn names(text: &str) -> Result<(), String> {
    for (what, name) in [
        ("a bucket", BucketName::try_new(text).map(String::from)),
        ("a configuration", ConfigurationId::try_new(text).map(String::from)),
        ("a report key", ReportKey::try_new(text).map(String::from)),
    ] {
        let Ok(name) = name else { continue };
        same(what, name.as_str(), text)?;
        stays_below(&name)?;
    }
    if let (Ok(key), Ok(bucket), Ok(id)) =
        (ReportKey::try_new(text), BucketName::try_new("bucket"), ConfigurationId::try_new("id"))
    {
        let root = ReportRoot::new(&DestinationPrefix::default(), &bucket, &id);
        let _ = root.journal_of(&key);
        root.journal_begins(text).iter().try_for_each(|key| stays_below(key.as_str()))?;
    }
    if let Ok(prefix) = DestinationPrefix::try_new(text) {
        stays_below(prefix.as_str())?;
        let again = DestinationPrefix::try_new(prefix.as_str()).map_err(|error| fault("a prefix")(&error))?;
        same("a prefix", &again, &prefix)?;
    }
    match ObjectKey::try_new(text) {
        Ok(key) => same("an object key", key.as_str(), text),
        Err(_) => Ok(()),
    }
}

/// A relative path that goes down alone.
fn stays_below(name: &str) -> Result<(), String> {
    let down = |part: Component<'_>| matches!(part, Component::Normal(_));
    let joined = std::path::Path::new(name).components().all(down);
    if joined { Ok(()) } else { Err(format!("the name {name:?} leads out of its folder")) }
}

fn field_selection(text: &str) {
    if let Ok(selection) = FieldSelection::parse(text) {
        for versions in [Versions::Current, Versions::All] {
            // Fields that are not provided are an error, which any selection may meet.
            let _ = selection.resolve(crate::rows::every_field(), versions);
        }
    }
}

fn same<T: PartialEq + Debug + ?Sized>(what: &str, found: &T, wanted: &T) -> Result<(), String> {
    if found == wanted { Ok(()) } else { Err(format!("{what} is {found:?} instead of {wanted:?}")) }
}
