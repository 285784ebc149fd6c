//! The text of a journal's objects: what is known of a report in the making, kept at its destination until it is published.
//!
//! The first object says what the run was begun with, spec and plan together, so that no journal has one without the other.
//! Each further object is the entry of a data file that was published before. Every object is written once. Where journals
//! are kept and how they are followed is the engine's affair.
//!
//! ```text
//! {"kind":"run", ..}                      one line of JSON
//! 3b5d5c3712955042212316173ccf37be        MD5 of that line: a run is never carried on by what was damaged
//! ```

use crate::{
    batch::{ObjectBatch, ObjectBatchBuilder},
    digest::md5_hex,
    field::Field,
    layout::ReportLayout,
    plan::Plan,
    receipt::Receipt,
    receipts_file::RecordedSpec,
    spec::ReportSpec,
    time::Timestamp,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;
use std::{error::Error, fmt};

/// What a run was begun with: the first object of its journal. Members that are not known are passed over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct JournalBegin {
    kind: Kind,
    /// Tells the run from others of the same report, before or after it. Nothing of it reaches the report.
    pub run: String,
    /// Keys of the report's objects.
    pub layout: ReportLayout,
    /// The spec that the run follows.
    pub spec: RecordedSpec,
    /// The plan that the run follows.
    pub plan: Plan,
    /// The attempt that its data files are named by.
    pub attempt: u32,
    /// The report's time, which the layout has to the minute.
    pub created_at: Timestamp,
    /// Name and version of the program that began the run.
    pub generator: String,
    /// When the scan began, if the run was told the time.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub scan_started_at: Option<Timestamp>,
}

/// Tells a journal's first object from others; nothing else may stand there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Run,
}

impl JournalBegin {
    /// The beginning of a run.
    pub fn new(spec: &ReportSpec, plan: &Plan, attempt: u32, generator: impl Into<String>) -> Self {
        Self {
            kind: Kind::Run,
            run: String::new(),
            layout: ReportLayout::new(spec),
            spec: RecordedSpec::Known(Box::new(spec.clone())),
            plan: plan.clone(),
            attempt,
            created_at: spec.created_at(),
            generator: generator.into(),
            scan_started_at: None,
        }
    }

    /// Tells the run from others of the same report.
    #[must_use]
    pub fn with_run(mut self, run: impl Into<String>) -> Self {
        self.run = run.into();
        self
    }

    /// States when the scan began.
    #[must_use]
    pub fn with_scan_started_at(mut self, started_at: Option<Timestamp>) -> Self {
        self.scan_started_at = started_at;
        self
    }

    /// The object's text.
    pub fn to_text(&self) -> String {
        sealed(self)
    }

    /// Reads the object.
    ///
    /// # Errors
    /// If it is not what a run writes, or was damaged.
    pub fn parse(text: &[u8]) -> Result<Self, JournalError> {
        unsealed(text)
    }

    /// What another spec and plan differ in from those that the run was begun with, each by name and with both values.
    /// None: the run can be continued by them.
    pub fn differences(&self, spec: &ReportSpec, plan: &Plan) -> Vec<String> {
        let mut differences = Vec::new();
        compare("", &value(&self.spec), &value(spec), &mut differences);
        compare("plan", &value(&self.plan), &value(plan), &mut differences);
        differences
    }
}

fn value(of: &impl Serialize) -> Value {
    // Specs and plans are texts, numbers and lists, which have a JSON form.
    serde_json::to_value(of).unwrap_or_default()
}

/// Names what differs between two values, member by member.
fn compare(name: &str, begun: &Value, now: &Value, differences: &mut Vec<String>) {
    match (begun, now) {
        _ if begun == now => {}
        (Value::Object(before), Value::Object(after)) => {
            let absent = Value::Null;
            let mut members: Vec<&String> = before.keys().chain(after.keys()).collect();
            members.sort_unstable();
            members.dedup();
            for member in members {
                let inner = if name.is_empty() { member.clone() } else { format!("{name}.{member}") };
                let of = |map: &serde_json::Map<String, Value>| map.get(member).cloned();
                let (before, after) = (of(before).unwrap_or(absent.clone()), of(after).unwrap_or(absent.clone()));
                compare(&inner, &before, &after, differences);
            }
        }
        (Value::Array(before), Value::Array(after)) if before.len() != after.len() && name == "plan.lanes" => {
            differences.push(format!("{name}: {} of them then, {} now", before.len(), after.len()));
        }
        (Value::Array(before), Value::Array(after)) if before.len() == after.len() => {
            for (index, (before, after)) in before.iter().zip(after).enumerate() {
                compare(&format!("{name}.{index}"), before, after, differences);
            }
        }
        _ => differences.push(format!("{name}: {begun} then, {now} now")),
    }
}

