//! The messages of an ORC file's indexes, statistics and footers.
//!
//! Made of `proto/orc.proto`, where it says how; checked in, so that no protobuf compiler is needed to build.

#[expect(unreachable_pub, reason = "generated for any place in a crate")]
mod generated;

pub(crate) use generated::*;
