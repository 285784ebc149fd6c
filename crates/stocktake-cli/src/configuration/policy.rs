//! `policy destination`, `kms` and `check`.

use super::{
    args::{CheckArgs, DeliveryArgs, GrantArgs, PolicyVerb},
    document::{read_document, refused},
    read_file,
};
use crate::{
    exit::{Failure, Outcome, json_line, put_out, shown},
    s3,
};
use serde_json::{Value, json};
use std::path::Path;
use stocktake_config::{
    Frequencies, Preflight, Rules, ValidConfiguration,
    policy::{Delivery, POLICY_BYTES_MAX, PolicyDecision, PolicyDocument, PolicyStatement, Verdict},
};

/// `stocktake policy`.
///
/// # Errors
/// If a configuration or a policy cannot be read.
pub(crate) fn policy(verb: &PolicyVerb) -> Result<Outcome, Failure> {
    match verb {
        PolicyVerb::Destination(args) => {
            let (delivery, configuration) = delivery(&args.grant.delivery)?;
            let statement = delivery.grant.destination_statement();
            if args.apply {
                let bucket = configuration.destination_bucket().bucket();
                return apply(s3::policy_client(&args.s3, bucket)?, &statement);
            }
            print(&args.grant, &statement)
        }
        PolicyVerb::Kms(args) => {
            let delivery = delivery(&args.grant.delivery)?.0;
            print(&args.grant, &delivery.grant.key_statement(args.dialect.into()))
        }
        PolicyVerb::Check(args) => check(args),
    }
}

fn print(args: &GrantArgs, statement: &PolicyStatement) -> Result<Outcome, Failure> {
    let mut policy = match &args.merge {
        Some(path) => read_policy(path)?,
        None => PolicyDocument::new(),
    };
    policy.merge(statement);
    put_out(&(policy.to_json() + "\n"))?;
    Ok(Outcome::Complete)
}

/// Merges into the policy that the bucket has, and looks whether it then has it: a policy has no version to put it under.
fn apply(bucket: s3::PolicyClient, statement: &PolicyStatement) -> Result<Outcome, Failure> {
    let read = || {
        let text = bucket.read()?;
        let parsed = text.map_or_else(|| Ok(PolicyDocument::new()), |text| PolicyDocument::parse(text.as_bytes()));
        parsed.map_err(|error| Failure::failed("the policy of the bucket", &error))
    };
    let mut policy = read()?;
    let before = policy.to_json();
    policy.merge(statement);
    let merged = policy.to_json();
    if merged != before {
        bucket.put(&merged)?;
        let mut after = read()?;
        let stored = after.to_json();
        after.merge(statement);
        if after.to_json() != stored {
            return Err(Failure::message(
                "the policy was put, but the bucket does not have its statement; was it changed meanwhile?",
            ));
        }
    }
    put_out(&(merged + "\n"))?;
    Ok(Outcome::Complete)
}

fn check(args: &CheckArgs) -> Result<Outcome, Failure> {
    let (mut delivery, configuration) = delivery(&args.delivery)?;
    let mut preflight = Preflight::new();
    if let Some(region) = &args.region {
        delivery = delivery.with_region(region);
        preflight = preflight.with_regions(region, args.destination_region.as_ref().unwrap_or(region));
    }
    if let Some(organization) = &args.organization {
        delivery = delivery.with_source_organization(organization);
    }
    let policy = args.policy.as_deref().map_or_else(|| Ok(PolicyDocument::new()), read_policy)?;
    let destination = delivery.check_destination(&policy);
    let mut lines = told("destination bucket", &destination);
    let mut answers = vec![&destination];
    let key;
    if let Some(path) = &args.key_policy {
        key = delivery.check_key(&read_policy(path)?, args.key_arn.as_deref());
        lines += &told("key", &key);
        answers.push(&key);
    }
    let findings: Vec<_> = preflight.findings(&configuration).iter().map(ToString::to_string).collect();
    for finding in &findings {
        lines += &format!("preflight: {finding}\n");
    }
    let allowed = findings.is_empty() && answers.iter().all(|verdict| verdict.decision == PolicyDecision::Allowed);
    let summary = json!({
        "status": if allowed { "allowed" } else { "not allowed" },
        "destination": json_of(&destination),
        "key": answers.get(1).map(|key| json_of(key)),
        "preflight": findings,
    });
    put_out(&(lines + &json_line(&summary)))?;
    Ok(if allowed { Outcome::Complete } else { Outcome::Differences })
}

fn told(of: &str, verdict: &Verdict) -> String {
    let mut lines = format!("{of}: {}\n", word(verdict.decision));
    for reason in &verdict.reasons {
        lines += &format!("  {}\n", shown(reason));
    }
    if let Some(missing) = &verdict.policy_to_add {
        lines += &format!("  this would grant it:\n{missing}\n");
    }
    lines
}

fn json_of(verdict: &Verdict) -> Value {
    // What was made as JSON reads as JSON.
    let missing = verdict.policy_to_add.as_ref().and_then(|text| serde_json::from_str::<Value>(text).ok());
    json!({ "decision": word(verdict.decision), "reasons": verdict.reasons, "policy_to_add": missing })
}

const fn word(decision: PolicyDecision) -> &'static str {
    match decision {
        PolicyDecision::Allowed => "allowed",
        PolicyDecision::Denied => "denied",
        PolicyDecision::Undecidable => "undecidable",
    }
}

fn delivery(args: &DeliveryArgs) -> Result<(Delivery, ValidConfiguration), Failure> {
    let (document, _) = read_document(&args.config)?;
    let rules = Rules::new().with_frequencies(Frequencies::Extended).with_source_account(args.account.clone());
    let configuration = rules.check(document).map_err(|error| refused(&args.config, &error))?;
    Ok((Delivery::new(configuration.clone(), args.bucket.clone(), args.account.clone()), configuration))
}

fn read_policy(path: &Path) -> Result<PolicyDocument, Failure> {
    let text = read_file(path, POLICY_BYTES_MAX)?;
    PolicyDocument::parse(&text).map_err(|error| Failure::failed(&format!("the policy {}", path.display()), &error))
}
