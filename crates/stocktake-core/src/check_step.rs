//! What a look ahead at a destination tried.

/// One thing that was tried at a destination before a report is written there.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CheckStep {
    /// What was tried, as the service or its users name it.
    pub operation: &'static str,
    /// The permissions that it needs.
    pub permission: &'static str,
    /// Why it failed.
    pub fault: Option<String>,
}

impl CheckStep {
    /// A step that ended so.
    pub fn new(operation: &'static str, permission: &'static str, outcome: Result<(), String>) -> Self {
        Self { operation, permission, fault: outcome.err() }
    }
}
