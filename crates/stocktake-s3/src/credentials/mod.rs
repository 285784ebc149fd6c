//! Whose requests they are: keys given, from the environment, from a profile, from a service, or none.
//!
//! [`Surroundings`] says what environment and profiles ask for, a [`KeyOrigin`] where keys come from, a [`KeySource`] fetches them as
//! often as they run out. Nothing here reads the environment or runs a process: that is handed in.

mod container;
mod instance;
mod origin;
mod profile;
mod service;
mod single_sign_on;
mod sts;
mod surroundings;

pub use container::{ContainerKeys, ContainerToken};
pub use origin::{KeyOrigin, KeyServices, ProcessKeys};
pub use single_sign_on::SingleSignOn;
pub use sts::Role;
pub use surroundings::{Lookup, Surroundings};

use std::fmt;
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
/// on with them and asks again half a minute later. One call is under way at once, on a thread that may block.
pub trait KeySource: fmt::Debug + Send + Sync {
    /// Keys that hold from now on.
    ///
    /// # Errors
    /// Says why there are none; a request that has no keys is tried as often as any other.
    fn fetch(&self) -> Result<TemporaryKeys, String>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_shown() {
        assert!(!format!("{:?}", Credentials::new("id", "hidden", Some("token".into()))).contains("hidden"));
    }
}
