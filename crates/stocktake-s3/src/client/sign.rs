//! Signatures of requests: AWS Signature Version 4 in headers.
//!
//! Source: "Signature Calculations for the Authorization Header", Amazon S3 API reference.

use crate::credentials::Credentials;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use std::fmt::Write;
use stocktake_core::Timestamp;

/// Hash of a payload that is not signed, for connections that TLS protects.
pub(super) const UNSIGNED_PAYLOAD: &str = "UNSIGNED-PAYLOAD";

/// What of a request is signed.
pub(crate) struct Signed<'a> {
    pub(crate) method: &'a str,
    /// Path, encoded.
    pub(crate) path: &'a str,
    /// Query, encoded, its parameters in ascending order.
    pub(crate) query: &'a str,
    /// Headers with names in lower case, in ascending order, `host`, `x-amz-date` and `x-amz-content-sha256` among them.
    pub(crate) headers: &'a [(String, String)],
    pub(crate) payload_hash: &'a str,
}

/// What a signature holds for.
pub(crate) struct Scope<'a> {
    pub(crate) region: &'a str,
    pub(crate) service: &'a str,
}

/// The time as `x-amz-date` spells it.
pub(crate) fn amz_date(time: Timestamp) -> String {
    let text = time.to_string();
    text[..19].chars().filter(|c| !matches!(c, '-' | ':')).chain(['Z']).collect()
}

/// SHA-256 of a payload in lower-case hex.
pub(crate) fn payload_hash(payload: &[u8]) -> String {
    hex(&Sha256::digest(payload))
}

/// The value of the header `authorization`.
pub(crate) fn authorization(signed: &Signed<'_>, credentials: &Credentials, scope: &Scope<'_>, date: &str) -> String {
    let Scope { region, service } = scope;
    let names: Vec<&str> = signed.headers.iter().map(|(name, _)| name.as_str()).collect();
    let names = names.join(";");
    let mut canonical = format!("{}\n{}\n{}\n", signed.method, signed.path, signed.query);
    for (name, value) in signed.headers {
        // Writing to a string does not fail.
        let _ = writeln!(canonical, "{name}:{}", value.trim());
    }
    let _ = write!(canonical, "\n{names}\n{}", signed.payload_hash);
    let day = &date[..8];
    let scope = format!("{day}/{region}/{service}/aws4_request");
    let text = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{}", hex(&Sha256::digest(canonical.as_bytes())));
    let key = format!("AWS4{}", credentials.secret_access_key);
    let key =
        [day, region, service, "aws4_request"].iter().fold(key.into_bytes(), |key, part| mac(&key, part.as_bytes()));
    let signature = hex(&mac(&key, text.as_bytes()));
    format!(
        "AWS4-HMAC-SHA256 Credential={}/{scope},SignedHeaders={names},Signature={signature}",
        credentials.access_key_id
    )
}

fn mac(key: &[u8], text: &[u8]) -> Vec<u8> {
    match Hmac::<Sha256>::new_from_slice(key) {
        Ok(mut mac) => {
            mac.update(text);
            mac.finalize().into_bytes().to_vec()
        }
        Err(error) => unreachable!("HMAC takes keys of any length: {error}"),
    }
}

/// Bytes in lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of the page named above.
    #[test]
    fn the_documentations_examples() {
        let credentials = Credentials::new("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", None);
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(payload_hash(b""), empty);
        let put = "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072";
        assert_eq!(payload_hash(b"Welcome to Amazon S3."), put);
        let date = amz_date(Timestamp::parse("2013-05-24T00:00:00Z").unwrap());
        assert_eq!(date, "20130524T000000Z");
        type Example<'a> = (&'a str, &'a str, &'a str, &'a str, &'a [(&'a str, &'a str)], &'a str);
        let more: [Example<'_>; 4] = [
            (
                "GET",
                "/test.txt",
                "",
                empty,
                &[("range", "bytes=0-9")],
                "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
            ),
            (
                "PUT",
                "/test%24file.text",
                "",
                put,
                &[("date", "Fri, 24 May 2013 00:00:00 GMT"), ("x-amz-storage-class", "REDUCED_REDUNDANCY")],
                "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
            ),
            ("GET", "/", "lifecycle=", empty, &[], "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"),
            (
                "GET",
                "/",
                "max-keys=2&prefix=J",
                empty,
                &[],
                "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
            ),
        ];
        for (method, path, query, payload_hash, headers, signature) in more {
            let own = [
                ("host", "examplebucket.s3.amazonaws.com"),
                ("x-amz-content-sha256", payload_hash),
                ("x-amz-date", &date),
            ];
            let mut headers: Vec<(String, String)> =
                own.iter().chain(headers).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            headers.sort();
            let signed = Signed { method, path, query, headers: &headers, payload_hash };
            let value = authorization(&signed, &credentials, &Scope { region: "us-east-1", service: "s3" }, &date);
            assert!(value.ends_with(&format!("Signature={signature}")), "{method} {path}: {value}");
        }
    }
}
