//! A tree to a configuration: what is known is taken, what is unknown, missing or doubled is refused.

use super::{
    ConfigurationList, DestinationEncryption, Frequency, InventoryConfiguration, InventoryDestination, OptionalField,
    tree::{Content, Node},
};
use crate::error::S3Error;
use stocktake_core::{FileFormat, Versions};

const CONFIGURATION: &str = "InventoryConfiguration";
const LIST: &str = "ListInventoryConfigurationsResult";
const DESTINATION: &str = "Destination.S3BucketDestination";

/// Reads the root of a configuration's document.
pub(super) fn configuration(root: &Node) -> Result<InventoryConfiguration, S3Error> {
    expect_root(root, CONFIGURATION)?;
    let members = Members::of(
        root,
        "",
        &["Id", "IsEnabled", "Filter", "Destination", "Schedule", "IncludedObjectVersions", "OptionalFields"],
    )?;
    let destination = Members::of(members.needed("Destination")?, "Destination", &["S3BucketDestination"])?;
    let schedule = Members::of(members.needed("Schedule")?, "Schedule", &["Frequency"])?;
    let filter = members.find("Filter").map(|node| Members::of(node, "Filter", &["Prefix"])).transpose()?;
    Ok(InventoryConfiguration {
        id: members.text("Id")?,
        is_enabled: members.boolean("IsEnabled")?,
        filter_prefix: filter.map(|filter| filter.text("Prefix")).transpose()?,
        destination: read_destination(destination.needed("S3BucketDestination")?)?,
        frequency: schedule.word("Frequency", Frequency::ALL.map(|frequency| (frequency.name(), frequency)))?,
        versions: members.word("IncludedObjectVersions", [("All", Versions::All), ("Current", Versions::Current)])?,
        optional_fields: members.find("OptionalFields").map(read_optional_fields).transpose()?,
    })
}

/// Reads the root of a list reply.
pub(super) fn list(root: &Node) -> Result<ConfigurationList, S3Error> {
    expect_root(root, LIST)?;
    // The one element that may stand many times is taken out before the others are looked at.
    let (configurations, rest): (Vec<_>, Vec<_>) =
        root.children(LIST)?.iter().partition(|child| child.name == CONFIGURATION);
    let members =
        Members::from_children(root, "", rest, &["IsTruncated", "ContinuationToken", "NextContinuationToken"])?;
    let optional = |name| members.find(name).map(|_| members.text(name)).transpose();
    Ok(ConfigurationList {
        configurations: configurations.into_iter().map(configuration).collect::<Result<_, _>>()?,
        // S3 always writes it; AWS's own tools print lists without it.
        is_truncated: members.find("IsTruncated").map(|_| members.boolean("IsTruncated")).transpose()?.unwrap_or(false),
        continuation_token: optional("ContinuationToken")?,
        next_continuation_token: optional("NextContinuationToken")?,
    })
}

fn read_destination(node: &Node) -> Result<InventoryDestination, S3Error> {
    let members = Members::of(node, DESTINATION, &["AccountId", "Bucket", "Format", "Prefix", "Encryption"])?;
    let optional = |name| members.find(name).map(|_| members.text(name)).transpose();
    let formats = [FileFormat::Csv, FileFormat::Orc, FileFormat::Parquet];
    Ok(InventoryDestination {
        account_id: optional("AccountId")?,
        bucket: members.text("Bucket")?,
        format: members.word("Format", formats.map(|format| (format.name(), format)))?,
        prefix: optional("Prefix")?,
        encryption: members.find("Encryption").map(read_encryption).transpose()?,
    })
}

fn read_encryption(node: &Node) -> Result<DestinationEncryption, S3Error> {
    let path = format!("{DESTINATION}.Encryption");
    let members = Members::of(node, &path, &["SSE-S3", "SSE-KMS"])?;
    match (members.find("SSE-S3"), members.find("SSE-KMS")) {
        (Some(s3), None) => {
            Members::of(s3, &format!("{path}.SSE-S3"), &[])?;
            Ok(DestinationEncryption::SseS3)
        }
        (None, Some(kms)) => {
            let kms = Members::of(kms, &format!("{path}.SSE-KMS"), &["KeyId"])?;
            Ok(DestinationEncryption::SseKms { key_id: kms.text("KeyId")? })
        }
        (Some(_), Some(_)) => Err(node.malformed(&path, "names both SSE-S3 and SSE-KMS")),
        (None, None) => Err(node.malformed(&path, "names neither SSE-S3 nor SSE-KMS")),
    }
}

fn read_optional_fields(node: &Node) -> Result<Vec<OptionalField>, S3Error> {
    let read = |child: &Node| {
        if child.name != "Field" {
            return Err(child.malformed(&format!("OptionalFields.{}", child.name), "is an unknown element"));
        }
        Ok(OptionalField::new(child.text("OptionalFields.Field")?))
    };
    node.children("OptionalFields")?.iter().map(read).collect()
}

fn expect_root(root: &Node, name: &str) -> Result<(), S3Error> {
    if root.name == name {
        return Ok(());
    }
    Err(root.malformed(&root.name, format!("is the root element, where {name} is expected")))
}

/// The members of a structure, each there at most once.
struct Members<'a> {
    path: String,
    node: &'a Node,
    children: Vec<&'a Node>,
}

impl<'a> Members<'a> {
    fn of(node: &'a Node, path: &str, known: &[&str]) -> Result<Self, S3Error> {
        Self::from_children(node, path, node.children(if path.is_empty() { &node.name } else { path })?, known)
    }

    fn from_children(
        node: &'a Node,
        path: &str,
        children: impl IntoIterator<Item = &'a Node>,
        known: &[&str],
    ) -> Result<Self, S3Error> {
        let mut members = Self { path: path.to_owned(), node, children: Vec::new() };
        for child in children {
            if !known.contains(&child.name.as_str()) {
                return Err(child.malformed(&members.path_of(&child.name), "is an unknown element"));
            }
            if members.find(&child.name).is_some() {
                return Err(child.malformed(&members.path_of(&child.name), "stands twice"));
            }
            members.children.push(child);
        }
        Ok(members)
    }

    fn path_of(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    fn find(&self, name: &str) -> Option<&'a Node> {
        self.children.iter().find(|child| child.name == name).copied()
    }

    fn needed(&self, name: &str) -> Result<&'a Node, S3Error> {
        self.find(name).ok_or_else(|| self.node.malformed(&self.path_of(name), "is missing"))
    }

    fn text(&self, name: &str) -> Result<String, S3Error> {
        Ok(self.needed(name)?.text(&self.path_of(name))?.to_owned())
    }

    fn boolean(&self, name: &str) -> Result<bool, S3Error> {
        let node = self.needed(name)?;
        match &node.content {
            Content::Bool(value) => Ok(*value),
            Content::Text(text) if text == "true" && node.position.is_some() => Ok(true),
            Content::Text(text) if text == "false" && node.position.is_some() => Ok(false),
            _ => Err(node.malformed(&self.path_of(name), "is neither true nor false")),
        }
    }

    fn word<T: Copy, const N: usize>(&self, name: &str, words: [(&str, T); N]) -> Result<T, S3Error> {
        let node = self.needed(name)?;
        let path = self.path_of(name);
        let text = node.text(&path)?;
        words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value).ok_or_else(|| {
            let known = words.map(|(word, _)| word).join(", ");
            node.malformed(&path, format!("is {text:?}; known: {known}"))
        })
    }
}
