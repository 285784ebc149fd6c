//! Parsers of configurations on any bytes: a refusal or a value, and a value is the same after it was written and read.

use super::fault;
use std::fmt::Debug;
use stocktake_config::{BucketKind, ConfigurationList, Frequencies, InventoryConfiguration, PageToken, Rules, S3Error};

/// Any bytes are read as a configuration, a list of them, and a page's token.
///
/// # Errors
/// If a value is another one after it was written and read again, or a refusal has no element.
pub fn configuration_round_trip(bytes: &[u8]) -> Result<(), String> {
    if let Some(document) = read(InventoryConfiguration::parse(bytes))? {
        same("the XML", InventoryConfiguration::from_xml(document.to_xml().as_bytes()), &document)?;
        same("the JSON", InventoryConfiguration::from_json(document.to_json().as_bytes()), &document)?;
        validated(&document)?;
    }
    for list in [read(ConfigurationList::from_xml(bytes))?, read(ConfigurationList::from_json(bytes))?] {
        let Some(list) = list else { continue };
        same("a list's XML", ConfigurationList::from_xml(list.to_xml().as_bytes()), &list)?;
        same("a list's JSON", ConfigurationList::from_json(list.to_json().as_bytes()), &list)?;
    }
    if let Ok(text) = std::str::from_utf8(bytes)
        && let Some(token) = read(PageToken::parse(text))?
    {
        same("a token", PageToken::parse(&token.to_text()), &token)?;
    }
    Ok(())
}

/// What the rules accept keeps its document, and its names are the document's own.
fn validated(document: &InventoryConfiguration) -> Result<(), String> {
    for kind in [BucketKind::GeneralPurpose, BucketKind::Directory] {
        let rules = Rules::new().with_bucket_kind(kind).with_frequencies(Frequencies::Extended);
        let Some(valid) = read(rules.check(document.clone()))? else { continue };
        let prefix = document.destination.prefix.as_deref().unwrap_or_default();
        if valid.document() != document
            || valid.id().as_str() != document.id
            || valid.destination_bucket().to_string() != document.destination.bucket
            || valid.destination_prefix().as_str() != prefix.trim_matches('/')
        {
            return Err(format!("{document:?} became {valid:?}"));
        }
    }
    Ok(())
}

fn read<T>(outcome: Result<T, S3Error>) -> Result<Option<T>, String> {
    match outcome {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.element().is_empty() || error.code().http_status() < 400 => {
            Err(format!("a refusal does not say of what: {error}"))
        }
        Err(_) => Ok(None),
    }
}

fn same<T: PartialEq + Debug>(what: &str, again: Result<T, S3Error>, wanted: &T) -> Result<(), String> {
    let again = again.map_err(|error| fault(what)(&error))?;
    if again == *wanted { Ok(()) } else { Err(format!("{what} says {again:?} instead of {wanted:?}")) }
}
