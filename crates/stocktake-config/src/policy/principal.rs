//! Whom a statement speaks of, seen by the service that delivers.

use super::{document::PolicyError, glob::Truth, statement::texts};
use crate::json::Json;

/// The service that delivers reports.
pub(super) const SERVICE: &str = "s3.amazonaws.com";

/// `Principal` or `NotPrincipal`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Principal {
    negated: bool,
    everyone: bool,
    services: Vec<String>,
    /// Accounts, roles, users, federated and canonical users: none of them is a service.
    others: Vec<String>,
}

impl Principal {
    pub(super) fn read(json: &Json, negated: bool) -> Result<Self, PolicyError> {
        let mut principal = Self { negated, everyone: false, services: Vec::new(), others: Vec::new() };
        match json {
            Json::Text(text) if text == "*" => principal.everyone = true,
            Json::Object(kinds) => {
                for (kind, names) in kinds {
                    let names = texts(names, "the Principal")?;
                    match kind.as_str() {
                        // IAM's documentation: both spellings of everyone are equivalent.
                        "AWS" => {
                            principal.everyone |= names.iter().any(|name| name == "*");
                            principal.others.extend(names);
                        }
                        "Service" => principal.services.extend(names),
                        "Federated" | "CanonicalUser" => principal.others.extend(names),
                        other => return Err(PolicyError::new(format!("the Principal has the unknown kind {other:?}"))),
                    }
                }
            }
            other => {
                return Err(PolicyError::new(format!("the Principal is {}, and not \"*\" or an object", other.kind())));
            }
        }
        Ok(principal)
    }

    /// Whether the statement speaks of the delivering service.
    pub(super) fn holds(&self) -> Truth {
        let named = self.everyone || self.services.iter().any(|service| service == SERVICE);
        let pattern = self.services.iter().find(|service| service.contains(['*', '?']));
        match (named, pattern) {
            (true, _) if self.negated => Truth::No(format!("its NotPrincipal names {SERVICE}")),
            (true, _) => Truth::Yes,
            (false, Some(pattern)) => {
                Truth::Unknown(format!("its principal service {pattern:?} has a wildcard, which IAM does not define"))
            }
            (false, None) if self.negated => Truth::Yes,
            (false, None) => {
                let names: Vec<_> = self.services.iter().chain(&self.others).map(String::as_str).collect();
                Truth::No(format!("its principal is {}, not the service {SERVICE}", names.join(", ")))
            }
        }
    }
}
