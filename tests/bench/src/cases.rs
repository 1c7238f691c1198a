//! What is measured beside what, and the limit each ratio has to hold.

use crate::around::{Surroundings, broker_document, own};
use crate::cli::Failure;
use crate::kafka;
use crate::library::{self, Library};
use crate::load::{EVENT_TYPE, Payload};
use crate::redis;
use crate::subject::Subject;

/// One line of the table.
pub struct Case {
    /// Its name on the command line.
    pub name: &'static str,
    /// The process under test.
    pub candidate: Contender,
    /// What it is measured beside.
    pub floor: Contender,
    /// The greatest ratio of CPU time per event that passes.
    pub limit: f64,
}

/// A program as a case runs it.
#[derive(Clone, Copy)]
pub enum Contender {
    /// This program's own bare forwarder.
    Floor,
    /// A webhook's plain JSON becomes an event.
    WebhookSource,
    /// An event passes on as it came.
    CloudEventsTarget,
    /// A broker with so many triggers, one of which matches.
    MemoryBroker(u32),
    /// The same in so many pieces, one after the other.
    FloorOfParts(usize),
    /// An event's data are changed by one operation of each kind.
    Transformation,
    /// An event passes a condition over data and attributes.
    Filter,
    /// An event becomes one for each of its items.
    Splitter,
    /// An event's data are made anew by a query.
    Jq,
    /// XML becomes JSON.
    Xml,
    /// XML becomes other XML by a stylesheet.
    Xslt,
    /// The bare forwarder, which runs a library twice over each event.
    LibraryFloor(Library),
    /// A record becomes an event.
    KafkaSource,
    /// This program's own bare consumer.
    KafkaSourceFloor,
    /// An event becomes a record.
    KafkaTarget,
    /// This program's own bare producer.
    KafkaTargetFloor,
    /// An event goes through a topic, with one trigger.
    KafkaBroker,
    /// This program's own bare topic.
    KafkaBrokerFloor,
    /// An event goes through a stream, with one trigger.
    RedisBroker,
    /// This program's own bare stream.
    RedisFloor,
}

const CASES: [Case; 15] = [
    Case { name: "floor", candidate: Contender::Floor, floor: Contender::Floor, limit: 1.05 },
    Case {
        name: "webhook-source",
        candidate: Contender::WebhookSource,
        floor: Contender::Floor,
        limit: 1.35,
    },
    Case {
        name: "cloudevents-target",
        candidate: Contender::CloudEventsTarget,
        floor: Contender::Floor,
        limit: 1.35,
    },
    Case {
        name: "memory-broker",
        candidate: Contender::MemoryBroker(1),
        floor: Contender::Floor,
        limit: 1.8,
    },
    Case {
        name: "memory-broker-1000",
        candidate: Contender::MemoryBroker(1000),
        floor: Contender::MemoryBroker(1),
        limit: 1.25,
    },
    Case {
        name: "transformation",
        candidate: Contender::Transformation,
        floor: Contender::Floor,
        limit: 1.8,
    },
    Case { name: "filter", candidate: Contender::Filter, floor: Contender::Floor, limit: 1.5 },
    Case {
        name: "splitter",
        candidate: Contender::Splitter,
        floor: Contender::FloorOfParts(PARTS),
        limit: 1.5,
    },
    // What they may cost is the floor and twice what the library alone costs, which is what these floors do.
    Case {
        name: "jq-transformation",
        candidate: Contender::Jq,
        floor: Contender::LibraryFloor(Library::Jq),
        limit: 1.0,
    },
    Case {
        name: "xml-to-json-transformation",
        candidate: Contender::Xml,
        floor: Contender::LibraryFloor(Library::Xml),
        limit: 1.0,
    },
    Case {
        name: "xslt-transformation",
        candidate: Contender::Xslt,
        floor: Contender::LibraryFloor(Library::Xslt),
        limit: 1.0,
    },
    Case {
        name: "kafka-source",
        candidate: Contender::KafkaSource,
        floor: Contender::KafkaSourceFloor,
        limit: 1.5,
    },
    Case {
        name: "kafka-target",
        candidate: Contender::KafkaTarget,
        floor: Contender::KafkaTargetFloor,
        limit: 1.6,
    },
    Case {
        name: "kafka-broker",
        candidate: Contender::KafkaBroker,
        floor: Contender::KafkaBrokerFloor,
        limit: 2.0,
    },
    Case {
        name: "redis-broker",
        candidate: Contender::RedisBroker,
        floor: Contender::RedisFloor,
        limit: 2.0,
    },
];

/// What the transformation does to an order.
const OPERATIONS: &str = r#"[
    {"operation": "store", "paths": [{"key": "$name", "value": "customer.name"}]},
    {"operation": "parse", "paths": [{"key": "payload", "value": "json"}]},
    {"operation": "add", "paths": [{"key": "greeting.text", "value": "Hello $name!"}]},
    {"operation": "shift", "paths": [{"key": "customer.address:shipTo"}]},
    {"operation": "delete", "paths": [{"key": "internal"}]}
]"#;

/// What the filter asks of an order.
const CONDITION: &str = "$total.(double) > 50.0 && $customer.address.country.(string) == 'DE' && has(ce.id)";

/// The items of an order.
const PARTS: usize = 3;

/// The cases named, in the table's order; without a name all but `floor`, which only tries the measurement itself.
pub fn select(names: &[String]) -> Result<Vec<Case>, Failure> {
    let known: Vec<&str> = CASES.iter().map(|case| case.name).collect();
    if let Some(unknown) = names.iter().find(|name| !known.contains(&name.as_str())) {
        return Err(format!("no case {unknown}; there are: {}", known.join(", ")).into());
    }
    let wanted = |case: &Case| {
        if names.is_empty() { case.name != "floor" } else { names.iter().any(|name| name == case.name) }
    };
    Ok(CASES.into_iter().filter(wanted).collect())
}

