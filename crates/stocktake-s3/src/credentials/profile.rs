//! Profiles: sections of the files of configurations and of credentials, and where a profile's keys come from.
//!
//! Source: "Configuration and credential file settings", AWS command line reference.

use super::{Credentials, container::ContainerKeys, origin::KeyOrigin, single_sign_on::SingleSignOn, sts::Role};
use std::{collections::BTreeMap, path::PathBuf};

/// Profiles that take their keys from one another; more are a circle.
const CHAIN_MAX: usize = 8;

/// Members of a section.
pub(super) type Members = BTreeMap<String, String>;

/// The texts of both files.
#[derive(Clone, Debug, Default)]
pub(super) struct Files {
    pub(super) config: String,
    pub(super) credentials: String,
    /// Folder of the tokens of single sign-ons.
    pub(super) sign_on_cache: PathBuf,
}

impl Files {
    /// The members of a profile: `[profile NAME]` in the file of configurations, `[NAME]` in the one of credentials.
    pub(super) fn profile(&self, name: &str) -> Option<Members> {
        let of_config = section(&self.config, |title| {
            title_of(title, "profile") == Some(name) || (title == name && name == "default")
        });
        let of_credentials = section(&self.credentials, |title| title == name);
        match (of_config, of_credentials) {
            (None, None) => None,
            (config, credentials) => Some(config.into_iter().chain(credentials).flatten().collect()),
        }
    }

    /// Where a profile's keys come from; none: it names no keys. `container` and `instance` are what the environment says of them.
    ///
    /// # Errors
    /// A profile that is named and not there, that lacks what it needs, or needs what is not supported.
    pub(super) fn keys_of(&self, name: &str, beside: &Beside<'_>) -> Result<Option<KeyOrigin>, String> {
        let members = self.profile(name).ok_or_else(|| format!("there is no profile {name:?}"))?;
        self.origin(name, &members, beside, 0)
    }

    fn origin(
        &self,
        name: &str,
        members: &Members,
        beside: &Beside<'_>,
        depth: usize,
    ) -> Result<Option<KeyOrigin>, String> {
        let member = |of: &str| members.get(of).filter(|value| !value.is_empty()).cloned();
        let fault = |text: String| Err(format!("the profile {name:?} {text}"));
        let given = match (member("aws_access_key_id"), member("aws_secret_access_key"), member("aws_session_token")) {
            (Some(id), Some(secret), token) => Some(KeyOrigin::Given(Credentials::new(id, secret, token))),
            _ => None,
        };
        if let Some(arn) = member("role_arn") {
            let mut role = Role::new(arn);
            role.session_name = member("role_session_name");
            role.external_id = member("external_id");
            role.duration_seconds = match member("duration_seconds").map(|seconds| seconds.parse()) {
                Some(Err(_)) => return fault("has a `duration_seconds` that is no number".to_owned()),
                seconds => seconds.and_then(Result::ok),
            };
            if member("mfa_serial").is_some() {
                let hint = format!("aws configure export-credentials --profile {name}");
                return fault(format!(
                    "asks for the code of a device (`mfa_serial`), which nobody would be there to give; another profile with `credential_process = {hint}` has its keys"
                ));
            }
            let source = match (member("web_identity_token_file"), member("source_profile"), member("credential_source")) {
                (Some(file), None, None) => return Ok(Some(KeyOrigin::WebIdentity(role, file.into()))),
                // A profile may be its own source, by the keys that it has.
                (None, Some(source), None) if source == name => given,
                (None, Some(source), None) if depth < CHAIN_MAX => {
                    let Some(members) = self.profile(&source) else {
                        return fault(format!("takes its keys from the profile {source:?}, which is not there"));
                    };
                    self.origin(&source, &members, beside, depth + 1)?
                }
                (None, Some(_), None) => return fault("takes its keys from profiles in a circle".to_owned()),
                (None, None, Some(source)) => match &*source {
                    "Environment" => beside.given.cloned().map(KeyOrigin::Given),
                    "EcsContainer" => beside.container.cloned().map(KeyOrigin::Container),
                    "Ec2InstanceMetadata" => beside.instance.cloned(),
                    other => return fault(format!("has a `credential_source` that is not known: {other:?}")),
                },
                _ => return fault("has a `role_arn`, and needs one of `source_profile`, `credential_source` and `web_identity_token_file`".to_owned()),
            };
            let Some(source) = source else {
                return fault(format!("assumes the role {}, and there are no keys to do so by", role.arn));
            };
            return Ok(Some(KeyOrigin::AssumedRole(role, Box::new(source))));
        }
        if given.is_some() {
            return Ok(given);
        }
        if let Some(command) = member("credential_process") {
            return Ok(Some(KeyOrigin::Process(command)));
        }
        let session = member("sso_session");
        let start = member("sso_start_url");
        let Some(session_name) = session.clone().or(start) else { return Ok(None) };
        let of_session = match &session {
            None => Members::new(),
            Some(session) => match section(&self.config, |title| title_of(title, "sso-session") == Some(session)) {
                Some(members) => members,
                None => return fault(format!("names the single sign-on {session:?}, which is not there")),
            },
        };
        let region = of_session.get("sso_region").cloned().or_else(|| member("sso_region"));
        match (region, member("sso_account_id"), member("sso_role_name")) {
            (Some(region), Some(account_id), Some(role_name)) => {
                let cache = self.sign_on_cache.clone();
                let to = SingleSignOn { session: session_name, cache, region, account_id, role_name };
                Ok(Some(KeyOrigin::SingleSignOn(to)))
            }
            _ => fault("needs `sso_region`, `sso_account_id` and `sso_role_name` for its single sign-on".to_owned()),
        }
    }
}

/// What the environment says of keys, for profiles that take a role on by them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Beside<'a> {
    pub(super) given: Option<&'a Credentials>,
    pub(super) container: Option<&'a ContainerKeys>,
    pub(super) instance: Option<&'a KeyOrigin>,
}

/// The name in a title such as `profile NAME`.
fn title_of<'a>(title: &'a str, kind: &str) -> Option<&'a str> {
    title.strip_prefix(kind).filter(|rest| rest.starts_with([' ', '\t'])).map(str::trim)
}

/// The members of the sections whose titles are wanted.
fn section(text: &str, is_wanted: impl Fn(&str) -> bool) -> Option<Members> {
    let mut members: Option<Members> = None;
    let mut within = false;
    for line in text.lines() {
        let indented = line.starts_with([' ', '\t']);
        let line = line.trim();
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(title) = line.strip_prefix('[') {
            within = is_wanted(title.split(']').next().unwrap_or_default().trim());
            if within {
                members.get_or_insert_default();
            }
        } else if let (true, false, Some(members), Some((member, value))) =
            (within, indented, members.as_mut(), line.split_once('='))
        {
            members.insert(member.trim().to_ascii_lowercase(), value.trim().to_owned());
        }
    }
    members
}
