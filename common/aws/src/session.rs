//! What a service's client is made from: region, endpoint, credentials, time-outs, retries.

use std::{error::Error as StdError, time::Duration};

use aws_config::{
    BehaviorVersion, Region, SdkConfig, retry::RetryConfig,
    stalled_stream_protection::StalledStreamProtectionConfig, timeout::TimeoutConfig,
};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::{orchestrator::HttpResponse, result::SdkError};
use aws_smithy_types::{error::metadata::ProvideErrorMetadata, retry::ReconnectMode};
use common::{
    Error,
    config::{ConfigError, Url},
};

use crate::{
    client::{ANSWER_BYTES, Http},
    credentials::{Keys, chain},
    error,
    identity::Identities,
    role::Role,
    settings::Settings,
};

/// How long making a connection may take. The frame's client allows ten seconds; metadata services get less.
const CONNECT: Duration = Duration::from_secs(10);
/// The frame retries. A second attempt is for what is over at once: a broken connection, a clock that was set right.
const ATTEMPTS: u32 = 2;

/// One way of calling AWS, for the whole life of the process. Opening it does no I/O but reading `AWS_CA_BUNDLE`.
#[derive(Debug)]
pub struct Session {
    sdk: SdkConfig,
    identities: Identities,
}

impl Session {
    /// Opens one for a region. `endpoint` is that of the service, where it has a setting of its own; `attempt` is the
    /// longest that one request may take.
    ///
    /// # Errors
    /// When `AWS_CA_BUNDLE` cannot be read.
    pub fn new(
        settings: &Settings,
        region: &str,
        endpoint: Option<&Url>,
        attempt: Duration,
    ) -> Result<Self, ConfigError> {
        Self::reading(settings, region, endpoint, attempt, ANSWER_BYTES)
    }

    /// The same for a service whose answers may be so large, in bytes; 4 MiB else.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn reading(
        settings: &Settings,
        region: &str,
        endpoint: Option<&Url>,
        attempt: Duration,
        answer_bytes: usize,
    ) -> Result<Self, ConfigError> {
        let http = Http::new(settings.roots()?, answer_bytes);
        let timeouts =
            TimeoutConfig::builder().connect_timeout(CONNECT).operation_attempt_timeout(attempt).build();
        let retries = RetryConfig::standard()
            .with_max_attempts(ATTEMPTS)
            .with_initial_backoff(Duration::from_millis(100))
            // Connections are looked after by the frame's client.
            .with_reconnect_mode(ReconnectMode::ReuseAllConnections);
        let bare = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(region.to_owned()))
            .http_client(http.clone())
            .timeout_config(timeouts)
            .retry_config(retries)
            // Bodies are in memory on both sides, and attempts have a time-out.
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .use_fips(settings.aws_use_fips_endpoint.0)
            .use_dual_stack(settings.aws_use_dualstack_endpoint.0)
            .build();
        let (provider, identities) = credentials(settings, &bare, &http);
        let mut sdk = bare.into_builder().credentials_provider(provider).identity_cache(identities.clone());
        sdk.set_endpoint_url(endpoint.or(settings.aws_endpoint_url.as_ref()).map(endpoint_text));
        Ok(Self { sdk: sdk.build(), identities })
    }

    /// The configuration to make a service's client from.
    #[must_use]
    pub fn sdk(&self) -> &SdkConfig {
        &self.sdk
    }

    /// Reads a failure by the table of errors. `doing` says what was being done: `sending to the queue`.
    pub fn error<E>(&self, doing: &str, failure: SdkError<E, HttpResponse>) -> Error
    where
        E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
    {
        let (error, refused) = error::of(doing, failure);
        if refused {
            self.identities.forget();
        }
        error
    }
}

/// Who gives credentials, and how long they are kept.
fn credentials(
    settings: &Settings,
    bare: &SdkConfig,
    http: &Http,
) -> (SharedCredentialsProvider, Identities) {
    let mut sts = bare.to_builder();
    sts.set_endpoint_url(settings.sts_endpoint().map(endpoint_text));
    let sts = sts.build();
    let (provider, identities) = match Keys::of(settings) {
        Some(keys) => (SharedCredentialsProvider::new(keys), Identities::none()),
        None => (SharedCredentialsProvider::new(chain(settings, &sts, http)), Identities::lasting()),
    };
    let Some(role) = &settings.aws_assume_role_arn else { return (provider, identities) };
    let sts = sts.into_builder().credentials_provider(provider).identity_cache(Identities::none()).build();
    let role = Role::assumed(&sts, role, settings.session_name());
    (SharedCredentialsProvider::new(role), Identities::lasting())
}

/// Without the slash that the SDK puts before the path.
fn endpoint_text(url: &Url) -> String {
    url.as_str().trim_end_matches('/').to_owned()
}
