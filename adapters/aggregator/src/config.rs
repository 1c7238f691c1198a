//! The environment of the aggregator. There was no such component in TriggerMesh: the names are ours.

use std::collections::BTreeMap;

use common::config::{Config, Duration, Extension, Json, List, Problems};
use routing::{
    Aggregator, CeContext,
    aggregator::{Elements, Problem, Spec},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Bytes of the parts of one group where nothing is set: what other adapters take in at most.
const GROUP_BYTES: usize = 8 << 20;

/// Settings of the aggregator.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct AggregatorConfig {
    /// Attributes that the events of a group have in common, separated by commas. Unset, they are `splitsource` and `splitid`,
    /// which a splitter sets with `SPLITTER_NUMBER_PARTS`; with `AGGREGATOR_GROUP_PATH`, none.
    #[schemars(extend("examples" = ["subject"]))]
    pub aggregator_group: Option<List>,
    /// Where in the data stands what the events of a group have in common, as a path of gjson: a text, a number or a truth value.
    #[schemars(example = "order.id")]
    #[serde(default)]
    pub aggregator_group_path: String,
    /// How many events make a group complete, where it is the same for all groups.
    #[schemars(range(min = 1, max = 100_000))]
    pub aggregator_count: Option<usize>,
    /// Extension of each event that says how many its group has. Unset, and without `AGGREGATOR_COUNT`, it is `splitcount`.
    pub aggregator_count_attribute: Option<Extension>,
    /// Extension with the place of an event in the array, a whole number; unset, it is `splitindex`. Two events of a group with the
    /// same one are the same part. Events without it come behind, in the order in which they arrived, and are told apart by source
    /// and id.
    pub aggregator_index_attribute: Option<Extension>,
    /// How long a group may take, from the first event that waits. Together with `K_SINK_TIMEOUT` it must be shorter than
    /// whoever sends the events waits for an answer.
    #[serde(default = "default_timeout")]
    pub aggregator_timeout: Duration,
    /// What becomes of a group that is not complete by then: `fail` answers the callers of its events with 503, so that they send
    /// them again; `send` sends what there is, with the extension `aggregatecomplete` `false`.
    #[serde(default)]
    pub aggregator_incomplete: Incomplete,
    /// What the elements of the array are: `data`, the data of the events; `events`, the events themselves in the JSON format
    /// of CloudEvents, as in a batch.
    #[serde(default)]
    pub aggregator_elements: Parts,
    /// The type of aggregates.
    #[schemars(example = "com.example.order.priced")]
    pub aggregator_ce_type: String,
    /// The source of aggregates.
    #[schemars(example = "/shop/orders")]
    pub aggregator_ce_source: String,
    /// Extensions of aggregates: a JSON object of texts.
    #[schemars(example = r#"{"shop": "north"}"#)]
    #[serde(default)]
    pub aggregator_ce_extensions: Json<BTreeMap<String, String>>,
    /// Most parts of a group; an event of a larger one is refused.
    #[schemars(range(min = 1, max = 100_000))]
    #[serde(default = "default_parts")]
    pub aggregator_max_parts: usize,
    /// Most bytes of an aggregate's data; an event that does not fit is refused. Unset, 8 MiB, or half of `MAX_IN_FLIGHT_BYTES` where
    /// that is less; never more than that half, which all groups have together.
    #[schemars(range(min = 1024, max = 1_073_741_824))]
    pub aggregator_max_bytes: Option<usize>,
    /// Most groups at once; an event that would begin another is answered with 503.
    #[schemars(range(min = 1, max = 1_000_000))]
    #[serde(default = "default_groups")]
    pub aggregator_max_groups: usize,
    /// Most events whose callers wait; further ones are answered with 503. Unset, half of `MAX_CONNECTIONS`, and less than that
    /// in any case: each has a connection, and those that are waited for need some too.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub aggregator_max_waiting: Option<usize>,
    /// How long the events of a group are kept when nobody waits for it any more, because it took too long or the callers went away.
    /// Those who send theirs again then need not all do so at once. With `0s` an event leaves its group with its last caller.
    #[serde(default = "default_keep")]
    pub aggregator_keep: Duration,
    /// How many events are remembered whose groups have been sent: one that comes again is answered as delivered.
    #[schemars(range(max = 10_000_000))]
    #[serde(default = "default_remembered")]
    pub aggregator_remembered: usize,
    /// File in which they are remembered as well, so that a process that is killed while it answers leaves no events behind
    /// whose groups were sent without anybody knowing.
    #[schemars(example = "/var/lib/trestle/delivered")]
    pub aggregator_remembered_file: Option<String>,
    /// The frame's: of these, the waiting have a half at most.
    #[schemars(skip)]
    pub max_connections: Option<usize>,
    /// The frame's: of these, groups have a half at most.
    #[schemars(skip)]
    pub max_in_flight_bytes: Option<usize>,
}

