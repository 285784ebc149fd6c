//! The table: policies, and what they say of one delivery, each with its reason.
//!
//! The delivery: reports of the bucket `src` of account 111111111111 to `dst`, prefix `p`, id `daily`, CSV, encryption
//! SSE-KMS with a key of account 222222222222, which owns `dst`. A case is a policy's statements in short: what stands
//! there replaces the members of the statement that Amazon's guide shows.

use super::{Delivery, PolicyDecision, PolicyDocument, Verdict};
use crate::{AccountId, InventoryConfiguration, Rules, json::Json};
use PolicyDecision::{Allowed, Denied, Undecidable};
use stocktake_core::BucketName;

const KEY: &str = "arn:aws:kms:eu-west-1:222222222222:key/k";

pub(super) fn delivery(encryption: &str) -> Delivery {
    let text = format!(
        r#"{{"Destination":{{"S3BucketDestination":{{"AccountId":"222222222222","Bucket":"arn:aws:s3:::dst","Format":"CSV",
        "Prefix":"p/"{encryption}}}}},"IsEnabled":true,"Id":"daily","IncludedObjectVersions":"All",
        "Schedule":{{"Frequency":"Daily"}}}}"#
    );
    let document = InventoryConfiguration::parse(text.as_bytes()).unwrap();
    let source = BucketName::try_new("src").unwrap();
    Delivery::new(Rules::new().check(document).unwrap(), source, AccountId::parse("111111111111", "x").unwrap())
}

