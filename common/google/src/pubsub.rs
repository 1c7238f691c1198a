//! How the adapters of Pub/Sub reach it (<https://cloud.google.com/pubsub/docs/reference/service_apis_overview>).

use std::{future::Future, sync::Arc};

use common::{
    Error,
    config::{Duration, Problems, Url},
};
use google_cloud_auth::credentials::Credentials;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::credentials::{CredentialsConfig, Identity, anonymous};

/// Settings of the way to Pub/Sub, to be flattened into those of an adapter.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct PubsubConfig {
    /// Who the adapter is to Google.
    #[serde(flatten)]
    pub credentials: CredentialsConfig,
    /// Host and port of an emulator. It is spoken to without TLS and without credentials.
    #[schemars(example = "127.0.0.1:8085")]
    pub pubsub_emulator_host: Option<String>,
    /// URL of the service where it is not the global one: a regional or private endpoint.
    #[schemars(example = "https://europe-west1-pubsub.googleapis.com")]
    pub gcloud_pubsub_endpoint: Option<Url>,
    /// How long a call may take that does not wait for messages, fetching a token included.
    #[serde(default = "default_timeout")]
    pub gcloud_pubsub_timeout: Duration,
}

impl PubsubConfig {
    /// Adds what is wrong between the settings.
    pub fn validate(&self, problems: &mut Problems) {
        self.credentials.validate(problems);
        if let Some(host) = &self.pubsub_emulator_host {
            let host = host.strip_prefix("http://").unwrap_or(host);
            let sound = host.parse::<http::uri::Authority>().is_ok_and(|host| host.port_u16().is_some());
            if !sound {
                problems.add("PUBSUB_EMULATOR_HOST", "must be a host and a port, such as 127.0.0.1:8085");
            }
        }
        if self.gcloud_pubsub_timeout.is_zero() {
            problems.add("GCLOUD_PUBSUB_TIMEOUT", "must be longer than 0");
        }
        if let Some(url) = &self.gcloud_pubsub_endpoint {
            if url.path() != "/" || url.query().is_some() {
                problems.add("GCLOUD_PUBSUB_ENDPOINT", "must be a URL without path and query");
            }
            if self.pubsub_emulator_host.is_some() {
                problems.add("GCLOUD_PUBSUB_ENDPOINT", "and PUBSUB_EMULATOR_HOST must not both be set");
            }
        }
    }

    /// The way as it is now. Reads files, and asks the metadata server where it is the one to ask.
    ///
    /// # Errors
    /// When there are no credentials, or ones that cannot be used.
    pub async fn access(&self) -> Result<Access, Error> {
        if let Some(host) = &self.pubsub_emulator_host {
            let host = host.strip_prefix("http://").unwrap_or(host);
            let made = anonymous();
            return Ok(Access {
                identity: made.identity,
                credentials: made.credentials,
                endpoint: Some(format!("http://{host}")),
                universe: None,
                timeout: self.timeout(),
                key: None,
            });
        }
        let made = self.credentials.make()?;
        // The clients refuse credentials of another universe than the one that they are made for.
        let universe = bounded("asking for the universe of the credentials", self.timeout(), async {
            Ok(made.credentials.universe_domain().await)
        })
        .await?;
        Ok(Access {
            identity: made.identity,
            credentials: made.credentials,
            endpoint: self
                .gcloud_pubsub_endpoint
                .as_ref()
                .map(|url| url.as_str().trim_end_matches('/').to_owned()),
            universe,
            timeout: self.timeout(),
            key: made.text,
        })
    }

    fn timeout(&self) -> std::time::Duration {
        *self.gcloud_pubsub_timeout
    }

    /// Whether the key is another one than that which the access was made with.
    #[must_use]
    pub fn is_outdated(&self, access: &Access) -> bool {
        access.identity == Identity::Key && self.credentials.key() != access.key
    }
}

impl Access {
    /// Makes sure that the service can be connected to as the clients do it: directly, whatever proxies there are for what
    /// else they send.
    ///
    /// # Errors
    /// When there is no connection.
    pub async fn reach(&self) -> Result<(), Error> {
        let global = format!("https://pubsub.{}", self.universe.as_deref().unwrap_or("googleapis.com"));
        let uri: http::Uri = self.endpoint.as_deref().unwrap_or(&global).parse().unwrap_or_default();
        let port = uri.port_u16().unwrap_or(if uri.scheme_str() == Some("http") { 80 } else { 443 });
        let host = uri.host().unwrap_or_default();
        let doing = format!("connecting to {host}:{port} (no proxy is used for that)");
        bounded(&doing, self.timeout, async {
            let bare = host.trim_start_matches('[').trim_end_matches(']');
            let connected = tokio::net::TcpStream::connect((bare, port)).await;
            connected.map(drop).map_err(|error| Error::retryable(doing.clone()).caused_by(error))
        })
        .await
    }
}

/// What a client of the service is made with.
#[derive(Clone, Debug)]
pub struct Access {
    /// Where the credentials come from.
    pub identity: Identity,
    /// The credentials.
    pub credentials: Credentials,
    /// The URL of the service, where it is not the global one.
    pub endpoint: Option<String>,
    /// The cloud that the credentials are for, where it is not the public one.
    pub universe: Option<String>,
    /// How long a call may take.
    pub timeout: std::time::Duration,
    key: Option<Arc<str>>,
}

/// Gives up a call that takes too long: the client library itself waits for ever in places.
///
/// # Errors
/// That of the call, or that there was no answer.
pub async fn bounded<T>(
    doing: &str,
    timeout: std::time::Duration,
    call: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    match tokio::time::timeout(timeout, call).await {
        Ok(result) => result,
        Err(_) => Err(Error::retryable(format!("{doing}: no answer within {} ms", timeout.as_millis()))),
    }
}

fn default_timeout() -> Duration {
    Duration::seconds(10)
}
