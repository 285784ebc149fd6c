//! Connections, plain or by TLS.

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Request, Response, body::Incoming};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};
use std::{path::Path, time::Duration};

/// How long a connection that nobody uses is kept.
const IDLE_TIMEOUT: Duration = Duration::from_secs(20);

/// Most bytes of a reply that a connection reads ahead.
const READ_BYTES_MAX: usize = 512 << 10;

/// Connections to servers.
pub(crate) enum Transport {
    Plain(Client<HttpConnector, Full<Bytes>>),
    Tls(Client<HttpsConnector<HttpConnector>, Full<Bytes>>),
}

impl Transport {
    /// Connections that take up to `connect_timeout`; servers are checked by the certificates of a file in PEM, or by the system's.
    ///
    /// # Errors
    /// No certificates to check servers by.
    pub(crate) fn try_new(tls: bool, ca_bundle: Option<&Path>, connect_timeout: Duration) -> Result<Self, String> {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(connect_timeout));
        connector.enforce_http(false);
        let mut pool = Client::builder(TokioExecutor::new());
        pool.pool_idle_timeout(IDLE_TIMEOUT).pool_timer(TokioTimer::new()).http1_max_buf_size(READ_BYTES_MAX);
        if !tls {
            return Ok(Self::Plain(pool.build(connector)));
        }
        let builder = HttpsConnectorBuilder::new();
        let builder = match ca_bundle {
            Some(path) => builder.with_tls_config(by_bundle(path)?),
            None => {
                let native = builder.with_native_roots();
                native.map_err(|error| format!("no certificates to check servers by: {error}"))?
            }
        };
        Ok(Self::Tls(pool.build(builder.https_or_http().enable_http1().wrap_connector(connector))))
    }

    pub(crate) async fn request(&self, request: Request<Full<Bytes>>) -> Result<Response<Incoming>, String> {
        let reply = match self {
            Self::Plain(client) => client.request(request).await,
            Self::Tls(client) => client.request(request).await,
        };
        reply.map_err(|error| super::with_causes(&error))
    }
}

/// Checks servers by the certificates of a file alone.
fn by_bundle(path: &Path) -> Result<ClientConfig, String> {
    let fault = |text: String| format!("no certificates to check servers by in {}: {text}", path.display());
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(path).map_err(|error| fault(error.to_string()))? {
        let certificate = certificate.map_err(|error| fault(error.to_string()))?;
        roots.add(certificate).map_err(|error| fault(error.to_string()))?;
    }
    if roots.is_empty() {
        return Err(fault("there is none".to_owned()));
    }
    Ok(ClientConfig::builder().with_root_certificates(roots).with_no_client_auth())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_certificates_is_refused() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        for (text, words) in [
            ("", "there is none"),
            (
                "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
                "no certificates to check servers by in ",
            ),
        ] {
            std::io::Write::write_all(&mut file, text.as_bytes()).unwrap();
            let fault = Transport::try_new(true, Some(file.path()), Duration::from_secs(1)).err().unwrap();
            assert!(fault.contains(words), "{fault}");
        }
        assert!(Transport::try_new(true, Some(Path::new("/nowhere")), Duration::from_secs(1)).is_err());
    }
}
