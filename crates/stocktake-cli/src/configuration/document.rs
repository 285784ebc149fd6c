//! `config validate`, `show` and `next-run`: a document by itself.

use super::{
    args::{FileArgs, NextRunArgs, RulesArgs, ShowArgs},
    read_file,
};
use crate::{
    choices::FormChoice,
    exit::{Failure, Outcome, json_line, put_out},
    machine,
};
use serde_json::json;
use std::path::Path;
use stocktake_config::{
    BucketKind, DOCUMENT_BYTES_MAX, DestinationEncryption, DocumentForm, Frequencies, InventoryConfiguration, Rules,
    S3Error, Schedule, ValidConfiguration,
};

/// Checks a document.
pub(super) fn validate(args: &FileArgs) -> Result<Outcome, Failure> {
    let (valid, form) = read_valid(args)?;
    let form = if form == DocumentForm::Xml { "XML" } else { "JSON" };
    let unknown = valid.columns().err().map(|error| error.to_string());
    put_out(&json_line(&json!({ "status": "valid", "id": valid.id().as_str(), "form": form, "note": unknown })))?;
    Ok(Outcome::Complete)
}

/// Prints a document, in one of its forms or member by member.
pub(super) fn show(args: &ShowArgs) -> Result<Outcome, Failure> {
    match args.form {
        Some(form) => {
            let document = read_document(&args.file.file)?.0;
            put_out(&(if form == FormChoice::Xml { document.to_xml() } else { document.to_json() } + "\n"))?;
        }
        None => put_out(&table(&read_valid(&args.file)?.0))?,
    }
    Ok(Outcome::Complete)
}

/// Prints due times, one on each line, and all of them as JSON.
pub(super) fn next_run(args: &NextRunArgs) -> Result<Outcome, Failure> {
    let (valid, _) = read_valid(&args.file)?;
    let since = match args.since {
        Some(since) => since,
        None => machine::now()?,
    };
    let schedule = Schedule::of(&valid).with_hour(args.hour);
    let due: Vec<_> = schedule.due_times(since).take(args.count as usize).map(|due| due.to_string()).collect();
    let lines: String = due.iter().map(|due| format!("{due}\n")).collect();
    put_out(&(lines + &json_line(&json!({ "id": valid.id().as_str(), "due": due }))))?;
    Ok(Outcome::Complete)
}

/// Reads a document from a file and checks it.
pub(super) fn read_valid(args: &FileArgs) -> Result<(ValidConfiguration, DocumentForm), Failure> {
    let (document, form) = read_document(&args.file)?;
    let valid = rules(&args.rules).check(document).map_err(|error| refused(&args.file, &error))?;
    Ok((valid, form))
}

/// Reads a document from a file.
pub(super) fn read_document(path: &Path) -> Result<(InventoryConfiguration, DocumentForm), Failure> {
    let text = read_file(path, DOCUMENT_BYTES_MAX)?;
    let document = InventoryConfiguration::parse(&text).map_err(|error| refused(path, &error))?;
    Ok((document, DocumentForm::of(&text)))
}

/// A refusal, with S3's code in front.
pub(super) fn refused(path: &Path, error: &S3Error) -> Failure {
    Failure::message(format!("{error} ({})", path.display()))
}

fn rules(args: &RulesArgs) -> Rules {
    let mut rules = Rules::new();
    if args.directory_bucket {
        rules = rules.with_bucket_kind(BucketKind::Directory);
    }
    if args.extended_frequencies {
        rules = rules.with_frequencies(Frequencies::Extended);
    }
    match &args.source_account {
        Some(account) => rules.with_source_account(account.clone()),
        None => rules,
    }
}

fn table(valid: &ValidConfiguration) -> String {
    let document = valid.document();
    let destination = &document.destination;
    let text = |text: &Option<String>| text.as_deref().unwrap_or("-").to_owned();
    let fields = document.optional_fields.as_deref().unwrap_or_default();
    let fields: Vec<_> = fields.iter().map(|field| field.name()).collect();
    let encryption = match &destination.encryption {
        None => "-".to_owned(),
        Some(DestinationEncryption::SseKms { key_id }) => format!("SSE-KMS {key_id}"),
        Some(_) => "SSE-S3".to_owned(),
    };
    let rows = [
        ("Id", document.id.clone()),
        ("IsEnabled", document.is_enabled.to_string()),
        ("Filter.Prefix", text(&document.filter_prefix)),
        ("Destination.Bucket", destination.bucket.clone()),
        ("Destination.AccountId", text(&destination.account_id)),
        ("Destination.Format", destination.format.name().to_owned()),
        ("Destination.Prefix", text(&destination.prefix)),
        ("Destination.Encryption", encryption),
        ("Schedule.Frequency", document.frequency.name().to_owned()),
        ("IncludedObjectVersions", format!("{:?}", document.versions)),
        ("OptionalFields", if fields.is_empty() { "-".to_owned() } else { fields.join(", ") }),
    ];
    rows.iter().map(|(name, value)| format!("{name:<24}{}\n", crate::exit::shown(value))).collect()
}
