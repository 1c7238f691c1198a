//! Where spans go: the standard variables of OpenTelemetry first, else Knative's `K_OBSERVABILITY_CONFIG`.
//!
//! Facts: OpenTelemetry specification, "OTLP Exporter Configuration" and "SDK environment variables".

use schemars::JsonSchema;
use serde::Deserialize;

use crate::config::{Config, Flag, Secret, Url};

/// The settings of tracing. Without an endpoint no span is made.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct TraceConfig {
    /// URL of an OpenTelemetry collector; spans go to `/v1/traces` below it, by HTTP with protobuf.
    pub otel_exporter_otlp_endpoint: Option<Url>,
    /// URL for spans, verbatim; wins over `OTEL_EXPORTER_OTLP_ENDPOINT`.
    pub otel_exporter_otlp_traces_endpoint: Option<Url>,
    /// Headers for the collector, `name=value,name=value`.
    pub otel_exporter_otlp_headers: Option<Secret>,
    /// Name of this service in traces; unset, the name of the program.
    pub otel_service_name: Option<String>,
    /// More attributes of this service in traces, `name=value,name=value`.
    pub otel_resource_attributes: Option<String>,
    /// Which traces are recorded when the caller has not decided: `always_on`, `always_off` or `traceidratio`, each also
    /// with `parentbased_` before it, which is what is always done.
    pub otel_traces_sampler: Option<String>,
    /// The part of new traces, from 0 to 1, that `traceidratio` records.
    pub otel_traces_sampler_arg: Option<String>,
    /// `true` switches tracing off whatever else is set.
    #[serde(default)]
    pub otel_sdk_disabled: Flag,
}

impl Config for TraceConfig {}

/// Where spans go and how many.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Destination {
    pub(super) endpoint: String,
    /// The part of new traces that is recorded, from 0 to 1.
    pub(super) ratio: f64,
}

impl TraceConfig {
    /// The destination, if any setting names one.
    pub(super) fn destination(&self, observability: Option<&str>) -> Option<Destination> {
        if self.otel_sdk_disabled.0 {
            return None;
        }
        let verbatim = self.otel_exporter_otlp_traces_endpoint.as_ref().map(ToString::to_string);
        let below = |url: &Url| format!("{}/v1/traces", url.as_str().trim_end_matches('/'));
        match verbatim.or_else(|| self.otel_exporter_otlp_endpoint.as_ref().map(below)) {
            Some(endpoint) => Some(Destination { endpoint, ratio: self.ratio() }),
            None => observability.and_then(knative),
        }
    }

    /// A sampler that is not known records everything, as the specification wants of an unusable value.
    fn ratio(&self) -> f64 {
        let sampler = self.otel_traces_sampler.as_deref().unwrap_or_default();
        match sampler.strip_prefix("parentbased_").unwrap_or(sampler) {
            "always_off" => 0.0,
            "traceidratio" => {
                let argument = self.otel_traces_sampler_arg.as_deref().and_then(|text| text.parse().ok());
                argument.filter(|ratio| (0.0..=1.0).contains(ratio)).unwrap_or(1.0)
            }
            _ => 1.0,
        }
    }
}

/// `{"tracing": {"protocol": "http/protobuf", "endpoint": "…", "samplingRate": 0.1}}`; anything malformed is as good as
/// absent (K12), and other protocols are not spoken.
fn knative(text: &str) -> Option<Destination> {
    let config: serde_json::Value = serde_json::from_str(text).ok()?;
    let tracing = config.get("tracing")?;
    let endpoint = tracing.get("endpoint")?.as_str().filter(|endpoint| !endpoint.is_empty())?;
    match tracing.get("protocol")?.as_str()? {
        "http/protobuf" => {}
        "none" | "stdout" => return None,
        protocol => {
            tracing::warn!(protocol, "spans are not exported: the protocol must be http/protobuf");
            return None;
        }
    }
    let rate = tracing.get("samplingRate").and_then(serde_json::Value::as_f64);
    Some(Destination { endpoint: endpoint.to_owned(), ratio: rate.unwrap_or(0.0).clamp(0.0, 1.0) })
}

/// The pairs of a list `name=value,name=value`.
pub(super) fn pairs(text: &str) -> impl Iterator<Item = (String, String)> {
    text.split(',').filter_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        let value = percent_encoding::percent_decode_str(value.trim()).decode_utf8_lossy().into_owned();
        Some((name.trim().to_owned(), value))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> TraceConfig {
        let environment =
            variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        crate::config::load(&environment).expect("valid")
    }

    fn destination(endpoint: &str, ratio: f64) -> Option<Destination> {
        Some(Destination { endpoint: endpoint.to_owned(), ratio })
    }

    #[test]
    fn the_standard_variables_win() {
        let knative =
            Some(r#"{"tracing":{"protocol":"http/protobuf","endpoint":"http://k:1/x","samplingRate":0.5}}"#);
        assert_eq!(read(&[]).destination(knative), destination("http://k:1/x", 0.5));
        let base = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318/");
        assert_eq!(read(&[base]).destination(knative), destination("http://c:4318/v1/traces", 1.0));
        let verbatim = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://c:4318/t");
        let sampler =
            [("OTEL_TRACES_SAMPLER", "parentbased_traceidratio"), ("OTEL_TRACES_SAMPLER_ARG", "0.25")];
        let all = [base, verbatim, sampler[0], sampler[1]];
        assert_eq!(read(&all).destination(None), destination("http://c:4318/t", 0.25));
        assert_eq!(read(&[base, ("OTEL_SDK_DISABLED", "true")]).destination(knative), None);
    }

    #[test]
    fn malformed_observability_is_absent() {
        for text in
            ["", "{", "{}", "null", r#"{"tracing":7}"#, r#"{"tracing":{"protocol":"grpc","endpoint":"x"}}"#]
        {
            assert_eq!(read(&[]).destination(Some(text)), None, "{text}");
        }
    }
}
