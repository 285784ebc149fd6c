//! Destinations that need no network.

mod local;
mod memory;

pub use local::{LocalDestination, LocalStore};
pub use memory::MemoryDestination;

#[cfg(test)]
mod tests;
