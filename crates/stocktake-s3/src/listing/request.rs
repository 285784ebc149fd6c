//! Requests for pages.

use super::page::{Marker, Page};
use crate::{
    client::{Answer, Call, S3Client},
    error::S3Error,
};
use hyper::Method;
use stocktake_core::{Field, FieldSet};

/// Levels of folders that are gone down while there is but one.
const LEVELS_MAX: usize = 6;

/// What all requests of a listing have in common.
#[derive(Clone, Debug)]
pub(crate) struct ListRequest {
    pub(crate) prefix: String,
    pub(crate) versions: bool,
    owner: bool,
}

impl ListRequest {
    pub(crate) fn new(prefix: String, versions: bool, fields: FieldSet) -> Self {
        Self { prefix, versions, owner: fields.contains(Field::ObjectOwner) }
    }

    pub(crate) fn call(&self, from: &Marker) -> Call {
        let call = self.bare(&self.prefix);
        match from {
            Marker::Behind(key) if key.is_empty() => call,
            Marker::Behind(key) if self.versions => call.with_query("key-marker", key),
            Marker::Behind(key) => call.with_query("start-after", key),
            Marker::Token(token) => call.with_query("continuation-token", token),
            Marker::Version(key, id) => call.with_query("key-marker", key).with_query("version-id-marker", id),
        }
    }

    fn bare(&self, prefix: &str) -> Call {
        let call = if self.versions {
            Call::new("ListObjectVersions", Method::GET, None).with_query("versions", "")
        } else {
            Call::new("ListObjectsV2", Method::GET, None).with_query("list-type", "2")
        };
        let call = call.with_query("encoding-type", "url").with_query("prefix", prefix);
        if self.owner && !self.versions { call.with_query("fetch-owner", "true") } else { call }
    }

    /// A reply's page.
    pub(crate) fn parse(&self, answer: &Answer) -> Result<Page, String> {
        let mut page = Page::parse(&answer.body)?;
        if self.versions {
            page.merge_lists()?;
        }
        Ok(page)
    }

    /// Asks for one key, to see whether it may be asked at all.
    pub(crate) async fn first_key(&self, client: &S3Client) -> Result<(), S3Error> {
        let call = self.bare(&self.prefix).with_query("max-keys", "1");
        client.send_parsed(&call, |answer| self.parse(&answer)).await.map(drop)
    }

    /// The first page of the keys with a prefix behind `after`.
    pub(crate) async fn page_behind(&self, client: &S3Client, prefix: &str, after: &str) -> Result<Page, S3Error> {
        let call = Self { prefix: prefix.to_owned(), ..self.clone() }.call(&Marker::Behind(after.to_owned()));
        client.send_parsed(&call, |answer| self.parse(&answer)).await
    }

    /// Folders below the prefix, in ascending order, at most a page of them; down to where there is more than one.
    pub(crate) async fn folders(&self, client: &S3Client) -> Result<Vec<String>, S3Error> {
        let mut prefix = self.prefix.clone();
        for _ in 0..LEVELS_MAX {
            let call = self.bare(&prefix).with_query("delimiter", "/");
            let mut page = client.send_parsed(&call, |answer| self.parse(&answer)).await?;
            page.folders.sort_unstable();
            match page.folders.as_slice() {
                [only] if page.is_empty() && page.next.is_none() && *only != prefix => prefix.clone_from(only),
                _ => return Ok(page.folders),
            }
        }
        Ok(vec![prefix])
    }
}
