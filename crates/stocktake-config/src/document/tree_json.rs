//! The JSON of AWS's command line to the tree that the XML has.
//!
//! The two differ in a few names: `SSES3` and `SSEKMS`, lists in place of repeated elements, booleans that are none.

use super::tree::{Content, Node};
use crate::{error::S3Error, json::Json};

/// Names that JSON spells otherwise than XML.
const XML_NAMES: &[(&str, &str)] = &[("SSES3", "SSE-S3"), ("SSEKMS", "SSE-KMS")];

/// The list whose values are elements of their own, beside the list's siblings.
const FLAT_LIST: (&str, &str) = ("InventoryConfigurationList", "InventoryConfiguration");

/// The list whose values are elements within it.
const NESTED_LIST: (&str, &str) = ("OptionalFields", "Field");

/// Parses an object whose size in bytes is bounded; the tree's root has the name `root`.
pub(super) fn parse(text: &[u8], bytes_max: usize, root: &str) -> Result<Node, S3Error> {
    let document = |message: String| S3Error::malformed("the document", message);
    if text.len() > bytes_max {
        return Err(document(format!("has {} bytes; at most {bytes_max} are read", text.len())));
    }
    let text = text.strip_prefix(super::tree_xml::BYTE_ORDER_MARK).unwrap_or(text);
    let json: Json = serde_json::from_slice(text).map_err(|error| document(format!("is not JSON: {error}")))?;
    let bare = match &json {
        Json::Object(members) if matches!(members.as_slice(), [(name, _)] if name == root) => &members[0].1,
        _ => &json,
    };
    match bare {
        Json::Object(_) => node(root, bare),
        other => Err(document(format!("is {} in place of an object", other.kind()))),
    }
}

fn node(name: &str, value: &Json) -> Result<Node, S3Error> {
    if name.is_empty() {
        return Err(S3Error::malformed("the document", "has a member whose name is empty"));
    }
    let refused = |message: String| Err(S3Error::malformed(name, message));
    let content = match value {
        Json::Text(text) if text.contains('\0') => {
            return refused("holds the character U+0000, which XML cannot".to_owned());
        }
        Json::Text(text) => Content::Text(text.clone()),
        Json::Bool(value) => Content::Bool(*value),
        Json::List(values) if name == NESTED_LIST.0 => {
            Content::Children(values.iter().map(|value| node(NESTED_LIST.1, value)).collect::<Result<_, _>>()?)
        }
        Json::Object(_) if name == NESTED_LIST.0 => return refused("is an object in place of a list".to_owned()),
        Json::Object(members) => {
            let mut children = Vec::new();
            for (name, value) in members {
                match value {
                    Json::List(values) if name == FLAT_LIST.0 => {
                        for value in values {
                            children.push(node(FLAT_LIST.1, value)?);
                        }
                    }
                    value => children.push(node(name, value)?),
                }
            }
            Content::Children(children)
        }
        other => return refused(format!("is {}, which no element holds", other.kind())),
    };
    let renamed = XML_NAMES.iter().find(|(json, _)| *json == name).map(|(_, xml)| *xml);
    if renamed.is_none() && XML_NAMES.iter().any(|(_, xml)| *xml == name) {
        return refused("is the name of XML; in JSON it has no hyphen".to_owned());
    }
    Ok(Node { name: renamed.unwrap_or(name).to_owned(), content, position: None })
}
