//! What HEAD says of an object beyond its listing.
//!
//! Source: HeadObject, Amazon S3 API reference; spellings of values: the user guide's list of inventory fields.

use super::page::Entry;
use crate::{
    client::{Answer, Call, S3Client},
    error::S3Error,
};
use hyper::Method;
use stocktake_core::{Field, RowBuilder, Timestamp};

/// Fields that a listing lacks and HEAD has.
pub(super) const FIELDS: &[Field] = &[
    Field::ReplicationStatus,
    Field::EncryptionStatus,
    Field::ObjectLockRetainUntilDate,
    Field::ObjectLockMode,
    Field::ObjectLockLegalHoldStatus,
    Field::IntelligentTieringAccessTier,
    Field::BucketKeyStatus,
    Field::LifecycleExpirationDate,
];

/// What is known of one object; nothing of one that is gone since it was listed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Facts {
    texts: Vec<(Field, String)>,
    times: Vec<(Field, i64)>,
}

impl Facts {
    pub(super) fn add_to<'a>(&self, row: RowBuilder<'a>) -> RowBuilder<'a> {
        let row = self.texts.iter().fold(row, |row, (field, text)| row.text(*field, text));
        self.times.iter().fold(row, |row, (field, ms)| row.int(*field, *ms))
    }

    fn of(answer: &Answer) -> Result<Self, String> {
        let header = |name: &str| answer.header(name).unwrap_or_default();
        let encryption = match header("x-amz-server-side-encryption") {
            "AES256" => "SSE-S3",
            "aws:kms" => "SSE-KMS",
            "aws:kms:dsse" => "DSSE-KMS",
            "" if header("x-amz-server-side-encryption-customer-algorithm").is_empty() => "NOT-SSE",
            "" => "SSE-C",
            other => other,
        };
        let bucket_key = header("x-amz-server-side-encryption-bucket-key-enabled").eq_ignore_ascii_case("true");
        let tier = match header("x-amz-archive-status") {
            "ARCHIVE_ACCESS" => "ARCHIVE",
            "DEEP_ARCHIVE_ACCESS" => "DEEP_ARCHIVE",
            other => other,
        };
        let replication = match header("x-amz-replication-status") {
            // Older servers spell it so.
            "COMPLETE" => "COMPLETED",
            other => other,
        };
        let texts = [
            (Field::ReplicationStatus, replication),
            (Field::EncryptionStatus, encryption),
            (Field::ObjectLockMode, header("x-amz-object-lock-mode")),
            (Field::ObjectLockLegalHoldStatus, header("x-amz-object-lock-legal-hold")),
            (Field::IntelligentTieringAccessTier, tier),
            (Field::BucketKeyStatus, if bucket_key { "ENABLED" } else { "DISABLED" }),
        ];
        let mut times = Vec::new();
        let retained = header("x-amz-object-lock-retain-until-date");
        if !retained.is_empty() {
            let time = Timestamp::parse(retained).map_err(|error| error.to_string())?;
            times.push((Field::ObjectLockRetainUntilDate, time.ms()));
        }
        if let Some(ms) = expiry_ms(header("x-amz-expiration")) {
            times.push((Field::LifecycleExpirationDate, ms));
        }
        let texts = texts.into_iter().filter(|(_, text)| !text.is_empty());
        Ok(Self { texts: texts.map(|(field, text)| (field, text.to_owned())).collect(), times })
    }
}

/// The request for a row's object; none for a delete marker.
pub(super) fn call(entry: &Entry<'_>) -> Option<Call> {
    let call = Call::new("HeadObject", Method::HEAD, Some(entry.key));
    let id = entry.version_id;
    (!entry.is_marker).then(|| if id.is_empty() { call } else { call.with_query("versionId", id) })
}

/// Asks for one object.
pub(super) async fn ask(client: &S3Client, call: &Call) -> Result<Facts, S3Error> {
    match client.send_parsed(call, |answer| Facts::of(&answer)).await {
        Ok(facts) => Ok(facts),
        // Deleted since it was listed; the row says what the listing said.
        Err(error) if error.status() == Some(404) => Ok(Facts::default()),
        // An object encrypted by a key of the customer's is not shown without that key.
        Err(error) if error.status() == Some(400) => {
            let texts = vec![(Field::EncryptionStatus, "SSE-C".to_owned())];
            Ok(Facts { texts, times: Vec::new() })
        }
        Err(error) => Err(error),
    }
}

/// The time in `expiry-date="Fri, 23 Dec 2012 00:00:00 GMT", rule-id="1"`.
fn expiry_ms(header: &str) -> Option<i64> {
    const MONTHS: &str = "JanFebMarAprMayJunJulAugSepOctNovDec";
    let date = header.split_once("expiry-date=\"")?.1.split_once('"')?.0;
    let mut words = date.split_once(", ")?.1.split(' ');
    let (day, month, year, time) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let month = MONTHS.find(month).filter(|at| at % 3 == 0)? / 3 + 1;
    Timestamp::parse(&format!("{year}-{month:02}-{day:0>2}T{time}Z")).ok().map(Timestamp::ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expiry_dates_are_read() {
        let ms = expiry_ms("expiry-date=\"Fri, 23 Dec 2012 00:00:00 GMT\", rule-id=\"1\"");
        assert_eq!(ms, Timestamp::parse("2012-12-23T00:00:00Z").ok().map(Timestamp::ms));
        for header in ["", "expiry-date=\"never\"", "expiry-date=\"Fri, 23 ecJ 2012 00:00:00 GMT\""] {
            assert_eq!(expiry_ms(header), None, "{header}");
        }
    }
}
