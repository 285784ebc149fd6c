//! Policies made, merged, and refused.

use super::{
    table::{delivery, encrypted},
    *,
};
use crate::{AccountId, BucketArn};

fn grant() -> Grant {
    let arn = |text| BucketArn::parse(text, "x").unwrap();
    Grant::new(arn("arn:aws:s3:::src"), AccountId::parse("111111111111", "x").unwrap(), arn("arn:aws:s3:::dst"))
}

#[test]
fn the_destination_statement_is_that_of_the_guide() {
    assert_eq!(
        grant().destination_statement().to_document().to_json(),
        r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "InventoryAndAnalyticsExamplePolicy",
      "Effect": "Allow",
      "Principal": {
        "Service": "s3.amazonaws.com"
      },
      "Action": "s3:PutObject",
      "Resource": "arn:aws:s3:::dst/*",
      "Condition": {
        "ArnLike": {
          "aws:SourceArn": "arn:aws:s3:::src"
        },
        "StringEquals": {
          "aws:SourceAccount": "111111111111",
          "s3:x-amz-acl": "bucket-owner-full-control"
        }
      }
    }
  ]
}"#
    );
}

#[test]
fn every_dialect_lets_the_delivery_in() {
    for (dialect, action, conditional) in [
        (KeyPolicyDialect::Star2019, "\"kms:GenerateDataKey*\"", false),
        (KeyPolicyDialect::Unconditional2020, "\"kms:GenerateDataKey\"", false),
        (KeyPolicyDialect::Current, "\"kms:GenerateDataKey\"", true),
    ] {
        let document = grant().key_statement(dialect).to_document();
        let text = document.to_json();
        assert!(text.contains(action) && text.contains("\"Resource\": \"*\""), "{text}");
        assert_eq!(text.contains("aws:SourceARN") && text.contains("aws:SourceAccount"), conditional, "{text}");
        assert_eq!(encrypted().check_key(&document, None).decision, PolicyDecision::Allowed);
    }
}

#[test]
fn what_is_missing_is_said_and_mends_it() {
    let mut policy = PolicyDocument::parse(OTHERS.as_bytes()).unwrap();
    let verdict = delivery("").check_destination(&policy);
    assert_eq!(verdict.decision, PolicyDecision::Denied);
    let missing = verdict.policy_to_add.unwrap();
    assert_eq!(missing, grant().destination_statement().to_document().to_json());
    assert_eq!(policy.merge(&grant().destination_statement()), Merged::Added);
    let mended = delivery("").check_destination(&policy);
    assert_eq!((mended.decision, mended.policy_to_add), (PolicyDecision::Allowed, None));
    // An explicit Deny is not mended by a grant that is there.
    let denied = PolicyDocument::parse(
        br#"{"Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"},
            {"Effect":"Deny","Principal":"*","Action":"*","Resource":"*"}]}"#,
    );
    assert_eq!(delivery("").check_destination(&denied.unwrap()).policy_to_add, None);
    assert_eq!(delivery("").check_destination(&PolicyDocument::new()).decision, PolicyDecision::Denied);
}

const OTHERS: &str = r#"{
  "Id": "mine",
  "Version": "2008-10-17",
  "Statement": {
    "Resource": ["arn:aws:s3:::dst/*", "arn:aws:s3:::dst"],
    "Sid": "InventoryAndAnalyticsExamplePolicy",
    "Effect": "Deny",
    "Principal": {"AWS": "arn:aws:iam::333333333333:user/u"},
    "Action": "s3:*",
    "Condition": {"NumericLessThan": {"s3:TlsVersion": 1.2}}
  }
}"#;

#[test]
fn merging_keeps_every_member_in_its_place() {
    let mut policy = PolicyDocument::parse(OTHERS.as_bytes()).unwrap();
    let before = policy.to_json();
    assert_eq!(policy.merge(&grant().destination_statement()), Merged::Added);
    let after = policy.to_json();
    // The old statement stands as it was, one level deeper in a list.
    let statement = before.split_once("\"Statement\": ").unwrap().1.trim_end_matches("\n}").replace('\n', "\n  ");
    assert!(after.contains(&format!("[\n    {statement},\n")), "{after}");
    assert!(after.starts_with("{\n  \"Id\": \"mine\",\n  \"Version\": \"2008-10-17\","));
    assert!(after.contains("\"Sid\": \"InventoryAndAnalyticsExamplePolicy2\""));
    // Merged again, in whatever order and form of its members, nothing changes.
    assert_eq!(policy.merge(&grant().destination_statement()), Merged::Present);
    assert_eq!(policy.to_json(), after);
    let again = PolicyDocument::parse(after.as_bytes()).unwrap();
    assert_eq!(again, policy);
    let mut lists = PolicyDocument::parse(
        br#"{"Statement":[{"Action":["s3:PutObject"],"Effect":"Allow","Principal":{"Service":["s3.amazonaws.com"]},
        "Resource":["arn:aws:s3:::dst/*"],"Condition":{"StringEquals":{"s3:x-amz-acl":["bucket-owner-full-control"],
        "aws:SourceAccount":["111111111111"]},"ArnLike":{"aws:SourceArn":["arn:aws:s3:::src"]}}}]}"#,
    )
    .unwrap();
    assert_eq!(lists.merge(&grant().destination_statement()), Merged::Present);
}

#[test]
fn what_is_no_policy_is_refused_with_its_statement() {
    let ok = r#"{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}"#;
    let with = |from: &str, to: &str| format!(r#"{{"Statement":[{ok},{}]}}"#, ok.replace(from, to));
    for (text, reason) in [
        (String::new(), "not JSON"),
        ("[]".into(), "a list in place of an object"),
        ("{}".into(), "no Statement"),
        (r#"{"Statement":[],"Statement":[]}"#.into(), "stands twice"),
        (r#"{"Statement":[],"Versions":"x"}"#.into(), "unknown member \"Versions\""),
        (r#"{"Statement":[],"Version":"2020-01-01"}"#.into(), "neither 2012-10-17 nor 2008-10-17"),
        (r#"{"Statement":["x"]}"#.into(), "statement 1: is a text"),
        (with("Allow", "allow"), "statement 2: the Effect"),
        (with("\"Action\":\"*\"", "\"Action\":1"), "statement 2: Action holds a number"),
        (with("\"Action\":\"*\",", ""), "statement 2: has neither Action nor NotAction"),
        (with("\"Action\"", "\"NotAction\":\"*\",\"Action\""), "statement 2: has both"),
        (with("\"Principal\":\"*\",", ""), "statement 2: has neither Principal"),
        (with("\"Principal\":\"*\"", "\"Principal\":\"x\""), "statement 2: the Principal"),
        (with("\"Principal\":\"*\"", "\"Principal\":{\"User\":\"x\"}"), "unknown kind \"User\""),
        (with("\"Effect\"", "\"Extra\":1,\"Effect\""), "statement 2: has the unknown member \"Extra\""),
        (with("\"Effect\"", "\"Condition\":[],\"Effect\""), "statement 2: the Condition"),
        (with("\"Effect\"", "\"Condition\":{\"Bool\":{\"a\":[null]}},\"Effect\""), "the condition on a holds null"),
    ] {
        let error = PolicyDocument::parse(text.as_bytes()).unwrap_err().to_string();
        assert!(error.contains(reason), "{text}: {error}");
    }
    assert!(PolicyDocument::parse(&vec![b' '; POLICY_BYTES_MAX + 1]).is_err());
}
