//! The configuration document: S3's `InventoryConfiguration`, as text and as a value.
//!
//! Reading keeps everything that the document says, or refuses it: an element that nobody knows is an error, an optional
//! field that nobody knows is kept. What values are allowed is the validation's business.

mod list;
mod read;
mod tree;
mod tree_json;
mod tree_xml;
mod write;

pub use list::{ConfigurationList, LIST_BYTES_MAX, PAGE_CONFIGURATIONS, PageToken};
pub(crate) use write::escape_into;

use crate::error::S3Error;
use stocktake_core::{FIELDS, FieldSet, FileFormat, Versions};

/// Most bytes of a configuration document: its texts are bounded, and a document of this size holds them in any spelling.
pub const DOCUMENT_BYTES_MAX: usize = 256 << 10;

/// An inventory configuration, member by member as the S3 API has it.
///
/// A value says what a document says, valid or not; [`ValidConfiguration`](crate::ValidConfiguration) is one that passed
/// the rules. [`InventoryConfiguration::to_xml`] and [`InventoryConfiguration::to_json`] lose nothing of it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InventoryConfiguration {
    /// `Id`: names the configuration within its bucket.
    pub id: String,
    /// `IsEnabled`: a configuration that is not enabled is kept and makes no reports.
    pub is_enabled: bool,
    /// `Filter.Prefix`: only keys with this prefix are in the report. `Some` even if the prefix is empty.
    pub filter_prefix: Option<String>,
    /// `Destination.S3BucketDestination`: where reports go, and how they are written.
    pub destination: InventoryDestination,
    /// `Schedule.Frequency`: how often there is a report.
    pub frequency: Frequency,
    /// `IncludedObjectVersions`.
    pub versions: Versions,
    /// `OptionalFields`, in the document's order. An empty list and no list are told apart.
    pub optional_fields: Option<Vec<OptionalField>>,
}

/// Where reports go (`S3BucketDestination`).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InventoryDestination {
    /// `AccountId`: the account that owns the bucket, checked before a report is written.
    pub account_id: Option<String>,
    /// `Bucket`: the bucket's ARN.
    pub bucket: String,
    /// `Format` of the data files.
    pub format: FileFormat,
    /// `Prefix` of the report's keys, as the document spells it.
    pub prefix: Option<String>,
    /// `Encryption` that the report is written with.
    pub encryption: Option<DestinationEncryption>,
}

/// Server-side encryption that a report is written with.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DestinationEncryption {
    /// `SSE-S3`.
    SseS3,
    /// `SSE-KMS`.
    SseKms {
        /// `KeyId`: id or ARN of the key.
        key_id: String,
    },
}

/// How often there is a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Frequency {
    /// Every day.
    Daily,
    /// Every Sunday (UTC), after a first report at once.
    Weekly,
    /// Every hour; not of S3, and refused unless the rules allow it.
    Hourly,
    /// On the first day of every month; not of S3, and refused unless the rules allow it.
    Monthly,
}

impl Frequency {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Daily, Self::Weekly, Self::Hourly, Self::Monthly];

    /// As the document spells it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Daily => "Daily",
            Self::Weekly => "Weekly",
            Self::Hourly => "Hourly",
            Self::Monthly => "Monthly",
        }
    }
}

/// A name in `OptionalFields`, known or not.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OptionalField(Box<str>);

impl OptionalField {
    /// A field by this name.
    pub fn new(name: impl Into<Box<str>>) -> Self {
        Self(name.into())
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.0
    }

    /// Columns that the field stands for; `None` for a name that this version does not know.
    pub fn columns(&self) -> Option<FieldSet> {
        let named = FIELDS.iter().filter(|info| info.option_name == Some(self.name()));
        let columns: FieldSet = named.map(|info| info.field).collect();
        (!columns.is_empty()).then_some(columns)
    }
}

/// The two ways in which a configuration is written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DocumentForm {
    /// The body of the S3 API.
    Xml,
    /// The JSON of AWS's command line and SDKs.
    Json,
}

impl DocumentForm {
    /// Tells the form by the first character that is not white space.
    pub fn of(text: &[u8]) -> Self {
        let text = text.strip_prefix(tree_xml::BYTE_ORDER_MARK).unwrap_or(text).trim_ascii_start();
        if text.first() == Some(&b'<') { Self::Xml } else { Self::Json }
    }
}

impl InventoryConfiguration {
    /// An enabled configuration of every key, without optional fields.
    pub fn new(id: impl Into<String>, destination: InventoryDestination, frequency: Frequency) -> Self {
        Self {
            id: id.into(),
            is_enabled: true,
            filter_prefix: None,
            destination,
            frequency,
            versions: Versions::Current,
            optional_fields: None,
        }
    }

    /// Reads a document in either form, of at most [`DOCUMENT_BYTES_MAX`] bytes.
    ///
    /// JSON is taken bare or, as `get-bucket-inventory-configuration` prints it, as the member `InventoryConfiguration` of
    /// an object.
    ///
    /// # Errors
    /// `MalformedXML`, with the element and, for XML, with line and column: a document that is not well-formed, an element
    /// that is unknown, missing or doubled, a word that its element does not know.
    pub fn parse(text: &[u8]) -> Result<Self, S3Error> {
        match DocumentForm::of(text) {
            DocumentForm::Xml => Self::from_xml(text),
            DocumentForm::Json => Self::from_json(text),
        }
    }

    /// Reads the S3 API's XML.
    ///
    /// # Errors
    /// As [`InventoryConfiguration::parse`].
    pub fn from_xml(text: &[u8]) -> Result<Self, S3Error> {
        read::configuration(&tree_xml::parse(text, DOCUMENT_BYTES_MAX)?)
    }

    /// Reads the JSON of AWS's command line.
    ///
    /// # Errors
    /// As [`InventoryConfiguration::parse`].
    pub fn from_json(text: &[u8]) -> Result<Self, S3Error> {
        read::configuration(&tree_json::parse(text, DOCUMENT_BYTES_MAX, "InventoryConfiguration")?)
    }

    /// The S3 API's XML, with declaration and namespace.
    pub fn to_xml(&self) -> String {
        write::document_xml(self)
    }

    /// The JSON of AWS's command line, indented.
    pub fn to_json(&self) -> String {
        write::configuration_json(self).to_pretty()
    }
}

impl InventoryDestination {
    /// A destination without account, prefix and encryption; `bucket` is an ARN.
    pub fn new(bucket: impl Into<String>, format: FileFormat) -> Self {
        Self { account_id: None, bucket: bucket.into(), format, prefix: None, encryption: None }
    }
}

#[cfg(test)]
mod tests;
