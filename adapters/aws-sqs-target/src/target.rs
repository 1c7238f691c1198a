//! Events as calls of aws-sqs. Name the vendor's documentation here.

use std::time::Duration;

use bytes::Bytes;
use common::{
    Adapter, Context, Error, Event, Field, Info, Kind, Reply, Role, Scaling, Target,
    config::ConfigError,
    http::{Client, Roots},
};
use http::{HeaderValue, Request, header};

use crate::config::AwsSqsConfig;

/// How long the vendor may take.
const TIMEOUT: Duration = Duration::from_secs(20);
/// The largest answer that is read.
const ANSWER_BYTES: usize = 64 << 10;

/// Posts the data of each event.
pub struct AwsSqs {
    config: AwsSqsConfig,
    client: Client,
}

impl Adapter for AwsSqs {
    const INFO: Info = Info {
        name: env!("CARGO_PKG_NAME"),
        version: env!("CARGO_PKG_VERSION"),
        summary: env!("CARGO_PKG_DESCRIPTION"),
        role: Role::Target,
        component: "awssqstarget",
        resource_group: "awssqstargets.targets.triggermesh.io",
        images: &[],
        emits: &[],
        accepts: &["*"],
        scaling: Scaling::Any,
        kinds: &[Kind {
            group: "targets.triggermesh.io",
            version: "v1alpha1",
            kind: "AWSSQSTarget",
            constants: &[],
            fields: &[Field::new("url", "AWS_SQS_URL"), Field::new("token", "AWS_SQS_TOKEN").secret()],
        }],
    };
    type Config = AwsSqsConfig;

    fn new(config: Self::Config) -> Result<Self, ConfigError> {
        Ok(Self { config, client: Client::new(Roots::Process) })
    }
}

impl Target for AwsSqs {
    async fn handle(&self, event: Event, _context: &Context) -> Result<Reply, Error> {
        let request = self.request(event)?;
        let answer = self
            .client
            .send(request, TIMEOUT, ANSWER_BYTES)
            .await
            .map_err(|error| Error::retryable("calling aws-sqs").caused_by(error))?;
        // What a status means is the vendor's to say; this is the usual reading.
        if answer.status().is_success() {
            Ok(Reply::Done)
        } else {
            let message = format!("aws-sqs answered {}", answer.status());
            Err(Error::from_status(answer.status(), None, message))
        }
    }
}

impl AwsSqs {
    fn request(&self, event: Event) -> Result<Request<Bytes>, Error> {
        let mut request = Request::post(self.config.aws_sqs_url.to_uri());
        if let Some(content_type) = event.data_content_type() {
            request = request.header(header::CONTENT_TYPE, content_type);
        }
        if let Some(token) = &self.config.aws_sqs_token {
            let mut bearer = HeaderValue::try_from(format!("Bearer {}", token.read()))
                .map_err(|_| Error::retryable("the token holds what no header can"))?;
            bearer.set_sensitive(true);
            request = request.header(header::AUTHORIZATION, bearer);
        }
        let data = event.data().cloned().unwrap_or_default();
        request.body(data).map_err(|error| Error::permanent("making the request").caused_by(error))
    }
}
