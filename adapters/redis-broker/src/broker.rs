//! The broker as the frame sees it.
//!
//! Facts: TriggerMesh's Redis broker, its settings, its stream and its kind.

use broker::{
    log::Durable,
    service::{Broker, Service},
};
use common::{Field, Info, Kind, Role, Rule, Scaling, config::ConfigError};

use crate::{
    config::RedisConfig,
    stream::{Names, Options, Servers, Stream, Tls, Trim, check},
};

/// A broker that keeps its events in a Redis stream.
pub struct RedisBroker;

impl Broker for RedisBroker {
    const INFO: Info = Info {
        name: env!("CARGO_PKG_NAME"),
        version: env!("CARGO_PKG_VERSION"),
        summary: env!("CARGO_PKG_DESCRIPTION"),
        role: Role::Broker,
        component: "redisbroker",
        resource_group: "redisbrokers.eventing.triggermesh.io",
        images: &["redis-broker"],
        emits: &[],
        accepts: &["*"],
        scaling: Scaling::Any,
        kinds: &[Kind {
            group: "eventing.triggermesh.io",
            version: "v1alpha1",
            kind: "RedisBroker",
            constants: &[],
            fields: &[
                Field::new("redis.connection.url", "REDIS_ADDRESS"),
                Field::new("redis.connection.clusterURLs", "REDIS_CLUSTER_ADDRESSES").rule(Rule::Join(",")),
                Field::new("redis.connection.username", "REDIS_USERNAME").secret(),
                Field::new("redis.connection.password", "REDIS_PASSWORD").secret(),
                Field::new("redis.connection.database", "REDIS_DATABASE"),
                Field::new("redis.connection.tlsEnabled", "REDIS_TLS_ENABLED"),
                Field::new("redis.connection.tlsSkipVerify", "REDIS_TLS_SKIP_VERIFY"),
                Field::new("redis.connection.tlsCACertificate", "REDIS_TLS_CA_CERTIFICATE").secret(),
                Field::new("redis.connection.tlsCertificate", "REDIS_TLS_CERTIFICATE").secret(),
                Field::new("redis.connection.tlsKey", "REDIS_TLS_KEY").secret(),
                Field::new("redis.stream", "REDIS_STREAM").or("{namespace}.{name}"),
                Field::new("redis.group", "REDIS_GROUP"),
                Field::new("redis.streamMaxLen", "REDIS_STREAM_MAX_LEN"),
                Field::new("redis.enableTrackingID", "REDIS_TRACKING_ID_ENABLED"),
                Field::new("redis.claimIdle", "REDIS_CLAIM_IDLE"),
                Field::new("redis.groupExpiry", "REDIS_GROUP_EXPIRY"),
                Field::new("broker.name", "BROKER_NAME"),
                Field::new("broker.maxInFlight", "BROKER_MAX_IN_FLIGHT"),
            ],
        }],
    };
    type Config = RedisConfig;
    type Backend = Durable<Stream>;

    fn service(config: Self::Config) -> Result<Service<Self>, ConfigError> {
        let names = Names {
            stream: config.redis_stream.clone(),
            prefix: config.redis_group.clone(),
            consumer: config.broker.name(),
        };
        let letters = names.letters().ok_or_else(|| {
            ConfigError::new("REDIS_STREAM", "has a brace behind which no key in the same slot can be made")
        })?;
        let own = config.redis_tls_certificate.as_ref().zip(config.redis_tls_key.as_ref());
        let tls = Tls::new(config.redis_tls_ca_certificate.as_ref(), config.redis_tls_skip_verify, own)?;
        let tls = config.redis_tls_enabled.0.then_some(tls);
        let login = (config.redis_username.clone(), config.redis_password.clone());
        // A cluster has one database.
        let database = if config.redis_cluster_addresses.is_some() { 0 } else { config.redis_database };
        let servers = Servers::new(config.servers(), tls, login, database, &names.stream);
        let trim = Trim::new(config.redis_stream_max_len, *config.redis_group_expiry, &names.consumer);
        let options =
            Options { claim_idle: *config.redis_claim_idle, tells_id: config.redis_tracking_id_enabled.0 };
        let log = Durable::new(Stream::new(servers, names, &letters, options, trim));
        let amounts = Durable::<Stream>::amounts(config.durable.share());
        Service::new(&config.broker, log, amounts, check)
    }
}
