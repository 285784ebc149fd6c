//! A configuration to XML and JSON, in the order in which the API's reference shows the elements.

use super::{ConfigurationList, DestinationEncryption, InventoryConfiguration};
use crate::json::Json;
use stocktake_core::Versions;

const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
const NAMESPACE: &str = " xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"";

/// The document of one configuration.
pub(super) fn document_xml(configuration: &InventoryConfiguration) -> String {
    let mut xml = Xml(DECLARATION.to_owned());
    xml.0 += &format!("<InventoryConfiguration{NAMESPACE}>");
    configuration_members(&mut xml, configuration);
    xml.0 += "</InventoryConfiguration>";
    xml.0
}

/// The document of a list reply.
pub(super) fn list_xml(list: &ConfigurationList) -> String {
    let mut xml = Xml(DECLARATION.to_owned());
    xml.0 += &format!("<ListInventoryConfigurationsResult{NAMESPACE}>");
    for configuration in &list.configurations {
        xml.element("InventoryConfiguration", |xml| configuration_members(xml, configuration));
    }
    xml.leaf("IsTruncated", bool_text(list.is_truncated));
    if let Some(token) = &list.continuation_token {
        xml.leaf("ContinuationToken", token);
    }
    if let Some(token) = &list.next_continuation_token {
        xml.leaf("NextContinuationToken", token);
    }
    xml.0 += "</ListInventoryConfigurationsResult>";
    xml.0
}

fn configuration_members(xml: &mut Xml, configuration: &InventoryConfiguration) {
    xml.leaf("Id", &configuration.id);
    xml.leaf("IsEnabled", bool_text(configuration.is_enabled));
    if let Some(prefix) = &configuration.filter_prefix {
        xml.element("Filter", |xml| xml.leaf("Prefix", prefix));
    }
    let destination = &configuration.destination;
    xml.element("Destination", |xml| {
        xml.element("S3BucketDestination", |xml| {
            xml.leaf("Format", destination.format.name());
            if let Some(account_id) = &destination.account_id {
                xml.leaf("AccountId", account_id);
            }
            xml.leaf("Bucket", &destination.bucket);
            if let Some(prefix) = &destination.prefix {
                xml.leaf("Prefix", prefix);
            }
            match &destination.encryption {
                None => {}
                Some(DestinationEncryption::SseS3) => xml.element("Encryption", |xml| xml.leaf("SSE-S3", "")),
                Some(DestinationEncryption::SseKms { key_id }) => {
                    xml.element("Encryption", |xml| xml.element("SSE-KMS", |xml| xml.leaf("KeyId", key_id)));
                }
            }
        });
    });
    xml.element("Schedule", |xml| xml.leaf("Frequency", configuration.frequency.name()));
    xml.leaf("IncludedObjectVersions", versions_text(configuration.versions));
    if let Some(fields) = &configuration.optional_fields {
        xml.element("OptionalFields", |xml| fields.iter().for_each(|field| xml.leaf("Field", field.name())));
    }
}

/// One configuration as the command line's JSON.
pub(super) fn configuration_json(configuration: &InventoryConfiguration) -> Json {
    let destination = &configuration.destination;
    let mut bucket = Vec::new();
    if let Some(account_id) = &destination.account_id {
        bucket.push(("AccountId", text(account_id)));
    }
    bucket.push(("Bucket", text(&destination.bucket)));
    bucket.push(("Format", text(destination.format.name())));
    if let Some(prefix) = &destination.prefix {
        bucket.push(("Prefix", text(prefix)));
    }
    match &destination.encryption {
        None => {}
        Some(DestinationEncryption::SseS3) => {
            bucket.push(("Encryption", object(vec![("SSES3", object(Vec::new()))])));
        }
        Some(DestinationEncryption::SseKms { key_id }) => {
            let key = object(vec![("KeyId", text(key_id))]);
            bucket.push(("Encryption", object(vec![("SSEKMS", key)])));
        }
    }
    let mut members = vec![
        ("Destination", object(vec![("S3BucketDestination", object(bucket))])),
        ("IsEnabled", Json::Bool(configuration.is_enabled)),
    ];
    if let Some(prefix) = &configuration.filter_prefix {
        members.push(("Filter", object(vec![("Prefix", text(prefix))])));
    }
    members.push(("Id", text(&configuration.id)));
    members.push(("IncludedObjectVersions", text(versions_text(configuration.versions))));
    if let Some(fields) = &configuration.optional_fields {
        members.push(("OptionalFields", Json::List(fields.iter().map(|field| text(field.name())).collect())));
    }
    members.push(("Schedule", object(vec![("Frequency", text(configuration.frequency.name()))])));
    object(members)
}

/// A list reply as the command line's JSON.
pub(super) fn list_json(list: &ConfigurationList) -> Json {
    let configurations = list.configurations.iter().map(configuration_json).collect();
    let mut members = vec![
        ("InventoryConfigurationList", Json::List(configurations)),
        ("IsTruncated", Json::Bool(list.is_truncated)),
    ];
    if let Some(token) = &list.continuation_token {
        members.push(("ContinuationToken", text(token)));
    }
    if let Some(token) = &list.next_continuation_token {
        members.push(("NextContinuationToken", text(token)));
    }
    object(members)
}

fn text(text: &str) -> Json {
    Json::Text(text.to_owned())
}

fn object(members: Vec<(&str, Json)>) -> Json {
    Json::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

const fn bool_text(value: bool) -> &'static str {
    if value { "true" } else { "false" }
}

const fn versions_text(versions: Versions) -> &'static str {
    match versions {
        Versions::All => "All",
        Versions::Current => "Current",
    }
}

struct Xml(String);

impl Xml {
    fn element(&mut self, name: &str, content: impl FnOnce(&mut Self)) {
        self.0 += &format!("<{name}>");
        content(self);
        self.0 += &format!("</{name}>");
    }

    fn leaf(&mut self, name: &str, text: &str) {
        self.element(name, |xml| escape_into(&mut xml.0, text));
    }
}

/// Appends a text in XML's spelling. Control characters, which keys may hold, are written as references: a parser would
/// refuse them, or turn a carriage return into a line feed.
pub(crate) fn escape_into(xml: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '<' => xml.push_str("&lt;"),
            '>' => xml.push_str("&gt;"),
            '&' => xml.push_str("&amp;"),
            '"' => xml.push_str("&quot;"),
            '\u{85}' | '\u{2028}' => xml.push_str(&format!("&#x{:X};", u32::from(c))),
            c if c.is_control() => xml.push_str(&format!("&#x{:X};", u32::from(c))),
            c => xml.push(c),
        }
    }
}
