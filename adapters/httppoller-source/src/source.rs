//! One request in each interval; an answer that is new becomes an event.

use std::time::Duration;

use bytes::Bytes;
use common::{
    Adapter, Error, Field, Info, Kind, Page, PollSource, Role, Rule, Scaling,
    config::{ConfigError, Secret},
    http::{Client, Roots},
    send::{Authorization, retry_after},
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};
use uuid::Uuid;

use crate::{
    config::HttpPollerConfig,
    event::{self, Cursor},
};

/// Headers that belong to the connection, which no setting decides.
const OF_THE_CONNECTION: [HeaderName; 9] = [
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::HOST,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// The HTTP poller.
pub struct HttpPoller {
    config: HttpPollerConfig,
    client: Client,
    /// Those of every request.
    headers: HeaderMap,
    authorization: Option<Authorization>,
}

impl Adapter for HttpPoller {
    const INFO: Info = Info {
        name: env!("CARGO_PKG_NAME"),
        version: env!("CARGO_PKG_VERSION"),
        summary: env!("CARGO_PKG_DESCRIPTION"),
        role: Role::Source,
        component: "httppoller",
        resource_group: "httppollersources.sources.triggermesh.io",
        images: &["httppollersource-adapter"],
        emits: &["{HTTPPOLLER_EVENT_TYPE}"],
        accepts: &[],
        scaling: Scaling::Single,
        kinds: &[Kind {
            group: "sources.triggermesh.io",
            version: "v1alpha1",
            kind: "HTTPPollerSource",
            constants: &[],
            fields: &[
                Field::new("eventType", "HTTPPOLLER_EVENT_TYPE"),
                Field::new("eventSource", "HTTPPOLLER_EVENT_SOURCE").or("{namespace}.{name}"),
                Field::new("endpoint", "HTTPPOLLER_ENDPOINT"),
                Field::new("method", "HTTPPOLLER_METHOD"),
                Field::new("headers", "HTTPPOLLER_HEADERS").rule(Rule::Map),
                Field::new("skipVerify", "HTTPPOLLER_SKIP_VERIFY"),
                Field::new("caCertificate", "HTTPPOLLER_CA_CERTIFICATE"),
                Field::new("basicAuthUsername", "HTTPPOLLER_BASICAUTH_USERNAME"),
                Field::new("basicAuthPassword", "HTTPPOLLER_BASICAUTH_PASSWORD").secret(),
                Field::new("interval", "HTTPPOLLER_INTERVAL"),
            ],
        }],
    };
    type Config = HttpPollerConfig;

    fn new(config: HttpPollerConfig) -> Result<Self, ConfigError> {
        let roots = Roots::chosen(config.httppoller_ca_certificate.as_ref(), config.httppoller_skip_verify);
        let (headers, authorization) = (headers(&config), authorization(&config));
        Ok(Self { config, client: Client::new(roots), headers, authorization })
    }
}

impl PollSource for HttpPoller {
    /// What is asked for, as a hash: URLs may be long, and may hold a key.
    fn streams(&self) -> Vec<String> {
        let asked = format!("{} {}", self.method(), self.config.httppoller_endpoint);
        vec![Uuid::new_v5(&Uuid::NAMESPACE_URL, asked.as_bytes()).to_string()]
    }

    fn interval(&self) -> Duration {
        *self.config.httppoller_interval
    }

    async fn poll(&self, _stream: &str, cursor: Option<&str>) -> Result<Page, Error> {
        let last = cursor.map(Cursor::read).transpose()?;
        let limit = self.config.httppoller_max_response_bytes;
        let response =
            self.client.send(self.request(last.as_ref()), *self.config.httppoller_timeout, limit).await;
        let response = response.map_err(|error| Error::retryable("asking the endpoint").caused_by(error))?;
        if response.status() == StatusCode::NOT_MODIFIED {
            return Ok(Page::default());
        }
        if !response.status().is_success() {
            return Err(refusal(&response));
        }
        let validated = self.method() == Method::GET;
        let Some(next) = event::advance(&self.config, last.as_ref(), &response, validated) else {
            return Ok(Page::default());
        };
        let event = event::event(&self.config, &next, response)
            .map_err(|error| Error::permanent("making the event").caused_by(error))?;
        Ok(Page { events: vec![event], next: Some(next.text()?), more: false })
    }
}

impl HttpPoller {
    fn method(&self) -> Method {
        self.config.httppoller_method.into()
    }

    fn request(&self, last: Option<&Cursor>) -> Request<Bytes> {
        let mut request = Request::new(Bytes::new());
        *request.method_mut() = self.method();
        *request.uri_mut() = self.config.httppoller_endpoint.to_uri();
        *request.headers_mut() = self.headers.clone();
        for (name, value) in last.into_iter().flat_map(Cursor::conditions) {
            request.headers_mut().insert(name, value);
        }
        if let Some(value) = self.authorization.as_ref().and_then(Authorization::header) {
            request.headers_mut().insert(header::AUTHORIZATION, value);
        }
        request
    }
}

/// An answer without news. Redirects are among them: nothing is followed to where credentials were not meant for.
fn refusal(response: &Response<Bytes>) -> Error {
    let message = format!("the endpoint answered {}", response.status().as_u16());
    match retry_after(response.headers()) {
        Some(after) => Error::retryable(message).after(after),
        None => Error::retryable(message),
    }
}

fn headers(config: &HttpPollerConfig) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let agent = concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION"));
    headers.insert(header::USER_AGENT, HeaderValue::from_static(agent));
    for (name, value) in &config.httppoller_headers.0 {
        // What cannot be sent was refused with the configuration.
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value))
            && !OF_THE_CONNECTION.contains(&name)
        {
            headers.insert(name, value);
        }
    }
    headers
}

fn authorization(config: &HttpPollerConfig) -> Option<Authorization> {
    if config.httppoller_basicauth_username.is_none() && config.httppoller_basicauth_password.is_none() {
        return None;
    }
    let user = config.httppoller_basicauth_username.clone().unwrap_or_default();
    let password = config.httppoller_basicauth_password.clone().unwrap_or_else(|| Secret::new(""));
    Some(Authorization::Basic(user, password))
}
