//! Keys that run out while requests are sent.

use super::*;
use std::sync::atomic::{AtomicU32, Ordering};
use stocktake_core::Timestamp;
use stocktake_s3::{KeySource, S3Source, TemporaryKeys};
use stocktake_testkit::s3::FlatKeys;

/// Numbers its keys; some of its calls fail.
#[derive(Debug)]
struct Numbered {
    calls: AtomicU32,
    expires_at: Option<Timestamp>,
    fails: bool,
}

impl KeySource for Numbered {
    fn fetch(&self) -> Result<TemporaryKeys, String> {
        let call = self.calls.fetch_add(1, Ordering::Relaxed);
        if self.fails {
            return Err("nobody is at home".to_owned());
        }
        Ok(TemporaryKeys::new(Credentials::new(format!("KEY{call}"), "secret", Some("token".into())), self.expires_at))
    }
}

fn listed(expires_at: Option<&str>, fails: bool) -> (Result<usize, SourceError>, u32, usize) {
    let server = server(false, 100);
    server.store().flat.insert("b".into(), FlatKeys { count: 1_000 });
    let expires_at = expires_at.map(|time| Timestamp::parse(time).unwrap());
    let source = Arc::new(Numbered { calls: AtomicU32::new(0), expires_at, fails });
    let mut settings = settings(&server);
    settings.attempts_max = one().saturating_add(1);
    settings.key_source = Some(Arc::clone(&source) as Arc<dyn KeySource>);
    let listing = S3Source::new(client_with(settings), "", Versions::Current);
    let rows = rows(&listing, Versions::Current, FieldSet::REQUIRED).map(|rows| rows.len());
    (rows, source.calls.load(Ordering::Relaxed), server.log().len())
}

#[test]
fn keys_are_asked_for_once_while_they_hold_and_anew_before_they_run_out() {
    let (rows, calls, _) = listed(None, false);
    assert_eq!((rows.unwrap(), calls), (1_000, 1));
    let (rows, calls, _) = listed(Some("9000-01-01T00:00:00Z"), false);
    assert_eq!((rows.unwrap(), calls), (1_000, 1));
    let (rows, calls, requests) = listed(Some("2000-01-01T00:00:00Z"), false);
    assert_eq!(rows.unwrap(), 1_000);
    // A request may be under way, and not be seen by the server any more, when the last page was delivered.
    assert!(calls as usize >= requests && requests > 10, "{calls} calls, {requests} requests");
}

#[test]
fn a_request_without_keys_fails_and_says_why() {
    let (rows, calls, requests) = listed(None, true);
    let error = rows.unwrap_err().to_string();
    assert!(error.contains("access keys cannot be had: nobody is at home, after 2 attempts"), "{error}");
    assert_eq!((calls, requests), (2, 0));
}
