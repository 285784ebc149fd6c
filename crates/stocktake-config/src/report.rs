//! From a configuration to a report: its specification, and what the destination is asked for.

use crate::{arn::AccountId, document::DestinationEncryption, error::S3Error, validate::ValidConfiguration};
use stocktake_core::{
    BucketName, CsvOptions, Destination, DestinationError, FieldSelection, FileFormat, FormatOptions, ObjectAttributes,
    ObjectSource, OrcOptions, ParquetOptions, PendingObject, ReportKey, ReportSpec, ReportSpecBuilder, ReportStore,
    ServerSideEncryption, Timestamp,
};

/// What happens to columns that a configuration names and the source does not provide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum MissingColumns {
    /// The report is refused.
    #[default]
    Refuse,
    /// They are in the report, empty in every row.
    Empty,
}

/// A report that a configuration asks for.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ReportRequest {
    /// The specification, with every option that the configuration does not name at its default.
    pub spec: ReportSpecBuilder,
    /// What the destination is asked for.
    pub attributes: DestinationAttributes,
}

impl ReportRequest {
    /// The report of a source bucket with a stamp.
    ///
    /// The filter's prefix, versions, fields, format and destination are the configuration's. The prefix goes to the
    /// source, which may read less, and the engine enforces it on every row.
    ///
    /// # Errors
    /// `MalformedXML` for an optional field that this version does not know; `InvalidArgument` for one that the source
    /// does not provide, unless such columns may be empty.
    pub fn new(
        configuration: &ValidConfiguration,
        source_bucket: BucketName,
        source: &dyn ObjectSource,
        stamp: Timestamp,
        missing: MissingColumns,
    ) -> Result<Self, S3Error> {
        let document = configuration.document();
        let named = configuration.columns()?;
        let provides = match missing {
            MissingColumns::Refuse => source.provides(),
            MissingColumns::Empty => source.provides().union(named),
        };
        let columns = FieldSelection::Named(named).resolve(provides, document.versions);
        let columns = columns.map_err(|error| S3Error::argument("OptionalFields", format!("is refused: {error}")))?;
        let destination = configuration.destination_bucket().bucket().clone();
        let spec = ReportSpec::builder(source_bucket, configuration.id().clone(), destination)
            .with_created_at(stamp)
            .with_destination_prefix(configuration.destination_prefix().clone())
            .with_format(match document.destination.format {
                FileFormat::Orc => FormatOptions::Orc(OrcOptions::default()),
                FileFormat::Parquet => FormatOptions::Parquet(ParquetOptions::default()),
                _ => FormatOptions::Csv(CsvOptions::default()),
            })
            .with_versions(document.versions)
            .with_fields(columns)
            .with_prefix(document.filter_prefix.as_deref().unwrap_or_default());
        Ok(Self { spec, attributes: DestinationAttributes::of(configuration) })
    }
}

/// What a configuration asks of its destination.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DestinationAttributes {
    /// Account that must own the bucket; a destination over the S3 API checks it with every object.
    pub expected_owner: Option<AccountId>,
    /// Encryption that every object of the report is written with.
    pub encryption: Option<ServerSideEncryption>,
}

impl DestinationAttributes {
    /// Canned ACL that every object of a report is put with: bucket policies for S3 Inventory ask for it.
    pub const CANNED_ACL: &'static str = "bucket-owner-full-control";

    fn of(configuration: &ValidConfiguration) -> Self {
        let encryption = configuration.document().destination.encryption.as_ref().map(|encryption| match encryption {
            DestinationEncryption::SseS3 => ServerSideEncryption::SseS3,
            DestinationEncryption::SseKms { key_id } => {
                ServerSideEncryption::SseKms { key_id: key_id.as_str().into(), bucket_key: false }
            }
        });
        Self { expected_owner: configuration.destination_owner().cloned(), encryption }
    }

    /// Asks for an S3 Bucket Key, which a configuration cannot name. Only SSE-KMS has one.
    #[must_use]
    pub fn with_bucket_key(mut self) -> Self {
        if let Some(ServerSideEncryption::SseKms { bucket_key, .. }) = &mut self.encryption {
            *bucket_key = true;
        }
        self
    }

    /// The destination, asked for these attributes with every object.
    pub fn ask<'a>(&'a self, destination: &'a dyn Destination) -> impl Destination + use<'a> {
        Asked { destination, attributes: self }
    }
}

/// A destination whose every object is written with the attributes of a configuration.
struct Asked<'a> {
    destination: &'a dyn Destination,
    attributes: &'a DestinationAttributes,
}

