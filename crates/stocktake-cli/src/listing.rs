//! What the listing of a bucket took, as the command line says it.

use serde::Serialize;

/// Asks what it took.
pub(crate) type Listing = Box<dyn Fn() -> Listed>;

/// The member `listing` of the last line on standard output.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Listed {
    pub(crate) requests: u64,
    pub(crate) ranges: u64,
    pub(crate) mended: u64,
    /// Most requests under way at once, in one lane.
    pub(crate) at_once_max: u64,
    /// Time of all requests together.
    pub(crate) requesting_seconds: f64,
    pub(crate) parsing_seconds: f64,
    pub(crate) signing_seconds: f64,
}
