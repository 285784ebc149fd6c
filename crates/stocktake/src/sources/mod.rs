//! Sources that need no network.

#[cfg(feature = "arrow-file")]
mod arrow_file;
#[cfg(feature = "directory")]
mod directory;
#[cfg(feature = "arrow-file")]
mod mapped;
#[cfg(feature = "ndjson")]
mod ndjson;
#[cfg(any(feature = "directory", feature = "ndjson"))]
mod ordered;
mod rows;
mod synthetic;

#[cfg(feature = "arrow-file")]
pub use arrow_file::ArrowFileSource;
#[cfg(feature = "directory")]
pub use directory::{BadEntries, DirectorySource, ETagSource, Symlinks};
#[cfg(feature = "ndjson")]
pub use ndjson::{LINE_BYTES_MAX, NdjsonSource};
pub use rows::{RowsSource, SortedRows};
pub use synthetic::{SYNTHETIC_ROWS_MAX, SYNTHETIC_VERSIONS_MAX, SyntheticSource};
