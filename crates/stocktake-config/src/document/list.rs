//! The reply that lists configurations, in pages of 100.

use super::{InventoryConfiguration, read, tree_json, tree_xml, write};
use crate::error::S3Error;

/// Configurations of a page; the API has no parameter for it.
pub const PAGE_CONFIGURATIONS: usize = 100;

/// Most bytes of a list reply: a page of the largest documents.
pub const LIST_BYTES_MAX: usize = PAGE_CONFIGURATIONS * super::DOCUMENT_BYTES_MAX;

/// A page of a bucket's configurations (`ListInventoryConfigurationsResult`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConfigurationList {
    /// The configurations, in ascending order of their ids.
    pub configurations: Vec<InventoryConfiguration>,
    /// `IsTruncated`: whether there are more.
    pub is_truncated: bool,
    /// `ContinuationToken` of the request that this replies to.
    pub continuation_token: Option<String>,
    /// `NextContinuationToken`: asks for the next page.
    pub next_continuation_token: Option<String>,
}

impl ConfigurationList {
    /// Makes a page of configurations that a store lists in ascending order of their ids, from behind the token's on.
    ///
    /// At most [`PAGE_CONFIGURATIONS`] and one more are taken of `following`.
    pub fn page(
        continuation_token: Option<String>,
        following: impl IntoIterator<Item = InventoryConfiguration>,
    ) -> Self {
        let mut following = following.into_iter();
        let configurations: Vec<_> = following.by_ref().take(PAGE_CONFIGURATIONS).collect();
        let is_truncated = following.next().is_some();
        let last = configurations.last().filter(|_| is_truncated);
        let next_continuation_token = last.map(|last| PageToken::after(&last.id).to_text());
        Self { configurations, is_truncated, continuation_token, next_continuation_token }
    }

    /// Reads a reply in XML, of at most [`LIST_BYTES_MAX`] bytes.
    ///
    /// # Errors
    /// As [`InventoryConfiguration::parse`].
    pub fn from_xml(text: &[u8]) -> Result<Self, S3Error> {
        read::list(&tree_xml::parse(text, LIST_BYTES_MAX)?)
    }

    /// Reads a reply in the JSON of AWS's command line.
    ///
    /// # Errors
    /// As [`InventoryConfiguration::parse`].
    pub fn from_json(text: &[u8]) -> Result<Self, S3Error> {
        read::list(&tree_json::parse(text, LIST_BYTES_MAX, "ListInventoryConfigurationsResult")?)
    }

    /// The reply in XML.
    pub fn to_xml(&self) -> String {
        write::list_xml(self)
    }

    /// The reply in the JSON of AWS's command line.
    pub fn to_json(&self) -> String {
        write::list_json(self).to_pretty()
    }
}

/// Where a page begins: behind an id. As a text it is opaque to its bearer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageToken(String);

/// First character of a token, so that another kind can be told from it one day.
const TOKEN_KIND: &str = "1";

impl PageToken {
    /// The page that begins behind an id.
    pub fn after(id: &str) -> Self {
        Self(id.to_owned())
    }

    /// The id that the page begins behind.
    pub fn id(&self) -> &str {
        &self.0
    }

    /// The token's text: letters and digits.
    pub fn to_text(&self) -> String {
        self.0.bytes().fold(TOKEN_KIND.to_owned(), |text, byte| text + &format!("{byte:02x}"))
    }

    /// Reads a token.
    ///
    /// # Errors
    /// `InvalidArgument` for a text that no page gave.
    pub fn parse(text: &str) -> Result<Self, S3Error> {
        let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        let pair = |pair: &[u8]| Some(digit(*pair.first()?)? << 4 | digit(*pair.get(1)?)?);
        let hex = text.strip_prefix(TOKEN_KIND).filter(|hex| hex.len() <= 2 * super::DOCUMENT_BYTES_MAX);
        let bytes = hex.and_then(|hex| hex.as_bytes().chunks(2).map(pair).collect::<Option<Vec<u8>>>());
        let token = bytes.and_then(|bytes| String::from_utf8(bytes).ok()).map(Self);
        let token = token.filter(|token| token.to_text() == text);
        token.ok_or_else(|| S3Error::argument("continuation-token", "is not one that a list reply gave"))
    }
}
