//! Would the reports of a configuration be let in? Every object of a report is asked for.

use super::{
    document::PolicyDocument,
    evaluate::{Answer, PolicyDecision, evaluate},
    glob::{self, Symbol},
    grant::{Grant, KeyPolicyDialect},
    request::Request,
};
use crate::{
    arn::{AccountId, BucketArn},
    document::DestinationEncryption,
    report::DestinationAttributes,
    validate::ValidConfiguration,
};
use stocktake_core::BucketName;

/// The delivery of a configuration's reports.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Delivery {
    /// Who delivers to where.
    pub grant: Grant,
    /// Account that owns the destination bucket, if known.
    pub destination_account: Option<AccountId>,
    /// Region of both buckets, if known.
    pub region: Option<String>,
    /// Organization of the source's account, if known.
    pub source_organization: Option<String>,
    configuration: ValidConfiguration,
}

/// A policy's answer to a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verdict {
    /// The answer.
    pub decision: PolicyDecision,
    /// Why: one sentence for each statement that matters.
    pub reasons: Vec<String>,
    /// The policy that grants what is missing, to be merged into the one that was checked. An explicit Deny is not
    /// lifted by it.
    pub policy_to_add: Option<String>,
}

impl Delivery {
    /// The delivery of a configuration's reports of a source bucket that an account owns.
    pub fn new(configuration: ValidConfiguration, source_bucket: BucketName, source_account: AccountId) -> Self {
        let destination = configuration.destination_bucket().clone();
        let source = BucketArn::of(destination.partition(), source_bucket);
        let destination_account = configuration.destination_owner().cloned();
        Self {
            grant: Grant::new(source, source_account, destination),
            destination_account,
            region: None,
            source_organization: None,
            configuration,
        }
    }

    /// States the Region of both buckets.
    #[must_use]
    pub fn with_region(mut self, region: impl Into<String>) -> Self {
        self.region = Some(region.into());
        self
    }

    /// States the organization of the source's account.
    #[must_use]
    pub fn with_source_organization(mut self, organization: impl Into<String>) -> Self {
        self.source_organization = Some(organization.into());
        self
    }

    /// Would the destination bucket's policy let every object of a report be put, with the canned ACL that S3 sends?
    /// Without a policy nothing is allowed: pass [`PolicyDocument::new`].
    pub fn check_destination(&self, policy: &PolicyDocument) -> Verdict {
        let answers = self.keys().into_iter().map(|(name, key)| evaluate(policy, &self.put_request(&name, key)));
        let answer = answers.reduce(worse).unwrap_or_else(|| unreachable!("a report has objects"));
        let missing = self.grant.destination_statement();
        verdict(answer, || missing.to_document().to_json())
    }

    /// Would the key's policy let S3 encrypt reports? `key_arn` is the ARN of the key whose policy it is, if known.
    pub fn check_key(&self, policy: &PolicyDocument, key_arn: Option<&str>) -> Verdict {
        let named = self.configuration.key().filter(|key| key.is_arn()).map(|key| key.as_str());
        let arn = key_arn.or(named).map(segments);
        let mut request = Request::new("kms:GenerateDataKey", arn, key_arn.or(named).unwrap_or("the key"));
        self.tell_source(&mut request);
        let missing = self.grant.key_statement(KeyPolicyDialect::Current);
        verdict(evaluate(policy, &request), || missing.to_document().to_json())
    }