pub(super) fn encrypted() -> Delivery {
    delivery(&format!(r#","Encryption":{{"SSEKMS":{{"KeyId":"{KEY}"}}}}"#))
}

/// A statement with the members of Amazon's guide, some of them replaced: a member that is null is left out.
fn statement(key: bool, changes: &str) -> Json {
    let base = if key {
        r#"{"Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"kms:GenerateDataKey","Resource":"*"}"#
    } else {
        r#"{"Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"s3:PutObject",
            "Resource":"arn:aws:s3:::dst/*"}"#
    };
    let (Json::Object(mut members), Json::Object(changed)) =
        (serde_json::from_str(base).unwrap(), serde_json::from_str(changes).unwrap())
    else {
        panic!()
    };
    for (name, value) in changed {
        // A member and its negation exclude each other.
        let bare = name.trim_start_matches("Not").to_owned();
        members.retain(|(of, _)| *of != name && *of != bare);
        if value != Json::Null {
            members.push((name, value));
        }
    }
    Json::Object(members)
}

fn policy(key: bool, version: &str, statements: &[&str]) -> PolicyDocument {
    let statements = Json::List(statements.iter().map(|changes| statement(key, changes)).collect());
    let text = format!(r#"{{"Version":"{version}","Statement":{}}}"#, statements.to_pretty());
    PolicyDocument::parse(text.as_bytes()).unwrap()
}

fn assert_verdict(verdict: &Verdict, decision: PolicyDecision, reason: &str, what: &dyn std::fmt::Debug) {
    assert_eq!(verdict.decision, decision, "{what:?}: {:?}", verdict.reasons);
    assert!(verdict.reasons.iter().any(|text| text.contains(reason)), "{what:?}: {:?}", verdict.reasons);
}

type Case = (&'static [&'static str], PolicyDecision, &'static str);

/// Cases of the destination bucket's policy.
const BUCKET: &[Case] = &[
    // The forms of Amazon's guide.
    (
        &[
            r#"{"Condition":{"ArnLike":{"aws:SourceArn":"arn:aws:s3:::src"},"StringEquals":{"aws:SourceAccount":"111111111111","s3:x-amz-acl":"bucket-owner-full-control"}}}"#,
        ],
        Allowed,
        "statement 1 allows it",
    ),
    (&[r#"{"Sid":"Named"}"#], Allowed, "statement 1 (Named) allows it"),
    (&[], Denied, "no statement allows it"),
    // Effect: an explicit Deny wins, wherever it stands.
    (&["{}", r#"{"Effect":"Deny"}"#], Denied, "statement 2 denies it"),
    (&[r#"{"Effect":"Deny","Principal":"*"}"#, "{}"], Denied, "statement 1 denies it"),
    (&[r#"{"Effect":"Deny"}"#], Denied, "statement 1 denies it"),
    // Principal.
    (&[r#"{"Principal":"*"}"#], Allowed, "allows"),
    (&[r#"{"Principal":{"AWS":"*"}}"#], Allowed, "allows"),
    (&[r#"{"Principal":{"Service":["logging.s3.amazonaws.com","s3.amazonaws.com"]}}"#], Allowed, "allows"),
    (&[r#"{"Principal":{"Service":"logging.s3.amazonaws.com"}}"#], Denied, "not the service s3.amazonaws.com"),
    (
        &[r#"{"Principal":{"AWS":"arn:aws:iam::111111111111:root"}}"#],
        Denied,
        "its principal is arn:aws:iam::111111111111:root",
    ),
    (&[r#"{"Principal":{"AWS":"111111111111","Service":"s3.amazonaws.com"}}"#], Allowed, "allows"),
    (
        &[r#"{"Principal":{"CanonicalUser":"79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"}}"#],
        Denied,
        "not the service",
    ),
    (&[r#"{"Principal":{"Service":"s3.*"}}"#], Undecidable, "wildcard"),
    (
        &["{}", r#"{"Effect":"Deny","NotPrincipal":{"AWS":"arn:aws:iam::222222222222:root"}}"#],
        Denied,
        "statement 2 denies it",
    ),
    (&["{}", r#"{"Effect":"Deny","NotPrincipal":{"Service":"s3.amazonaws.com"}}"#], Allowed, "statement 1 allows it"),
    // Action: wildcards, case, NotAction.
    (&[r#"{"Action":"s3:*"}"#], Allowed, "allows"),
    (&[r#"{"Action":"*"}"#], Allowed, "allows"),
    (&[r#"{"Action":["s3:GetObject","S3:putobject"]}"#], Allowed, "allows"),
    (&[r#"{"Action":"s3:Put?bject"}"#], Allowed, "allows"),
    (&[r#"{"Action":"s3:PutObjectAcl"}"#], Denied, "its Action is s3:PutObjectAcl"),
    (&[r#"{"Action":"s3:PutObject*"}"#], Allowed, "allows"),
    (&[r#"{"NotAction":"s3:Get*"}"#], Allowed, "allows"),
    (&[r#"{"NotAction":["s3:Get*","s3:Put*"]}"#], Denied, "its NotAction is"),
    (&["{}", r#"{"Effect":"Deny","NotAction":"s3:GetObject"}"#], Denied, "statement 2 denies it"),
    // Resource: the whole of the report or a part of it.
    (&[r#"{"Resource":"*"}"#], Allowed, "allows"),
    (&[r#"{"Resource":"arn:aws:s3:::dst/p/*"}"#], Allowed, "allows"),
    (&[r#"{"Resource":"arn:aws:s3:::dst/p/src/daily/*"}"#], Allowed, "allows"),
    (&[r#"{"Resource":"arn:aws:s3:::*"}"#], Allowed, "allows"),
    (&[r#"{"Resource":"arn:aws:s3:*:*:d?t/*"}"#], Allowed, "allows"),
    (&[r#"{"Resource":"arn:aws:s3:::dst"}"#], Denied, "its Resource is arn:aws:s3:::dst,"),
    (&[r#"{"Resource":"arn:aws:s3:::dst/q/*"}"#], Denied, "its Resource"),
    (&[r#"{"Resource":"arn:aws:s3:::other/*"}"#], Denied, "the delivery needs arn:aws:s3:::dst/p/src/daily/"),
    (&[r#"{"Resource":"arn:aws-cn:s3:::dst/*"}"#], Denied, "its Resource"),
    (&[r#"{"Resource":["arn:aws:s3:::other/*","arn:aws:s3:::dst/*"]}"#], Allowed, "allows"),
    (&[r#"{"Resource":"arn:aws:s3:::dst/p/src/daily/data/*"}"#], Denied, "symlink.txt"),
    (
        &[
            r#"{"Resource":["arn:aws:s3:::dst/*/data/*","arn:aws:s3:::dst/*/manifest.*","arn:aws:s3:::dst/*.txt","arn:aws:s3:::dst/*/receipts.ndjson"]}"#,
        ],
        Allowed,
        "allows",
    ),
    (&[r#"{"Resource":"arn:aws:s3:::dst/p/src/daily/*2*"}"#], Undecidable, "some names of"),
    (
        &["{}", r#"{"Effect":"Deny","Resource":"arn:aws:s3:::dst/p/src/daily/data/0*"}"#],
        Undecidable,
        "statement 2 may deny it",
    ),
    (&["{}", r#"{"Effect":"Deny","Resource":"arn:aws:s3:::dst/*.json"}"#], Denied, "statement 2 denies it"),
    (&[r#"{"NotResource":"arn:aws:s3:::dst/private/*"}"#], Allowed, "allows"),
    (&[r#"{"NotResource":"arn:aws:s3:::dst/p/*"}"#], Denied, "its NotResource covers"),
    (&[r#"{"Resource":"arn:aws:s3*"}"#], Undecidable, "not an ARN of six segments"),
    // Conditions: strings.
    (&[r#"{"Condition":{"StringEquals":{"aws:SourceAccount":["999999999999","111111111111"]}}}"#], Allowed, "allows"),
    (
        &[r#"{"Condition":{"StringEquals":{"aws:SourceAccount":"999999999999"}}}"#],
        Denied,
        "StringEquals aws:SourceAccount asks for 999999999999, the delivery has 111111111111",
    ),
    (&[r#"{"Condition":{"StringEquals":{"AWS:sourceaccount":"111111111111"}}}"#], Allowed, "allows"),
    (&[r#"{"Condition":{"StringEquals":{"aws:SourceAccount":"1111*"}}}"#], Denied, "asks for 1111*"),
    (&[r#"{"Condition":{"StringLike":{"aws:SourceAccount":"1111*"}}}"#], Allowed, "allows"),
    (&[r#"{"Condition":{"StringEquals":{"s3:x-amz-acl":"Bucket-Owner-Full-Control"}}}"#], Denied, "s3:x-amz-acl"),
    (&[r#"{"Condition":{"StringEqualsIgnoreCase":{"s3:x-amz-acl":"Bucket-Owner-Full-Control"}}}"#], Allowed, "allows"),
    (
        &["{}", r#"{"Effect":"Deny","Condition":{"StringNotEquals":{"s3:x-amz-acl":"bucket-owner-full-control"}}}"#],
        Allowed,
        "statement 1",
    ),
    (
        &["{}", r#"{"Effect":"Deny","Condition":{"StringNotEquals":{"aws:SourceAccount":"222222222222"}}}"#],
        Denied,
        "statement 2 denies",
    ),
    (
        &["{}", r#"{"Effect":"Deny","Condition":{"StringNotLike":{"aws:SourceAccount":["22*","11*"]}}}"#],
        Allowed,
        "statement 1",
    ),
    // Conditions: ARNs, segment by segment.
    (&[r#"{"Condition":{"ArnLike":{"aws:SourceArn":"arn:aws:s3:::*"}}}"#], Allowed, "allows"),
    (&[r#"{"Condition":{"ArnEquals":{"aws:SourceArn":"arn:aws:s3:::s?c"}}}"#], Allowed, "allows"),
    (
        &[r#"{"Condition":{"ArnLike":{"aws:SourceArn":"arn:aws:s3:::source"}}}"#],
        Denied,
        "the delivery has arn:aws:s3:::src",
    ),
    (&[r#"{"Condition":{"ArnLike":{"aws:SourceArn":"arn:*"}}}"#], Undecidable, "not an ARN of six segments"),
    (
        &["{}", r#"{"Effect":"Deny","Condition":{"ArnNotLike":{"aws:SourceArn":"arn:aws:s3:::src"}}}"#],
        Allowed,
        "statement 1",
    ),
    (
        &["{}", r#"{"Effect":"Deny","Condition":{"ArnNotEquals":{"aws:SourceArn":"arn:aws:s3:::other"}}}"#],
        Denied,
        "statement 2 denies",
    ),
    // All operators and keys must hold.
    (
        &[r#"{"Condition":{"StringEquals":{"aws:SourceAccount":"111111111111","s3:x-amz-acl":"private"}}}"#],
        Denied,
        "asks for private",
    ),
    (
        &[
            r#"{"Condition":{"StringEquals":{"aws:SourceAccount":"111111111111"},"ArnLike":{"aws:SourceArn":"arn:aws:s3:::x"}}}"#,
        ],
        Denied,
        "ArnLike",
    ),
    // Bool and Null.
    (
        &[
            "{}",
            r#"{"Effect":"Deny","Principal":"*","Action":"s3:*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}"#,
        ],
        Allowed,
        "statement 1",
    ),
    (&[r#"{"Condition":{"Bool":{"aws:SecureTransport":true}}}"#], Allowed, "allows"),
    (
        &["{}", r#"{"Effect":"Deny","Condition":{"Bool":{"aws:PrincipalIsAWSService":"false"}}}"#],
        Allowed,
        "statement 1",
    ),
    (&["{}", r#"{"Effect":"Deny","Condition":{"Null":{"aws:SourceAccount":"true"}}}"#], Allowed, "statement 1"),
    (
        &["{}", r#"{"Effect":"Deny","Condition":{"Null":{"s3:x-amz-server-side-encryption":"true"}}}"#],
        Allowed,
        "statement 1",
    ),
    (&[r#"{"Condition":{"Null":{"aws:PrincipalOrgID":"true"}}}"#], Allowed, "allows"),
    (&[r#"{"Condition":{"Null":{"aws:PrincipalOrgID":"false"}}}"#], Denied, "asks for the contrary"),
    // Keys that the delivery lacks.
    (&[r#"{"Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-1"}}}"#], Denied, "the delivery lacks it"),
    (&[r#"{"Condition":{"StringEqualsIfExists":{"aws:PrincipalOrgID":"o-1"}}}"#], Allowed, "allows"),
    (
        &["{}", r#"{"Effect":"Deny","Condition":{"StringNotEquals":{"aws:PrincipalOrgID":"o-1"}}}"#],
        Denied,
        "statement 2 denies",
    ),
    (
        &[
            "{}",
            r#"{"Effect":"Deny","Condition":{"StringNotEquals":{"aws:PrincipalOrgID":"o-1"},"Bool":{"aws:PrincipalIsAWSService":"false"}}}"#,
        ],
        Allowed,
        "statement 1",
    ),
    (
        &["{}", r#"{"Effect":"Deny","Condition":{"StringNotEqualsIfExists":{"aws:SourceVpce":"vpce-1"}}}"#],
        Denied,
        "statement 2 denies",
    ),
    (
        &["{}", r#"{"Effect":"Deny","Condition":{"StringEquals":{"aws:PrincipalTag/team":"x"}}}"#],
        Allowed,
        "statement 1",
    ),
    // Sets.
    (&[r#"{"Condition":{"ForAllValues:StringEquals":{"aws:PrincipalOrgPaths":"o-1/r"}}}"#], Allowed, "allows"),
    (
        &[r#"{"Condition":{"ForAnyValue:StringEquals":{"aws:PrincipalOrgPaths":"o-1/r"}}}"#],
        Denied,
        "the delivery lacks it",
    ),
    (&[r#"{"Condition":{"ForAllValues:StringLike":{"aws:SourceAccount":["1*","2*"]}}}"#], Allowed, "allows"),
    (
        &[r#"{"Condition":{"ForAnyValue:StringLike":{"aws:SourceAccount":"2*"}}}"#],
        Denied,
        "the delivery has 111111111111",
    ),
    (
        &[r#"{"Condition":{"ForAnyValue:StringEqualsIfExists":{"aws:PrincipalOrgID":"o-1"}}}"#],
        Undecidable,
        "IAM does not say",
    ),
    // Encryption as the configuration asks for it.
    (
        &["{}", r#"{"Effect":"Deny","Condition":{"StringNotEquals":{"s3:x-amz-server-side-encryption":"aws:kms"}}}"#],
        Allowed,
        "statement 1",
    ),
    (
        &["{}", r#"{"Effect":"Deny","Condition":{"StringNotEquals":{"s3:x-amz-server-side-encryption":"AES256"}}}"#],
        Denied,
        "statement 2 denies",
    ),
    (
        &[
            "{}",
            r#"{"Effect":"Deny","Condition":{"StringNotLikeIfExists":{"s3:x-amz-server-side-encryption-aws-kms-key-id":"*:key/k"}}}"#,
        ],
        Allowed,
        "statement 1",
    ),
    // What is not known is not guessed.
    (
        &[r#"{"Condition":{"StringEquals":{"aws:SourceOrgID":"o-1"}}}"#],
        Undecidable,
        "the delivery's aws:SourceOrgID is not known",
    ),
    (
        &["{}", r#"{"Effect":"Deny","Condition":{"NotIpAddress":{"aws:SourceIp":"192.0.2.0/24"}}}"#],
        Undecidable,
        "aws:SourceIp is not known",
    ),
    (
        &["{}", r#"{"Effect":"Deny","Condition":{"DateGreaterThan":{"aws:CurrentTime":"2030-01-01T00:00:00Z"}}}"#],
        Undecidable,
        "aws:CurrentTime is not known",
    ),
    (
        &["{}", r#"{"Effect":"Deny","Condition":{"NumericLessThan":{"s3:TlsVersion":1.2}}}"#],
        Undecidable,
        "s3:TlsVersion is not known",
    ),
    (
        &[r#"{"Condition":{"StringMatches":{"aws:SourceAccount":"1"}}}"#],
        Undecidable,
        "operator StringMatches is not known",
    ),
    (&[r#"{"Condition":{"NumericEquals":{"aws:SourceAccount":"111111111111"}}}"#], Undecidable, "are not compared"),
    (&[r#"{"Condition":{"StringEquals":{"aws:SourceOrgID":"o-1"}}}"#, "{}"], Allowed, "statement 2 allows it"),
    (
        &[
            "{}",
            r#"{"Effect":"Deny","Action":"s3:GetObject","Condition":{"IpAddress":{"aws:SourceIp":"192.0.2.0/24"}}}"#,
        ],
        Allowed,
        "statement 1",
    ),
    (
        &[r#"{"Effect":"Deny","Condition":{"IpAddress":{"aws:SourceIp":"192.0.2.0/24"}}}"#],
        Denied,
        "no statement allows it",
    ),
    // Variables.
    (
        &[
            r#"{"Resource":"arn:aws:s3:::dst/p/src/*","Condition":{"StringEquals":{"aws:SourceAccount":"${aws:SourceAccount}"}}}"#,
        ],
        Allowed,
        "allows",
    ),
    (&[r#"{"Resource":"arn:aws:s3:::dst/${aws:PrincipalServiceName}/*"}"#], Denied, "its Resource"),
    (&[r#"{"Resource":"arn:aws:s3:::dst/${aws:username}/*"}"#], Undecidable, "aws:username"),
    (&[r#"{"Resource":"arn:aws:s3:::dst/${aws:username, 'p'}/*"}"#], Allowed, "allows"),
    (&[r#"{"Resource":"arn:aws:s3:::dst/${*}"}"#], Denied, "its Resource"),
    (&[r#"{"Resource":"arn:aws:s3:::dst/${aws:username"}"#], Undecidable, "has no end"),
    // A star that stands for its segment of a condition does not reach over a colon.
    (&[r#"{"Condition":{"ArnLike":{"aws:SourceArn":"arn:aws:s3:*:*:src"}}}"#], Allowed, "allows"),
    (&[r#"{"Condition":{"ArnLike":{"aws:SourceArn":"arn:aws:*:::src"}}}"#], Allowed, "allows"),
    (&[r#"{"Condition":{"StringLike":{"aws:SourceArn":"arn:*:src"}}}"#], Allowed, "allows"),
];

#[test]
fn bucket_policies() {
    assert!(BUCKET.len() >= 60);
    for (statements, decision, reason) in BUCKET {
        let verdict = encrypted().check_destination(&policy(false, "2012-10-17", statements));
        assert_verdict(&verdict, *decision, reason, statements);
    }
}

/// Cases of the key's policy.
const KEYS: &[Case] = &[
    (&["{}"], Allowed, "allows"),
    (&[r#"{"Action":"kms:GenerateDataKey*"}"#], Allowed, "allows"),
    (
        &[
            r#"{"Condition":{"StringEquals":{"aws:SourceAccount":"111111111111"},"ArnLike":{"aws:SourceARN":"arn:aws:s3:::src"}}}"#,
        ],
        Allowed,
        "allows",
    ),
    (&[r#"{"Action":"kms:*","Principal":{"AWS":"arn:aws:iam::222222222222:root"}}"#], Denied, "not the service"),
    (&[r#"{"Action":["kms:Encrypt","kms:Decrypt"]}"#], Denied, "the delivery needs kms:GenerateDataKey"),
    (&[r#"{"Action":"kms:GenerateDataKeyWithoutPlaintext"}"#], Denied, "its Action"),
    (&[r#"{"Resource":"arn:aws:kms:eu-west-1:222222222222:key/k"}"#], Allowed, "allows"),
    (&[r#"{"Resource":"arn:aws:kms:eu-west-1:222222222222:key/other"}"#], Denied, "its Resource"),
    (
        &[r#"{"Condition":{"StringEquals":{"kms:ViaService":"s3.eu-west-1.amazonaws.com"}}}"#],
        Undecidable,
        "kms:ViaService is not known",
    ),
    (
        &[r#"{"Condition":{"StringLike":{"kms:EncryptionContext:aws:s3:arn":"arn:aws:s3:::dst/*"}}}"#],
        Undecidable,
        "not known",
    ),
    (
        &[
            "{}",
            r#"{"Effect":"Deny","Principal":"*","Action":"kms:*","Condition":{"StringNotEquals":{"aws:SourceAccount":"111111111111"}}}"#,
        ],
        Allowed,
        "statement 1",
    ),
    (&["{}", r#"{"Effect":"Deny","Principal":"*","NotAction":"kms:Describe*"}"#], Denied, "statement 2 denies"),
];

#[test]
fn key_policies() {
    for (statements, decision, reason) in KEYS {
        let verdict = encrypted().check_key(&policy(true, "2012-10-17", statements), None);
        assert_verdict(&verdict, *decision, reason, statements);
    }
    // A key that is not named by its ARN is known to its own policy as `*`.
    let unnamed = delivery(r#","Encryption":{"SSEKMS":{"KeyId":"k"}}"#);
    let named = &[r#"{"Resource":"arn:aws:kms:eu-west-1:222222222222:key/k"}"#];
    assert_verdict(&unnamed.check_key(&policy(true, "2012-10-17", &["{}"]), None), Allowed, "allows", &"star");
    assert_verdict(&unnamed.check_key(&policy(true, "2012-10-17", named), None), Undecidable, "ARN", &"unnamed");
    assert_verdict(&unnamed.check_key(&policy(true, "2012-10-17", named), Some(KEY)), Allowed, "allows", &"named");
}

#[test]
fn a_policy_of_2008_has_no_variables() {
    let statements = &[r#"{"Resource":"arn:aws:s3:::dst/${aws:username, 'p'}/*"}"#];
    let verdict = encrypted().check_destination(&policy(false, "2008-10-17", statements));
    assert_verdict(&verdict, Denied, "its Resource", &"2008");
}

#[test]
fn a_delivery_without_encryption_says_nothing_of_it() {
    let guard = r#"{"Effect":"Deny","Condition":{"StringNotEquals":{"s3:x-amz-server-side-encryption":"aws:kms"}}}"#;
    let verdict = delivery("").check_destination(&policy(false, "2012-10-17", &["{}", guard]));
    assert_verdict(&verdict, Denied, "statement 2 denies", &"none");
    let s3 = r#"{"Effect":"Deny","Condition":{"StringNotEquals":{"s3:x-amz-server-side-encryption":"AES256"}}}"#;
    let delivery = delivery(r#","Encryption":{"SSES3":{}}"#);
    assert_verdict(&delivery.check_destination(&policy(false, "2012-10-17", &["{}", s3])), Allowed, "allows", &"s3");
}

#[test]
fn what_is_told_is_known() {
    let organization =
        &[r#"{"Condition":{"StringEquals":{"aws:SourceOrgID":"o-1","aws:RequestedRegion":"eu-west-1"}}}"#];
    let told = encrypted().with_source_organization("o-1").with_region("eu-west-1");
    assert_verdict(&told.check_destination(&policy(false, "2012-10-17", organization)), Allowed, "allows", &"told");
    let owner = &[r#"{"Condition":{"StringEquals":{"aws:ResourceAccount":"222222222222"}}}"#];
    assert_verdict(&encrypted().check_destination(&policy(false, "2012-10-17", owner)), Allowed, "allows", &"owner");
}
