//! An S3 server within the test's process: listings, versions, objects, multipart uploads, and faults on demand.
//!
//! It keeps objects in memory, speaks HTTP/1.1 over the loopback interface with a thread for each connection, and answers
//! as S3's documentation says. It checks no signatures.

mod faults;
pub(crate) mod http;
mod listing;
pub(crate) mod objects;
mod service;
mod store;

pub use faults::{Fault, Faults};
pub use http::Request;
pub use listing::{FlatKeys, ListedObject};
pub use store::{ServerOptions, StoredVersion, Upload};

use http::Listening;
use service::Service;
use std::{
    io,
    sync::{Arc, MutexGuard},
};
use store::Store;

/// A running server; dropped, it takes no more connections.
#[derive(Debug)]
pub struct S3Server {
    listening: Listening,
    service: Arc<Service>,
}

impl S3Server {
    /// Starts a server without buckets' contents; every bucket name is a bucket.
    ///
    /// # Errors
    /// If no port can be had.
    pub fn start(options: ServerOptions) -> io::Result<Self> {
        let service = Arc::new(Service::new(options));
        Ok(Self { listening: Listening::start(Arc::clone(&service))?, service })
    }

    /// The endpoint's URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.listening.address)
    }

    /// What the server holds; a test may change it between requests.
    pub fn store(&self) -> MutexGuard<'_, Store> {
        self.service.store()
    }

    /// The faults that the server shows.
    pub fn faults(&self) -> &Faults {
        &self.service.faults
    }

    /// Requests so far, as `METHOD path?query`.
    pub fn log(&self) -> Vec<String> {
        self.service.log()
    }

    /// Requests that were sent to another region.
    pub fn turned_away(&self) -> usize {
        self.service.turned_away()
    }

    /// Most requests that were under way at once.
    pub fn at_once_max(&self) -> usize {
        self.service.at_once_max()
    }
}
