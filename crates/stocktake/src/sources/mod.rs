//! Sources that need no network.

#[cfg(feature = "arrow-file")]
mod arrow_file;
#[cfg(feature = "directory")]
mod directory;
#[cfg(feature = "ndjson")]
mod ndjson;
#[cfg(any(feature = "directory", feature = "ndjson"))]
mod ordered;
mod rows;
mod synthetic;

#[cfg(feature = "arrow-file")]
pub use arrow_file::*;
#[cfg(feature = "directory")]
pub use directory::*;
#[cfg(feature = "ndjson")]
pub use ndjson::*;
pub use rows::{RowsSource, SortedRows};
pub use synthetic::*;
