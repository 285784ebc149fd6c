//! Sources that need no network.

#[cfg(feature = "arrow-file")]
mod arrow_file;
#[cfg(feature = "directory")]
mod directory;
#[cfg(feature = "listing")]
mod listing;
#[cfg(feature = "arrow-file")]
mod mapped;
#[cfg(feature = "ndjson")]
mod ndjson;
#[cfg(any(feature = "directory", feature = "ndjson"))]
mod ordered;
#[cfg(feature = "ndjson")]
mod provided;
mod rows;
#[cfg(feature = "listing")]
mod sorted;
mod synthetic;

#[cfg(feature = "arrow-file")]
pub use arrow_file::ArrowFileSource;
#[cfg(feature = "directory")]
pub use directory::{BadEntries, DirectorySource, ETagSource, Symlinks};
#[cfg(feature = "listing")]
pub use listing::{CsvForm, Dialect, JsonListing, ListingSource};
#[cfg(feature = "ndjson")]
pub use ndjson::{LINE_BYTES_MAX, NdjsonSource};
pub use rows::{RowsSource, SortedRows};
#[cfg(feature = "listing")]
pub use sorted::SortedSource;
pub use synthetic::{SYNTHETIC_ROWS_MAX, SYNTHETIC_VERSIONS_MAX, SyntheticSource};
