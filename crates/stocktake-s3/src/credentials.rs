//! Whose requests they are: keys given, from the environment, from a profile, or none.
//!
//! Nothing here reads the environment or runs a process: that is handed in. Profiles that need another service (roles, single
//! sign-on) are refused by name.

use std::{collections::BTreeMap, fmt, path::PathBuf};
use stocktake_core::Timestamp;

/// An access key with its secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    pub(crate) access_key_id: String,
    pub(crate) secret_access_key: String,
    pub(crate) session_token: Option<String>,
}

impl Credentials {
    /// An access key, its secret, and the token of temporary ones.
    pub fn new(
        access_key_id: impl Into<String>,
        secret_access_key: impl Into<String>,
        session_token: Option<String>,
    ) -> Self {
        Self { access_key_id: access_key_id.into(), secret_access_key: secret_access_key.into(), session_token }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("access_key_id", &self.access_key_id).finish_non_exhaustive()
    }
}

/// Keys, and until when they hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemporaryKeys {
    pub(crate) credentials: Credentials,
    pub(crate) expires_at: Option<Timestamp>,
}

impl TemporaryKeys {
    /// Keys that hold until a time; none: they do not run out.
    pub fn new(credentials: Credentials, expires_at: Option<Timestamp>) -> Self {
        Self { credentials, expires_at }
    }
}

/// Where keys come from that run out: a process, a service of the machine, a role that is taken on.
///
/// A client asks before its first request, and again five minutes before keys run out; where that fails while they hold, it goes
/// on with them and asks before its next request. One call is under way at once, on a thread that may block.
pub trait KeySource: fmt::Debug + Send + Sync {
    /// Keys that hold from now on.
    ///
    /// # Errors
    /// Says why there are none; a request that has no keys is tried as often as any other.
    fn fetch(&self) -> Result<TemporaryKeys, String>;
}

/// A variable of the environment, or a file's text, if it is there.
pub type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

/// What environment and profile say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Surroundings {
    /// Access key; none was found without.
    pub credentials: Option<Credentials>,
    /// Command line of a process that prints keys, where the profile names one and there are no other keys.
    pub credential_process: Option<String>,
    /// Region.
    pub region: Option<String>,
    /// Endpoint's URL.
    pub endpoint_url: Option<String>,
}

impl Surroundings {
    /// The same without access keys.
    #[must_use]
    pub fn unsigned(&self) -> Self {
        Self { credentials: None, credential_process: None, ..self.clone() }
    }

