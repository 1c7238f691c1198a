//! The export of spans: OTLP over HTTP with protobuf, by the one HTTP client of the tree.

use std::{collections::HashMap, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use opentelemetry::KeyValue;
use opentelemetry_http::{HttpClient, HttpError};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::{
    Resource,
    trace::{BatchSpanProcessor, SpanProcessor as _},
};
use tokio::runtime::Handle;

use super::{
    config::{TraceConfig, pairs},
    span::{Exporting, PROCESSOR},
};
use crate::{
    frame::FrameConfig,
    http::{Client, Roots},
    info::Info,
};

/// Time that one export may take.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Largest answer of a collector that is read.
const MAX_ANSWER: usize = 64 << 10;

/// Starts the export, if the settings name a collector. To be called inside the runtime that shall carry it.
pub(crate) fn start(config: &TraceConfig, frame: &FrameConfig, info: &Info) {
    let Some(destination) = config.destination(frame.k_observability_config.as_deref()) else { return };
    let headers = config.otel_exporter_otlp_headers.as_ref();
    let headers: Option<HashMap<_, _>> = headers.map(|headers| pairs(&headers.read()).collect());
    let exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(Carrier { client: Client::new(Roots::Process), runtime: Handle::current() })
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(&destination.endpoint)
        .with_headers(headers.unwrap_or_default())
        .with_timeout(TIMEOUT)
        .build();
    let exporter = match exporter {
        Ok(exporter) => exporter,
        Err(error) => return tracing::warn!(%error, "spans are not exported"),
    };
    let mut processor = BatchSpanProcessor::builder(exporter).build();
    processor.set_resource(&resource(config, frame, info));
    tracing::info!(endpoint = destination.endpoint, ratio = destination.ratio, "exporting spans");
    PROCESSOR.get_or_init(|| Exporting { processor, ratio: destination.ratio });
}

/// Sends what is left. It waits for the collector on a thread of its own, since this one has to carry the requests.
pub(crate) async fn finish() {
    if PROCESSOR.get().is_none() {
        return;
    }
    let flush =
        tokio::task::spawn_blocking(|| PROCESSOR.get().map(|exporting| exporting.processor.shutdown()));
    if let Ok(Some(Err(error))) = flush.await {
        tracing::warn!(%error, "the last spans were not exported");
    }
}

fn resource(config: &TraceConfig, frame: &FrameConfig, info: &Info) -> Resource {
    let service = config.otel_service_name.clone().unwrap_or_else(|| info.name.to_owned());
    let mut attributes = vec![
        KeyValue::new("service.name", service),
        KeyValue::new("service.version", info.version),
        KeyValue::new("service.instance.id", frame.name.clone()),
    ];
    if let Some(namespace) = &frame.namespace {
        attributes.push(KeyValue::new("service.namespace", namespace.clone()));
    }
    let given = config.otel_resource_attributes.as_deref().unwrap_or_default();
    attributes.extend(pairs(given).map(|(name, value)| KeyValue::new(name, value)));
    Resource::builder_empty().with_attributes(attributes).build()
}

/// Carries the exporter's requests: it asks from a thread of its own, and the client belongs to a runtime.
#[derive(Debug)]
struct Carrier {
    client: Client,
    runtime: Handle,
}

#[async_trait]
impl HttpClient for Carrier {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let client = self.client.clone();
        let sending = async move { client.send(request, TIMEOUT, MAX_ANSWER).await };
        let problem = match self.runtime.spawn(sending).await? {
            Ok(response) if response.status().is_success() => return Ok(response),
            Ok(response) => format!("the collector answered {}", response.status().as_u16()),
            Err(error) => error.chain(),
        };
        // Batches go at most each second, so this cannot flood the log.
        tracing::warn!(reason = problem, "spans were not exported");
        Err(problem.into())
    }
}
