//! Roles that are taken on: AssumeRole with keys of one's own, AssumeRoleWithWebIdentity with a token.
//!
//! Source: AWS Security Token Service API reference.

use super::{
    Credentials, KeySource, TemporaryKeys,
    origin::KeyServices,
    service::{Ask, Reach},
};
use crate::{
    client::{Scope, Signed, amz_date, authorization, now, payload_hash},
    encoding::push_encoded,
    settings::dns_suffix,
    xml,
};
use hyper::Method;
use std::{path::PathBuf, sync::Arc, time::Duration};
use stocktake_core::Timestamp;

/// Longest time of an exchange.
const TIMEOUT: Duration = Duration::from_secs(20);

/// Name of a session that has none.
const SESSION_NAME: &str = "stocktake";

/// A role, and how it is taken on.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Role {
    /// The role's ARN.
    pub arn: String,
    /// Name of the session. Default: `stocktake`.
    pub session_name: Option<String>,
    /// What the role's owner wants to be told.
    pub external_id: Option<String>,
    /// How long the keys hold. Default: as the service has it, an hour.
    pub duration_seconds: Option<u32>,
}

impl Role {
    /// A role, with defaults for the rest.
    pub fn new(arn: impl Into<String>) -> Self {
        Self { arn: arn.into(), session_name: None, external_id: None, duration_seconds: None }
    }

    fn parameters(&self, action: &str) -> Vec<(&'static str, String)> {
        let mut parameters = vec![
            ("Action", action.to_owned()),
            ("Version", "2011-06-15".to_owned()),
            ("RoleArn", self.arn.clone()),
            ("RoleSessionName", self.session_name.clone().unwrap_or_else(|| SESSION_NAME.to_owned())),
        ];
        parameters.extend(self.external_id.iter().map(|id| ("ExternalId", id.clone())));
        parameters.extend(self.duration_seconds.iter().map(|seconds| ("DurationSeconds", seconds.to_string())));
        parameters
    }
}

/// Keys of a role, for which other keys are signed by.
#[derive(Debug)]
pub(super) struct AssumedRole {
    pub(super) role: Role,
    pub(super) source: Arc<dyn KeySource>,
    pub(super) services: KeyServices,
}

impl KeySource for AssumedRole {
    fn fetch(&self) -> Result<TemporaryKeys, String> {
        let own = self.source.fetch()?.credentials;
        let body = form(&self.role.parameters("AssumeRole"));
        let keys = ask(&self.services, body, Some(&own));
        keys.map_err(|text| format!("the role {} cannot be assumed: {text}", self.role.arn))
    }
}

/// Keys of a role, for a token in a file, which whoever runs the container renews.
#[derive(Debug)]
pub(super) struct WebIdentity {
    pub(super) role: Role,
    pub(super) token_file: PathBuf,
    pub(super) services: KeyServices,
}

impl KeySource for WebIdentity {
    fn fetch(&self) -> Result<TemporaryKeys, String> {
        let token = std::fs::read_to_string(&self.token_file).map_err(|error| {
            format!("the web identity's token {} cannot be read: {error}", self.token_file.display())
        })?;
        let mut parameters = self.role.parameters("AssumeRoleWithWebIdentity");
        parameters.push(("WebIdentityToken", token.trim().to_owned()));
        let keys = ask(&self.services, form(&parameters), None);
        keys.map_err(|text| format!("the role {} cannot be assumed by the web identity: {text}", self.role.arn))
    }
}

fn form(parameters: &[(&str, String)]) -> String {
    let mut body = String::new();
    for (name, value) in parameters {
        body.push_str(if body.is_empty() { "" } else { "&" });
        body.push_str(name);
        body.push('=');
        push_encoded(&mut body, value, false);
    }
    body
}

fn ask(services: &KeyServices, body: String, own: Option<&Credentials>) -> Result<TemporaryKeys, String> {
    let region = services.region.as_deref().unwrap_or("us-east-1");
    let regional = || format!("https://sts.{region}.{}", dns_suffix(region));
    let url = services.sts_endpoint_url.clone().unwrap_or_else(regional);
    let url = format!("{}/", url.trim_end_matches('/'));
    let (host, path) = host_and_path(&url).ok_or_else(|| format!("{url:?} is no endpoint"))?;
    let mut headers = vec![
        ("content-type".to_owned(), "application/x-www-form-urlencoded; charset=utf-8".to_owned()),
        ("host".to_owned(), host.to_owned()),
    ];
    if let Some(own) = own {
        let date = amz_date(now());
        headers.push(("x-amz-date".to_owned(), date.clone()));
        headers.extend(own.session_token.iter().map(|token| ("x-amz-security-token".to_owned(), token.clone())));
        let payload_hash = payload_hash(body.as_bytes());
        let signed = Signed { method: "POST", path, query: "", headers: &headers, payload_hash: &payload_hash };
        let value = authorization(&signed, own, &Scope { region, service: "sts" }, &date);
        headers.push(("authorization".to_owned(), value));
    }
    let reach = Reach { ca_bundle: services.ca_bundle.clone() };
    let reply = reach.ask(Ask { method: Method::POST, url: url.clone(), headers, body, timeout: TIMEOUT })?;
    let text = |name| xml::text_of(&reply, name).filter(|text| !text.is_empty());
    let member = |name| text(name).ok_or_else(|| format!("the reply has no {name}"));
    let keys = Credentials::new(member("AccessKeyId")?, member("SecretAccessKey")?, Some(member("SessionToken")?));
    let expires_at = Timestamp::parse(&member("Expiration")?).map_err(|error| error.to_string())?;
    Ok(TemporaryKeys::new(keys, Some(expires_at)))
}

/// Host and path of a URL.
fn host_and_path(url: &str) -> Option<(&str, &str)> {
    let rest = url.split_once("://")?.1;
    let slash = rest.find('/')?;
    Some((&rest[..slash], &rest[slash..]))
}
