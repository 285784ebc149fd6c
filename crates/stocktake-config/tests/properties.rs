//! Round trips of random configurations, lists and policies: nothing of a value is lost in either form.
#![expect(clippy::unwrap_used, reason = "what cannot be unwrapped fails the test, in its helpers too")]

use proptest::{
    collection::vec,
    option,
    prelude::*,
    sample::select,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use stocktake_config::{
    AccountId, BucketArn, ConfigurationList, DestinationEncryption, Frequency, InventoryConfiguration,
    InventoryDestination, OptionalField, PageToken, Rules,
    policy::{Grant, KeyPolicyDialect, Merged, PolicyDocument},
};
use stocktake_core::{FileFormat, Versions};

/// The same random cases every time.
fn check<S: Strategy>(strategy: S, property: impl Fn(S::Value)) {
    let config = Config { cases: 512, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let outcome = runner.run(&strategy, |value| {
        property(value);
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
}

/// Any text but one with U+0000, which XML cannot hold: white space, control characters, mark-up and what stands beyond
/// the Basic Multilingual Plane.
fn any_text() -> impl Strategy<Value = String> {
    let odd = select(vec![
        '\u{1}',
        '\t',
        '\n',
        '\r',
        ' ',
        '<',
        '>',
        '&',
        '"',
        '\'',
        ']',
        '\u{85}',
        '\u{2028}',
        '\u{fffe}',
        '\u{1f600}',
    ]);
    vec(prop_oneof![odd, any::<char>().prop_filter("not in XML", |c| *c != '\0')], 0..12)
        .prop_map(|characters| characters.into_iter().collect())
}

fn encryption() -> impl Strategy<Value = DestinationEncryption> {
    prop_oneof![Just(DestinationEncryption::SseS3), any_text().prop_map(kms)]
}

fn kms(key_id: String) -> DestinationEncryption {
    // The variant is not built by name outside of its crate.
    let mut document = configuration_of("x");
    let text = serde_json::to_string(&key_id).unwrap();
    let json = document
        .to_json()
        .replace("\"Format\"", &format!("\"Encryption\":{{\"SSEKMS\":{{\"KeyId\":{text}}}}},\"Format\""));
    document = InventoryConfiguration::parse(json.as_bytes()).unwrap();
    document.destination.encryption.unwrap()
}

fn configuration_of(id: &str) -> InventoryConfiguration {
    InventoryConfiguration::new(id, InventoryDestination::new("arn:aws:s3:::b", FileFormat::Csv), Frequency::Daily)
}

fn configuration() -> impl Strategy<Value = InventoryConfiguration> {
    let destination = (
        option::of(any_text()),
        any_text(),
        select(vec![FileFormat::Csv, FileFormat::Orc, FileFormat::Parquet]),
        option::of(any_text()),
        option::of(encryption()),
    );
    let rest = (
        any_text(),
        any::<bool>(),
        option::of(any_text()),
        select(Frequency::ALL.to_vec()),
        select(vec![Versions::All, Versions::Current]),
        option::of(vec(any_text(), 0..4)),
    );
    (destination, rest).prop_map(|((account_id, bucket, format, prefix, encryption), rest)| {
        let (id, is_enabled, filter_prefix, frequency, versions, fields) = rest;
        let mut destination = InventoryDestination::new(bucket, format);
        (destination.account_id, destination.prefix, destination.encryption) = (account_id, prefix, encryption);
        let mut configuration = InventoryConfiguration::new(id, destination, frequency);
        (configuration.is_enabled, configuration.filter_prefix) = (is_enabled, filter_prefix);
        configuration.versions = versions;
        configuration.optional_fields = fields.map(|names| names.into_iter().map(OptionalField::new).collect());
        configuration
    })
}

#[test]
fn configurations_survive_xml_and_json() {
    check(configuration(), |configuration| {
        let (xml, json) = (configuration.to_xml(), configuration.to_json());
        assert_eq!(InventoryConfiguration::parse(xml.as_bytes()).unwrap(), configuration, "{xml}");
        assert_eq!(InventoryConfiguration::parse(json.as_bytes()).unwrap(), configuration, "{json}");
    });
}

#[test]
fn lists_survive_xml_and_json() {
    let list = (vec(configuration(), 0..4), option::of(any_text()), option::of(any_text()), any::<bool>());
    check(list, |(configurations, token, next, truncated)| {
        let mut list = ConfigurationList::page(token, configurations);
        (list.next_continuation_token, list.is_truncated) = (next, truncated);
        assert_eq!(ConfigurationList::from_xml(list.to_xml().as_bytes()).unwrap(), list);
        assert_eq!(ConfigurationList::from_json(list.to_json().as_bytes()).unwrap(), list);
    });
}

#[test]
fn what_the_rules_accept_keeps_its_document() {
    let names = "[a-z0-9.-]{1,20}";
    check((configuration(), names), |(mut configuration, name)| {
        configuration.id = name.clone();
        configuration.destination.bucket = format!("arn:aws:s3:::{name}");
        if let Ok(valid) = Rules::new().check(configuration.clone()) {
            assert_eq!(valid.document(), &configuration);
            assert!(!valid.destination_prefix().as_str().ends_with('/'));
        }
    });
}

#[test]
fn pages_hold_every_configuration_once() {
    check(0usize..450, |count| {
        let ids: Vec<_> = (0..count).map(|number| format!("{number:05}")).collect();
        let (mut seen, mut token) = (Vec::new(), None::<String>);
        loop {
            let after = token.as_deref().map(|token| PageToken::parse(token).unwrap());
            let following = ids.iter().filter(|id| after.as_ref().is_none_or(|after| id.as_str() > after.id()));
            let page = ConfigurationList::page(token, following.map(|id| configuration_of(id)));
            assert!(page.configurations.len() <= 100);
            assert_eq!(page.is_truncated, page.next_continuation_token.is_some());
            seen.extend(page.configurations.into_iter().map(|configuration| configuration.id));
            token = page.next_continuation_token;
            if token.is_none() {
                break;
            }
        }
        assert_eq!(seen, ids);
    });
}

#[test]
fn merging_loses_no_statement() {
    let statement = (any_text(), any::<bool>(), "[a-z]{1,8}", option::of(any_text()));
    check((vec(statement, 0..6), any::<bool>(), 0..3usize), |(statements, versioned, dialect)| {
        let statements: Vec<_> = statements
            .into_iter()
            .map(|(sid, allow, action, account)| {
                let mut statement = serde_json::json!({
                    "Sid": sid, "Effect": if allow { "Allow" } else { "Deny" }, "Principal": "*",
                    "Action": [format!("s3:{action}")], "Resource": "*",
                });
                if let Some(account) = account {
                    statement["Condition"] = serde_json::json!({ "StringEquals": { "aws:SourceAccount": account } });
                }
                statement
            })
            .collect();
        let mut before = serde_json::json!({ "Id": "x", "Statement": statements });
        if versioned {
            before["Version"] = "2012-10-17".into();
        }
        let mut policy = PolicyDocument::parse(before.to_string().as_bytes()).unwrap();
        let bucket = |name: &str| BucketArn::parse(&format!("arn:aws:s3:::{name}"), "x").unwrap();
        let grant = Grant::new(bucket("s"), AccountId::parse("111111111111", "x").unwrap(), bucket("d"));
        let dialects = [KeyPolicyDialect::Star2019, KeyPolicyDialect::Unconditional2020, KeyPolicyDialect::Current];
        for added in [grant.destination_statement(), grant.key_statement(dialects[dialect])] {
            assert_eq!(policy.merge(&added), Merged::Added);
            assert_eq!(policy.merge(&added), Merged::Present);
        }
        let mut after: serde_json::Value = serde_json::from_str(&policy.to_json()).unwrap();
        let all = after["Statement"].as_array().unwrap().clone();
        assert_eq!((all.len(), &all[..statements.len()]), (statements.len() + 2, statements.as_slice()));
        after["Statement"] = statements.into();
        assert_eq!(after, before);
    });
}
