//! Blobs without content, whose metadata are small records that are compared and swapped by their ETag: the way in which
//! the SDKs of Azure keep what they have read of Event Hubs.
//!
//! Facts: "Blob service REST API": Put Blob, Get Blob Properties, List Blobs, Create Container, and "Authorize with Shared
//! Key".

mod list;
mod record;
mod sign;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use azure_core::credentials::TokenCredential;
use bytes::Bytes;
use chrono::Utc;
use common::{
    Error,
    config::Secret,
    http::{Client, Roots},
};
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use url::Url;

pub use self::record::Blob;
use self::record::{date, etag_of};
use crate::DirectoryConfig;

/// Time for one request.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Largest answer; a page of a list is far below.
const LIMIT: usize = 8 << 20;
/// The version of the API.
const VERSION: &str = "2021-12-02";
/// What may be used of blobs by who has a token.
const SCOPE: &str = "https://storage.azure.com/.default";
/// What stays as it is in the path of a blob.
const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b'/');

/// A container.
pub struct Blobs {
    client: Client,
    container: Url,
    account: String,
    key: Key,
    credential: Mutex<Option<Arc<dyn TokenCredential>>>,
}

/// How requests are authorised.
enum Key {
    /// A key of the account.
    Shared(Secret),
    /// A shared access signature in the query of the URL.
    Signature(String),
    /// A token of Entra ID.
    Directory(DirectoryConfig),
}

