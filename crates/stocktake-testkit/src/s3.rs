//! An S3 server within the test's process: listings, versions, objects, multipart uploads, and faults on demand.
//!
//! It keeps objects in memory, speaks HTTP/1.1 over the loopback interface with a thread for each connection, and answers
//! as S3's documentation says. It checks no signatures.

mod faults;
mod http;
mod listing;
mod objects;
mod service;
mod store;

pub use faults::{Fault, Faults};
pub use http::Request;
pub use listing::{FlatKeys, ListedObject};
pub use store::{ServerOptions, StoredVersion, Upload};

use service::Service;
use std::{
    io,
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, MutexGuard,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
};
use store::Store;

/// A running server; dropped, it takes no more connections.
#[derive(Debug)]
pub struct S3Server {
    address: SocketAddr,
    service: Arc<Service>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl S3Server {
    /// Starts a server without buckets' contents; every bucket name is a bucket.
    ///
    /// # Errors
    /// If no port can be had.
    pub fn start(options: ServerOptions) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let service = Arc::new(Service::new(options));
        let stop = Arc::new(AtomicBool::new(false));
        let (of_thread, stopped) = (Arc::clone(&service), Arc::clone(&stop));
        let thread = std::thread::Builder::new().name("s3-server".to_owned()).spawn(move || {
            for connection in listener.incoming() {
                if stopped.load(Ordering::Relaxed) {
                    return;
                }
                let Ok(connection) = connection else { continue };
                let service = Arc::clone(&of_thread);
                let serve = move || http::serve(connection, &service);
                // A connection without a thread is closed, which a client sees.
                drop(std::thread::Builder::new().name("s3-connection".to_owned()).spawn(serve));
            }
        })?;
        Ok(Self { address, service, stop, thread: Some(thread) })
    }

    /// The endpoint's URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
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

impl Drop for S3Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // Wakes the thread that waits for connections; if that fails, it ends with the process.
        drop(TcpStream::connect(self.address));
        if let Some(thread) = self.thread.take() {
            // A server thread that panicked has shown it to the client already.
            drop(thread.join());
        }
    }
}
