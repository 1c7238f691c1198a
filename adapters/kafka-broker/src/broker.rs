//! The broker as the frame sees it.
//!
//! Facts: TriggerMesh's Kafka broker and its settings; a kind it had none.

use broker::{
    log::Durable,
    service::{Broker, Service},
};
use common::{Field, Info, Kind, Role, Rule, Scaling, config::ConfigError};

use crate::{
    config::KafkaConfig,
    log::{Topic, check},
};

/// A broker that keeps its events in a topic.
pub struct KafkaBroker;

impl Broker for KafkaBroker {
    const INFO: Info = Info {
        name: env!("CARGO_PKG_NAME"),
        version: env!("CARGO_PKG_VERSION"),
        summary: env!("CARGO_PKG_DESCRIPTION"),
        role: Role::Broker,
        component: "kafkabroker",
        resource_group: "kafkabrokers.eventing.triggermesh.io",
        images: &["kafka-broker"],
        emits: &[],
        accepts: &["*"],
        scaling: Scaling::Partitioned,
        kinds: &[Kind {
            group: "eventing.triggermesh.io",
            version: "v1alpha1",
            kind: "KafkaBroker",
            constants: &[],
            fields: &[
                Field::new("kafka.addresses", "KAFKA_ADDRESSES").rule(Rule::Join(",")),
                Field::new("kafka.topic", "KAFKA_TOPIC").or("{namespace}.{name}"),
                Field::new("kafka.consumerGroupPrefix", "KAFKA_CONSUMER_GROUP_PREFIX")
                    .or("{namespace}.{name}"),
                Field::new("kafka.deadLetterTopic", "KAFKA_DEAD_LETTER_TOPIC"),
                Field::new("kafka.key", "KAFKA_KEY"),
                Field::new("kafka.topicPartitions", "KAFKA_TOPIC_PARTITIONS"),
                Field::new("kafka.topicReplicationFactor", "KAFKA_TOPIC_REPLICATION_FACTOR"),
                Field::new("kafka.compression", "KAFKA_COMPRESSION"),
                Field::new("kafka.produceTimeout", "KAFKA_PRODUCE_TIMEOUT"),
                Field::new("kafka.sessionTimeout", "KAFKA_SESSION_TIMEOUT"),
                Field::new("kafka.enableTrackingID", "KAFKA_TRACKING_ID_ENABLED"),
                Field::new("kafka.auth.saslEnable", "KAFKA_SASL_ENABLE"),
                Field::new("kafka.auth.securityMechanism", "KAFKA_SECURITY_MECHANISMS"),
                Field::new("kafka.auth.username", "KAFKA_USERNAME"),
                Field::new("kafka.auth.password", "KAFKA_PASSWORD").secret(),
                Field::new("kafka.auth.tlsEnable", "KAFKA_TLS_ENABLE"),
                Field::new("kafka.auth.tls.ca", "KAFKA_CA").secret(),
                Field::new("kafka.auth.tls.clientCert", "KAFKA_CLIENT_CERT").secret(),
                Field::new("kafka.auth.tls.clientKey", "KAFKA_CLIENT_KEY").secret(),
                Field::new("kafka.auth.tls.skipVerify", "KAFKA_SKIP_VERIFY"),
                Field::new("broker.name", "BROKER_NAME"),
                Field::new("broker.maxInFlight", "BROKER_MAX_IN_FLIGHT"),
            ],
        }],
    };
    type Config = KafkaConfig;
    type Backend = Durable<Topic>;

    fn service(config: Self::Config) -> Result<Service<Self>, ConfigError> {
        let share = config.durable.share();
        let topic = Topic::new(&config, share.events).map_err(|error| {
            let problem = format_args!("and the settings beside it make no client: {error}");
            ConfigError::new("KAFKA_ADDRESSES", problem)
        })?;
        let amounts = Durable::<Topic>::amounts(share);
        Service::new(&config.broker, Durable::new(topic), amounts, check)
    }
}
