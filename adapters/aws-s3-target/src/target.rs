//! One object for each event (Amazon S3 User Guide). One attempt; the caller holds the event and tries again.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use aws::Session;
use aws_sdk_s3::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    operation::put_object::PutObjectError,
};
use bytes::Bytes;
use common::{
    Adapter, Context, Error, Event, Field, Info, Kind, Reply, Role, Scaling, Target, config::ConfigError,
};
use http::StatusCode;

use crate::{
    client::{self, Put},
    config::S3Config,
    convert::{Key, Object, PUT},
};

/// The largest answer that is read: none of S3's holds an object.
const ANSWER_BYTES: usize = 256 << 10;
const REPLY: &str = "io.triggermesh.targets.aws.s3.result";
const FIELDS: [Field; 8] =
    aws::fields([Field::new("arn", "ARN"), Field::new("discardCloudEventContext", "AWS_DISCARD_CE_CONTEXT")]);

/// The S3 target.
pub struct S3 {
    config: S3Config,
    session: Session,
    /// The client for the bucket's region, once that is known.
    located: Mutex<Option<Client>>,
    /// Whether the server has said that it knows no conditions.
    unconditional: AtomicBool,
}

impl Adapter for S3 {
    const INFO: Info = Info {
        name: env!("CARGO_PKG_NAME"),
        version: env!("CARGO_PKG_VERSION"),
        summary: env!("CARGO_PKG_DESCRIPTION"),
        role: Role::Target,
        component: "awss3target",
        resource_group: "awss3targets.targets.triggermesh.io",
        images: &["awss3target-adapter"],
        emits: &[REPLY],
        accepts: &[PUT, "*"],
        scaling: Scaling::Any,
        kinds: &[Kind {
            group: "targets.triggermesh.io",
            version: "v1alpha1",
            kind: "AWSS3Target",
            constants: &[],
            fields: &FIELDS,
        }],
    };
    type Config = S3Config;

    fn new(config: S3Config) -> Result<Self, ConfigError> {
        let (region, endpoint) = (config.first_region(), config.endpoint());
        let timeout = *config.aws_s3_timeout;
        let session = Session::reading(&config.aws, region, endpoint, timeout, ANSWER_BYTES)?;
        Ok(Self { config, session, located: Mutex::default(), unconditional: AtomicBool::new(false) })
    }

    async fn connect(&self) -> Result<(), Error> {
        self.client().await.map(drop)
    }
}

impl Target for S3 {
    async fn handle(&self, event: Event, context: &Context) -> Result<Reply, Error> {
        let object = Object::of(&event, self.config.aws_discard_ce_context.0)?;
        let client = self.client().await?;
        let mut span = context.trace.request("PutObject");
        span.set("aws.s3.bucket", || self.config.bucket().to_owned());
        let told = self.store(&client, &object).await;
        span.answered(Some(told.as_ref().map_or_else(Error::status, |_| StatusCode::OK)));
        aws::reply(REPLY, &self.config.arn, told?)
            .map(Reply::Event)
            .map_err(|error| Error::permanent("making the reply event").caused_by(error))
    }
}

impl S3 {
    /// The client for the bucket's region, which is asked for when it is not known.
    async fn client(&self) -> Result<Client, Error> {
        let known = self.located.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match known {
            Some(client) => Ok(client),
            None => {
                let client = client::locate(&self.config, &self.session).await?;
                *self.located.lock().unwrap_or_else(PoisonError::into_inner) = Some(client.clone());
                Ok(client)
            }
        }
    }

    async fn store(&self, client: &Client, object: &Object) -> Result<Bytes, Error> {
        let bucket = self.config.bucket();
        let (name, other) = match &object.key {
            Key::Own(name) => (name, None),
            Key::Shared(name, other) => (name, Some(other)),
        };
        if let Some(other) = other.filter(|_| !self.unconditional.load(Ordering::Relaxed)) {
            match client::put(client, bucket, name, object, true).await {
                Ok(Put::Stored(told)) => return Ok(told),
                Ok(Put::Unconditional) => self.unconditional.store(true, Ordering::Relaxed),
                Ok(Put::Taken) => {
                    let same = client::is_same(client, &self.session, bucket, name, object).await?;
                    return match same {
                        Some(told) => Ok(told),
                        None => self.replace(client, other, object).await,
                    };
                }
                Err(failure) => return Err(self.failure(failure)),
            }
        }
        self.replace(client, name, object).await
    }

    /// Stores an object whatever is there.
    async fn replace(&self, client: &Client, key: &str, object: &Object) -> Result<Bytes, Error> {
        match client::put(client, self.config.bucket(), key, object, false).await {
            Ok(Put::Stored(told)) => Ok(told),
            // Only conditions have other outcomes.
            Ok(_) => Err(Error::retryable("storing the object: the answer fits no request")),
            Err(failure) => Err(self.failure(failure)),
        }
    }

    fn failure(&self, failure: SdkError<PutObjectError>) -> Error {
        // The bucket may have been made anew elsewhere: the next event asks where.
        let moved =
            failure.raw_response().is_some_and(|answer| matches!(answer.status().as_u16(), 301 | 307))
                || matches!(failure.code(), Some("AuthorizationHeaderMalformed" | "NoSuchBucket"));
        if moved {
            *self.located.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
        client::failure(&self.session, failure)
    }
}
