//! Blocks of one column's values: what is known of how they lie there stands in for a search.

mod around;
mod deflate;
mod finders;
mod interest;
mod layout;
mod places;
mod random;
mod search;
mod sink;
mod snappy;
mod sorted;
mod values;
mod words;

pub use deflate::DeflateBlocks;
pub(crate) use finders::{Find, Finders};
pub use layout::Layout;
pub(crate) use sink::Sink;
pub use snappy::SnappyBlocks;
