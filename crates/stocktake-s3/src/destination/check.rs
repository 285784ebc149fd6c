//! A look ahead: does the destination take what a report will be written with?

use super::{MARK, S3Destination, SSE, conditional};
use crate::{
    client::{Answer, Call},
    error::S3Error,
    xml,
};
use bytes::Bytes;
use hyper::Method;
use stocktake_core::{CheckStep, Existing, ObjectAttributes, ReportKey};

/// What is written to try.
const PROBE: &[u8] = b"stocktake tries whether it may write here\n";

impl S3Destination {
    /// Tries, with an object of this key, all that writing a report does, with exactly its headers, and removes the object.
    pub fn check(&self, key: &ReportKey) -> Vec<CheckStep> {
        let attributes = ObjectAttributes::new("text/plain");
        let call = |operation, method| Call::new(operation, method, Some(key.as_str()));
        let shared = &self.shared;
        let send = |call: &Call| shared.client.block_on(shared.client.send(call));
        let mut steps = Vec::new();
        let mut tell = |operation, permission, outcome: Result<(), String>| {
            let succeeded = outcome.is_ok();
            steps.push(CheckStep::new(operation, permission, outcome));
            succeeded
        };
        let encrypted = |answer: &Answer| shared.check_encryption(&attributes, answer.header(SSE));

        let head = match send(&call("HeadObject", Method::HEAD)) {
            Err(error) if error.status() == Some(404) => Ok(()),
            answer => plain(answer).map(drop),
        };
        tell("HeadObject", "s3:GetObject, s3:ListBucket", head);
        let body = Bytes::from_static(PROBE);
        let put = shared.with_attributes(call("PutObject", Method::PUT), &attributes, "check");
        let put = conditional(put, Existing::Refuse).with_body(body.clone());
        let written = tell(
            "PutObject",
            "s3:PutObject; s3:PutObjectAcl for the ACL; kms:GenerateDataKey for SSE-KMS",
            plain(send(&put)).and_then(|answer| encrypted(&answer)),
        );
        if written {
            let read = plain(send(&call("GetObject", Method::GET))).and_then(|answer| {
                let same = answer.body == body && answer.header(MARK).is_none_or(|mark| mark == "check");
                if same { Ok(()) } else { Err("what was read is not what was written".to_owned()) }
            });
            tell("GetObject", "s3:GetObject; kms:Decrypt for SSE-KMS", read);
            let refused = match send(&put) {
                Err(error) if error.status() == Some(412) => Ok(()),
                Ok(_) => Err("the server overwrites an object though it was told not to (If-None-Match)".to_owned()),
                Err(error) => Err(error.to_string()),
            };
            tell("PutObject over an existing object", "none", refused);
        }
        let begin = shared.with_attributes(
            call("CreateMultipartUpload", Method::POST).with_query("uploads", ""),
            &attributes,
            "check",
        );
        let begun = plain(send(&begin)).and_then(|answer| {
            encrypted(&answer)?;
            xml::text_of(&answer.body, "UploadId").ok_or_else(|| "the reply names no upload".to_owned())
        });
        let id = begun.as_ref().ok().cloned();
        tell("CreateMultipartUpload", "as PutObject", begun.map(drop));
        if let Some(id) = id {
            let part = call("UploadPart", Method::PUT).with_query("partNumber", "1").with_query("uploadId", &id);
            let sent = plain(send(&part.with_body(body))).map(drop);
            tell("UploadPart", "s3:PutObject; kms:GenerateDataKey and kms:Decrypt for SSE-KMS", sent);
            let abort = call("AbortMultipartUpload", Method::DELETE).with_query("uploadId", &id);
            tell("AbortMultipartUpload", "s3:AbortMultipartUpload", plain(send(&abort)).map(drop));
        }
        let journals = stocktake_core::ReportStore::list(self, &format!("{key}/")).map(drop);
        let journals = journals.map_err(|error| error.to_string());
        tell("ListObjectsV2", "s3:ListBucket, by which journals of unfinished runs are found", journals);
        let listed = match self.list_uploads(key) {
            // Such a server keeps uploads to itself: nothing can be done about those of killed runs.
            Err(error) if error.status() == Some(501) => Ok(()),
            answer => plain(answer).map(drop),
        };
        let permission = "s3:ListBucketMultipartUploads, by which a run that is continued finds what a killed one left";
        tell("ListMultipartUploads", permission, listed);
        if written {
            let removed = plain(send(&call("DeleteObject", Method::DELETE))).map(drop);
            tell("DeleteObject", "s3:DeleteObject, by which a failed run takes back what it wrote", removed);
        }
        steps
    }
}

fn plain(answer: Result<Answer, S3Error>) -> Result<Answer, String> {
    answer.map_err(|error| error.to_string())
}
