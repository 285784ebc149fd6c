//! What S3 refuses of a document that it can read, in S3's own error codes.
//!
//! A [`ValidConfiguration`] is the proof: it keeps the document as it was written and the names that were checked.

use crate::{
    arn::{AccountId, BucketArn, KeyId},
    document::{DestinationEncryption, Frequency, InventoryConfiguration, OptionalField},
    error::{S3Error, S3ErrorCode},
};
use stocktake_core::{ConfigurationId, DestinationPrefix, KEY_BYTES_MAX};

/// Most configurations of a bucket.
pub const CONFIGURATIONS_MAX: usize = 1000;

/// Most names in `OptionalFields`: S3 has 19, and stores may have some of their own.
const OPTIONAL_FIELDS_MAX: usize = 256;

/// Most bytes of a name in `OptionalFields`.
const FIELD_NAME_BYTES_MAX: usize = 256;

/// Fields that a directory bucket has.
const DIRECTORY_FIELDS: &[&str] = &[
    "Size",
    "LastModifiedDate",
    "StorageClass",
    "ETag",
    "IsMultipartUploaded",
    "EncryptionStatus",
    "BucketKeyStatus",
    "ChecksumAlgorithm",
    "LifecycleExpirationDate",
];

const DESTINATION: &str = "Destination.S3BucketDestination";

/// Kind of the source bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum BucketKind {
    /// A general purpose bucket.
    #[default]
    GeneralPurpose,
    /// A directory bucket (S3 Express), which knows fewer fields.
    Directory,
}

/// Which frequencies a store offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Frequencies {
    /// Daily and weekly, as S3.
    #[default]
    S3,
    /// Hourly and monthly too.
    Extended,
}

/// What a configuration is checked against.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Rules {
    /// Kind of the source bucket.
    pub bucket_kind: BucketKind,
    /// Frequencies that are taken.
    pub frequencies: Frequencies,
    /// Account that owns the source bucket, if known: a key of another account must be named by its ARN.
    pub source_account: Option<AccountId>,
    /// The request's `id`, which the document's must equal.
    pub request_id: Option<String>,
}

impl Rules {
    /// S3's rules for general purpose buckets.
    pub fn new() -> Self {
        Self::default()
    }

    /// States the kind of the source bucket.
    #[must_use]
    pub fn with_bucket_kind(mut self, kind: BucketKind) -> Self {
        self.bucket_kind = kind;
        self
    }

    /// States which frequencies are taken.
    #[must_use]
    pub fn with_frequencies(mut self, frequencies: Frequencies) -> Self {
        self.frequencies = frequencies;
        self
    }

    /// States the account that owns the source bucket.
    #[must_use]
    pub fn with_source_account(mut self, account: AccountId) -> Self {
        self.source_account = Some(account);
        self
    }

    /// States the `id` of the request that brings the document.
    #[must_use]
    pub fn with_request_id(mut self, id: impl Into<String>) -> Self {
        self.request_id = Some(id.into());
        self
    }

    /// Checks the request's header `x-amz-expected-bucket-owner` against the account that owns the source bucket.
    ///
    /// # Errors
    /// `AccessDenied` if another account is expected; `NotImplemented` for a directory bucket, which does not know the header.
    pub fn check_expected_owner(&self, expected: &str, owner: &AccountId) -> Result<(), S3Error> {
        let refused = |code, message: &str| Err(S3Error::new(code, "x-amz-expected-bucket-owner", message));
        if self.bucket_kind == BucketKind::Directory {
            return refused(S3ErrorCode::NotImplemented, "is not known of directory buckets");
        }
        if expected != owner.as_str() {
            return refused(S3ErrorCode::AccessDenied, "names another account than the bucket's owner");
        }
        Ok(())
    }

