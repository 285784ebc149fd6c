//! Keys of a single sign-on: `aws sso login` keeps a token, for which the sign-on's portal gives the keys of a role.
//!
//! The token is not renewed here: when it has run out, `aws sso login` is to be run again. Source: "IAM Identity Center credential
//! provider", AWS SDKs and tools reference guide; GetRoleCredentials, IAM Identity Center Portal API reference.

use super::{
    Credentials, KeySource, TemporaryKeys,
    origin::KeyServices,
    service::{Ask, Reach},
};
use crate::{
    client::{hex, now},
    encoding::push_encoded,
    settings::dns_suffix,
};
use serde::Deserialize;
use sha1::{Digest, Sha1};
use std::{path::PathBuf, time::Duration};
use stocktake_core::Timestamp;

/// Longest time of an exchange.
const TIMEOUT: Duration = Duration::from_secs(20);

/// A role of an account, as a profile names it for single sign-on.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SingleSignOn {
    /// Name of the session, or the start URL of a profile without one: what the token's file is named by.
    pub session: String,
    /// Folder of the tokens.
    pub cache: PathBuf,
    /// Region of the portal.
    pub region: String,
    /// The account.
    pub account_id: String,
    /// The role.
    pub role_name: String,
}

/// Asks a portal.
#[derive(Debug)]
pub(super) struct SignedOn {
    pub(super) to: SingleSignOn,
    pub(super) services: KeyServices,
}

/// What `aws sso login` keeps.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Token {
    access_token: String,
    expires_at: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Reply {
    role_credentials: RoleCredentials,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RoleCredentials {
    access_key_id: String,
    secret_access_key: String,
    session_token: String,
    /// Milliseconds since 1970.
    expiration: i64,
}

impl KeySource for SignedOn {
    fn fetch(&self) -> Result<TemporaryKeys, String> {
        let to = &self.to;
        let fault = |text: String| format!("the single sign-on {:?} gives no keys: {text}", to.session);
        let login = |text: &str| fault(format!("{text}; run `aws sso login`"));
        let path = to.cache.join(format!("{}.json", hex(&Sha1::digest(to.session.as_bytes()))));
        let text = std::fs::read(&path).map_err(|_| login("nobody has signed on"))?;
        let token: Token = serde_json::from_slice(&text).map_err(|_| login("what it keeps is no token"))?;
        // Older versions of AWS's command line write `UTC` for `Z`.
        let expires_at = Timestamp::parse(&token.expires_at.replace("UTC", "Z"));
        if expires_at.map_err(|error| fault(error.to_string()))? <= now() {
            return Err(login("the sign-on has run out"));
        }
        let regional = || format!("https://portal.sso.{}.{}", to.region, dns_suffix(&to.region));
        let mut url = self.services.sso_endpoint_url.clone().unwrap_or_else(regional);
        url.truncate(url.trim_end_matches('/').len());
        url.push_str("/federation/credentials?role_name=");
        push_encoded(&mut url, &to.role_name, false);
        url.push_str("&account_id=");
        push_encoded(&mut url, &to.account_id, false);
        let reach = Reach { ca_bundle: self.services.ca_bundle.clone() };
        let ask = Ask::get(url, TIMEOUT).with_header("x-amz-sso_bearer_token", token.access_token);
        let reply = reach.ask(ask).map_err(fault)?;
        let reply: Reply =
            serde_json::from_slice(&reply).map_err(|_| fault("the reply is no JSON of keys".to_owned()))?;
        let keys = reply.role_credentials;
        let expires_at = Timestamp::try_from_ms(keys.expiration).map_err(|error| fault(error.to_string()))?;
        let keys = Credentials::new(keys.access_key_id, keys.secret_access_key, Some(keys.session_token));
        Ok(TemporaryKeys::new(keys, Some(expires_at)))
    }
}
