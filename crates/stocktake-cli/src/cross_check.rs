//! What a second listing of a bucket told of the first, as the command line says it.

use crate::exit::say;
use serde::Serialize;

/// Asks what was found.
pub(crate) type Findings = Box<dyn Fn() -> CrossChecked>;

/// The member `cross_check` of the last line on standard output.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct CrossChecked {
    pub(crate) same: u64,
    pub(crate) missing: u64,
    pub(crate) differing: u64,
    pub(crate) new: u64,
    pub(crate) changed: u64,
    pub(crate) gone: u64,
    #[serde(skip)]
    pub(crate) named: Vec<String>,
}

impl CrossChecked {
    /// Whether something was found that no change of the bucket explains.
    pub(crate) fn differs(&self) -> bool {
        self.missing + self.differing > 0
    }

    /// Names what differs.
    pub(crate) fn say(&self) {
        for line in &self.named {
            say(&format!("a second listing differs: {line}"));
        }
        let more = (self.missing + self.differing).saturating_sub(self.named.len() as u64);
        if more > 0 {
            say(&format!("a second listing differs in {more} more rows"));
        }
    }
}
