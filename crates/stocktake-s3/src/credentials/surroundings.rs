//! What environment variables and the files of profiles say, looked at as AWS's tools do.

use super::{
    Credentials,
    container::{ContainerKeys, ContainerToken},
    origin::{KeyOrigin, KeyServices},
    profile::{Beside, Files},
    sts::Role,
};
use std::path::PathBuf;

/// Where ECS answers a task.
const CONTAINER_HOST: &str = "http://169.254.170.2";

/// A variable of the environment, or a file's text, if it is there.
pub type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

/// What environment and profile say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Surroundings {
    /// Where keys come from; none: nothing says so, not even that this may be a machine with a role.
    pub keys: Option<KeyOrigin>,
    /// How services are reached that give keys.
    pub services: KeyServices,
    /// Region.
    pub region: Option<String>,
    /// Endpoint's URL.
    pub endpoint_url: Option<String>,
    /// File of certificates by which servers are checked.
    pub ca_bundle: Option<PathBuf>,
}

impl Surroundings {
    /// The same without access keys.
    #[must_use]
    pub fn unsigned(&self) -> Self {
        Self { keys: None, ..self.clone() }
    }

    /// Looks into environment variables and then into the files of profiles, for the token of a web identity, for a container's
    /// host, and at last for the machine's role.
    ///
    /// `profile` goes before `AWS_PROFILE`, and a profile that is named so goes before keys in the environment. `variable`
    /// reads the environment, `file` a file.
    ///
    /// # Errors
    /// A profile that is named and not there, or that lacks what it needs; a container's host that is none.
    pub fn find(profile: Option<&str>, variable: Lookup<'_>, file: Lookup<'_>) -> Result<Self, String> {
        let variable = |name: &str| variable(name).filter(|value| !value.is_empty());
        let home = PathBuf::from(variable("HOME").or_else(|| variable("USERPROFILE")).unwrap_or_default()).join(".aws");
        let text = |name: &str, default: &str| {
            let path = variable(name).map_or_else(|| home.join(default), PathBuf::from);
            file(&path.to_string_lossy()).unwrap_or_default()
        };
        let files = Files {
            config: text("AWS_CONFIG_FILE", "config"),
            credentials: text("AWS_SHARED_CREDENTIALS_FILE", "credentials"),
            sign_on_cache: home.join("sso").join("cache"),
        };
        let named = profile.map(ToOwned::to_owned).or_else(|| variable("AWS_PROFILE"));
        let name = named.clone().unwrap_or_else(|| "default".to_owned());
        let members = match (files.profile(&name), named) {
            (None, Some(named)) => return Err(format!("there is no profile {named:?}")),
            (members, _) => members,
        };
        let member = |of: &str| members.as_ref().and_then(|members| members.get(of)).filter(|value| !value.is_empty());

        let given = keys(&variable).filter(|_| profile.is_none());
        let container = container(&variable);
        let instance = variable("AWS_EC2_METADATA_DISABLED").is_none_or(|value| !value.eq_ignore_ascii_case("true"));
        let instance = instance.then(|| KeyOrigin::Instance(variable("AWS_EC2_METADATA_SERVICE_ENDPOINT")));
        let of_environment = keys(&variable);
        let beside = Beside {
            given: of_environment.as_ref(),
            container: container.as_ref().ok().and_then(Option::as_ref),
            instance: instance.as_ref(),
        };
        let of_profile = |_: &_| files.keys_of(&name, &beside);
        let mut origin = given.map(KeyOrigin::Given);
        if origin.is_none() {
            origin = members.as_ref().map(of_profile).transpose()?.flatten();
        }
        origin = origin.or_else(|| web_identity(&variable));
        if origin.is_none() {
            origin = container?.map(KeyOrigin::Container).or(instance);
        }

        let region =
            variable("AWS_REGION").or_else(|| variable("AWS_DEFAULT_REGION")).or_else(|| member("region").cloned());
        let endpoint_url = variable("AWS_ENDPOINT_URL").or_else(|| member("endpoint_url").cloned());
        let ca_bundle = variable("AWS_CA_BUNDLE").or_else(|| member("ca_bundle").cloned()).map(PathBuf::from);
        let services = KeyServices {
            region: region.clone(),
            sts_endpoint_url: variable("AWS_ENDPOINT_URL_STS").or_else(|| endpoint_url.clone()),
            sso_endpoint_url: variable("AWS_ENDPOINT_URL_SSO"),
            ca_bundle: ca_bundle.clone(),
        };
        let endpoint_url = variable("AWS_ENDPOINT_URL_S3").or(endpoint_url);
        Ok(Self { keys: origin, services, region, endpoint_url, ca_bundle })
    }
}

