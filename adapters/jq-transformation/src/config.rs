//! The environment of the jq transformation: the name of the query is that of the original image.

use std::sync::{Arc, OnceLock};

use common::config::{Config, Duration, Problems};
use jq::{Bounds, Mistake, Query};
use schemars::JsonSchema;
use serde::Deserialize;

/// Settings of the jq transformation.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct JqConfig {
    /// The query. Of what it gives, the last value becomes the data of the event. Without one the data stay what they are.
    #[serde(default)]
    #[schemars(example = &".items[] | {name, price}")]
    pub jq_query: String,
    /// How long the query may take for one event, 10ms to 30s; one that takes longer is ended and the event refused.
    #[serde(default = "default_timeout")]
    pub jq_timeout: Duration,
    /// Bytes of values that the query may hold at once for one event.
    #[serde(default = "default_max_bytes")]
    #[schemars(range(min = 1_048_576, max = 1_073_741_824))]
    pub jq_max_bytes: usize,
    /// Compiled once, though it is asked for when the settings are looked at and when they are used.
    #[serde(skip)]
    compiled: OnceLock<Result<Arc<Query>, Mistake>>,
}

impl Config for JqConfig {
    fn validate(&self, problems: &mut Problems) {
        if let Err(mistake) = self.query() {
            problems.add("JQ_QUERY", format_args!("is no query: {mistake}"));
        }
        if !(10..=30_000).contains(&self.jq_timeout.as_millis()) {
            problems.add("JQ_TIMEOUT", "must be from 10ms to 30s");
        }
    }
}

impl JqConfig {
    /// The compiled query.
    pub fn query(&self) -> Result<Arc<Query>, Mistake> {
        self.compiled.get_or_init(|| Query::new(&self.jq_query).map(Arc::new)).clone()
    }

    /// What one event may cost.
    pub fn bounds(&self) -> Bounds {
        Bounds { time: *self.jq_timeout, bytes: self.jq_max_bytes }
    }
}

fn default_timeout() -> Duration {
    Duration::seconds(1)
}

fn default_max_bytes() -> usize {
    64 << 20
}

#[cfg(test)]
mod tests {
    use common::config::of;

    use super::*;

    fn problems(settings: &[(&str, &str)]) -> Vec<String> {
        of::<JqConfig>(settings).map_or_else(|error| error.problems, |_| Vec::new())
    }

    #[test]
    fn mistakes_in_the_query_have_their_place() {
        assert_eq!(problems(&[]), Vec::<String>::new());
        assert_eq!(problems(&[("JQ_QUERY", ".a | {b: .c}")]), Vec::<String>::new());
        for (query, problem) in [
            (".a |", "JQ_QUERY is no query: line 1, column 5: expected term, but the query ends here"),
            (".a\n| frst", "JQ_QUERY is no query: line 2, column 3: there is no function 'frst/0'"),
        ] {
            assert_eq!(problems(&[("JQ_QUERY", query)]), [problem]);
        }
    }

    #[test]
    fn bounds_are_bounded() {
        for (name, value) in [("JQ_TIMEOUT", "1ms"), ("JQ_TIMEOUT", "1m"), ("JQ_MAX_BYTES", "1000")] {
            let found = problems(&[(name, value)]);
            assert!(matches!(&found[..], [one] if one.starts_with(name)), "{found:?}");
        }
    }
}
