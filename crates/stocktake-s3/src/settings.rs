//! Where a bucket is and how it is talked to.

use crate::credentials::{Credentials, KeySource};
use std::{fmt, num::NonZeroU32, path::PathBuf, sync::Arc, time::Duration};
use stocktake_core::{BucketName, NameError};

/// A bucket and a prefix in it, as `s3://bucket/prefix` names them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct S3Address {
    /// The bucket.
    pub bucket: BucketName,
    /// What follows the slash behind the bucket, as it is written; may be empty.
    pub prefix: String,
}

impl S3Address {
    /// Takes `s3://bucket/prefix` apart; `None` if the text does not begin with `s3://`.
    ///
    /// # Errors
    /// If the bucket's name is none.
    pub fn parse(text: &str) -> Option<Result<Self, NameError>> {
        let (bucket, prefix) = text.strip_prefix("s3://").map(|rest| rest.split_once('/').unwrap_or((rest, "")))?;
        Some(BucketName::try_new(bucket).map(|bucket| Self { bucket, prefix: prefix.to_owned() }))
    }
}

impl fmt::Display for S3Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.prefix)
    }
}

/// How a server is reached and how patient its client is.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct S3Settings {
    /// Scheme and host, for example `http://127.0.0.1:9000`. Default: S3's own of the region.
    pub endpoint_url: Option<String>,
    /// Region. Default: `us-east-1`. A bucket that is elsewhere is asked for where its server says that it is.
    pub region: String,
    /// Whether the bucket is named in the path and not in the host's name. A host that is an IP address, and a bucket with
    /// a dot in its name, are always addressed so.
    pub path_style: bool,
    /// Whose requests they are; none: they are not signed.
    pub credentials: Option<Credentials>,
    /// Where keys come from that run out, in the place of `credentials`. Default: none.
    pub key_source: Option<Arc<dyn KeySource>>,
    /// Requests under way at once. Default: 16.
    pub requests_max: NonZeroU32,
    /// Most requests that begin in a second. Default: no limit.
    pub requests_per_second_max: Option<NonZeroU32>,
    /// Attempts at a request before it fails. Default: 10.
    pub attempts_max: NonZeroU32,
    /// Wait before the second attempt; it doubles with each, up to 20 s, and is cut at random. Default: 100 ms.
    pub backoff: Duration,
    /// Longest time of an attempt. Default: 60 s.
    pub attempt_timeout: Duration,
    /// Account that must own the bucket; another one's answers are errors.
    pub expected_bucket_owner: Option<String>,
    /// File of certificates, in PEM, by which servers are checked. Default: the system's.
    pub ca_bundle: Option<PathBuf>,
}

impl Default for S3Settings {
    fn default() -> Self {
        Self {
            endpoint_url: None,
            region: "us-east-1".to_owned(),
            path_style: false,
            credentials: None,
            key_source: None,
            requests_max: NonZeroU32::MIN.saturating_add(15),
            requests_per_second_max: None,
            attempts_max: NonZeroU32::MIN.saturating_add(9),
            backoff: Duration::from_millis(100),
            attempt_timeout: Duration::from_secs(60),
            expected_bucket_owner: None,
            ca_bundle: None,
        }
    }
}

/// What the names of AWS's servers of a region end in.
pub(crate) fn dns_suffix(region: &str) -> &'static str {
    if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" }
}

/// Whether a text can be a region's name, and so part of a host's.
pub(crate) fn is_region(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 32
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// Where requests for one bucket go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Endpoint {
    pub(crate) tls: bool,
    /// Host with its port, if it has one.
    pub(crate) host: String,
    /// What stands before the key in paths, without a slash at its end.
    pub(crate) base: String,
}

impl Endpoint {
    pub(crate) fn of(settings: &S3Settings, bucket: &BucketName) -> Result<Self, String> {
        let own = format!("https://s3.{}.{}", settings.region, dns_suffix(&settings.region));
        let url = settings.endpoint_url.as_deref().unwrap_or(&own);
        let fault = || format!("{url:?} is no endpoint: it begins with http:// or https:// and has a host");
        let (tls, rest) = match url.split_once("://").ok_or_else(fault)? {
            ("http", rest) => (false, rest),
            ("https", rest) => (true, rest),
            _ => return Err(fault()),
        };
        let (host, folder) = rest.trim_end_matches('/').split_once('/').unwrap_or((rest.trim_end_matches('/'), ""));
        if host.is_empty() || host.contains(['@', '?', '#', ' ']) {
            return Err(fault());
        }
        let folder = if folder.is_empty() { String::new() } else { format!("/{folder}") };
        let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
        let is_address = name.starts_with('[') || name.parse::<std::net::Ipv4Addr>().is_ok() || name == "localhost";
        if settings.path_style || is_address || bucket.as_str().contains('.') {
            return Ok(Self { tls, host: host.to_owned(), base: format!("{folder}/{bucket}") });
        }
        Ok(Self { tls, host: format!("{bucket}.{host}"), base: folder })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(url: Option<&str>, bucket: &str, path_style: bool) -> Result<(bool, String, String), String> {
        let settings = S3Settings { endpoint_url: url.map(ToOwned::to_owned), path_style, ..S3Settings::default() };
        Endpoint::of(&settings, &BucketName::try_new(bucket).unwrap()).map(|of| (of.tls, of.host, of.base))
    }

    #[test]
    fn addresses_are_taken_apart() {
        let parsed =
            |text| S3Address::parse(text).map(|address| address.map(|a| (a.bucket.to_string(), a.prefix)).ok());
        let pair = |bucket: &str, prefix: &str| Some(Some((bucket.to_owned(), prefix.to_owned())));
        assert_eq!(parsed("s3://b"), pair("b", ""));
        assert_eq!(parsed("s3://b//a/"), pair("b", "/a/"));
        assert_eq!(parsed("s3:///a"), Some(None));
        assert_eq!(parsed("/s3"), None);
    }

    #[test]
    fn buckets_stand_in_the_host_or_in_the_path() {
        let of = |tls, host: &str, base: &str| Ok((tls, host.to_owned(), base.to_owned()));
        assert_eq!(endpoint(None, "b", false), of(true, "b.s3.us-east-1.amazonaws.com", ""));
        assert_eq!(endpoint(None, "a.b", false), of(true, "s3.us-east-1.amazonaws.com", "/a.b"));
        assert_eq!(endpoint(Some("http://store:9000/"), "b", false), of(false, "b.store:9000", ""));
        assert_eq!(endpoint(Some("http://store:9000/x/"), "b", true), of(false, "store:9000", "/x/b"));
        assert_eq!(endpoint(Some("http://127.0.0.1:1"), "b", false), of(false, "127.0.0.1:1", "/b"));
        assert_eq!(endpoint(Some("http://[::1]:1"), "b", false), of(false, "[::1]:1", "/b"));
        for url in ["store", "ftp://x", "http://", "http://u@h", "http:///b"] {
            assert!(endpoint(Some(url), "b", true).is_err(), "{url}");
        }
    }
}
