//! The statements that let S3 deliver reports, as its documentation and its console write them.

use super::document::{PolicyStatement, object, text};
use super::principal::SERVICE;
use crate::{
    arn::{AccountId, BucketArn},
    json::Json,
    report::DestinationAttributes,
};

/// Who delivers what to where.
///
/// The same statements serve a destination of the source's own account and one of another account; of another account,
/// it is that account's owner who adds them, and the key is named by its ARN in the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Grant {
    /// The bucket that reports are of.
    pub source_bucket: BucketArn,
    /// The account that owns it.
    pub source_account: AccountId,
    /// The bucket that reports go to.
    pub destination_bucket: BucketArn,
}

/// The ways in which a key's policy lets S3 use the key, by the age of Amazon's guide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum KeyPolicyDialect {
    /// `kms:GenerateDataKey*` without a condition, as the guide of 2019 has it.
    Star2019,
    /// `kms:GenerateDataKey` without a condition, as the guide of 2020 has it.
    Unconditional2020,
    /// `kms:GenerateDataKey` for the source's account and bucket alone, as the guide has it since October 2021.
    #[default]
    Current,
}

impl Grant {
    /// Delivery of reports of one bucket to another, or to itself.
    pub fn new(source_bucket: BucketArn, source_account: AccountId, destination_bucket: BucketArn) -> Self {
        Self { source_bucket, source_account, destination_bucket }
    }

    /// The statement of the destination bucket's policy.
    pub fn destination_statement(&self) -> PolicyStatement {
        let condition = object(vec![
            ("ArnLike", object(vec![("aws:SourceArn", text(&self.source_bucket.to_string()))])),
            (
                "StringEquals",
                object(vec![
                    ("aws:SourceAccount", text(self.source_account.as_str())),
                    ("s3:x-amz-acl", text(DestinationAttributes::CANNED_ACL)),
                ]),
            ),
        ]);
        let resource = format!("{}/*", self.destination_bucket);
        statement("InventoryAndAnalyticsExamplePolicy", "s3:PutObject", &resource, Some(condition))
    }

    /// The statement of the key's policy.
    pub fn key_statement(&self, dialect: KeyPolicyDialect) -> PolicyStatement {
        let sid = "Allow Amazon S3 use of the KMS key";
        match dialect {
            KeyPolicyDialect::Star2019 => statement(sid, "kms:GenerateDataKey*", "*", None),
            KeyPolicyDialect::Unconditional2020 => statement(sid, "kms:GenerateDataKey", "*", None),
            KeyPolicyDialect::Current => {
                let condition = object(vec![
                    ("StringEquals", object(vec![("aws:SourceAccount", text(self.source_account.as_str()))])),
                    ("ArnLike", object(vec![("aws:SourceARN", text(&self.source_bucket.to_string()))])),
                ]);
                statement(sid, "kms:GenerateDataKey", "*", Some(condition))
            }
        }
    }
}

fn statement(sid: &str, action: &str, resource: &str, condition: Option<Json>) -> PolicyStatement {
    let mut members = vec![
        ("Sid", text(sid)),
        ("Effect", text("Allow")),
        ("Principal", object(vec![("Service", text(SERVICE))])),
        ("Action", text(action)),
        ("Resource", text(resource)),
    ];
    if let Some(condition) = condition {
        members.push(("Condition", condition));
    }
    PolicyStatement(object(members))
}
