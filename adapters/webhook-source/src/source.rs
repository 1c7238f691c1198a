//! Receives requests: credentials first, then the event.

use bytes::Bytes;
use common::{
    Adapter, Answer, Field, Info, Kind, Received, Role, Rule, Scaling, WebhookSource,
    adapter::{answer, text_answer},
    config::ConfigError,
    credentials,
};
use http::{HeaderValue, Method, Request, StatusCode, header};

use crate::{config::WebhookConfig, event, signature};

/// The webhook source.
pub struct Webhook {
    config: WebhookConfig,
    /// Checked when the configuration was.
    allow_origin: Option<HeaderValue>,
}

impl Adapter for Webhook {
    const INFO: Info = Info {
        name: env!("CARGO_PKG_NAME"),
        version: env!("CARGO_PKG_VERSION"),
        summary: env!("CARGO_PKG_DESCRIPTION"),
        role: Role::Source,
        component: "webhooksource",
        resource_group: "webhooksources.sources.triggermesh.io",
        images: &["webhooksource-adapter", "webhook-adapter"],
        emits: &["{WEBHOOK_EVENT_TYPE}"],
        accepts: &[],
        scaling: Scaling::Any,
        kinds: &[Kind {
            group: "sources.triggermesh.io",
            version: "v1alpha1",
            kind: "WebhookSource",
            constants: &[],
            fields: &[
                Field::new("eventType", "WEBHOOK_EVENT_TYPE"),
                Field::new("eventSource", "WEBHOOK_EVENT_SOURCE").or("{namespace}.{name}"),
                Field::new("eventExtensionAttributes.from", "WEBHOOK_EVENT_EXTENSION_ATTRIBUTES_FROM")
                    .rule(Rule::Join(",")),
                Field::new("basicAuthUsername", "WEBHOOK_BASICAUTH_USERNAME").secret(),
                Field::new("basicAuthPassword", "WEBHOOK_BASICAUTH_PASSWORD").secret(),
                Field::new("corsAllowOrigin", "WEBHOOK_CORS_ALLOW_ORIGIN"),
                Field::new("signature.secret", "WEBHOOK_SIGNATURE_SECRET").secret(),
                Field::new("signature.header", "WEBHOOK_SIGNATURE_HEADER"),
            ],
        }],
    };
    type Config = WebhookConfig;

    fn new(config: WebhookConfig) -> Result<Self, ConfigError> {
        let origin = config.webhook_cors_allow_origin.as_deref();
        let allow_origin = origin.and_then(|origin| HeaderValue::from_str(origin).ok());
        Ok(Self { config, allow_origin })
    }
}

impl WebhookSource for Webhook {
    async fn receive(&self, request: Request<Bytes>) -> Received {
        let mut received = self.read(&request);
        if let (Some(origin), Received::Events(_, answer) | Received::Answer(answer)) =
            (&self.allow_origin, &mut received)
        {
            answer.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        }
        received
    }
}

impl Webhook {
    fn read(&self, request: &Request<Bytes>) -> Received {
        if self.allow_origin.is_some() && is_preflight(request) {
            return Received::Answer(preflight());
        }
        if let Err(refusal) = self.authenticate(request).and_then(|()| self.verify(request)) {
            return Received::Answer(refusal);
        }
        match event::build(&self.config, request) {
            Ok(event) => Received::Events(vec![event], answer(StatusCode::NO_CONTENT)),
            Err(error) => Received::Answer(text_answer(StatusCode::BAD_REQUEST, error.to_string())),
        }
    }

    fn authenticate(&self, request: &Request<Bytes>) -> Result<(), Answer> {
        let (Some(user), Some(password)) =
            (&self.config.webhook_basicauth_username, &self.config.webhook_basicauth_password)
        else {
            return Ok(());
        };
        let password = password.read();
        let given = credentials::basic_credentials(request.headers());
        let right = given.is_some_and(|(given_user, given_password)| {
            // Both are compared whatever the first one says.
            credentials::equal(given_user.as_bytes(), user.as_bytes())
                & credentials::equal(given_password.as_bytes(), password.as_bytes())
        });
        if right && !password.is_empty() {
            return Ok(());
        }
        let mut refusal = text_answer(StatusCode::UNAUTHORIZED, "credentials are not valid");
        let challenge = HeaderValue::from_static(r#"Basic realm="webhook", charset="UTF-8""#);
        refusal.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        Err(refusal)
    }

    fn verify(&self, request: &Request<Bytes>) -> Result<(), Answer> {
        let Some(secret) = &self.config.webhook_signature_secret else { return Ok(()) };
        let given = request.headers().get(&self.config.webhook_signature_header);
        let given = given.and_then(|value| value.to_str().ok()).unwrap_or_default();
        if signature::is_valid(secret.read().as_bytes(), request.body(), given) {
            return Ok(());
        }
        Err(text_answer(StatusCode::UNAUTHORIZED, "the signature is not valid"))
    }
}

/// A CORS preflight (Fetch standard, section 3.2.2) never carries credentials and never is an event.
fn is_preflight(request: &Request<Bytes>) -> bool {
    request.method() == Method::OPTIONS
        && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

fn preflight() -> Answer {
    let mut answer = answer(StatusCode::NO_CONTENT);
    let headers = answer.headers_mut();
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_METHODS,
        HeaderValue::from_static("GET, POST, PUT, PATCH, DELETE"),
    );
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("*, Authorization"));
    answer
}
