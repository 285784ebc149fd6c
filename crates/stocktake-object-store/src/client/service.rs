//! What the two clouds differ in before a request is sent: addresses, and how a request says who sends it.

use super::transport::Transport;
use crate::error::{Cause, with_causes};
use hyper::header::{AUTHORIZATION, HeaderValue};
use object_store::{
    azure::{AzureAuthorizer, AzureConfigKey, AzureCredentialProvider, MicrosoftAzureBuilder},
    client::HttpRequest,
    gcp::{GcpCredentialProvider, GoogleCloudStorageBuilder, GoogleConfigKey},
};
use stocktake_core::BucketName;

/// A bucket of Google's or a container of Azure's.
#[derive(Debug)]
pub(crate) enum Service {
    Google { base: String, credentials: Option<GcpCredentialProvider> },
    Azure { base: String, account: String, credentials: Option<AzureCredentialProvider> },
}

impl Service {
    /// The bucket, as variables whose names begin with `GOOGLE_` say, and `STORAGE_EMULATOR_HOST` and `SERVICE_ACCOUNT`.
    pub(super) fn google(
        variables: &[(String, String)],
        bucket: &BucketName,
        transport: &Transport,
    ) -> Result<Self, String> {
        let mut builder = GoogleCloudStorageBuilder::new().with_bucket_name(bucket.as_str());
        let mut emulator = None;
        for (name, value) in variables {
            match name.as_str() {
                "STORAGE_EMULATOR_HOST" => emulator = Some(value.as_str()),
                "SERVICE_ACCOUNT" => builder = builder.with_service_account_path(value),
                name if name.starts_with("GOOGLE_") => {
                    // Programs of Google's have variables beside those that say how a bucket is reached.
                    if let Ok(key) = name.to_ascii_lowercase().parse() {
                        builder = builder.with_config(key, value);
                    }
                }
                _ => {}
            }
        }
        let builder = builder.with_bucket_name(bucket.as_str()).with_http_connector(transport.clone());
        let base = match emulator {
            Some(host) if host.contains("://") => host.to_owned(),
            Some(host) => format!("http://{host}"),
            None => builder
                .get_config_value(&GoogleConfigKey::BaseUrl)
                .unwrap_or_else(|| "https://storage.googleapis.com".to_owned()),
        };
        let base = format!("{}/{bucket}", base.trim_end_matches('/'));
        let skip = builder.get_config_value(&GoogleConfigKey::SkipSignature).is_some_and(|value| value == "true");
        if emulator.is_some() || skip {
            return Ok(Self::Google { base, credentials: None });
        }
        let store = builder.build().map_err(|error| with_causes(&error))?;
        Ok(Self::Google { base, credentials: Some(store.credentials().clone()) })
    }

    /// The container, as variables whose names begin with `AZURE_` say.
    pub(super) fn azure(
        variables: &[(String, String)],
        container: &BucketName,
        transport: &Transport,
    ) -> Result<Self, String> {
        let mut builder = MicrosoftAzureBuilder::new();
        let mut emulator = "http://127.0.0.1:10000";
        for (name, value) in variables {
            match name.as_str() {
                "AZURITE_BLOB_STORAGE_URL" => emulator = value,
                "MSI_ENDPOINT" => builder = builder.with_msi_endpoint(value),
                name if name.starts_with("AZURE_") => {
                    // As with Google's.
                    if let Ok(key) = name.to_ascii_lowercase().parse() {
                        builder = builder.with_config(key, value);
                    }
                }
                _ => {}
            }
        }
        let builder = builder.with_container_name(container.as_str()).with_http_connector(transport.clone());
        if builder.get_config_value(&AzureConfigKey::EncryptionKey).is_some() {
            // Objects would be stored without it.
            return Err("AZURE_STORAGE_ENCRYPTION_KEY is not supported; --key-file encrypts reports".to_owned());
        }
        let is = |key| builder.get_config_value(&key).is_some_and(|value| value == "true");
        let account = builder.get_config_value(&AzureConfigKey::AccountName).filter(|name| !name.is_empty());
        let emulated = is(AzureConfigKey::UseEmulator);
        let account = match account {
            Some(account) => account,
            None if emulated => "devstoreaccount1".to_owned(),
            None => return Err("no account is named; AZURE_STORAGE_ACCOUNT_NAME names it".to_owned()),
        };
        let base = match builder.get_config_value(&AzureConfigKey::Endpoint) {
            _ if emulated => format!("{}/{account}", emulator.trim_end_matches('/')),
            Some(endpoint) => endpoint.trim_end_matches('/').to_owned(),
            None if is(AzureConfigKey::UseFabricEndpoint) => format!("https://{account}.blob.fabric.microsoft.com"),
            None => format!("https://{account}.blob.core.windows.net"),
        };
        let base = format!("{base}/{container}");
        let skip = is(AzureConfigKey::SkipSignature);
        let store = builder.build().map_err(|error| with_causes(&error))?;
        Ok(Self::Azure { base, account, credentials: (!skip).then(|| store.credentials().clone()) })
    }

    /// The URL of the bucket or container.
    pub(super) fn base(&self) -> &str {
        match self {
            Self::Google { base, .. } | Self::Azure { base, .. } => base,
        }
    }

    /// Says in a request who sends it.
    pub(super) async fn authorize(&self, request: &mut HttpRequest) -> Result<(), Cause> {
        let failed = |error: object_store::Error| Cause::Credentials(with_causes(&error));
        match self {
            Self::Google { credentials, .. } => {
                let Some(credentials) = credentials else { return Ok(()) };
                let credential = credentials.get_credential().await.map_err(failed)?;
                if credential.bearer.is_empty() {
                    return Ok(());
                }
                let bearer = HeaderValue::from_str(&format!("Bearer {}", credential.bearer))
                    .map_err(|_| Cause::Credentials("the token has characters that no header can have".to_owned()))?;
                request.headers_mut().insert(AUTHORIZATION, bearer);
                Ok(())
            }
            Self::Azure { credentials: None, .. } => {
                request.headers_mut().insert("x-ms-version", HeaderValue::from_static(AZURE_VERSION));
                Ok(())
            }
            Self::Azure { credentials: Some(credentials), account, .. } => {
                let credential = credentials.get_credential().await.map_err(failed)?;
                AzureAuthorizer::new(&credential, account).try_authorize(request).map_err(failed)
            }
        }
    }
}

/// Version of the protocol that requests without a signature speak; signed ones get theirs with the signature.
const AZURE_VERSION: &str = "2023-11-03";