/// A data file that was published, or a lane without rows: an entry of a journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct JournalEntry {
    /// The run that wrote the data file, as the journal's first object names it.
    pub run: String,
    /// The receipt.
    pub receipt: Receipt,
    /// Few-valued values of the last row, without absent ones. The raw size of the row behind it, and so the place where
    /// the next chunk ends, depends on them.
    pub last_codes: Vec<(Field, String)>,
    /// Entries of the lane that the source had left out when the data file's last rows were read. Some of them may stand
    /// behind those rows, and are counted again by a run that continues there; none that stands before is missing.
    pub skipped_entries: u64,
}

impl JournalEntry {
    /// The entry of a receipt.
    pub fn new(receipt: Receipt, last_codes: Vec<(Field, String)>, skipped_entries: u64) -> Self {
        Self { run: String::new(), receipt, last_codes, skipped_entries }
    }

    /// Names the run that wrote the data file.
    #[must_use]
    pub fn with_run(mut self, run: impl Into<String>) -> Self {
        self.run = run.into();
        self
    }

    /// The object's text.
    pub fn to_text(&self) -> String {
        sealed(self)
    }

    /// Reads the object.
    ///
    /// # Errors
    /// If it is not what a run writes, or was damaged.
    pub fn parse(text: &[u8]) -> Result<Self, JournalError> {
        unsealed(text)
    }

    /// The last row as far as the rows behind it depend on it: its key and its few-valued values. None for a lane without
    /// rows, and for values that no row can hold.
    pub fn last_row(&self) -> Option<ObjectBatch> {
        let fields = self.last_codes.iter().map(|(field, _)| *field).collect();
        let mut builder = ObjectBatchBuilder::new(fields);
        let mut row = builder.row(self.receipt.last_key.as_deref()?);
        for (field, text) in &self.last_codes {
            row = row.text(*field, text);
        }
        row.finish().ok()?;
        Some(builder.finish())
    }
}

/// The value as a line of JSON, and the line's MD5 on the next.
fn sealed(value: &impl Serialize) -> String {
    match serde_json::to_string(value) {
        Ok(line) => format!("{line}\n{}\n", md5_hex(line.as_bytes())),
        Err(error) => unreachable!("structs of texts and numbers have a JSON form: {error}"),
    }
}

fn unsealed<T: DeserializeOwned>(text: &[u8]) -> Result<T, JournalError> {
    let damaged = || JournalError("it is damaged: it does not end with the MD5 of its line".to_owned());
    let end = text.iter().position(|byte| *byte == b'\n').ok_or_else(damaged)?;
    let (line, seal) = text.split_at(end);
    if seal != format!("\n{}\n", md5_hex(line)).as_bytes() {
        return Err(damaged());
    }
    serde_json::from_slice(line).map_err(|error| JournalError(error.to_string()))
}

/// A text that no run wrote into its journal, or that was damaged since.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalError(String);

