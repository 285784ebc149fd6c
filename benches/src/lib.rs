//! What the benches share: rows made once, and a destination that counts bytes and drops them.
//!
//! The README's example is tested here, because this package is not published and may look outside its folder.

use rustix::time::{ClockId, clock_gettime};
use std::{io, num::NonZeroU32};
use stocktake::{
    BucketName, ConfigurationId, Destination, DestinationError, Field, FieldSelection, FieldSet, ObjectAttributes,
    ObjectBatch, ObjectBatchBuilder, ObjectSource, PendingObject, ReadContext, ReportKey, ReportSpec, SourceError,
    Timestamp, Versions, sources::SyntheticSource,
};

#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct ReadmeExample;

/// A bucket that is a constant of every bench.
///
/// # Errors
/// None in practice: the name is valid.
pub fn bucket() -> Result<BucketName, Box<dyn std::error::Error>> {
    Ok(BucketName::try_new("example-inventory-source-bucket")?)
}

/// A clock's time in seconds.
pub fn seconds(clock: ClockId) -> f64 {
    let time = clock_gettime(clock);
    std::time::Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0)).as_secs_f64()
}

/// The spec of a report of a source: the default columns, or every field of every version.
///
/// # Errors
/// If the source lacks a field.
pub fn spec(source: &dyn ObjectSource, versions: Versions) -> Result<ReportSpec, Box<dyn std::error::Error>> {
    let selection = if versions == Versions::All { FieldSelection::All } else { FieldSelection::Default };
    let builder = ReportSpec::builder(bucket()?, ConfigurationId::try_new("bench")?, BucketName::try_new("reports")?);
    let fields = selection.resolve(source.provides(), versions)?;
    Ok(builder
        .with_created_at(Timestamp::parse("2026-11-22T01:00:00Z")?)
        .with_versions(versions)
        .with_fields(fields)
        .build()?)
}

/// All rows of a synthetic bucket in batches.
///
/// # Errors
/// If the text is no synthetic source.
pub fn batches(text: &str) -> Result<Vec<ObjectBatch>, SourceError> {
    let mut batches = Vec::new();
    each_batch(text, |batch| batches.push(batch))?;
    Ok(batches)
}

/// Reads a synthetic bucket to its end and hands its batches over one after another.
///
/// # Errors
/// If the text is no synthetic source.
pub fn each_batch(text: &str, mut take: impl FnMut(ObjectBatch)) -> Result<(), SourceError> {
    let source: SyntheticSource = text.parse()?;
    let bucket = BucketName::try_new("b").map_err(|error| SourceError::malformed(error.to_string()))?;
    let context = ReadContext::new(bucket, Field::all().collect::<FieldSet>());
    let plan = source.plan(NonZeroU32::MIN)?;
    let mut stream = source.open(&plan.lanes()[0], None, &context)?;
    let mut builder = ObjectBatchBuilder::new(context.fields);
    loop {
        builder.clear();
        if !stream.next_batch(&mut builder)? {
            return Ok(());
        }
        take(builder.finish());
    }
}

/// Takes every byte and keeps none.
#[derive(Debug)]
pub struct Discard;

impl Destination for Discard {
    fn create(&self, _: &ReportKey, _: &ObjectAttributes) -> Result<Box<dyn PendingObject>, DestinationError> {
        Ok(Box::new(Self))
    }

    fn remove(&self, _: &ReportKey) -> Result<(), DestinationError> {
        Ok(())
    }

    fn buffer_bytes(&self) -> usize {
        0
    }
}

impl io::Write for Discard {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl PendingObject for Discard {
    fn publish(self: Box<Self>) -> Result<(), DestinationError> {
        Ok(())
    }
}
