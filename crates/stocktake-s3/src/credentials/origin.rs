//! From where keys come to what fetches them.

use super::{
    Credentials, KeySource, TemporaryKeys,
    container::{Container, ContainerKeys},
    instance::Instance,
    service::Reach,
    single_sign_on::{SignedOn, SingleSignOn},
    sts::{AssumedRole, Role, WebIdentity},
};
use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

/// Where keys come from.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyOrigin {
    /// They are given.
    Given(Credentials),
    /// A process prints them.
    Process(String),
    /// A role, for the token of a web identity in a file.
    WebIdentity(Role, PathBuf),
    /// A role, by keys from elsewhere.
    AssumedRole(Role, Box<KeyOrigin>),
    /// A single sign-on.
    SingleSignOn(SingleSignOn),
    /// The host of the container.
    Container(ContainerKeys),
    /// The machine, by its instance metadata service at this endpoint, or where every machine has it.
    Instance(Option<String>),
}

/// How services are reached that give keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyServices {
    /// Region whose services are asked. Default: `us-east-1`.
    pub region: Option<String>,
    /// Endpoint of the security token service. Default: the region's.
    pub sts_endpoint_url: Option<String>,
    /// Endpoint of the single sign-on's portal. Default: its region's.
    pub sso_endpoint_url: Option<String>,
    /// File of certificates, in PEM, by which servers are checked. Default: the system's.
    pub ca_bundle: Option<PathBuf>,
}

/// What runs a process that prints keys.
pub type ProcessKeys<'a> = &'a dyn Fn(&str) -> Result<Arc<dyn KeySource>, String>;

impl KeyOrigin {
    /// What fetches the keys; it has fetched them once, so that keys that cannot be had are known before any work.
    ///
    /// # Errors
    /// As [`KeySource::fetch`].
    pub fn fetched(&self, services: &KeyServices, process: ProcessKeys<'_>) -> Result<Arc<dyn KeySource>, String> {
        let source = self.source(services, process)?;
        let first = Mutex::new(Some(source.fetch()?));
        Ok(Arc::new(Fetched { source, first }))
    }

    fn source(&self, services: &KeyServices, process: ProcessKeys<'_>) -> Result<Arc<dyn KeySource>, String> {
        let (services, reach) = (services.clone(), Reach { ca_bundle: services.ca_bundle.clone() });
        Ok(match self.clone() {
            Self::Given(credentials) => Arc::new(Given(credentials)),
            Self::Process(command) => process(&command)?,
            Self::WebIdentity(role, token_file) => Arc::new(WebIdentity { role, token_file, services }),
            Self::AssumedRole(role, origin) => {
                let source = origin.source(&services, process)?;
                Arc::new(AssumedRole { role, source, services })
            }
            Self::SingleSignOn(to) => Arc::new(SignedOn { to, services }),
            Self::Container(keys) => Arc::new(Container { keys, reach }),
            Self::Instance(endpoint) => Arc::new(Instance { endpoint, reach }),
        })
    }
}

/// Keys that do not run out.
#[derive(Debug)]
struct Given(Credentials);

impl KeySource for Given {
    fn fetch(&self) -> Result<TemporaryKeys, String> {
        Ok(TemporaryKeys::new(self.0.clone(), None))
    }
}

/// What has fetched once, before the first request.
#[derive(Debug)]
struct Fetched {
    source: Arc<dyn KeySource>,
    first: Mutex<Option<TemporaryKeys>>,
}

impl KeySource for Fetched {
    fn fetch(&self) -> Result<TemporaryKeys, String> {
        let first = self.first.lock().unwrap_or_else(PoisonError::into_inner).take();
        first.map_or_else(|| self.source.fetch(), Ok)
    }
}
