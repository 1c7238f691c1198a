//! One event hub: its settings, and clients of it.
//!
//! Facts: "AMQP 1.0 in Azure Service Bus and Event Hubs protocol guide"; the SDK is `azure_messaging_eventhubs`.

use std::{future::Future, sync::Arc, time::Duration};

use azure_core::credentials::TokenCredential;
use azure_messaging_eventhubs::{ConsumerClient, EventHubsError, ProducerClient, RetryOptions};
use common::{
    Error, Field,
    config::{Problems, Secret},
    info::joined,
    worker,
};
use schemars::JsonSchema;
use serde::Deserialize;
use tokio::time::timeout;

use crate::{
    ConnectionString, DirectoryConfig, Endpoint, EventHubId, Settings,
    error::{failure, is_disconnected, is_missing},
};

/// Time for one call: a connection, a token, an answer of a node.
const TIMEOUT: Duration = Duration::from_secs(20);
/// After which a call is suspicious.
const LONG: Duration = Duration::from_millis(500);
/// Time for a look at a connection.
const LOOK: Duration = Duration::from_secs(3);
/// The port of Microsoft's emulator.
const EMULATOR_PORT: u16 = 5672;

/// Who this is for an event hub, and how it is reached.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
pub struct EventHubsConfig {
    /// Name of a shared access policy; wins with its key over `EVENTHUB_CONNECTION_STRING`.
    pub eventhub_key_name: Option<String>,
    /// Key of that policy.
    pub eventhub_key_value: Option<Secret>,
    /// Connection string of the namespace or of the hub, with or without `EntityPath`; wins over the `AZURE_` variables.
    pub eventhub_connection_string: Option<Secret>,
    /// Domain of the namespace, for other clouds than the public one; a connection string names its own.
    #[serde(default = "default_domain")]
    pub eventhub_domain: String,
    /// Address that is connected to in place of the namespace: `amqps://host:5671`, or `amqp://host:5672` without TLS.
    pub eventhub_endpoint: Option<Endpoint>,
    /// Who this is for Microsoft Entra ID.
    #[serde(flatten)]
    pub directory: DirectoryConfig,
}

fn default_domain() -> String {
    "servicebus.windows.net".to_owned()
}

impl EventHubsConfig {
    /// The fields of a `spec` by which the kinds of Event Hubs prove who they are: shared access, or a service principal.
    pub const AUTH_FIELDS: [Field; 6] = joined(Self::SAS_FIELDS, Self::PRINCIPAL_FIELDS);
    const SAS_FIELDS: [Field; 3] = [
        Field::new("auth.sasToken.keyName", "EVENTHUB_KEY_NAME").secret(),
        Field::new("auth.sasToken.keyValue", "EVENTHUB_KEY_VALUE").secret(),
        Field::new("auth.sasToken.connectionString", "EVENTHUB_CONNECTION_STRING").secret(),
    ];
    /// The fields of a `spec` that name a service principal.
    pub const PRINCIPAL_FIELDS: [Field; 3] = [
        Field::new("auth.servicePrincipal.tenantID", "AZURE_TENANT_ID").secret(),
        Field::new("auth.servicePrincipal.clientID", "AZURE_CLIENT_ID").secret(),
        Field::new("auth.servicePrincipal.clientSecret", "AZURE_CLIENT_SECRET").secret(),
    ];

    /// Adds what is wrong between the fields.
    pub fn check(&self, problems: &mut Problems) {
        if let Some(text) = &self.eventhub_connection_string
            && let Err(problem) = ConnectionString::parse(&text.read())
        {
            problems.add("EVENTHUB_CONNECTION_STRING", problem);
        }
        if self.eventhub_connection_string.is_none() {
            match (&self.eventhub_key_name, &self.eventhub_key_value) {
                (Some(_), None) => {
                    problems.add("EVENTHUB_KEY_VALUE", "is missing: EVENTHUB_KEY_NAME is set");
                }
                (None, Some(_)) => {
                    problems.add("EVENTHUB_KEY_NAME", "is missing: EVENTHUB_KEY_VALUE is set");
                }
                _ => {}
            }
        }
        if self.eventhub_key_name.as_ref().is_some_and(|name| name.contains([';', '='])) {
            problems.add("EVENTHUB_KEY_NAME", "must not hold ; or =");
        }
        self.directory.check(problems);
    }
}

/// One event hub.
pub struct EventHub {
    id: EventHubId,
    config: EventHubsConfig,
}

/// How the hub is opened now; secrets may have changed since.
enum Access {
    Signature(ConnectionString),
    Directory(String, Arc<dyn TokenCredential>),
}

impl EventHub {
    /// Nothing is connected yet.
    #[must_use]
    pub fn new(id: EventHubId, config: EventHubsConfig) -> Self {
        Self { id, config }
    }

    /// Its resource id.
    #[must_use]
    pub fn id(&self) -> &EventHubId {
        &self.id
    }

    /// Who this is for Microsoft Entra ID.
    #[must_use]
    pub fn directory(&self) -> &DirectoryConfig {
        &self.config.directory
    }

    /// The host of the namespace, as clients of other languages know it.
    #[must_use]
    pub fn host(&self) -> String {
        self.signature().ok().flatten().map_or_else(|| self.default_host(), |connection| connection.host)
    }

    fn default_host(&self) -> String {
        format!("{}.{}", self.id().namespace, self.config.eventhub_domain)
    }

