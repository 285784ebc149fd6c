//! Keys that the host of a container gives it: ECS tasks, EKS pod identities.
//!
//! Source: "Container credential provider", AWS SDKs and tools reference guide.

use super::{
    Credentials, KeySource, TemporaryKeys,
    service::{Ask, Reach},
};
use serde::Deserialize;
use std::{fmt, path::PathBuf, time::Duration};
use stocktake_core::Timestamp;

/// Longest time of an exchange.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Hosts that may be asked without TLS: the container's own, and those that a container's host answers at.
const PLAIN_HOSTS: [&str; 5] = ["127.0.0.1", "localhost", "[::1]", "169.254.170.2", "169.254.170.23"];

/// The same on IPv6.
const PLAIN_HOST_V6: &str = "[fd00:ec2::23]";

/// Where a container asks for its keys.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ContainerKeys {
    /// URL that answers with keys.
    pub url: String,
    /// What it wants to be shown.
    pub token: Option<ContainerToken>,
}

/// What a container shows for its keys.
#[derive(Clone, PartialEq, Eq)]
pub enum ContainerToken {
    /// The token itself.
    Text(String),
    /// A file with the token, which changes from time to time.
    File(PathBuf),
}

impl fmt::Debug for ContainerToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(_) => f.write_str("Text"),
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
        }
    }
}

impl ContainerKeys {
    /// Keys from a URL.
    ///
    /// # Errors
    /// A URL that is neither protected by TLS nor of the container's own host: keys would be readable on their way.
    pub fn try_new(url: impl Into<String>, token: Option<ContainerToken>) -> Result<Self, String> {
        let url = url.into();
        let host = url.strip_prefix("http://").map(|rest| rest.split(['/', '?']).next().unwrap_or_default());
        let name = host
            .map(|host| host.rsplit_once(':').filter(|(_, port)| !port.contains(']')).map_or(host, |(name, _)| name));
        match name {
            Some(name) if !PLAIN_HOSTS.contains(&name) && name != PLAIN_HOST_V6 => {
                Err(format!("the container's keys are to come from {name} without TLS, which is not its own host"))
            }
            None if !url.starts_with("https://") => {
                Err(format!("the container's keys are to come from {url:?}, which is no URL"))
            }
            _ => Ok(Self { url, token }),
        }
    }
}

/// Asks for a container's keys.
#[derive(Debug)]
pub(super) struct Container {
    pub(super) keys: ContainerKeys,
    pub(super) reach: Reach,
}

impl KeySource for Container {
    fn fetch(&self) -> Result<TemporaryKeys, String> {
        let fault = |text: String| format!("the container's keys cannot be had from {}: {text}", self.keys.url);
        let token = match &self.keys.token {
            None => None,
            Some(ContainerToken::Text(text)) => Some(text.clone()),
            Some(ContainerToken::File(path)) => Some(
                std::fs::read_to_string(path)
                    .map_err(|error| fault(format!("the token {} cannot be read: {error}", path.display())))?,
            ),
        };
        let ask = Ask::get(&self.keys.url, TIMEOUT);
        let ask = match token {
            Some(token) => ask.with_header("authorization", token.trim()),
            None => ask,
        };
        keys_of(&self.reach.ask(ask).map_err(fault)?).map_err(fault)
    }
}

/// Keys as containers and machines are given them.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Given {
    access_key_id: String,
    secret_access_key: String,
    token: Option<String>,
    expiration: Option<String>,
}

/// Takes a reply apart.
pub(super) fn keys_of(reply: &[u8]) -> Result<TemporaryKeys, String> {
    // The parser's own words may hold what was given.
    let given: Given = serde_json::from_slice(reply).map_err(|_| "the reply is no JSON of keys".to_owned())?;
    let expires_at =
        given.expiration.as_deref().map(Timestamp::parse).transpose().map_err(|error| error.to_string())?;
    Ok(TemporaryKeys::new(Credentials::new(given.access_key_id, given.secret_access_key, given.token), expires_at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_by_tls_or_from_the_own_host() {
        for url in [
            "https://keys.example/x",
            "http://127.0.0.1:80/x",
            "http://localhost/x",
            "http://169.254.170.2/v2/credentials/x",
            "http://169.254.170.23/v1/credentials",
            "http://[fd00:ec2::23]/v1/credentials",
            "http://[::1]:8080/x",
        ] {
            assert!(ContainerKeys::try_new(url, None).is_ok(), "{url}");
        }
        for url in ["http://keys.example/x", "http://127.0.0.1.example/x", "ftp://127.0.0.1/", "/v2/x", ""] {
            assert!(ContainerKeys::try_new(url, None).is_err(), "{url}");
        }
    }
}