#[deny(clippy::missing_trait_methods)]
impl Destination for Asked<'_> {
    fn create(
        &self,
        key: &ReportKey,
        attributes: &ObjectAttributes,
    ) -> Result<Box<dyn PendingObject>, DestinationError> {
        let attributes = attributes.clone().with_encryption(self.attributes.encryption.clone());
        self.destination.create(key, &attributes)
    }

    fn remove(&self, key: &ReportKey) -> Result<(), DestinationError> {
        self.destination.remove(key)
    }

    fn buffer_bytes(&self) -> usize {
        self.destination.buffer_bytes()
    }

    fn store(&self) -> Option<&dyn ReportStore> {
        self.destination.store()
    }

    fn contents(&self) -> Option<&dyn ReportStore> {
        self.destination.contents()
    }

    fn gives_back(&self) -> bool {
        self.destination.gives_back()
    }

    fn remove_remains(&self, keys: &[ReportKey]) -> Result<u64, DestinationError> {
        self.destination.remove_remains(keys)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{InventoryConfiguration, Rules};
    use std::num::NonZeroU32;
    use std::sync::Mutex;
    use stocktake_core::{
        DestinationErrorKind, Field, FieldSet, LaneDescriptor, ObjectKey, ObjectStream, Plan, ReadContext, SourceError,
        Versions,
    };

    struct Source(FieldSet);

    impl ObjectSource for Source {
        fn provides(&self) -> FieldSet {
            self.0
        }
        fn plan(&self, _: NonZeroU32) -> Result<Plan, SourceError> {
            Ok(Plan::whole("a test"))
        }
        fn open<'a>(
            &'a self,
            _: &LaneDescriptor,
            _: Option<&ObjectKey>,
            _: &ReadContext,
        ) -> Result<Box<dyn ObjectStream + 'a>, SourceError> {
            unreachable!("a specification is made without reading")
        }
    }

    fn configuration(fields: &str) -> ValidConfiguration {
        let text = format!(
            r#"{{"Destination":{{"S3BucketDestination":{{"AccountId":"111111111111","Bucket":"arn:aws:s3:::dst","Format":
            "ORC","Prefix":"/p/q/","Encryption":{{"SSEKMS":{{"KeyId":"k"}}}}}}}},"IsEnabled":true,"Filter":{{"Prefix":"a/"}},
            "Id":"i","IncludedObjectVersions":"All","OptionalFields":{fields},"Schedule":{{"Frequency":"Daily"}}}}"#
        );
        Rules::new().check(InventoryConfiguration::parse(text.as_bytes()).unwrap()).unwrap()
    }

    fn request(fields: &str, missing: MissingColumns) -> Result<ReportRequest, S3Error> {
        let source = Source(FieldSet::REQUIRED.union(FieldSet::VERSION_FIELDS).with(Field::Size).with(Field::ETag));
        let bucket = BucketName::try_new("src").unwrap();
        let stamp = Timestamp::parse("2026-11-22T01:00:00Z").unwrap();
        ReportRequest::new(&configuration(fields), bucket, &source, stamp, missing)
    }

    #[test]
    fn everything_travels() {
        let request = request(r#"["ETag","Size"]"#, MissingColumns::Refuse).unwrap();
        let spec = request.spec.build().unwrap();
        assert_eq!(spec.format().file_format(), FileFormat::Orc);
        assert_eq!((spec.prefix(), spec.versions()), (Some("a/"), Versions::All));
        assert_eq!((spec.destination_bucket().as_str(), spec.destination_prefix().as_str()), ("dst", "p/q"));
        assert_eq!(spec.fields().len(), 7);
        assert_eq!(spec.created_at().folder_stamp(), "2026-11-22T01-00Z");
        assert_eq!(request.attributes.expected_owner.as_ref().unwrap().as_str(), "111111111111");
        let key = |bucket_key| Some(ServerSideEncryption::SseKms { key_id: "k".into(), bucket_key });
        assert_eq!(request.attributes.encryption, key(false));
        assert_eq!(request.attributes.with_bucket_key().encryption, key(true));
    }

    #[test]
    fn columns_that_nobody_has_are_refused_or_empty() {
        let refused = request(r#"["ObjectOwner"]"#, MissingColumns::Refuse).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "InvalidArgument: OptionalFields is refused: the source does not provide ObjectOwner"
        );
        let empty = request(r#"["ObjectOwner"]"#, MissingColumns::Empty).unwrap().spec.build().unwrap();
        assert!(empty.fields().contains(Field::ObjectOwner));
        assert!(request(r#"["Future"]"#, MissingColumns::Empty).is_err());
    }

    #[test]
    fn every_object_is_asked_for_the_encryption() {
        #[derive(Default)]
        struct Recorder(Mutex<Vec<ObjectAttributes>>);
        impl Destination for Recorder {
            fn create(
                &self,
                key: &ReportKey,
                attributes: &ObjectAttributes,
            ) -> Result<Box<dyn PendingObject>, DestinationError> {
                self.0.lock().unwrap().push(attributes.clone());
                Err(DestinationError::new(DestinationErrorKind::Unsupported, key, "records only"))
            }
            fn remove(&self, _: &ReportKey) -> Result<(), DestinationError> {
                Ok(())
            }
            fn buffer_bytes(&self) -> usize {
                7
            }
        }
        let recorder = Recorder::default();
        let attributes = request("[]", MissingColumns::Refuse).unwrap().attributes;
        let asked = attributes.ask(&recorder);
        assert_eq!(asked.buffer_bytes(), 7);
        assert!(asked.create(&ReportKey::try_new("k").unwrap(), &ObjectAttributes::new("text/plain")).is_err());
        assert_eq!(recorder.0.lock().unwrap()[0].encryption, attributes.encryption);
    }
}