    fn put_request(&self, name: &str, mut key: Vec<Symbol>) -> Request {
        let bucket = &self.grant.destination_bucket;
        let mut resource = glob::known(&format!("{}/", bucket.bucket()));
        resource.append(&mut key);
        let head = ["arn", bucket.partition(), "s3", "", ""].map(str::to_owned).to_vec();
        let mut request = Request::new("s3:PutObject", Some((head, resource)), format!("{bucket}/{name}"));
        self.tell_source(&mut request);
        request.know("s3:x-amz-acl", DestinationAttributes::CANNED_ACL);
        let (encryption, key_id) =
            ("s3:x-amz-server-side-encryption", "s3:x-amz-server-side-encryption-aws-kms-key-id");
        // Without encryption in the configuration the bucket's default applies, and the request says nothing of it.
        request.lack(encryption);
        request.lack(key_id);
        match &self.configuration.document().destination.encryption {
            None => {}
            Some(DestinationEncryption::SseS3) => request.know(encryption, "AES256"),
            Some(DestinationEncryption::SseKms { key_id: key }) => {
                request.know(encryption, "aws:kms");
                request.know(key_id, key.as_str());
            }
        }
        if let Some(account) = &self.destination_account {
            request.know("aws:ResourceAccount", account.as_str());
            request.know("s3:ResourceAccount", account.as_str());
        }
        request
    }

    fn tell_source(&self, request: &mut Request) {
        request.know("aws:SourceArn", self.grant.source_bucket.to_string());
        request.know("aws:SourceAccount", self.grant.source_account.as_str());
        if let Some(organization) = &self.source_organization {
            request.know("aws:SourceOrgID", organization.as_str());
        }
        if let Some(region) = &self.region {
            request.know("aws:RequestedRegion", region.as_str());
        }
    }

    /// The objects of a report, each with a name for people and its key, of which digests and times are not known yet.
    fn keys(&self) -> Vec<(String, Vec<Symbol>)> {
        let configuration = &self.configuration;
        let prefix = configuration.destination_prefix().as_str();
        let slash = if prefix.is_empty() { "" } else { "/" };
        let root = format!("{prefix}{slash}{}/{}", self.grant.source_bucket.bucket(), configuration.id());
        let extension = configuration.document().destination.format.extension();
        let names = [
            format!("{root}/data/hhhhhhhh-hhhh-hhhh-hhhh-hhhhhhhhhhhh.{extension}"),
            format!("{root}/hive/dt=dddd-dd-dd-dd-dd/symlink.txt"),
            format!("{root}/dddd-dd-ddTdd-ddZ/receipts.ndjson"),
            format!("{root}/dddd-dd-ddTdd-ddZ/manifest.json"),
            format!("{root}/dddd-dd-ddTdd-ddZ/manifest.checksum"),
        ];
        // Letters stand for unknown digits only between the root and the name of the file.
        let unknown = ["hhhhhhhh-hhhh-hhhh-hhhh-hhhhhhhhhhhh", "dddd-dd-dd-dd-dd", "dddd-dd-ddTdd-ddZ"];
        names
            .into_iter()
            .map(|name| {
                let below = &name[root.len()..];
                let found = unknown
                    .iter()
                    .find_map(|part| below.find(part).map(|at| root.len() + at..root.len() + at + part.len()));
                let found = found.unwrap_or(0..0);
                let symbol = |(at, c): (usize, char)| match c {
                    'h' if found.contains(&at) => Symbol::Hex,
                    'd' if found.contains(&at) => Symbol::Digit,
                    c => Symbol::Known(c),
                };
                let key = name.char_indices().map(symbol).collect();
                (name, key)
            })
            .collect()
    }
}

/// An ARN's first five segments, and the symbols of the sixth.
fn segments(arn: &str) -> (Vec<String>, Vec<Symbol>) {
    let mut segments: Vec<String> = arn.splitn(6, ':').map(str::to_owned).collect();
    let tail = segments.pop().unwrap_or_default();
    (segments, glob::known(&tail))
}

/// The answer that keeps a report from being delivered whole: a denial before a doubt before an allowance.
fn worse(one: Answer, other: Answer) -> Answer {
    let rank = |answer: &Answer| match answer.decision {
        PolicyDecision::Allowed => 0,
        PolicyDecision::Undecidable => 1,
        PolicyDecision::Denied => 2,
    };
    if rank(&other) > rank(&one) { other } else { one }
}

fn verdict(answer: Answer, missing: impl FnOnce() -> String) -> Verdict {
    Verdict { decision: answer.decision, reasons: answer.reasons, policy_to_add: answer.lacks_grant.then(missing) }
}
