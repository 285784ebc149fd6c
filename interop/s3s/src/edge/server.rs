//! The server on a port of this machine, and the faults of its connections.

use crate::store::Store;
use bytes::Bytes;
use futures::stream;
use http_body_util::{BodyExt, Full, StreamBody, combinators::UnsyncBoxBody};
use hyper::{Request, Response, body::Frame, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use s3s::{auth::SimpleAuth, service::S3ServiceBuilder};
use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{net::TcpListener, runtime::Runtime};

type Body = UnsyncBoxBody<Bytes, io::Error>;

/// What every so many-th request suffers; 0: none does.
pub struct Faults {
    pub every: AtomicU64,
    pub seen: AtomicU64,
    pub shown: AtomicU64,
}

/// Serves until the runtime is gone; returns the URL.
pub fn start(runtime: &Runtime, store: &Store, faults: &Arc<Faults>) -> io::Result<String> {
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
    let url = format!("http://{}", listener.local_addr()?);
    let mut builder = S3ServiceBuilder::new(store.clone());
    builder.set_auth(SimpleAuth::from_single("id", "secret"));
    let s3 = builder.build();
    let faults = Arc::clone(faults);
    runtime.spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (s3, faults) = (s3.clone(), Arc::clone(&faults));
            let answer = service_fn(move |request: Request<Incoming>| {
                let (s3, faults) = (s3.clone(), Arc::clone(&faults));
                async move {
                    let number = faults.seen.fetch_add(1, Ordering::Relaxed) + 1;
                    let every = faults.every.load(Ordering::Relaxed);
                    let fault = (every > 0 && number % every == 0).then_some(number / every % 5);
                    faults.shown.fetch_add(u64::from(fault.is_some()), Ordering::Relaxed);
                    if let Some(refused @ (0 | 1)) = fault {
                        return Ok(refusal(refused));
                    }
                    let reply =
                        s3.call(request.map(s3s::Body::from)).await.map_err(|_| io::Error::other("no reply"))?;
                    let (head, body) = reply.into_parts();
                    let body = body.collect().await.map_err(|_| io::Error::other("no body"))?.to_bytes();
                    let half = body.len() / 2;
                    let (first, rest) = (body.slice(..half), body.slice(half..));
                    match fault {
                        // The request had its effect, and nobody hears of it.
                        Some(2) => Err(io::Error::other("reset")),
                        Some(3) => {
                            Ok(Response::from_parts(head, pieces(vec![Ok(first), Err(io::Error::other("cut off"))], 0)))
                        }
                        Some(_) => Ok(Response::from_parts(head, pieces(vec![Ok(first), Ok(rest)], 30))),
                        None => Ok(Response::from_parts(head, whole(body))),
                    }
                }
            });
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), answer));
        }
    });
    Ok(url)
}

fn refusal(kind: u64) -> Response<Body> {
    let (status, code) = if kind == 0 { (503, "SlowDown") } else { (500, "InternalError") };
    let text = format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>Please try again.</Message></Error>");
    let mut response = Response::new(whole(Bytes::from(text)));
    *response.status_mut() = hyper::StatusCode::from_u16(status).unwrap_or_default();
    response
}

fn whole(body: Bytes) -> Body {
    Full::new(body).map_err(|never| match never {}).boxed_unsync()
}

/// A body in pieces, each some milliseconds behind the one before.
fn pieces(pieces: Vec<io::Result<Bytes>>, pause_ms: u64) -> Body {
    let pieces = stream::unfold(pieces.into_iter(), move |mut rest| async move {
        let next = rest.next()?;
        tokio::time::sleep(Duration::from_millis(pause_ms)).await;
        Some((next.map(Frame::data), rest))
    });
    StreamBody::new(pieces).boxed_unsync()
}