/// What becomes of a group that is not complete in time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Incomplete {
    /// Callers are answered with 503.
    #[default]
    Fail,
    /// It is sent as it is.
    Send,
}

/// What elements of the array are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Parts {
    /// The data of events.
    #[default]
    Data,
    /// Events.
    Events,
}

fn default_timeout() -> Duration {
    Duration::seconds(15)
}

fn default_keep() -> Duration {
    Duration::seconds(300)
}

fn default_parts() -> usize {
    1000
}

fn default_groups() -> usize {
    10_000
}

fn default_remembered() -> usize {
    50_000
}

impl Config for AggregatorConfig {
    fn validate(&self, problems: &mut Problems) {
        for (variable, problem) in self.aggregator().err().unwrap_or_default() {
            problems.add(&variable, problem);
        }
        if self.aggregator_timeout.is_zero() {
            problems.add("AGGREGATOR_TIMEOUT", "must be more than nothing");
        }
        if self.aggregator_count.is_some_and(|count| count > self.aggregator_max_parts) {
            problems.add("AGGREGATOR_COUNT", "must not be more than AGGREGATOR_MAX_PARTS");
        }
        if self.group_bytes() > self.bytes() {
            problems.add("AGGREGATOR_MAX_BYTES", "must not be more than half of MAX_IN_FLIGHT_BYTES");
        }
        if self.waiting() >= waiting::connections(self.max_connections) {
            let problem = "must be less than MAX_CONNECTIONS, of which those that are waited for need some";
            problems.add("AGGREGATOR_MAX_WAITING", problem);
        }
    }
}

impl AggregatorConfig {
    /// The aggregator that these settings mean, or what is wrong with them: the variable and the end of a sentence about it.
    pub fn aggregator(&self) -> Result<Aggregator, Vec<(String, String)>> {
        let spec = Spec {
            attributes: self.aggregator_group.as_deref(),
            path: &self.aggregator_group_path,
            count: self.aggregator_count,
            count_attribute: self.aggregator_count_attribute.as_ref().map(Extension::as_str),
            index: self.aggregator_index_attribute.as_ref().map(Extension::as_str),
            elements: match self.aggregator_elements {
                Parts::Data => Elements::Data,
                Parts::Events => Elements::Events,
            },
            context: CeContext {
                event_type: &self.aggregator_ce_type,
                source: &self.aggregator_ce_source,
                extensions: &self.aggregator_ce_extensions,
            },
        };
        let named = |problem: Problem| match problem {
            Problem::NoGroup => ("AGGREGATOR_GROUP".to_owned(), "names no attribute".to_owned()),
            Problem::TwoCounts => {
                ("AGGREGATOR_COUNT".to_owned(), "excludes AGGREGATOR_COUNT_ATTRIBUTE".to_owned())
            }
            Problem::Attribute(name) => {
                ("AGGREGATOR_GROUP".to_owned(), format!("names '{name}', which is no attribute"))
            }
            Problem::Path(mistake) => ("AGGREGATOR_GROUP_PATH".to_owned(), format!("is no path: {mistake}")),
            Problem::Context(problem) => {
                let (variable, sentence) = problem.of_variable();
                (format!("AGGREGATOR_{variable}"), sentence)
            }
        };
        Aggregator::new(&spec).map_err(|problems| problems.into_iter().map(named).collect())
    }