fn keys(variable: &dyn Fn(&str) -> Option<String>) -> Option<Credentials> {
    let (id, secret) = (variable("AWS_ACCESS_KEY_ID")?, variable("AWS_SECRET_ACCESS_KEY")?);
    Some(Credentials::new(id, secret, variable("AWS_SESSION_TOKEN")))
}

fn web_identity(variable: &dyn Fn(&str) -> Option<String>) -> Option<KeyOrigin> {
    let mut role = Role::new(variable("AWS_ROLE_ARN")?);
    role.session_name = variable("AWS_ROLE_SESSION_NAME");
    Some(KeyOrigin::WebIdentity(role, variable("AWS_WEB_IDENTITY_TOKEN_FILE")?.into()))
}

fn container(variable: &dyn Fn(&str) -> Option<String>) -> Result<Option<ContainerKeys>, String> {
    let url = match variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") {
        Some(path) => Some(format!("{CONTAINER_HOST}{path}")),
        None => variable("AWS_CONTAINER_CREDENTIALS_FULL_URI"),
    };
    let file = variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE").map(|path| ContainerToken::File(path.into()));
    let token = file.or_else(|| variable("AWS_CONTAINER_AUTHORIZATION_TOKEN").map(ContainerToken::Text));
    url.map(|url| ContainerKeys::try_new(url, token)).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &str = "[default]\nregion = eu-west-1\n[profile dev]\nregion=us-west-2\nendpoint_url = http://h:1\ns3 =\n  max = 1\n\
        [profile process]\ncredential_process = /bin/keys --of=x\n[profile plain]\nregion = r\nca_bundle = /ca\n\
        [profile role]\nrole_arn = R\nsource_profile = middle\nexternal_id = E\nduration_seconds = 900\n\
        [profile middle]\nrole_arn = M\nsource_profile = dev\nrole_session_name = s\n\
        [profile own]\nrole_arn = O\nsource_profile = own\naws_access_key_id = I\naws_secret_access_key = i\n\
        [profile circle]\nrole_arn = C\nsource_profile = circle2\n[profile circle2]\nrole_arn = C\nsource_profile = circle\n\
        [profile machine]\nrole_arn = A\ncredential_source = Ec2InstanceMetadata\n\
        [profile task]\nrole_arn = A\ncredential_source = EcsContainer\n[profile env]\nrole_arn = A\ncredential_source = Environment\n\
        [profile web]\nrole_arn = W\nweb_identity_token_file = /token\n[profile device]\nrole_arn = D\nsource_profile = dev\nmfa_serial = m\n\
        [profile lost]\nrole_arn = L\nsource_profile = nobody\n[profile bare]\nrole_arn = B\n\
        [profile sso]\nsso_session = corp\nsso_account_id = 1\nsso_role_name = r\n[sso-session corp]\nsso_region = eu-west-1\nsso_start_url = u\n\
        [profile sso-old]\nsso_start_url = u\nsso_region = us-west-1\nsso_account_id = 2\nsso_role_name = q\n\
        [profile sso-lost]\nsso_session = other\n[profile sso-short]\nsso_start_url = u\n";
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

    fn given(found: &Surroundings) -> &Credentials {
        match &found.keys {
            Some(KeyOrigin::Given(credentials)) => credentials,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn environment_goes_before_the_default_profile_and_after_a_named_one() {
        let variables = [("AWS_ACCESS_KEY_ID", "E"), ("AWS_SECRET_ACCESS_KEY", "e"), ("AWS_REGION", "r")];
        let found = find(None, &variables).unwrap();
        assert_eq!((given(&found).access_key_id.as_str(), found.region.as_deref()), ("E", Some("r")));
        let found = find(Some("dev"), &variables).unwrap();
        assert_eq!((given(&found).access_key_id.as_str(), found.endpoint_url.as_deref()), ("V", Some("http://h:1")));
        assert_eq!(found.services.sts_endpoint_url.as_deref(), Some("http://h:1"));
        assert_eq!(given(&found).session_token.as_deref(), Some("t"));
        let found = find(None, &[]).unwrap();
        assert_eq!((given(&found).access_key_id.as_str(), found.region.as_deref()), ("D", Some("eu-west-1")));
        assert_eq!(given(&found).secret_access_key, "d=");
        let found = find(None, &[("AWS_PROFILE", "dev")]).unwrap();
        assert_eq!((given(&found).access_key_id.as_str(), found.region.as_deref()), ("V", Some("us-west-2")));
    }

    #[test]
    fn profiles_that_are_missing_or_lack_something_are_named() {
        for (profile, words) in [
            ("x", "there is no profile \"x\""),
            ("circle", "in a circle"),
            ("device", "mfa_serial"),
            ("lost", "the profile \"nobody\", which is not there"),
            ("bare", "needs one of"),
            ("env", "there are no keys to do so by"),
            ("task", "there are no keys to do so by"),
            ("sso-lost", "\"other\", which is not there"),
            ("sso-short", "needs `sso_region`"),
        ] {
            let fault = find(Some(profile), &[]).unwrap_err();
            assert!(fault.contains(words), "{profile}: {fault}");
        }
        let process = find(Some("process"), &[]).unwrap();
        assert_eq!(process.keys, Some(KeyOrigin::Process("/bin/keys --of=x".into())));
        assert_eq!(process.unsigned().keys, None);
    }

    #[test]
    fn roles_take_their_keys_from_other_profiles_or_from_where_the_program_runs() {
        let role = |profile, variables: &[_]| match find(Some(profile), variables).unwrap().keys {
            Some(KeyOrigin::AssumedRole(role, source)) => (role, *source),
            other => panic!("{other:?}"),
        };
        let (outer, source) = role("role", &[]);
        assert_eq!((&*outer.arn, outer.external_id.as_deref(), outer.duration_seconds), ("R", Some("E"), Some(900)));
        let KeyOrigin::AssumedRole(middle, source) = source else { panic!("{source:?}") };
        assert_eq!((&*middle.arn, middle.session_name.as_deref()), ("M", Some("s")));
        assert!(matches!(&*source, KeyOrigin::Given(keys) if keys.access_key_id == "V"), "{source:?}");
        assert!(matches!(role("own", &[]).1, KeyOrigin::Given(keys) if keys.access_key_id == "I"));
        assert_eq!(role("machine", &[]).1, KeyOrigin::Instance(None));
        let keys = [("AWS_ACCESS_KEY_ID", "E"), ("AWS_SECRET_ACCESS_KEY", "e")];
        assert!(matches!(role("env", &keys).1, KeyOrigin::Given(keys) if keys.access_key_id == "E"));
        let task = role("task", &[("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/x")]).1;
        assert!(matches!(task, KeyOrigin::Container(keys) if keys.url == "http://169.254.170.2/v2/x"));
        let web = find(Some("web"), &[]).unwrap().keys;
        assert!(
            matches!(web, Some(KeyOrigin::WebIdentity(role, path)) if role.arn == "W" && path.as_os_str() == "/token")
        );
        for (profile, session, account) in [("sso", "corp", "1"), ("sso-old", "u", "2")] {
            let Some(KeyOrigin::SingleSignOn(to)) = find(Some(profile), &[]).unwrap().keys else { panic!("{profile}") };
            assert_eq!((&*to.session, &*to.account_id), (session, account));
            assert!(to.cache.ends_with("sso/cache"));
        }
    }

    #[test]
    fn what_has_no_profile_is_asked_for_where_the_program_runs() {
        let nowhere = |variables: &[(&str, &str)]| {
            let variable =
                |name: &str| variables.iter().find(|(of, _)| *of == name).map(|(_, value)| (*value).to_owned());
            Surroundings::find(None, &variable, &|_| None)
        };
        assert_eq!(nowhere(&[]).unwrap().keys, Some(KeyOrigin::Instance(None)));
        let disabled = ("AWS_EC2_METADATA_DISABLED", "true");
        assert_eq!(nowhere(&[disabled]).unwrap(), Surroundings::default());
        let web = [("AWS_ROLE_ARN", "W"), ("AWS_WEB_IDENTITY_TOKEN_FILE", "/t"), ("AWS_ROLE_SESSION_NAME", "s")];
        let container = ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://169.254.170.23/v1/credentials");
        let found = nowhere(&[&web[..], &[container]].concat()).unwrap().keys;
        assert!(matches!(found, Some(KeyOrigin::WebIdentity(role, _)) if role.session_name.as_deref() == Some("s")));
        let file = ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "/pod");
        let Some(KeyOrigin::Container(keys)) = nowhere(&[container, file]).unwrap().keys else { panic!() };
        assert_eq!(keys.token, Some(ContainerToken::File("/pod".into())));
        nowhere(&[("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://elsewhere/")]).unwrap_err();
        // A profile without keys says nothing of them.
        assert_eq!(find(Some("plain"), &[]).unwrap().keys, Some(KeyOrigin::Instance(None)));
        assert_eq!(find(Some("plain"), &[]).unwrap().services.ca_bundle, Some("/ca".into()));
    }
}
