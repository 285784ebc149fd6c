//! Envelopes: objects encrypted before a destination sees them, and read back from anywhere within.
//!
//! ```text
//! "stktenc1" │ length of the header, 4 bytes │ header, JSON │ segment │ segment │ … │ last segment
//! ```
//!
//! A segment is 65,536 bytes of plaintext (the last one fewer) and 16 of authentication, by AES-256-GCM in the STREAM
//! construction: a segment that is changed, moved, dropped or cut off does not open. A report has a data key of its own,
//! which the header holds wrapped by the key service; an object has a key derived from it, from a salt of its own, and from
//! all of the header and the object's file name. So no two objects, and no two attempts at one, share a key, and no nonce is
//! used twice; and a file that is put under another's name, or under another header, does not open.

mod destination;
mod header;
mod reader;
#[cfg(test)]
mod tests;
mod writer;

pub use destination::EnvelopeDestination;
pub use reader::EnvelopeStore;

use aead_stream::StreamBE32;
use aes_gcm::Aes256Gcm;

/// Bytes of plaintext in a segment.
const SEGMENT_BYTES: usize = 64 << 10;

/// Bytes that a segment is longer encrypted.
const TAG_BYTES: usize = 16;

/// The STREAM construction with a 32-bit counter: 2³² segments, 256 TiB.
type Stream = StreamBE32<Aes256Gcm>;

/// Name of the file that a key ends in: envelopes stay readable when a whole report is copied elsewhere.
fn file_name(key: &str) -> &str {
    key.rsplit('/').next().unwrap_or(key)
}