    /// Checks a document.
    ///
    /// Optional fields that this version does not know pass, so that what a newer S3 takes is kept; a report with them
    /// is refused. Whether the destination's policy lets reports in is not asked, as S3 does not ask it.
    ///
    /// # Errors
    /// The first rule that is broken, in the order of the document.
    pub fn check(&self, document: InventoryConfiguration) -> Result<ValidConfiguration, S3Error> {
        let id = ConfigurationId::try_new(document.id.as_str())
            .map_err(|_| S3Error::malformed("Id", format!("is {:?}; {}", document.id, ID_RULE)))?;
        if self.request_id.as_ref().is_some_and(|request| *request != document.id) {
            return Err(S3Error::malformed("Id", format!("is {:?} and not the id of the request", document.id)));
        }
        if document.filter_prefix.as_ref().is_some_and(|prefix| prefix.len() > KEY_BYTES_MAX) {
            return Err(S3Error::argument("Filter.Prefix", "is longer than a key, which has at most 1,024 bytes"));
        }
        let destination = &document.destination;
        let owner = destination.account_id.as_deref();
        let owner = owner.map(|text| AccountId::parse(text, &format!("{DESTINATION}.AccountId"))).transpose()?;
        let bucket = BucketArn::parse(&destination.bucket, &format!("{DESTINATION}.Bucket"))?;
        let prefix = DestinationPrefix::try_new(destination.prefix.as_deref().unwrap_or_default())
            .map_err(|error| S3Error::argument(format!("{DESTINATION}.Prefix"), format!("is refused: {error}")))?;
        let key = self.key(destination.encryption.as_ref(), owner.as_ref())?;
        if self.frequencies == Frequencies::S3 && !matches!(document.frequency, Frequency::Daily | Frequency::Weekly) {
            let message = format!(
                "is {:?}, an extension that is not switched on; S3 knows Daily and Weekly",
                document.frequency.name()
            );
            return Err(S3Error::malformed("Schedule.Frequency", message));
        }
        self.fields(document.optional_fields.as_deref().unwrap_or_default())?;
        Ok(ValidConfiguration { id, bucket, prefix, owner, key, document })
    }

    fn key(
        &self,
        encryption: Option<&DestinationEncryption>,
        owner: Option<&AccountId>,
    ) -> Result<Option<KeyId>, S3Error> {
        let Some(DestinationEncryption::SseKms { key_id }) = encryption else { return Ok(None) };
        let element = format!("{DESTINATION}.Encryption.SSE-KMS.KeyId");
        let key = KeyId::parse(key_id, &element)?;
        let foreign = matches!((&self.source_account, owner), (Some(source), Some(owner)) if source != owner);
        if foreign && !key.is_arn() {
            let message = "is not an ARN, by which the key of a destination in another account is named";
            return Err(S3Error::argument(element, message));
        }
        Ok(Some(key))
    }

    fn fields(&self, fields: &[OptionalField]) -> Result<(), S3Error> {
        let refused = |message: String| Err(S3Error::malformed("OptionalFields.Field", message));
        if fields.len() > OPTIONAL_FIELDS_MAX {
            return refused(format!("stands {} times; at most {OPTIONAL_FIELDS_MAX} are kept", fields.len()));
        }
        for field in fields {
            let name = field.name();
            if name.is_empty() || name.len() > FIELD_NAME_BYTES_MAX || !name.bytes().all(|b| b.is_ascii_alphanumeric())
            {
                return refused(format!("is {name:?} and not a name of letters and digits"));
            }
            if self.bucket_kind == BucketKind::Directory && !DIRECTORY_FIELDS.contains(&name) {
                return refused(format!("is {name:?}, which a directory bucket does not have"));
            }
        }
        Ok(())
    }
}

const ID_RULE: &str = "an id has 1 to 64 letters, digits, `.`, `_` and `-`, without `..`";

/// A configuration that passed the rules: the document as it was written, with its names checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValidConfiguration {
    document: InventoryConfiguration,
    id: ConfigurationId,
    bucket: BucketArn,
    prefix: DestinationPrefix,
    owner: Option<AccountId>,
    key: Option<KeyId>,
}

