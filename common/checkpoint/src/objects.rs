//! Positions as objects of an S3-compatible store, written under conditions (RFC 9110, section 13).

use std::time::Duration;

use async_trait::async_trait;
use common::{
    Error,
    checkpoint::{Checkpoints, Pending, Record, Stored, name},
    http::{Client, ClientError, Problem},
};
use http_body_util::BodyExt;
use object_store::{
    ClientOptions, ObjectStore, ObjectStoreExt, PutMode, PutPayload, RetryConfig, UpdateVersion,
    aws::{AmazonS3, AmazonS3Builder},
    client::{
        HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpResponseBody,
        HttpService,
    },
    path::Path,
};

use crate::place::Bucket;

/// Time for one request.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Largest answer; a list of a thousand names is far below.
const LIMIT: usize = 8 << 20;

/// A folder of a bucket.
#[derive(Debug)]
pub struct Objects {
    store: AmazonS3,
    prefix: String,
}

impl Objects {
    /// Nothing is connected yet.
    ///
    /// # Errors
    /// When the settings make no client.
    pub fn new(bucket: Bucket) -> object_store::Result<Self> {
        // Who calls tries again; here only what is gone in a moment.
        let retry = RetryConfig { max_retries: 2, retry_timeout: TIMEOUT, ..RetryConfig::default() };
        let mut builder = match bucket.credentials {
            None => AmazonS3Builder::from_env(),
            Some((id, key)) => AmazonS3Builder::new().with_access_key_id(id).with_secret_access_key(key),
        };
        if let Some(endpoint) = bucket.endpoint {
            builder = builder.with_allow_http(endpoint.starts_with("http://")).with_endpoint(endpoint);
        }
        if let Some(region) = bucket.region {
            builder = builder.with_region(region);
        }
        let http = Http(Client::new(bucket.roots));
        let store =
            builder.with_bucket_name(bucket.name).with_retry(retry).with_http_connector(http).build()?;
        Ok(Self { store, prefix: bucket.prefix })
    }

    fn path(&self, key: &str) -> Result<Path, Error> {
        let path = [self.prefix.as_str(), &name(key)].join("/");
        Path::parse(path.trim_start_matches('/')).map_err(|error| failed("naming a position", error))
    }

    /// The record and what its next change names.
    async fn get(&self, path: &Path) -> Result<Option<(Stored, UpdateVersion)>, Error> {
        let found = match self.store.get(path).await {
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            found => found.map_err(|error| failed("reading a position", error))?,
        };
        let at = UpdateVersion { e_tag: found.meta.e_tag.clone(), version: found.meta.version.clone() };
        let bytes = found.bytes().await.map_err(|error| failed("reading a position", error))?;
        // Only someone else can have written what cannot be read; it is not to be guessed.
        let stored = serde_json::from_slice(&bytes)
            .map_err(|error| Error::permanent("reading a position in the object store").caused_by(error))?;
        Ok(Some((stored, at)))
    }

    async fn swap(&self, key: &str, version: Option<u64>, value: &str) -> Result<Option<Record>, Error> {
        let path = self.path(key)?;
        let mode = match (self.get(&path).await?, version) {
            (None, None) => PutMode::Create,
            (Some((stored, at)), Some(version)) if stored.version == version => PutMode::Update(at),
            _ => return Ok(None),
        };
        let record = Record { value: value.to_owned(), version: version.unwrap_or_default() + 1 };
        let stored = Stored { key: key.to_owned(), version: record.version, value: record.value.clone() };
        let bytes = serde_json::to_vec(&stored)
            .map_err(|error| Error::permanent("writing a position").caused_by(error))?;
        match self.store.put_opts(&path, PutPayload::from(bytes), mode.into()).await {
            Ok(_) => Ok(Some(record)),
            Err(
                object_store::Error::Precondition { .. }
                | object_store::Error::AlreadyExists { .. }
                | object_store::Error::NotFound { .. },
            ) => Ok(None),
            Err(error) => Err(failed("writing a position", error)),
        }
    }

    async fn keys(&self, prefix: &str) -> Result<Vec<String>, Error> {
        let folder = Path::parse(&self.prefix).map_err(|error| failed("naming a folder", error))?;
        let folder = Some(&folder).filter(|folder| !folder.as_ref().is_empty());
        let listed = self.store.list_with_delimiter(folder).await;
        let objects = listed.map_err(|error| failed("listing positions", error))?.objects;
        let mut keys = Vec::new();
        for object in objects.iter().filter(|object| object.location.extension() == Some("checkpoint")) {
            // A name may show its key in part only.
            let stored = self.get(&object.location).await?.map(|(stored, _)| stored.key);
            keys.extend(stored.filter(|key| key.starts_with(prefix)));
        }
        keys.sort_unstable();
        Ok(keys)
    }
}

impl Checkpoints for Objects {
    fn load<'a>(&'a self, key: &'a str) -> Pending<'a, Option<Record>> {
        Box::pin(async move {
            let found = self.get(&self.path(key)?).await?;
            Ok(found.map(|(stored, _)| Record { value: stored.value, version: stored.version }))
        })
    }

    fn compare_and_swap<'a>(
        &'a self,
        key: &'a str,
        version: Option<u64>,
        value: &'a str,
    ) -> Pending<'a, Option<Record>> {
        Box::pin(self.swap(key, version, value))
    }

    fn list<'a>(&'a self, prefix: &'a str) -> Pending<'a, Vec<String>> {
        Box::pin(self.keys(prefix))
    }
}

fn failed(what: &str, error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::retryable(format!("{what} in the object store")).caused_by(error)
}

/// The client of the tree in the place of the library's own.
#[derive(Debug, Clone)]
struct Http(Client);

impl HttpConnector for Http {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.clone()))
    }
}

#[async_trait]
impl HttpService for Http {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let (head, body) = request.into_parts();
        let body = body.collect().await?.to_bytes();
        let answer = self.0.send(http::Request::from_parts(head, body), TIMEOUT, LIMIT).await;
        answer
            .map(|answer| answer.map(HttpResponseBody::from))
            .map_err(|error| HttpError::new(kind(&error), error))
    }
}

fn kind(error: &ClientError) -> HttpErrorKind {
    match error.problem {
        Problem::Connection => HttpErrorKind::Interrupted,
        Problem::TimedOut(_) => HttpErrorKind::Timeout,
        Problem::TooLarge(_) => HttpErrorKind::Decode,
    }
}
