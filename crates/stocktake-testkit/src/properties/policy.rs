//! Policies of any bytes: read, evaluated, merged, without a panic and without losing a statement.

use super::fault;
use serde_json::Value;
use stocktake_config::{
    AccountId, InventoryConfiguration, Rules,
    policy::{Delivery, KeyPolicyDialect, Merged, PolicyDecision, PolicyDocument},
};
use stocktake_core::BucketName;

const CONFIGURATION: &[u8] = br#"{"Destination":{"S3BucketDestination":{"AccountId":"222222222222",
    "Bucket":"arn:aws:s3:::dst","Format":"CSV","Prefix":"p","Encryption":{"SSEKMS":{"KeyId":"k"}}}},"IsEnabled":true,
    "Id":"daily","IncludedObjectVersions":"All","Schedule":{"Frequency":"Daily"}}"#;

/// Any bytes are read as a policy, checked, and given the grant that they lack.
///
/// # Errors
/// If a statement is lost or changed, an answer has no reason, or a grant takes away what was allowed.
pub fn policy_is_decided(bytes: &[u8]) -> Result<(), String> {
    let Ok(mut policy) = PolicyDocument::parse(bytes) else { return Ok(()) };
    let before = statements(&policy)?;
    let again = PolicyDocument::parse(policy.to_json().as_bytes()).map_err(|error| fault("a policy")(&error))?;
    // The JSON library reads numbers with a fraction to the last digit but one.
    if again != policy && !before.iter().any(has_fraction) {
        return Err(format!("the policy {policy:?} became {again:?}"));
    }
    let delivery = delivery()?;
    let (put, key) = (delivery.check_destination(&policy), delivery.check_key(&policy, None));
    if put.reasons.is_empty() || key.reasons.is_empty() {
        return Err("an answer has no reason".to_owned());
    }
    for statement in [
        delivery.grant.destination_statement(),
        delivery.grant.key_statement(KeyPolicyDialect::Star2019),
        delivery.grant.key_statement(KeyPolicyDialect::Current),
    ] {
        policy.merge(&statement);
        if policy.merge(&statement) != Merged::Present {
            return Err("a merged statement is not found again".to_owned());
        }
    }
    let after = statements(&policy)?;
    if after.get(..before.len()) != Some(&before) {
        return Err(format!("the statements {before:?} became {after:?}"));
    }
    for (before, after) in [(put, delivery.check_destination(&policy)), (key, delivery.check_key(&policy, None))] {
        let worse = before.decision == PolicyDecision::Allowed && after.decision != PolicyDecision::Allowed;
        if worse || after.policy_to_add.is_some() {
            return Err(format!("with the grant, {before:?} became {after:?}"));
        }
    }
    Ok(())
}

fn delivery() -> Result<Delivery, String> {
    let document = InventoryConfiguration::parse(CONFIGURATION).map_err(|error| error.to_string())?;
    let valid = Rules::new().check(document).map_err(|error| error.to_string())?;
    let source = BucketName::try_new("src").map_err(|error| error.to_string())?;
    let account = AccountId::parse("111111111111", "account").map_err(|error| error.to_string())?;
    Ok(Delivery::new(valid, source, account))
}

fn statements(policy: &PolicyDocument) -> Result<Vec<Value>, String> {
    let mut json: Value = serde_json::from_str(&policy.to_json()).map_err(|error| fault("a policy")(&error))?;
    Ok(match json["Statement"].take() {
        Value::Array(statements) => statements,
        statement => vec![statement],
    })
}

fn has_fraction(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.is_f64(),
        Value::Array(values) => values.iter().any(has_fraction),
        Value::Object(members) => members.values().any(has_fraction),
        _ => false,
    }
}
