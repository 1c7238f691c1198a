//! The HTTP client under AWS's SDK is the one of the frame: its pools, its proxies, its trust.

use std::time::Duration;

use aws_smithy_runtime_api::{
    box_error::BoxError,
    client::{
        http::{HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector},
        orchestrator::{HttpRequest, HttpResponse},
        result::ConnectorError,
        runtime_components::RuntimeComponents,
    },
};
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use common::http::{Client, ClientError, Problem, Roots};
use http::{Request, Uri};
use http_body_util::BodyExt;

/// The largest answer that is read, where a session does not say otherwise.
pub(crate) const ANSWER_BYTES: usize = 4 << 20;
/// How long a request may take at most; the SDK's own time-outs are shorter.
const LONGEST: Duration = Duration::from_secs(120);

/// Both ways out: through the environment's proxies if there are any, and past them.
#[derive(Debug, Clone)]
pub(crate) struct Http {
    usual: Client,
    direct: Client,
    answer_bytes: usize,
}

impl Http {
    pub(crate) fn new(roots: Roots, answer_bytes: usize) -> Self {
        Self { usual: Client::new(roots.clone()), direct: Client::direct(roots), answer_bytes }
    }

    /// The addresses that credentials of containers and instances come from mean this machine: no proxy has them.
    fn way(&self, uri: &Uri) -> &Client {
        if uri.host().is_some_and(is_link_local) { &self.direct } else { &self.usual }
    }
}

/// `169.254.0.0/16` and the two of EC2 and EKS in IPv6.
fn is_link_local(host: &str) -> bool {
    host.starts_with("169.254.") || host.to_ascii_lowercase().starts_with("[fd00:ec2:")
}

impl HttpClient for Http {
    fn http_connector(&self, settings: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        // Those who ask for a time to the first byte read little: it is the time for all of it.
        let timeout = settings.read_timeout().map_or(LONGEST, |read| {
            read.saturating_add(settings.connect_timeout().unwrap_or_default()).min(LONGEST)
        });
        SharedHttpConnector::new(Connector { http: self.clone(), timeout })
    }
}

#[derive(Debug)]
struct Connector {
    http: Http,
    timeout: Duration,
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (http, timeout) = (self.http.clone(), self.timeout);
        HttpConnectorFuture::new(async move {
            let request = collected(request).await.map_err(ConnectorError::user)?;
            let client = http.way(request.uri());
            let answer = client.send(request, timeout, http.answer_bytes).await.map_err(failure)?;
            HttpResponse::try_from(answer.map(SdkBody::from))
                .map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}

/// The request with its body in one piece. Bodies are in memory already, so that nothing is copied.
async fn collected(request: HttpRequest) -> Result<Request<Bytes>, BoxError> {
    let (parts, body) = request.try_into_http1x()?.into_parts();
    let body = body.collect().await?.to_bytes();
    Ok(Request::from_parts(parts, body))
}

fn failure(error: ClientError) -> ConnectorError {
    match error.problem {
        Problem::TimedOut(_) => ConnectorError::timeout(error.into()),
        Problem::Connection => ConnectorError::io(error.into()),
        Problem::TooLarge(_) => ConnectorError::other(error.into(), None),
    }
}
