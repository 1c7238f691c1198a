//! The generated files of the Helm chart: the schema of its values, what its templates must know of each adapter, and
//! values with every adapter.

mod example;
mod facts;
mod schema;

use serde_json::Value;

use crate::cli::Failure;
use crate::document::Description;

/// Where the chart's schema is written by hand: all but what the adapters say.
const BASE: &str = include_str!("chart/values.json");

/// The files, by their path in the checkout.
pub fn files(descriptions: &[Description]) -> Result<Vec<(&'static str, String)>, Failure> {
    let schema = schema::of(serde_json::from_str(BASE)?, descriptions);
    Ok(vec![
        ("charts/trestle/values.schema.json", text(&schema)?),
        ("charts/trestle/files/adapters.json", text(&facts::of(descriptions))?),
        // YAML, as all JSON is; chart tools look for values by this name.
        ("charts/trestle/ci/every-adapter-values.yaml", text(&example::of(descriptions))?),
    ])
}

/// The table of values in the chart's README.
pub fn markdown() -> Result<String, Failure> {
    Ok(schema::markdown(&serde_json::from_str(BASE)?))
}

fn text(value: &Value) -> Result<String, Failure> {
    Ok(format!("{}\n", serde_json::to_string_pretty(value)?))
}
