//! `generate --config FILE`: what a configuration says, in the place of the options that say it otherwise.

use super::document::{read_document, refused};
use crate::{
    args::GenerateArgs,
    choices::{FormatChoice, VersionsChoice},
    exit::{Failure, say},
};
use stocktake::{
    BucketName, FieldSelection, FileFormat, ObjectSource, ReportSpecBuilder, ServerSideEncryption, Timestamp, Versions,
};
use stocktake_config::{Frequencies, MissingColumns, ReportRequest, Rules, ValidConfiguration};

/// A configuration, and the arguments with what it says filled in.
pub(crate) struct Configured {
    /// The arguments.
    pub(crate) args: GenerateArgs,
    configuration: ValidConfiguration,
    missing: MissingColumns,
}

impl Configured {
    /// Reads the configuration that the arguments name, if they do.
    ///
    /// # Errors
    /// If it cannot be read or is refused.
    pub(crate) fn of(args: &GenerateArgs) -> Result<Option<Self>, Failure> {
        let Some(path) = &args.configuration.config else { return Ok(None) };
        let (document, _) = read_document(path)?;
        // How often there are reports does not matter to one of them.
        let rules = Rules::new().with_frequencies(Frequencies::Extended);
        let configuration = rules.check(document).map_err(|error| refused(path, &error))?;
        let columns = configuration.columns().map_err(|error| refused(path, &error))?;
        if configuration.destination_owner().is_some() && args.to.destination.directory().is_some() {
            say("note: the AccountId of the configuration is not checked, for a directory has no owner");
        }
        let missing = args.configuration.missing_columns.map(MissingColumns::from).unwrap_or_default();
        let mut args = args.clone();
        let document = configuration.document();
        args.to.id = configuration.id().clone();
        args.to.destination_bucket = Some(configuration.destination_bucket().bucket().clone());
        args.to.destination_prefix = configuration.destination_prefix().clone();
        args.from.prefix = document.filter_prefix.clone().unwrap_or_default();
        args.content.fields = FieldSelection::Named(columns);
        args.content.versions = match document.versions {
            Versions::All => VersionsChoice::All,
            Versions::Current => VersionsChoice::Current,
        };
        args.files.format = match document.destination.format {
            FileFormat::Orc => FormatChoice::Orc,
            FileFormat::Parquet => FormatChoice::Parquet,
            _ => FormatChoice::Csv,
        };
        Ok(Some(Self { args, configuration, missing }))
    }

    /// Account that must own the destination bucket.
    pub(crate) fn destination_owner(&self) -> Option<String> {
        self.configuration.destination_owner().map(ToString::to_string)
    }

    /// The report that the configuration asks for, and its encryption.
    ///
    /// # Errors
    /// If the source lacks columns.
    pub(crate) fn request(
        &self,
        source: &dyn ObjectSource,
        bucket: BucketName,
        stamp: Timestamp,
    ) -> Result<(ReportSpecBuilder, Option<ServerSideEncryption>), Failure> {
        let request = ReportRequest::new(&self.configuration, bucket, source, stamp, self.missing);
        let request = request.map_err(|error| Failure::of(&error))?;
        Ok((request.spec, request.attributes.encryption))
    }
}
