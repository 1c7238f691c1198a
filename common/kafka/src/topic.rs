//! Topics that are made where there are none.

use std::{fmt, time::Duration};

use common::{Error, Text, config::Parse, event};
use rdkafka::{
    admin::{AdminClient, AdminOptions, NewTopic, TopicReplication},
    config::FromClientConfigAndContext as _,
    error::{KafkaError, RDKafkaErrorCode},
};

use crate::{Connection, Watch};

/// A topic that is wanted.
#[derive(Clone, Debug)]
pub struct Wanted<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its partitions; -1 as many as the cluster makes by itself.
    pub partitions: i32,
    /// Copies of each; -1 as the cluster makes by itself.
    pub replication: i32,
    /// Settings of its own.
    pub settings: &'a [(&'a str, &'a str)],
}

/// Makes a topic, where it is not there.
///
/// # Errors
/// When the brokers do not within the time.
pub async fn make(
    connection: &Connection,
    client: &str,
    watch: &Watch,
    wanted: &Wanted<'_>,
    time: Duration,
) -> Result<(), Error> {
    let failed = |error| crate::error("making TOPIC", error, watch);
    let admin =
        AdminClient::<Watch>::from_config_and_context(&connection.client_config(client), watch.clone())
            .map_err(failed)?;
    let mut topic =
        NewTopic::new(wanted.name, wanted.partitions, TopicReplication::Fixed(wanted.replication));
    for (name, value) in wanted.settings {
        topic = topic.set(name, value);
    }
    let options = AdminOptions::new().operation_timeout(Some(time)).request_timeout(Some(time));
    let results = admin.create_topics([&topic], &options).await;
    // Its end waits for a thread of its own, for a tenth of a second.
    crate::blocking(move || {
        drop(admin);
        Ok(())
    })
    .await?;
    for made in results.map_err(failed)? {
        match made {
            Ok(_) => tracing::info!(topic = wanted.name, "the topic is made"),
            Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
            Err((_, code)) => return Err(failed(KafkaError::AdminOp(code))),
        }
    }
    Ok(())
}

/// The name of the attribute that is the key of a record, or nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordKey(pub Option<Text>);

impl RecordKey {
    /// An attribute that is always valid.
    #[must_use]
    pub fn of(name: &'static str) -> Self {
        Self(Some(Text::from_static(name)))
    }
}

impl Parse for RecordKey {
    const FORMAT: &'static str = "attribute";
    const EXPECTED: &'static str = "the name of an attribute, or none";

    fn parse(text: &str) -> Result<Self, String> {
        match text.trim() {
            "none" => Ok(Self(None)),
            name if event::is_attribute_name(name) => Ok(Self(Some(Text::from(name)))),
            _ => Err(format!("must be {}", Self::EXPECTED)),
        }
    }
}

impl fmt::Display for RecordKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_deref().unwrap_or("none"))
    }
}

common::config_type!(RecordKey);
