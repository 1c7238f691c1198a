//! One request for each event, with one attempt; the caller holds the event and tries again.

mod token;

use bytes::Bytes;
use common::{
    Adapter, Context, Error, Event, Field, Info, Kind, Reply, Role, Rule, Scaling, Target, Trace,
    config::{ConfigError, Secret},
    http::{Client, ClientError, Problem, Roots},
    send::Authorization,
};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header};

use self::token::{Grant, Tokens};
use crate::{
    config::HttpConfig,
    convert::{self, Call},
    event::{self, Origin},
};

/// The HTTP target.
pub struct HttpTarget {
    config: HttpConfig,
    client: Client,
    /// Those of every request.
    headers: HeaderMap,
    credentials: Credentials,
}

enum Credentials {
    /// None but what the headers may hold.
    Headers,
    Basic(Authorization),
    OAuth(Box<Tokens>),
}

impl Adapter for HttpTarget {
    const INFO: Info = Info {
        name: env!("CARGO_PKG_NAME"),
        version: env!("CARGO_PKG_VERSION"),
        summary: env!("CARGO_PKG_DESCRIPTION"),
        role: Role::Target,
        component: "httptarget",
        resource_group: "httptargets.targets.triggermesh.io",
        images: &["httptarget-adapter"],
        emits: &["{HTTP_EVENT_TYPE}"],
        accepts: &["io.triggermesh.http.request", "*"],
        scaling: Scaling::Any,
        kinds: &[Kind {
            group: "targets.triggermesh.io",
            version: "v1alpha1",
            kind: "HTTPTarget",
            constants: &[],
            fields: &[
                Field::new("response.eventType", "HTTP_EVENT_TYPE").or("io.triggermesh.targets.response"),
                Field::new("response.eventSource", "HTTP_EVENT_SOURCE")
                    .or("io.triggermesh.httptarget.{namespace}.{name}"),
                Field::new("endpoint", "HTTP_URL"),
                Field::new("method", "HTTP_METHOD"),
                Field::new("headers", "HTTP_HEADERS").rule(Rule::Map),
                Field::new("skipVerify", "HTTP_SKIP_VERIFY"),
                Field::new("caCertificate", "HTTP_CA_CERTIFICATE"),
                Field::new("basicAuthUsername", "HTTP_BASICAUTH_USERNAME"),
                Field::new("basicAuthPassword", "HTTP_BASICAUTH_PASSWORD").secret(),
                Field::new("oauthClientID", "HTTP_OAUTH_CLIENT_ID"),
                Field::new("oauthClientSecret", "HTTP_OAUTH_CLIENT_SECRET").secret(),
                Field::new("oauthTokenURL", "HTTP_OAUTH_TOKEN_URL"),
                Field::new("oauthScopes", "HTTP_OAUTH_SCOPE").rule(Rule::Join(",")),
            ],
        }],
    };
    type Config = HttpConfig;

    fn new(config: HttpConfig) -> Result<Self, ConfigError> {
        let roots = Roots::chosen(config.http_ca_certificate.as_ref(), config.http_skip_verify);
        let client = Client::new(roots);
        let credentials = Credentials::new(&config, &client);
        Ok(Self { headers: convert::configured_headers(&config), config, client, credentials })
    }
}

impl Target for HttpTarget {
    async fn handle(&self, event: Event, context: &Context) -> Result<Reply, Error> {
        let call = convert::call(&self.config, &self.headers, self.has_credentials(), &event)?;
        let authorization = self.credentials.authorization(None).await?;
        let mut response = self.send(&call, authorization.as_ref(), &context.trace).await?;
        if response.status() == StatusCode::UNAUTHORIZED && matches!(self.credentials, Credentials::OAuth(_))
        {
            // The token may have been revoked before its time: one other, and one more attempt.
            let another = self.credentials.authorization(authorization.as_ref()).await?;
            response = self.send(&call, another.as_ref(), &context.trace).await?;
        }
        if !response.status().is_success() {
            return Err(event::refusal(&response, self.has_credentials()));
        }
        let reply = event::reply(&self.config, Origin::of(&event), response);
        reply.map(Reply::Event).map_err(|error| Error::permanent("making the reply event").caused_by(error))
    }
}

impl HttpTarget {
    fn has_credentials(&self) -> bool {
        !matches!(self.credentials, Credentials::Headers) || self.headers.contains_key(header::AUTHORIZATION)
    }

    async fn send(
        &self,
        call: &Call,
        authorization: Option<&HeaderValue>,
        trace: &Trace,
    ) -> Result<Response<Bytes>, Error> {
        let mut request = Request::new(call.body.clone());
        *request.method_mut() = self.config.http_method.into();
        *request.uri_mut() = call.uri.clone();
        *request.headers_mut() = call.headers.clone();
        if let Some(value) = authorization {
            request.headers_mut().insert(header::AUTHORIZATION, value.clone());
        }
        let mut span = trace.request("call");
        // Not the whole URL: its query may hold a key.
        span.set("server.address", || call.uri.authority().map(ToString::to_string).unwrap_or_default());
        span.write(request.headers_mut());
        let answer =
            self.client.send(request, *self.config.http_timeout, self.config.http_max_response_bytes).await;
        span.answered(answer.as_ref().map_or_else(|error| error.status, |answer| Some(answer.status())));
        answer.map_err(|error| self.unanswered(error))
    }

    /// There is no complete answer. One that is too large will be so again; what else was said by the status holds.
    fn unanswered(&self, error: ClientError) -> Error {
        let message = "calling the endpoint";
        match error.status {
            Some(status) if !status.is_success() => event::failure(status, self.has_credentials()),
            Some(_) if matches!(error.problem, Problem::TooLarge(_)) => {
                Error::permanent(message).caused_by(error)
            }
            _ => Error::retryable(message).caused_by(error),
        }
    }
}

impl Credentials {
    fn new(config: &HttpConfig, client: &Client) -> Self {
        if config.has_basic() {
            let user = config.http_basicauth_username.clone().unwrap_or_default();
            let password = config.http_basicauth_password.clone().unwrap_or_else(|| Secret::new(""));
            return Self::Basic(Authorization::Basic(user, password));
        }
        let oauth =
            (&config.http_oauth_client_id, &config.http_oauth_client_secret, &config.http_oauth_token_url);
        let (Some(client_id), Some(client_secret), Some(token_url)) = oauth else { return Self::Headers };
        let grant = Grant {
            client_id: client_id.clone(),
            client_secret: client_secret.clone(),
            token_url: token_url.to_uri(),
            scopes: config.http_oauth_scope.as_ref().map(|scopes| scopes.0.clone()).unwrap_or_default(),
        };
        Self::OAuth(Box::new(Tokens::new(grant, client.clone(), *config.http_timeout)))
    }

    /// The value of `Authorization` that goes over any other, and is not the refused one.
    async fn authorization(&self, refused: Option<&HeaderValue>) -> Result<Option<HeaderValue>, Error> {
        match self {
            Self::Headers => Ok(None),
            Self::Basic(authorization) => Ok(authorization.header()),
            Self::OAuth(tokens) => tokens.authorization(refused).await.map(Some),
        }
    }
}
