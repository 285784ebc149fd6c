//! One request of the delivering service: action, resource, and what conditions can ask of it.

use super::glob::Symbol;
use std::collections::BTreeMap;

/// What is known of a condition key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ContextValue {
    Known(String),
    /// The request does not carry it.
    Absent,
    /// Whether the request carries it, or with which value, is not known.
    Unknown,
}

/// A request.
#[derive(Clone, Debug)]
pub(super) struct Request {
    /// `s3:PutObject` or `kms:GenerateDataKey`.
    pub(super) action: &'static str,
    /// The first five segments of the resource's ARN, and the sixth, of which parts may not be known yet. `None`: the
    /// resource is known to its own policy alone.
    pub(super) resource: Option<(Vec<String>, Vec<Symbol>)>,
    /// The resource in words.
    pub(super) resource_name: String,
    /// Condition keys in lower case.
    context: BTreeMap<String, ContextValue>,
}

/// Keys that a request of a service, made for itself, does not carry: they tell of users, sessions and organizations.
const ABSENT: &[&str] = &[
    "aws:calledvia",
    "aws:calledviafirst",
    "aws:calledvialast",
    "aws:federatedprovider",
    "aws:multifactorauthage",
    "aws:multifactorauthpresent",
    "aws:principalaccount",
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:rolesessionname",
    "aws:sourceidentity",
    "aws:sourcevpc",
    "aws:sourcevpce",
    "aws:username",
    "aws:vpcsourceip",
    "s3:x-amz-copy-source",
    "s3:x-amz-grant-full-control",
    "s3:x-amz-grant-read",
    "s3:x-amz-grant-read-acp",
    "s3:x-amz-grant-write",
    "s3:x-amz-grant-write-acp",
    "s3:x-amz-metadata-directive",
    "s3:x-amz-server-side-encryption-customer-algorithm",
    "s3:x-amz-website-redirect-location",
    "s3:requestobjecttagkeys",
];

/// Families of such keys.
const ABSENT_FAMILIES: &[&str] =
    &["aws:principaltag/", "aws:requesttag/", "s3:existingobjecttag/", "s3:requestobjecttag/"];

impl Request {
    pub(super) fn new(
        action: &'static str,
        resource: Option<(Vec<String>, Vec<Symbol>)>,
        resource_name: impl Into<String>,
    ) -> Self {
        let mut request = Self { action, resource, resource_name: resource_name.into(), context: BTreeMap::new() };
        request.know("aws:PrincipalIsAWSService", "true");
        request.know("aws:PrincipalServiceName", super::principal::SERVICE);
        // S3 delivers over TLS alone.
        request.know("aws:SecureTransport", "true");
        request
    }

    pub(super) fn know(&mut self, key: &str, value: impl Into<String>) {
        self.context.insert(key.to_ascii_lowercase(), ContextValue::Known(value.into()));
    }

    pub(super) fn lack(&mut self, key: &str) {
        self.context.insert(key.to_ascii_lowercase(), ContextValue::Absent);
    }

    /// What is known of a key; its name's case does not matter.
    pub(super) fn context(&self, key: &str) -> ContextValue {
        let key = key.to_ascii_lowercase();
        if let Some(value) = self.context.get(&key) {
            return value.clone();
        }
        let absent = ABSENT.contains(&key.as_str()) || ABSENT_FAMILIES.iter().any(|family| key.starts_with(family));
        if absent { ContextValue::Absent } else { ContextValue::Unknown }
    }
}
