//! Access keys that a process prints, as `credential_process` of a profile names it.
//!
//! It is how keys of any other kind are had: AWS's own command line prints keys so, and so do the tools of others.

use serde::Deserialize;
use std::process::{Command, Stdio};
use stocktake::Timestamp;
use stocktake_s3::{Credentials, KeySource, TemporaryKeys};

/// A process that is run whenever keys are about to run out.
pub(crate) struct CredentialProcess {
    command: String,
}

impl CredentialProcess {
    /// A process by its command line.
    pub(crate) fn new(command: &str) -> Self {
        Self { command: command.to_owned() }
    }
}

impl KeySource for CredentialProcess {
    fn fetch(&self) -> Result<TemporaryKeys, String> {
        run(&self.command)
    }
}

impl std::fmt::Debug for CredentialProcess {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // A command line may hold secrets.
        f.write_str("CredentialProcess")
    }
}

fn run(command: &str) -> Result<TemporaryKeys, String> {
    let (shell, option) = if cfg!(windows) { ("cmd.exe", "/C") } else { ("sh", "-c") };
    let mut process = Command::new(shell);
    let ended = process.args([option, command]).stdin(Stdio::null()).stderr(Stdio::inherit()).output();
    let ended = ended.map_err(|error| format!("the profile's credential_process cannot be run: {error}"))?;
    if !ended.status.success() {
        return Err(format!("the profile's credential_process failed: {}", ended.status));
    }
    parse(&ended.stdout)
}

/// What the process prints; AWS's command line reference, "Sourcing credentials with an external process".
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Printed {
    version: u32,
    access_key_id: String,
    secret_access_key: String,
    session_token: Option<String>,
    expiration: Option<String>,
}

fn parse(text: &[u8]) -> Result<TemporaryKeys, String> {
    let fault = |what: &str| format!("what the profile's credential_process printed {what}");
    // The parser's own words may hold what was printed.
    let printed: Printed = serde_json::from_slice(text)
        .map_err(|error| fault(&format!("is no JSON of keys: line {}, column {}", error.line(), error.column())))?;
    if printed.version != 1 {
        return Err(fault(&format!("has the version {}, not 1", printed.version)));
    }
    let expires_at = printed.expiration.as_deref().map(Timestamp::parse).transpose();
    let expires_at = expires_at.map_err(|error| fault(&format!("has an expiration that is none: {error}")))?;
    let keys = Credentials::new(printed.access_key_id, printed.secret_access_key, printed.session_token);
    Ok(TemporaryKeys::new(keys, expires_at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_taken_from_what_was_printed() {
        let of = |rest: &str| {
            parse(format!("{{\"Version\":1,\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"hidden\"{rest}}}").as_bytes())
        };
        assert!(of("").is_ok());
        assert!(of(",\"SessionToken\":\"t\",\"Expiration\":\"2026-11-28T05:00:00+00:00\"").is_ok());
        for (text, words) in [
            (of(",\"Expiration\":\"soon\""), "expiration"),
            (parse(b"{\"Version\":2,\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"hidden\"}"), "version 2"),
            (parse(b"{\"Version\":\"hidden\"}"), "line 1"),
            (parse(b""), "is no JSON"),
        ] {
            let fault = text.unwrap_err();
            assert!(fault.contains(words) && !fault.contains("hidden"), "{fault}");
        }
    }
}