impl fmt::Display for JournalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for JournalError {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        field_set::FieldSet,
        name::{BucketName, ConfigurationId, ObjectKey},
    };

    fn spec(chunk_rows: u64) -> ReportSpec {
        let bucket = BucketName::try_new("b").unwrap();
        let builder = ReportSpec::builder(bucket.clone(), ConfigurationId::try_new("id").unwrap(), bucket);
        builder.with_chunk_rows(chunk_rows).build().unwrap()
    }

    #[test]
    fn what_differs_is_named_with_both_values() {
        let begin = JournalBegin::new(&spec(10), &Plan::whole("s"), 0, "stocktake 0.1.0");
        let begin = JournalBegin::parse(begin.to_text().as_bytes()).unwrap();
        assert_eq!(begin.differences(&spec(10), &Plan::whole("s")), [""; 0]);
        assert_eq!(begin.differences(&spec(20), &Plan::whole("s")), ["chunk_rows: 10 then, 20 now"]);
        assert_eq!(begin.differences(&spec(10), &Plan::whole("t")), ["plan.source: \"s\" then, \"t\" now"]);
        let split = Plan::split("s", vec![ObjectKey::try_new("m").unwrap()], vec![None, None]).unwrap();
        assert_eq!(begin.differences(&spec(10), &split), ["plan.lanes: 1 of them then, 2 now"]);
        let noted = Plan::with_tokens("s", Some("x".into()));
        assert_eq!(begin.differences(&spec(10), &noted), ["plan.lanes.0.token: null then, \"x\" now"]);
    }

    #[test]
    fn another_encoder_revision_is_read_and_named() {
        let begin = JournalBegin::new(&spec(10), &Plan::whole("s"), 0, "stocktake 0.1.0");
        let reseal = |line: &str| format!("{line}\n{}\n", md5_hex(line.as_bytes()));
        let line = begin.to_text().lines().next().unwrap().replace("\"encoder_revision\":5", "\"encoder_revision\":9");
        let text = reseal(&line);
        assert_ne!(text, begin.to_text());
        let foreign = JournalBegin::parse(text.as_bytes()).unwrap();
        assert_eq!(foreign.layout, ReportLayout::new(&spec(10)));
        assert_eq!(foreign.differences(&spec(10), &Plan::whole("s")), ["encoder_revision: 9 then, 5 now"]);
        assert!(JournalBegin::parse(reseal("{\"kind\":\"report\"}").as_bytes()).is_err());
        assert!(JournalBegin::parse(&text.as_bytes()[..text.len() / 2]).is_err());
    }

    #[test]
    fn a_byte_that_is_damaged_anywhere_is_seen() {
        let begin = JournalBegin::new(&spec(10), &Plan::whole("s"), 0, "stocktake 0.1.0").with_run("r");
        let text = begin.to_text().into_bytes();
        assert_eq!(JournalBegin::parse(&text), Ok(begin));
        for at in 0..text.len() {
            let mut damaged = text.clone();
            damaged[at] ^= 1;
            assert!(JournalBegin::parse(&damaged).is_err(), "byte {at}");
            assert!(JournalBegin::parse(&text[..at]).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn keys_that_lead_out_of_the_folder_are_refused() {
        let text = JournalBegin::new(&spec(10), &Plan::whole("s"), 0, "stocktake 0.1.0").to_text();
        let line = text.lines().next().unwrap();
        for (from, to) in [("\"b/id\"", "\"b/../id\""), ("\"csv.gz\"", "\"/../x\""), ("\"b/id\"", "\"\"")] {
            let line = line.replace(from, to);
            let text = format!("{line}\n{}\n", md5_hex(line.as_bytes()));
            assert!(line.contains(to), "{line}");
            assert!(JournalBegin::parse(text.as_bytes()).is_err(), "{from} becomes {to}");
        }
    }

    #[test]
    fn the_last_row_survives_as_far_as_the_next_depends_on_it() {
        let fields = FieldSet::REQUIRED.with(Field::StorageClass).with(Field::EncryptionStatus).with(Field::Size);
        let mut builder = ObjectBatchBuilder::new(fields);
        builder.row("a").size(1).storage_class("GLACIER").finish().unwrap();
        builder.row("b").size(2).finish().unwrap();
        let batch = builder.finish();
        for row in 0..2 {
            let codes: Vec<_> = batch.codes_of(row).map(|(field, text)| (field, text.to_owned())).collect();
            let mut receipt = crate::receipt::tests::empty_receipt();
            receipt.last_key = Some(batch.key(row).to_owned());
            let entry = JournalEntry::new(receipt, codes, 0);
            let entry = JournalEntry::parse(entry.to_text().as_bytes()).unwrap();
            let last = entry.last_row().unwrap();
            assert_eq!(last.key(0), batch.key(row));
            let raw = |before| batch.raw_bytes(fields, 0..2, Some(before));
            assert_eq!(raw((&last, 0)), raw((&batch, row)), "row {row}");
        }
        let entry = JournalEntry::new(crate::receipt::tests::empty_receipt(), Vec::new(), 3);
        assert!(entry.last_row().is_none());
    }
}
