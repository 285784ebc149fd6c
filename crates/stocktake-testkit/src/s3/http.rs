//! Requests and replies over one connection, and the faults of a connection.

use super::Fault;
use std::{
    collections::BTreeMap,
    io::{self, BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

/// Longest head of a request.
const HEAD_BYTES_MAX: u64 = 64 << 10;

/// A request as it was read.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// Method.
    pub method: String,
    /// Path as it was sent, still encoded.
    pub path: String,
    /// Query, decoded.
    pub query: BTreeMap<String, String>,
    /// Headers with names in lower case.
    pub headers: BTreeMap<String, String>,
    /// Body.
    pub body: Vec<u8>,
    pub(crate) target: String,
}

impl Request {
    /// A parameter of the query.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.query.get(name).map(String::as_str)
    }

    /// A header, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// Bucket and key, decoded; the server is addressed by path.
    pub fn bucket_and_key(&self) -> (String, String) {
        let path = self.path.trim_start_matches('/');
        let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
        (decoded(bucket, false), decoded(key, false))
    }
}

/// A reply before it is sent.
#[derive(Debug, Default)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// Length that is stated though there is no body, for replies to HEAD.
    pub(crate) stated_length: Option<u64>,
}

impl Reply {
    pub(crate) fn new(status: u16) -> Self {
        Self { status, ..Self::default() }
    }

    pub(crate) fn xml(status: u16, body: String) -> Self {
        let body = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{body}").into_bytes();
        Self::new(status).with_header("content-type", "application/xml").with_body(body)
    }

    pub(crate) fn error(status: u16, code: &str, message: &str) -> Self {
        Self::xml(status, format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>"))
    }

    pub(crate) fn with_header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    pub(crate) fn with_body(mut self, body: Vec<u8>) -> Self {
        self.body = body;
        self
    }
}

/// What a server does with requests.
pub(crate) trait Answers: Send + Sync + 'static {
    /// Answers a request, and says what is to go wrong with the reply.
    fn answer(&self, request: &Request) -> (Reply, Option<Fault>);
}

/// A socket that is listened to, with a thread for each connection; dropped, it takes no more of them.
#[derive(Debug)]
pub(crate) struct Listening {
    pub(crate) address: SocketAddr,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Listening {
    /// Listens at a free port of the loopback interface.
    ///
    /// # Errors
    /// If no port can be had.
    pub(crate) fn start(service: Arc<impl Answers>) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::Builder::new().name("test-server".to_owned()).spawn(move || {
            for connection in listener.incoming() {
                if stopped.load(Ordering::Relaxed) {
                    return;
                }
                let Ok(connection) = connection else { continue };
                let service = Arc::clone(&service);
                let serve = move || serve(connection, &*service);
                // A connection without a thread is closed, which a client sees.
                drop(std::thread::Builder::new().name("test-connection".to_owned()).spawn(serve));
            }
        })?;
        Ok(Self { address, stop, thread: Some(thread) })
    }
}

impl Drop for Listening {
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

/// Serves a connection until either side closes it.
fn serve(stream: TcpStream, service: &impl Answers) {
    // A connection that fails is over; the client sees it.
    drop(serve_requests(stream, service));
}

fn serve_requests(stream: TcpStream, service: &impl Answers) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut writer = stream.try_clone()?;
    let mut reader = BufReader::with_capacity(64 << 10, stream);
    while let Some(request) = read(&mut reader)? {
        let (mut reply, fault) = service.answer(&request);
        if request.method == "HEAD" {
            // A reply to HEAD has no body, whatever length it states.
            reply.stated_length = reply.stated_length.or(Some(reply.body.len() as u64));
            reply.body.clear();
        }
        match fault {
            Some(Fault::Reset) => return Ok(()),
            Some(Fault::TruncatedBody) => {
                let length = reply.body.len();
                write_head(&mut writer, &reply, length)?;
                writer.write_all(&reply.body[..length / 2])?;
                return writer.flush();
            }
            Some(Fault::Slow(pause)) => {
                let half = reply.body.len() / 2;
                write_head(&mut writer, &reply, reply.body.len())?;
                writer.write_all(&reply.body[..half])?;
                std::thread::sleep(Duration::from_millis(pause));
                writer.write_all(&reply.body[half..])?;
            }
            _ => {
                write_head(&mut writer, &reply, reply.body.len())?;
                writer.write_all(&reply.body)?;
            }
        }
        writer.flush()?;
    }
    Ok(())
}

fn read(reader: &mut BufReader<TcpStream>) -> io::Result<Option<Request>> {
    let mut head = Vec::new();
    let mut limited = reader.by_ref().take(HEAD_BYTES_MAX);
    loop {
        let before = head.len();
        limited.read_until(b'\n', &mut head)?;
        if head.len() == before {
            return Ok(None);
        }
        if head.len() - before <= 2 {
            break;
        }
    }
    let head = String::from_utf8_lossy(&head);
    let mut lines = head.lines();
    let mut words = lines.next().unwrap_or_default().split(' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut request = Request {
        method: method.to_owned(),
        path: path.to_owned(),
        query: query.split('&').filter(|pair| !pair.is_empty()).map(parameter).collect(),
        headers: lines.filter_map(header).collect(),
        body: Vec::new(),
        target: target.to_owned(),
    };
    let length = request.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    request.body = vec![0; length];
    reader.read_exact(&mut request.body)?;
    Ok(Some(request))
}

fn header(line: &str) -> Option<(String, String)> {
    let (name, value) = line.split_once(':')?;
    Some((name.to_ascii_lowercase(), value.trim().to_owned()))
}

fn parameter(pair: &str) -> (String, String) {
    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
    (decoded(name, true), decoded(value, true))
}

/// Percent-decodes; in a query a plus is a space.
pub(crate) fn decoded(text: &str, query: bool) -> String {
    let mut bytes = text.bytes();
    let mut out = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        match byte {
            b'%' => {
                let digits = [bytes.next().unwrap_or(b'0'), bytes.next().unwrap_or(b'0')];
                let digits = String::from_utf8_lossy(&digits).into_owned();
                out.push(u8::from_str_radix(&digits, 16).unwrap_or(b'?'));
            }
            b'+' if query => out.push(b' '),
            _ => out.push(byte),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn write_head(writer: &mut TcpStream, reply: &Reply, length: usize) -> io::Result<()> {
    let length = reply.stated_length.unwrap_or(length as u64);
    let mut head = format!("HTTP/1.1 {} -\r\ncontent-length: {length}\r\n", reply.status);
    for (name, value) in &reply.headers {
        head += &format!("{name}: {value}\r\n");
    }
    head += "\r\n";
    writer.write_all(head.as_bytes())
}