/// Where an event is counted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// Posted, and counted at the sink.
    Through(Payload),
    /// Posted, and counted by the answers.
    Into(Payload),
    /// Written to the topic, and counted at the sink.
    OutOfTopic,
}

impl Contender {
    /// How events come and go.
    pub fn flow(self) -> Flow {
        match self {
            Self::WebhookSource => Flow::Through(Payload::Webhook),
            Self::Floor | Self::CloudEventsTarget | Self::MemoryBroker(_) => Flow::Through(Payload::Event),
            Self::KafkaBroker | Self::KafkaBrokerFloor | Self::RedisBroker | Self::RedisFloor => {
                Flow::Through(Payload::Event)
            }
            Self::Transformation | Self::Filter | Self::Splitter | Self::FloorOfParts(_) => {
                Flow::Through(Payload::Order)
            }
            Self::Jq | Self::LibraryFloor(Library::Jq) => Flow::Through(Payload::Order),
            Self::Xml | Self::Xslt | Self::LibraryFloor(Library::Xml | Library::Xslt) => {
                Flow::Through(Payload::Xml)
            }
            Self::KafkaTarget | Self::KafkaTargetFloor => Flow::Into(Payload::Event),
            Self::KafkaSource | Self::KafkaSourceFloor => Flow::OutOfTopic,
        }
    }

    /// Starts it among its surroundings.
    pub fn start(self, around: &Surroundings) -> Result<Subject, Failure> {
        let url = format!("http://{}/", around.sink.address);
        match self {
            Self::Floor => own(&["floor", &url]),
            Self::FloorOfParts(parts) => own(&["floor", &url, "--parts", &parts.to_string()]),
            Self::WebhookSource => around.adapter(
                "webhook-source",
                &[
                    ("K_SINK", url),
                    ("WEBHOOK_EVENT_TYPE", EVENT_TYPE.into()),
                    ("WEBHOOK_EVENT_SOURCE", "/bench/webhook".into()),
                ],
            ),
            Self::CloudEventsTarget => around.adapter("cloudevents-target", &[("CLOUDEVENTS_URL", url)]),
            Self::Transformation => around
                .adapter("transformation", &[("K_SINK", url), ("TRANSFORMATION_DATA", OPERATIONS.into())]),
            Self::Filter => {
                around.adapter("filter", &[("K_SINK", url), ("FILTER_EXPRESSION", CONDITION.into())])
            }
            Self::Splitter => around.adapter(
                "splitter",
                &[
                    ("K_SINK", url),
                    ("SPLITTER_PATH", "items".into()),
                    ("SPLITTER_CE_TYPE", EVENT_TYPE.into()),
                    ("SPLITTER_CE_SOURCE", "/bench/items".into()),
                ],
            ),
            Self::Jq => {
                around.adapter("jq-transformation", &[("K_SINK", url), ("JQ_QUERY", library::QUERY.into())])
            }
            Self::Xml => around.adapter("xml-to-json-transformation", &[("K_SINK", url)]),
            Self::Xslt => around.adapter(
                "xslt-transformation",
                &[("K_SINK", url), ("XSLTTRANSFORMATION_XSLT", library::SHEET.into())],
            ),
            Self::LibraryFloor(library) => own(&["floor", &url, "--library", library.name()]),
            Self::MemoryBroker(triggers) => {
                let document = around.scratch.path().join(format!("broker-{triggers}.yaml"));
                std::fs::write(&document, broker_document(triggers, &url))?;
                let path = document.to_str().ok_or("the folder for temporary files is not UTF-8")?;
                around.adapter("memory-broker", &[("BROKER_CONFIG_PATH", path.into())])
            }
            Self::KafkaBroker => kafka::through::broker(around, &url),
            Self::KafkaBrokerFloor => kafka::through::floor(around, &url),
            Self::RedisBroker => redis::broker(around, &url),
            Self::RedisFloor => redis::floor(around, &url),
            Self::KafkaSource | Self::KafkaSourceFloor | Self::KafkaTarget | Self::KafkaTargetFloor => {
                let (broker, topic) = (around.broker()?.address(), around.broker()?.topic()?);
                let mut subject = match self {
                    Self::KafkaSourceFloor => own(&["kafka-source-floor", &broker, &topic, &url])?,
                    Self::KafkaTargetFloor => own(&["kafka-target-floor", &broker, &topic])?,
                    Self::KafkaSource => around.adapter(
                        "kafka-source",
                        &[
                            ("K_SINK", url),
                            ("BOOTSTRAP_SERVERS", broker),
                            ("TOPIC", topic.clone()),
                            ("GROUP_ID", format!("group-of-{topic}")),
                            ("START_POSITION", "earliest".into()),
                        ],
                    )?,
                    _ => around.adapter(
                        "kafka-target",
                        &[
                            ("BOOTSTRAP_SERVERS", broker),
                            ("TOPIC", topic.clone()),
                            ("LINGER", kafka::LINGER.into()),
                        ],
                    )?,
                };
                subject.topic = Some(topic);
                Ok(subject)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_case_is_named_with_the_known_ones() {
        let failure = select(&["memory".into()]).err().unwrap().to_string();
        assert!(failure.contains("no case memory") && failure.contains("memory-broker-1000"));
        assert_eq!(select(&[]).unwrap().len(), CASES.len() - 1);
    }
}