    /// Callers that may wait.
    pub fn waiting(&self) -> usize {
        self.aggregator_max_waiting.unwrap_or_else(|| waiting::connections(self.max_connections) / 2)
    }

    /// Bytes that all groups may have together.
    pub fn bytes(&self) -> usize {
        waiting::bytes(self.max_in_flight_bytes)
    }

    /// Bytes that one group may have.
    pub fn group_bytes(&self) -> usize {
        self.aggregator_max_bytes.unwrap_or_else(|| GROUP_BYTES.min(self.bytes()))
    }
}

#[cfg(test)]
mod tests {
    use common::config::of;

    use super::*;

    fn config(settings: &[(&str, &str)]) -> Result<AggregatorConfig, Vec<String>> {
        let usual = [("AGGREGATOR_CE_TYPE", "whole"), ("AGGREGATOR_CE_SOURCE", "/aggregator")];
        of(&[&usual, settings].concat()).map_err(|error| error.problems)
    }

    #[test]
    fn type_and_source_are_enough() {
        let config = config(&[]).expect("good settings");
        assert_eq!((config.waiting(), config.group_bytes()), (2048, (8 << 20).min(config.bytes())));
        assert_eq!(config.aggregator_timeout.as_secs(), 15);
    }

    #[test]
    fn every_mistake_names_its_variable() {
        for (settings, problem) in [
            (vec![("AGGREGATOR_GROUP", "a b")], "AGGREGATOR_GROUP names 'a b', which is no attribute"),
            (vec![("AGGREGATOR_GROUP", ",")], "AGGREGATOR_GROUP names no attribute"),
            (
                vec![("AGGREGATOR_GROUP_PATH", "a.@sort")],
                "AGGREGATOR_GROUP_PATH is no path: line 1, column 3: the modifier '@sort' is not supported, only '@this' is",
            ),
            (
                vec![("AGGREGATOR_COUNT", "3"), ("AGGREGATOR_COUNT_ATTRIBUTE", "parts")],
                "AGGREGATOR_COUNT excludes AGGREGATOR_COUNT_ATTRIBUTE",
            ),
            (
                vec![("AGGREGATOR_COUNT", "11"), ("AGGREGATOR_MAX_PARTS", "10")],
                "AGGREGATOR_COUNT must not be more than AGGREGATOR_MAX_PARTS",
            ),
            (vec![("AGGREGATOR_TIMEOUT", "0s")], "AGGREGATOR_TIMEOUT must be more than nothing"),
            (
                vec![("AGGREGATOR_MAX_BYTES", "2000000"), ("MAX_IN_FLIGHT_BYTES", "1000000")],
                "AGGREGATOR_MAX_BYTES must not be more than half of MAX_IN_FLIGHT_BYTES",
            ),
            (
                vec![("AGGREGATOR_MAX_WAITING", "10"), ("MAX_CONNECTIONS", "10")],
                "AGGREGATOR_MAX_WAITING must be less than MAX_CONNECTIONS, of which those that are waited for need some",
            ),
            (
                vec![("AGGREGATOR_CE_EXTENSIONS", r#"{"aggregatecount": "1"}"#)],
                "AGGREGATOR_CE_EXTENSIONS cannot set 'aggregatecount': it is set here by itself",
            ),
        ] {
            assert_eq!(config(&settings).map(drop), Err(vec![problem.to_owned()]), "{settings:?}");
        }
        for settings in [
            ("AGGREGATOR_INCOMPLETE", "maybe"),
            ("AGGREGATOR_COUNT", "0"),
            ("AGGREGATOR_INDEX_ATTRIBUTE", "time"),
            ("AGGREGATOR_ELEMENTS", "bytes"),
        ] {
            let problems = config(&[settings]).map(drop).expect_err(settings.1);
            assert!(problems[0].starts_with(settings.0), "{problems:?}");
        }
    }
}