impl ValidConfiguration {
    /// The document.
    pub fn document(&self) -> &InventoryConfiguration {
        &self.document
    }

    /// The document, no longer known to be valid.
    pub fn into_document(self) -> InventoryConfiguration {
        self.document
    }

    /// The id.
    pub fn id(&self) -> &ConfigurationId {
        &self.id
    }

    /// The destination bucket.
    pub fn destination_bucket(&self) -> &BucketArn {
        &self.bucket
    }

    /// The prefix of reports in the destination bucket, without slashes at its ends.
    ///
    /// Object keys and manifest are both made of this one value, so that a prefix written with a slash at its end does
    /// not part them, as it once did on S3.
    pub fn destination_prefix(&self) -> &DestinationPrefix {
        &self.prefix
    }

    /// The account that should own the destination bucket.
    pub fn destination_owner(&self) -> Option<&AccountId> {
        self.owner.as_ref()
    }

    /// The key of SSE-KMS.
    pub fn key(&self) -> Option<&KeyId> {
        self.key.as_ref()
    }

    /// The columns that the optional fields stand for.
    ///
    /// # Errors
    /// `MalformedXML` for the first field that this version does not know.
    pub fn columns(&self) -> Result<stocktake_core::FieldSet, S3Error> {
        let fields = self.document.optional_fields.as_deref().unwrap_or_default();
        fields.iter().try_fold(stocktake_core::FieldSet::EMPTY, |set, field| match field.columns() {
            Some(columns) => Ok(set.union(columns)),
            None => {
                let message = format!("is {:?}, which this version cannot report", field.name());
                Err(S3Error::malformed("OptionalFields.Field", message))
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::InventoryDestination;
    use stocktake_core::FileFormat;

    fn document() -> InventoryConfiguration {
        let destination = InventoryDestination::new("arn:aws:s3:::dst", FileFormat::Csv);
        InventoryConfiguration::new("daily", destination, Frequency::Daily)
    }

    fn refused(rules: &Rules, change: impl FnOnce(&mut InventoryConfiguration)) -> (S3ErrorCode, String) {
        let mut document = document();
        change(&mut document);
        let error = rules.check(document).unwrap_err();
        (error.code(), error.element().to_owned())
    }

    fn fields(names: &[&str]) -> Option<Vec<OptionalField>> {
        Some(names.iter().map(|name| OptionalField::new(*name)).collect())
    }

    #[test]
    fn a_plain_document_passes() {
        let valid = Rules::new().check(document()).unwrap();
        assert_eq!((valid.id().as_str(), valid.destination_bucket().bucket().as_str()), ("daily", "dst"));
        assert!(Rules::new().with_request_id("daily").check(document()).is_ok());
    }

    #[test]
    fn each_rule_has_its_code_and_element() {
        use S3ErrorCode::{InvalidArgument, InvalidS3DestinationBucket, MalformedXml};
        let rules = Rules::new();
        let prefix = "Destination.S3BucketDestination";
        for id in ["", "a b", "ä", "a/b", "..", ".", &"x".repeat(65)] {
            assert_eq!(refused(&rules, |c| c.id = id.into()), (MalformedXml, "Id".into()), "{id}");
        }
        assert_eq!(refused(&rules.clone().with_request_id("other"), |_| ()), (MalformedXml, "Id".into()));
        assert_eq!(
            refused(&rules, |c| c.filter_prefix = Some("x".repeat(1025))),
            (InvalidArgument, "Filter.Prefix".into())
        );
        assert_eq!(
            refused(&rules, |c| c.destination.bucket = "dst".into()),
            (InvalidS3DestinationBucket, format!("{prefix}.Bucket"))
        );
        assert_eq!(
            refused(&rules, |c| c.destination.account_id = Some("1".into())),
            (InvalidArgument, format!("{prefix}.AccountId"))
        );
        for bad in ["a//b", "../a", "a\\b", &"x".repeat(513)] {
            assert_eq!(
                refused(&rules, |c| c.destination.prefix = Some(bad.into())),
                (InvalidArgument, format!("{prefix}.Prefix"))
            );
        }
        let kms = |key: &str| Some(DestinationEncryption::SseKms { key_id: key.into() });
        assert_eq!(
            refused(&rules, |c| c.destination.encryption = kms("")),
            (InvalidArgument, format!("{prefix}.Encryption.SSE-KMS.KeyId"))
        );
        for frequency in [Frequency::Hourly, Frequency::Monthly] {
            assert_eq!(refused(&rules, |c| c.frequency = frequency), (MalformedXml, "Schedule.Frequency".into()));
        }
        assert_eq!(
            refused(&rules, |c| c.optional_fields = fields(&["a b"])),
            (MalformedXml, "OptionalFields.Field".into())
        );
    }

    #[test]
    fn extended_frequencies_pass_where_they_are_switched_on() {
        let rules = Rules::new().with_frequencies(Frequencies::Extended);
        for frequency in Frequency::ALL {
            let mut document = document();
            document.frequency = frequency;
            assert!(rules.check(document).is_ok());
        }
    }

    #[test]
    fn a_key_of_another_account_is_named_by_its_arn() {
        let account = |text| AccountId::parse(text, "x").unwrap();
        let rules = Rules::new().with_source_account(account("111111111111"));
        let with = |owner: &str, key: &str| {
            let mut document = document();
            document.destination.account_id = Some(owner.into());
            document.destination.encryption = Some(DestinationEncryption::SseKms { key_id: key.into() });
            rules.check(document)
        };
        assert!(with("111111111111", "k").is_ok());
        assert!(with("222222222222", "k").is_err());
        assert!(with("222222222222", "arn:aws:kms:r:222222222222:key/k").is_ok());
    }

    #[test]
    fn another_owner_than_expected_is_denied() {
        let owner = AccountId::parse("111111111111", "x").unwrap();
        let rules = Rules::new();
        assert!(rules.check_expected_owner("111111111111", &owner).is_ok());
        let denied = rules.check_expected_owner("222222222222", &owner).unwrap_err();
        assert_eq!((denied.code(), denied.code().http_status()), (S3ErrorCode::AccessDenied, 403));
        let directory = Rules::new().with_bucket_kind(BucketKind::Directory);
        let unknown = directory.check_expected_owner("111111111111", &owner).unwrap_err();
        assert_eq!((unknown.code(), unknown.code().http_status()), (S3ErrorCode::NotImplemented, 501));
    }

    #[test]
    fn a_directory_bucket_has_nine_fields() {
        let rules = Rules::new().with_bucket_kind(BucketKind::Directory);
        let mut fine = document();
        fine.optional_fields = fields(DIRECTORY_FIELDS);
        assert_eq!(rules.check(fine).unwrap().columns().unwrap().len(), 9);
        for name in ["ReplicationStatus", "ObjectLockMode", "Future"] {
            assert_eq!(refused(&rules, |c| c.optional_fields = fields(&[name])).0, S3ErrorCode::MalformedXml);
        }
    }

    #[test]
    fn unknown_fields_are_kept_and_have_no_columns() {
        let mut document = document();
        document.optional_fields = fields(&["Size", "Future"]);
        let valid = Rules::new().check(document.clone()).unwrap();
        assert_eq!(valid.document(), &document);
        let error = valid.columns().unwrap_err();
        assert_eq!((error.code(), error.element()), (S3ErrorCode::MalformedXml, "OptionalFields.Field"));
    }

    #[test]
    fn a_slash_at_the_end_of_the_prefix_is_kept_in_the_document_only() {
        let mut document = document();
        document.destination.prefix = Some("a/b/".into());
        let valid = Rules::new().check(document).unwrap();
        assert_eq!(valid.destination_prefix().as_str(), "a/b");
        assert_eq!(valid.document().destination.prefix.as_deref(), Some("a/b/"));
    }
}