    /// Looks into environment variables as AWS's tools do, and then into the files of profiles.
    ///
    /// `profile` goes before `AWS_PROFILE`, and a profile that is named so goes before keys in the environment. `variable`
    /// reads the environment, `file` a file.
    ///
    /// # Errors
    /// A profile that is named and not there, or one that needs another service.
    pub fn find(profile: Option<&str>, variable: Lookup<'_>, file: Lookup<'_>) -> Result<Self, String> {
        let variable = |name: &str| variable(name).filter(|value| !value.is_empty());
        let home = variable("HOME").or_else(|| variable("USERPROFILE")).unwrap_or_default();
        let path = |name: &str, default: &str| {
            let chosen = variable(name).map(PathBuf::from);
            chosen.unwrap_or_else(|| PathBuf::from(&home).join(".aws").join(default)).to_string_lossy().into_owned()
        };
        let name = profile.map(ToOwned::to_owned).or_else(|| variable("AWS_PROFILE"));
        let mut members = BTreeMap::new();
        let mut found = false;
        for (path, is_config) in
            [(path("AWS_CONFIG_FILE", "config"), true), (path("AWS_SHARED_CREDENTIALS_FILE", "credentials"), false)]
        {
            let Some(text) = file(&path) else { continue };
            if let Some(section) = section(&text, name.as_deref().unwrap_or("default"), is_config) {
                found = true;
                members.extend(section);
            }
        }
        if let (Some(name), false) = (&name, found) {
            return Err(format!("there is no profile {name:?}"));
        }
        let mut member = |name: &str| members.remove(name);
        let of_environment = keys(&variable, ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"]);
        let of_profile =
            match (member("aws_access_key_id"), member("aws_secret_access_key"), member("aws_session_token")) {
                (Some(id), Some(secret), token) => Some(Credentials::new(id, secret, token)),
                _ => None,
            };
        let credentials = if profile.is_some() { of_profile } else { of_environment.or(of_profile) };
        let credential_process = member("credential_process").filter(|_| credentials.is_none());
        if credentials.is_none() && credential_process.is_none() {
            let needs = ["role_arn", "sso_session", "sso_start_url", "web_identity_token_file"];
            if let Some(needs) = needs.iter().find(|needs| member(needs).is_some()) {
                return Err(format!(
                    "the profile {:?} has `{needs}`, which is not supported; another profile with `credential_process = \
                     aws configure export-credentials --profile {}` has its keys",
                    name.as_deref().unwrap_or("default"),
                    name.as_deref().unwrap_or("default")
                ));
            }
        }
        Ok(Self {
            credentials,
            credential_process,
            region: variable("AWS_REGION").or_else(|| variable("AWS_DEFAULT_REGION")).or_else(|| member("region")),
            endpoint_url: variable("AWS_ENDPOINT_URL_S3")
                .or_else(|| variable("AWS_ENDPOINT_URL"))
                .or_else(|| member("endpoint_url")),
        })
    }
}

fn keys(variable: &dyn Fn(&str) -> Option<String>, names: [&str; 3]) -> Option<Credentials> {
    let [id, secret, token] = names;
    Some(Credentials::new(variable(id)?, variable(secret)?, variable(token)))
}

/// The members of a profile: `[profile NAME]` in the file of configurations, `[NAME]` in the one of credentials.
fn section(text: &str, name: &str, is_config: bool) -> Option<BTreeMap<String, String>> {
    let mut members: Option<BTreeMap<String, String>> = None;
    let mut within = false;
    for line in text.lines() {
        let indented = line.starts_with([' ', '\t']);
        let line = line.trim();
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(title) = line.strip_prefix('[') {
            let title = title.split(']').next().unwrap_or_default().trim();
            let of_profile = title.strip_prefix("profile").filter(|rest| rest.starts_with([' ', '\t'])).map(str::trim);
            within =
                of_profile.filter(|_| is_config) == Some(name) || (title == name && (!is_config || name == "default"));
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

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &str = "[default]\nregion = eu-west-1\n[profile dev]\nregion=us-west-2\nendpoint_url = http://h:1\ns3 =\n  max = 1\n\
        [profile sso]\nsso_session = x\n[profile process]\ncredential_process = /bin/keys --of=x\nrole_arn = y\n";
    const KEYS: &str = "# keys\n[default]\naws_access_key_id = D\naws_secret_access_key = d=\n[dev]\naws_access_key_id=V\n\
        aws_secret_access_key=v\naws_session_token=t\n";

    fn find(profile: Option<&str>, variables: &[(&str, &str)]) -> Result<Surroundings, String> {
        let variable = |name: &str| {
            let home = [("HOME", "/h")];
            let mut all = variables.iter().chain(&home);
            all.find(|(of, _)| *of == name).map(|(_, value)| (*value).to_owned())
        };
        let file = |path: &str| match path.replace('\\', "/").as_str() {
            "/h/.aws/config" => Some(CONFIG.to_owned()),
            "/h/.aws/credentials" => Some(KEYS.to_owned()),
            _ => None,
        };
        Surroundings::find(profile, &variable, &file)
    }

    #[test]
    fn environment_goes_before_the_default_profile_and_after_a_named_one() {
        let variables = [("AWS_ACCESS_KEY_ID", "E"), ("AWS_SECRET_ACCESS_KEY", "e"), ("AWS_REGION", "r")];
        let id = |found: &Surroundings| found.credentials.clone().unwrap().access_key_id;
        let found = find(None, &variables).unwrap();
        assert_eq!((id(&found).as_str(), found.region.as_deref()), ("E", Some("r")));
        let found = find(Some("dev"), &variables).unwrap();
        assert_eq!((id(&found).as_str(), found.endpoint_url.as_deref()), ("V", Some("http://h:1")));
        assert_eq!(found.credentials.unwrap().session_token.as_deref(), Some("t"));
        let found = find(None, &[]).unwrap();
        assert_eq!((id(&found).as_str(), found.region.as_deref()), ("D", Some("eu-west-1")));
        assert_eq!(found.credentials.unwrap().secret_access_key, "d=");
        let found = find(None, &[("AWS_PROFILE", "dev")]).unwrap();
        assert_eq!((id(&found).as_str(), found.region.as_deref()), ("V", Some("us-west-2")));
    }

    #[test]
    fn profiles_that_are_missing_or_need_a_service_are_named() {
        assert_eq!(find(Some("x"), &[]).unwrap_err(), "there is no profile \"x\"");
        assert!(find(Some("sso"), &[]).unwrap_err().contains("`sso_session`"));
        let process = find(Some("process"), &[]).unwrap();
        assert_eq!(process.credential_process.as_deref(), Some("/bin/keys --of=x"));
        assert_eq!(process.unsigned().credential_process, None);
        let nothing = Surroundings::find(None, &|_| None, &|_| None).unwrap();
        assert_eq!(nothing, Surroundings::default());
    }

    #[test]
    fn secrets_are_not_shown() {
        assert!(!format!("{:?}", Credentials::new("id", "hidden", Some("token".into()))).contains("hidden"));
    }
}
