//! The environment of the splitter. The original had none: it read its objects from Kubernetes itself.

use std::collections::BTreeMap;

use common::config::{Config, Flag, Json, Problems};
use routing::{
    CeContext, Splitter,
    splitter::{Problem, Spec},
};
use schemars::JsonSchema;
use serde::Deserialize;

/// Settings of the splitter.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct SplitterConfig {
    /// Where the array stands in the data, as a path of gjson; all of the data when it is absent.
    #[schemars(example = "order.items")]
    #[serde(default)]
    pub splitter_path: String,
    /// The type of the parts.
    #[schemars(example = "com.example.item")]
    pub splitter_ce_type: String,
    /// The source of the parts.
    #[schemars(example = "/shop/items")]
    pub splitter_ce_source: String,
    /// Extensions of the parts: a JSON object of texts.
    #[schemars(example = r#"{"part": "item"}"#)]
    #[serde(default)]
    pub splitter_ce_extensions: Json<BTreeMap<String, String>>,
    /// Whether each part says what it is a part of, in extensions: `splitid` and `splitsource` are id and source of the event,
    /// `splitindex` is its number from 0, `splitcount` how many there are. An `aggregator` gathers by them.
    #[serde(default)]
    pub splitter_number_parts: Flag,
    /// Parts that are on their way at once. With one, they arrive in their order; with more, they set out in it.
    #[schemars(range(min = 1, max = 1000))]
    #[serde(default = "one")]
    pub splitter_concurrency: usize,
    /// Whether all parts go to the sink in one request, as a batch of CloudEvents.
    #[serde(default)]
    pub splitter_batch: Flag,
    /// Most parts of an event; one with more is refused.
    #[schemars(range(min = 1, max = 1_000_000))]
    #[serde(default = "most")]
    pub splitter_max_parts: usize,
}

fn one() -> usize {
    1
}

fn most() -> usize {
    10_000
}

impl Config for SplitterConfig {
    fn validate(&self, problems: &mut Problems) {
        for (variable, problem) in self.splitter().err().unwrap_or_default() {
            problems.add(&variable, problem);
        }
    }
}

impl SplitterConfig {
    /// The splitter that these settings mean, or what is wrong with them: the variable and the end of a sentence about it.
    pub fn splitter(&self) -> Result<Splitter, Vec<(String, String)>> {
        let context = CeContext {
            event_type: &self.splitter_ce_type,
            source: &self.splitter_ce_source,
            extensions: &self.splitter_ce_extensions,
        };
        let spec = Spec { path: &self.splitter_path, context, numbered: self.splitter_number_parts.0 };
        let splitter = Splitter::new(&spec).map_err(|problems| {
            let named = |problem: Problem| match problem {
                Problem::Path(mistake) => ("SPLITTER_PATH".to_owned(), format!("is no path: {mistake}")),
                Problem::Context(problem) => {
                    let (variable, sentence) = problem.of_variable();
                    (format!("SPLITTER_{variable}"), sentence)
                }
            };
            problems.into_iter().map(named).collect::<Vec<_>>()
        })?;
        Ok(splitter.with_max_parts(self.splitter_max_parts))
    }
}

#[cfg(test)]
mod tests {
    use common::config::of;

    use super::*;

    fn problems(settings: &[(&str, &str)]) -> Vec<String> {
        let base = [("SPLITTER_CE_TYPE", "part"), ("SPLITTER_CE_SOURCE", "splitter")];
        of::<SplitterConfig>(&[&base, settings].concat()).map_or_else(|error| error.problems, |_| Vec::new())
    }

    #[test]
    fn every_mistake_names_its_variable_and_place() {
        assert_eq!(problems(&[]), Vec::<String>::new(), "without a path all of the data is split");
        let found = problems(&[
            ("SPLITTER_PATH", "items.@sort"),
            ("SPLITTER_CE_EXTENSIONS", r#"{"id": "1", "no-dash": "2", "fine": "3"}"#),
            ("SPLITTER_CONCURRENCY", "0"),
        ]);
        assert_eq!(found.len(), 4, "{found:?}");
        let text = found.join("\n");
        assert_eq!(
            problems(&[("SPLITTER_CE_EXTENSIONS", r#"{"splitid": "1"}"#), ("SPLITTER_NUMBER_PARTS", "true")]),
            ["SPLITTER_CE_EXTENSIONS cannot set 'splitid': it is set here by itself"]
        );
        for part in [
            "SPLITTER_PATH is no path: line 1, column 7: the modifier '@sort' is not supported",
            "SPLITTER_CE_EXTENSIONS cannot set 'id'",
            "SPLITTER_CE_EXTENSIONS cannot set 'no-dash'",
            "SPLITTER_CONCURRENCY",
        ] {
            assert!(text.contains(part), "{text}");
        }
    }
}