    /// The settings that prove who this is.
    fn settings(&self) -> Settings {
        let config = &self.config;
        if config.eventhub_key_name.is_some() && config.eventhub_key_value.is_some() {
            Settings("EVENTHUB_KEY_NAME and EVENTHUB_KEY_VALUE")
        } else if config.eventhub_connection_string.is_some() {
            Settings("EVENTHUB_CONNECTION_STRING")
        } else {
            config.directory.settings()
        }
    }

    /// The shared access signature, where one is set: key name and value, else the connection string.
    fn signature(&self) -> Result<Option<ConnectionString>, Error> {
        let config = &self.config;
        if let (Some(name), Some(value)) = (&config.eventhub_key_name, &config.eventhub_key_value) {
            return Ok(Some(ConnectionString::of_key(&self.default_host(), name, &value.read())));
        }
        let Some(text) = &config.eventhub_connection_string else { return Ok(None) };
        ConnectionString::parse(&text.read())
            .map(Some)
            .map_err(|problem| Error::retryable(format!("EVENTHUB_CONNECTION_STRING {problem}")))
    }

    fn access(&self) -> Result<Access, Error> {
        match self.signature()? {
            Some(connection) => Ok(Access::Signature(connection)),
            None => Ok(Access::Directory(self.default_host(), self.config.directory.credential()?)),
        }
    }

    fn endpoint(&self, access: &Access) -> Option<String> {
        let emulator = match access {
            Access::Signature(connection) if connection.emulator => {
                Endpoint::plain(&connection.host, connection.port.unwrap_or(EMULATOR_PORT))
            }
            _ => None,
        };
        self.config.eventhub_endpoint.clone().or(emulator).map(|endpoint| endpoint.to_string())
    }

    /// A client that sends. It repairs nothing by itself: one that has failed is to be given up for another.
    ///
    /// # Errors
    /// When the namespace cannot be reached.
    pub async fn producer(&self) -> Result<ProducerClient, Error> {
        let access = self.access()?;
        let mut builder = ProducerClient::builder().with_retry_options(no_retries());
        if let Some(endpoint) = self.endpoint(&access) {
            builder = builder.with_custom_endpoint(endpoint);
        }
        let hub = self.id().hub.as_str();
        let doing = "connecting to Event Hubs";
        match access {
            Access::Signature(connection) => {
                self.within(doing, builder.open_with_connection_string(&connection.to_text(), Some(hub)))
                    .await
            }
            Access::Directory(host, credential) => {
                self.within(doing, builder.open(&host, hub, credential)).await
            }
        }
    }

    /// A client that reads for a consumer group. It repairs nothing by itself: a receiver that the SDK attaches again
    /// begins where it began first, and so would give events twice or leave some out.
    ///
    /// # Errors
    /// When the namespace cannot be reached.
    pub async fn consumer(&self, group: &str) -> Result<ConsumerClient, Error> {
        let access = self.access()?;
        let mut builder =
            ConsumerClient::builder().with_retry_options(no_retries()).with_consumer_group(group.to_owned());
        if let Some(endpoint) = self.endpoint(&access) {
            builder = builder.with_custom_endpoint(endpoint);
        }
        let hub = self.id().hub.clone();
        let doing = "connecting to Event Hubs";
        match access {
            Access::Signature(connection) => {
                self.within(
                    doing,
                    builder.open_with_connection_string(&connection.to_text(), Some(hub.as_str())),
                )
                .await
            }
            Access::Directory(host, credential) => {
                self.within(doing, builder.open(&host, hub, credential)).await
            }
        }
    }

    /// One call, with a time-out, and its failure as the frame takes it.
    ///
    /// # Errors
    /// What the table of errors makes of the failure.
    pub async fn within<T>(
        &self,
        doing: &str,
        call: impl Future<Output = Result<T, EventHubsError>>,
    ) -> Result<T, Error> {
        match timeout(TIMEOUT, call).await {
            Ok(result) => result.map_err(|error| self.failure(doing, &error)),
            Err(_) => Err(Error::retryable(format!(
                "{doing}: no answer within {} s: check EVENTHUB_RESOURCE_ID and whether the namespace can be reached",
                TIMEOUT.as_secs()
            ))),
        }
    }

    /// As [`within`](Self::within), for a call of a client that sends. The SDK does not end a call whose connection has
    /// broken meanwhile, so that one which takes long has its connection looked at.
    ///
    /// # Errors
    /// What the table of errors makes of the failure.
    pub async fn within_connection<T>(
        &self,
        doing: &str,
        producer: &Arc<ProducerClient>,
        call: impl Future<Output = Result<T, EventHubsError>>,
    ) -> Result<T, Error> {
        let broke = || Error::retryable(format!("{doing}: the connection broke before the answer"));
        let trouble = async {
            loop {
                worker::sleep(LONG).await;
                // In a task of its own: a look that is broken off leaves the connection in a state that breaks it.
                let producer = Arc::clone(producer);
                let look = worker::spawn(async move { producer.get_eventhub_properties().await });
                match timeout(LOOK, look).await {
                    Ok(Ok(Err(error))) if is_disconnected(&error) => return broke(),
                    Ok(Ok(Err(error))) if is_missing(&error) => return self.failure(doing, &error),
                    Ok(_) => {}
                    // As silent as the call.
                    Err(_) => return broke(),
                }
            }
        };
        tokio::select! {
            result = self.within(doing, call) => result,
            error = trouble => Err(error),
        }
    }

    /// A failure as the frame takes it: what was being done, and which settings to look at.
    #[must_use]
    pub fn failure(&self, doing: &str, error: &EventHubsError) -> Error {
        failure(doing, self.settings(), error)
    }
}

fn no_retries() -> RetryOptions {
    RetryOptions { max_retries: 0, ..RetryOptions::default() }
}
