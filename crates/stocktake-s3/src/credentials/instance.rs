//! Keys of the role that a machine has: the instance metadata service of EC2, version 2.
//!
//! Source: "Use the Instance Metadata Service to access instance metadata", Amazon EC2 user guide.

use super::{
    KeySource, TemporaryKeys,
    container::keys_of,
    service::{Ask, Reach},
};
use hyper::Method;
use std::time::Duration;

/// Where every machine is answered, unless it was told another place.
const ENDPOINT: &str = "http://169.254.169.254";

/// Longest time of an exchange: the service is the machine's own; where there is none, nobody answers.
const TIMEOUT: Duration = Duration::from_secs(1);

/// How long the session lasts by whose token keys are asked for: the exchange takes less.
const SESSION_SECONDS: u32 = 60;

/// Asks the machine for the keys of its role.
#[derive(Debug)]
pub(super) struct Instance {
    pub(super) endpoint: Option<String>,
    pub(super) reach: Reach,
}

impl KeySource for Instance {
    fn fetch(&self) -> Result<TemporaryKeys, String> {
        let endpoint = self.endpoint.as_deref().unwrap_or(ENDPOINT).trim_end_matches('/');
        let fault = |text: String| format!("the machine gives no keys at {endpoint}: {text}");
        let text = |ask: Ask| -> Result<String, String> {
            let reply = self.reach.ask(ask).map_err(fault)?;
            Ok(String::from_utf8_lossy(&reply).trim().to_owned())
        };
        let session = Ask { method: Method::PUT, ..Ask::get(format!("{endpoint}/latest/api/token"), TIMEOUT) };
        let session = text(session.with_header("x-aws-ec2-metadata-token-ttl-seconds", SESSION_SECONDS.to_string()))?;
        let folder = format!("{endpoint}/latest/meta-data/iam/security-credentials/");
        let get = |url: &str| Ask::get(url, TIMEOUT).with_header("x-aws-ec2-metadata-token", &*session);
        let roles = text(get(&folder))?;
        let role =
            roles.lines().next().filter(|role| !role.is_empty()).ok_or_else(|| fault("it has no role".to_owned()))?;
        let reply = self.reach.ask(get(&format!("{folder}{role}"))).map_err(fault)?;
        keys_of(&reply).map_err(|text| fault(format!("the role {role}: {text}")))
    }
}
