//! Inventory configurations against s3s: what we write its generated types read, what they write we read, member by member.
//!
//! Every combination of formats, frequencies, versions, encryptions and of what may be absent, singly and in list replies.

use s3s::{
    dto,
    xml::{Deserialize, Deserializer, Serialize, Serializer},
};
use std::process::ExitCode;
use stocktake_config::{
    ConfigurationList, Frequency, InventoryConfiguration, InventoryDestination, OptionalField,
};
use stocktake_core::{FIELDS, FileFormat, Versions};

const ODD: &str = "a & b <c> \"d\" 'e'/übergröße/日本/😀";

fn main() -> ExitCode {
    match check() {
        Ok(count) => {
            println!("{count} configurations, both ways, singly and in lists: no differences from s3s");
            ExitCode::SUCCESS
        }
        Err(difference) => {
            eprintln!("{difference}");
            ExitCode::FAILURE
        }
    }
}

fn check() -> Result<usize, String> {
    let all = configurations()?;
    for ours in &all {
        let theirs: dto::InventoryConfiguration = read(&ours.to_xml())?;
        compare(ours, &theirs)?;
        let back = InventoryConfiguration::from_xml(&write(&theirs)?).map_err(|error| error.to_string())?;
        same("a configuration that s3s wrote", &back, ours)?;
    }
    for page in all.chunks(100) {
        let ours = ConfigurationList::page(Some("1ab".into()), page.iter().cloned());
        let theirs: dto::ListBucketInventoryConfigurationsOutput = read(&ours.to_xml())?;
        let listed = theirs.inventory_configuration_list.as_deref().unwrap_or_default();
        same("the length of a list", &listed.len(), &page.len())?;
        page.iter().zip(listed).try_for_each(|(ours, theirs)| compare(ours, theirs))?;
        same("IsTruncated", &theirs.is_truncated, &Some(ours.is_truncated))?;
        same("ContinuationToken", &theirs.continuation_token, &ours.continuation_token)?;
        same("NextContinuationToken", &theirs.next_continuation_token, &ours.next_continuation_token)?;
        let back = ConfigurationList::from_xml(&write(&theirs)?).map_err(|error| error.to_string())?;
        same("a list that s3s wrote", &back, &ours)?;
    }
    Ok(all.len())
}

fn configurations() -> Result<Vec<InventoryConfiguration>, String> {
    let mut all = Vec::new();
    let names: Vec<_> = FIELDS.iter().filter_map(|info| info.option_name).collect();
    let encryptions = ["", r#","Encryption":{"SSES3":{}}"#, r#","Encryption":{"SSEKMS":{"KeyId":"k"}}"#];
    for (number, format) in [FileFormat::Csv, FileFormat::Orc, FileFormat::Parquet].into_iter().enumerate() {
        for frequency in [Frequency::Daily, Frequency::Weekly] {
            for versions in [Versions::All, Versions::Current] {
                for encryption in encryptions {
                    for present in 0..8 {
                        let plain = InventoryDestination::new("arn:aws:s3:::b", format);
                        let plain = InventoryConfiguration::new(format!("c{number}-{present}"), plain, frequency);
                        // Encryption is set by way of JSON, the one form in which its variants are written out.
                        let json = plain.to_json().replacen("\"Format\"", &format!("{}\"Format\"", after(encryption)), 1);
                        let mut made =
                            InventoryConfiguration::from_json(json.as_bytes()).map_err(|error| error.to_string())?;
                        made.versions = versions;
                        made.is_enabled = present % 2 == 0;
                        made.filter_prefix = (present & 1 != 0).then(|| ODD.to_owned());
                        made.destination.prefix = (present & 2 != 0).then(|| "p/q".to_owned());
                        made.destination.account_id = (present & 4 != 0).then(|| "123456789012".to_owned());
                        let chosen = names.iter().skip(present).map(|name| OptionalField::new(*name));
                        made.optional_fields = (present != 7).then(|| chosen.collect());
                        all.push(made);
                    }
                }
            }
        }
    }
    Ok(all)
}

/// The member with its comma behind it.
fn after(member: &str) -> String {
    member.strip_prefix(',').map(|member| format!("{member},")).unwrap_or_default()
}

fn compare(ours: &InventoryConfiguration, theirs: &dto::InventoryConfiguration) -> Result<(), String> {
    let (destination, other) = (&ours.destination, &theirs.destination.s3_bucket_destination);
    same("Id", &theirs.id, &ours.id)?;
    same("IsEnabled", &theirs.is_enabled, &ours.is_enabled)?;
    same("Filter", &theirs.filter.as_ref().map(|filter| filter.prefix.clone()), &ours.filter_prefix)?;
    same("Frequency", &theirs.schedule.frequency.as_str(), &ours.frequency.name())?;
    same("IncludedObjectVersions", &theirs.included_object_versions.as_str(), &format!("{:?}", ours.versions).as_str())?;
    let names = |fields: &[OptionalField]| fields.iter().map(|field| field.name().to_owned()).collect::<Vec<_>>();
    let fields = theirs.optional_fields.as_ref().map(|list| list.iter().map(|field| field.as_str().to_owned()).collect());
    same("OptionalFields", &fields, &ours.optional_fields.as_deref().map(names))?;
    same("AccountId", &other.account_id, &destination.account_id)?;
    same("Bucket", &other.bucket, &destination.bucket)?;
    same("Format", &other.format.as_str(), &destination.format.name())?;
    same("Prefix", &other.prefix, &destination.prefix)?;
    let json = ours.to_json();
    let encryption = other.encryption.as_ref();
    same("SSE-S3", &encryption.is_some_and(|e| e.sses3.is_some()), &json.contains("\"SSES3\""))?;
    same("SSE-KMS", &encryption.is_some_and(|e| e.ssekms.is_some()), &json.contains("\"SSEKMS\""))?;
    let key = encryption.and_then(|e| e.ssekms.as_ref()).is_none_or(|kms| kms.key_id == "k");
    same("KeyId", &key, &true)
}

fn read<T: for<'xml> Deserialize<'xml>>(xml: &str) -> Result<T, String> {
    let mut deserializer = Deserializer::new(xml.as_bytes());
    let value = T::deserialize(&mut deserializer).map_err(|error| format!("s3s does not read {xml}: {error}"))?;
    deserializer.expect_eof().map_err(|error| format!("s3s does not read the end of {xml}: {error}"))?;
    Ok(value)
}

fn write<T: Serialize>(value: &T) -> Result<Vec<u8>, String> {
    let mut xml = Vec::new();
    value.serialize(&mut Serializer::new(&mut xml)).map_err(|error| error.to_string())?;
    Ok(xml)
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, found: &T, wanted: &T) -> Result<(), String> {
    if found == wanted { Ok(()) } else { Err(format!("{what} is {found:?} instead of {wanted:?}")) }
}
