//! Destinations that need no network.

mod local;
mod memory;

pub use local::*;
pub use memory::*;