impl Blobs {
    /// The container of a URL, `https://ACCOUNT.blob.core.windows.net/CONTAINER` or `http://HOST:PORT/ACCOUNT/CONTAINER`,
    /// perhaps with a shared access signature as its query. Nothing is connected yet.
    ///
    /// # Errors
    /// The end of a sentence whose subject is the variable; it never holds any part of the URL.
    pub fn new(url: &str, key: Option<Secret>, directory: &DirectoryConfig) -> Result<Self, &'static str> {
        const EXPECTED: &str = "must be a URL such as https://ACCOUNT.blob.core.windows.net/CONTAINER";
        let mut container = Url::parse(url.trim()).map_err(|_| EXPECTED)?;
        let signature = container.query().map(str::to_owned).filter(|query| query.contains("sig="));
        container.set_query(None);
        let host = container.host_str().ok_or(EXPECTED)?.to_owned();
        let path: Vec<_> =
            container.path().split('/').filter(|segment| !segment.is_empty()).map(str::to_owned).collect();
        let account = match &path[..] {
            [_] => host.split('.').next().unwrap_or_default().to_owned(),
            [account, _] => account.clone(),
            _ => return Err(EXPECTED),
        };
        container.set_path(&path.join("/"));
        let key = match (signature, key) {
            (Some(signature), _) => Key::Signature(signature),
            (None, Some(key)) => Key::Shared(key),
            (None, None) => Key::Directory(directory.clone()),
        };
        Ok(Self {
            client: Client::new(Roots::Process),
            container,
            account,
            key,
            credential: Mutex::default(),
        })
    }

    /// Reads one; `None` when there is none.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn get(&self, name: &str) -> Result<Option<Blob>, Error> {
        let answer = self.send(Method::HEAD, &self.url(name, None)?, &[]).await?;
        match answer.status() {
            StatusCode::NOT_FOUND => Ok(None),
            status if status.is_success() => Blob::of(answer.headers()).map(Some),
            _ => Err(self.refusal("reading a blob", &answer)),
        }
    }

    /// Writes one in the place of the one with this ETag (`None`: there must be none), and gives the new ETag, or `None`
    /// when somebody has changed it meanwhile.
    ///
    /// # Errors
    /// When it cannot be written. It may have been all the same.
    pub async fn put(
        &self,
        name: &str,
        etag: Option<&str>,
        metadata: &[(&str, &str)],
    ) -> Result<Option<String>, Error> {
        let mut headers = vec![("x-ms-blob-type".to_owned(), "BlockBlob".to_owned())];
        headers
            .extend(metadata.iter().map(|(name, value)| (format!("x-ms-meta-{name}"), (*value).to_owned())));
        headers.push(match etag {
            Some(etag) => ("if-match".to_owned(), format!("\"{etag}\"")),
            None => ("if-none-match".to_owned(), "*".to_owned()),
        });
        let url = self.url(name, None)?;
        let mut answer = self.send(Method::PUT, &url, &headers).await?;
        if answer.status() == StatusCode::NOT_FOUND && etag.is_none() {
            self.create_container().await?;
            answer = self.send(Method::PUT, &url, &headers).await?;
        }
        match answer.status() {
            StatusCode::PRECONDITION_FAILED | StatusCode::CONFLICT => Ok(None),
            // The blob that was to be replaced is gone.
            StatusCode::NOT_FOUND if etag.is_some() => Ok(None),
            status if status.is_success() => etag_of(answer.headers()).map(Some),
            _ => Err(self.refusal("writing a blob", &answer)),
        }
    }

    /// All blobs whose names begin so, with their names.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn list(&self, prefix: &str) -> Result<Vec<(String, Blob)>, Error> {
        let mut all = Vec::new();
        let mut marker = String::new();
        loop {
            let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
            let mut query = format!("restype=container&comp=list&include=metadata&prefix={}", encode(prefix));
            if !marker.is_empty() {
                query.push_str(&format!("&marker={}", encode(&marker)));
            }
            let answer = self.send(Method::GET, &self.url("", Some(&query))?, &[]).await?;
            match answer.status() {
                // A container that is not there holds nothing; the first blob makes it.
                StatusCode::NOT_FOUND => return Ok(all),
                status if status.is_success() => {}
                _ => return Err(self.refusal("listing blobs", &answer)),
            }
            let (some, next) = list::page(answer.body(), date(answer.headers(), header::DATE))
                .map_err(|problem| Error::retryable("listing blobs").caused_by(problem))?;
            all.extend(some);
            match next {
                Some(next) => marker = next,
                None => return Ok(all),
            }
        }
    }

    async fn create_container(&self) -> Result<(), Error> {
        let answer = self.send(Method::PUT, &self.url("", Some("restype=container"))?, &[]).await?;
        match answer.status() {
            StatusCode::CONFLICT => Ok(()),
            status if status.is_success() => Ok(()),
            _ => Err(self.refusal("creating the container", &answer)),
        }
    }

    /// The URL of a blob, or of the container.
    fn url(&self, name: &str, query: Option<&str>) -> Result<Url, Error> {
        let mut url = self.container.clone();
        if !name.is_empty() {
            let path = format!("{}/{}", url.path().trim_end_matches('/'), utf8_percent_encode(name, PATH));
            url.set_path(&path);
        }
        url.set_query(query);
        Ok(url)
    }

    async fn send(
        &self,
        method: Method,
        url: &Url,
        headers: &[(String, String)],
    ) -> Result<Response<Bytes>, Error> {
        let mut all: BTreeMap<String, String> = headers.iter().cloned().collect();
        all.insert("x-ms-version".to_owned(), VERSION.to_owned());
        let now = Utc::now().format("%a, %d %b %Y %H:%M:%S GMT").to_string();
        all.insert("x-ms-date".to_owned(), now);
        let mut target = url.clone();
        let authorization = match &self.key {
            Key::Shared(key) => Some(sign::shared_key(&self.account, &key.read(), &method, url, &all)?),
            Key::Signature(signature) => {
                let query =
                    url.query().map_or_else(|| signature.clone(), |query| format!("{query}&{signature}"));
                target.set_query(Some(&query));
                None
            }
            Key::Directory(directory) => Some(format!("Bearer {}", self.token(directory).await?)),
        };
        if method == Method::PUT {
            all.insert(header::CONTENT_LENGTH.as_str().to_owned(), "0".to_owned());
        }
        let mut request = Request::builder().method(method).uri(target.as_str());
        for (name, value) in &all {
            request = request.header(name, value);
        }
        if let Some(value) = authorization {
            let mut value = HeaderValue::try_from(value).map_err(|error| {
                Error::retryable("authorising a request to Blob storage").caused_by(error)
            })?;
            value.set_sensitive(true);
            request = request.header(header::AUTHORIZATION, value);
        }
        let request = request
            .body(Bytes::new())
            .map_err(|error| Error::retryable("making a request to Blob storage").caused_by(error))?;
        let answer = self.client.send(request, TIMEOUT, LIMIT).await;
        answer.map_err(|error| Error::retryable("asking Blob storage: check CHECKPOINT_URL").caused_by(error))
    }

    async fn token(&self, directory: &DirectoryConfig) -> Result<String, Error> {
        let held = self.credential.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let credential = match held {
            Some(credential) => credential,
            None => directory.credential()?,
        };
        let got = credential.get_token(&[SCOPE], None).await;
        // One that fails is made anew: its secret may have changed.
        *self.credential.lock().unwrap_or_else(PoisonError::into_inner) = got.is_ok().then_some(credential);
        got.map(|token| token.token.secret().to_owned()).map_err(|error| {
            let message = format!("getting a token for Blob storage: check {}", directory.settings().0);
            Error::retryable(message).caused_by(error)
        })
    }

    fn refusal(&self, doing: &str, answer: &Response<Bytes>) -> Error {
        let code =
            answer.headers().get("x-ms-error-code").and_then(|code| code.to_str().ok()).unwrap_or_default();
        let status = answer.status().as_u16();
        let check = match &self.key {
            _ if !matches!(status, 401 | 403) => "CHECKPOINT_URL",
            Key::Shared(_) => "CHECKPOINT_URL and AZURE_STORAGE_KEY",
            Key::Signature(_) => "the shared access signature in CHECKPOINT_URL",
            Key::Directory(directory) => directory.settings().0,
        };
        Error::retryable(format!("{doing}: Blob storage answered {status} {code}: check {check}"))
    }
}
