//! Block blobs of Azure: blocks in any order, and a list that makes an object of them.
//!
//! Sources: "Put Block" and "Put Block List", Azure Storage REST API. Blocks that no list names are visible to nobody; the service drops
//! them a week after the last, or when the blob is written otherwise.

use super::{AZURE_MARK, Shared, object};
use crate::client::Call;
use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use hyper::Method;
use std::fmt::Write as _;
use stocktake_core::{ObjectAttributes, ReportKey};

/// Most blocks of a blob.
const BLOCKS_MAX: u32 = 50_000;

/// Blocks of one upload, whose ids have its mark: those of another writer of the key, or of one that was killed, are others.
pub(super) struct Blocks {
    mark: String,
    count: u32,
}

impl Blocks {
    pub(super) fn new(mark: &str) -> Self {
        Self { mark: mark.to_owned(), count: 0 }
    }

    /// The request that sends the next block.
    ///
    /// # Errors
    /// If a blob has no more blocks.
    pub(super) fn part(&mut self, key: &ReportKey, body: Bytes) -> Result<Call, String> {
        if self.count == BLOCKS_MAX {
            return Err(format!("an object has at most {BLOCKS_MAX} blocks of {} bytes", body.len()));
        }
        self.count += 1;
        let call = object("PutBlock", Method::PUT, key).with_query("comp", "block");
        Ok(call.with_query("blockid", self.id(self.count)).with_checked_body(body))
    }

    /// The request that makes an object of the blocks.
    pub(super) fn commit(&self, shared: &Shared, key: &ReportKey, attributes: &ObjectAttributes, mark: &str) -> Call {
        let mut list = "<?xml version=\"1.0\" encoding=\"utf-8\"?><BlockList>".to_owned();
        for number in 1..=self.count {
            // Writing to a string does not fail.
            let _ = write!(list, "<Uncommitted>{}</Uncommitted>", self.id(number));
        }
        list.push_str("</BlockList>");
        let call = object("PutBlockList", Method::PUT, key)
            .with_query("comp", "blocklist")
            .with_header("content-type", "application/xml")
            .with_header("x-ms-blob-content-type", attributes.content_type)
            .with_header(AZURE_MARK, mark);
        shared.conditional(call, attributes.existing).with_checked_body(Bytes::from(list))
    }

    /// Ids of a blob's blocks have one length, 64 bytes at most before they are encoded.
    fn id(&self, number: u32) -> String {
        BASE64_STANDARD.encode(format!("{}-{number:08}", self.mark))
    }
}
