//! Tokens of OAuth 2.0 with client credentials (RFC 6749, section 4.4): fetched once, kept until they expire.

use std::time::{Duration, Instant};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use common::{Error, config::Secret, http::Client};
use http::{HeaderValue, Request, StatusCode, Uri, header};
use serde::Deserialize;
use tokio::sync::Mutex;
use url::form_urlencoded::{Serializer, byte_serialize};

/// Largest answer of a token endpoint that is read.
const MAX_ANSWER: usize = 256 << 10;
/// A token is given up so long before it expires, so that it is still good when it arrives.
const EARLY: Duration = Duration::from_secs(10);

/// Who asks for tokens, and where.
pub struct Grant {
    pub client_id: String,
    pub client_secret: Secret,
    pub token_url: Uri,
    pub scopes: Vec<String>,
}

/// The tokens of one client.
pub struct Tokens {
    grant: Grant,
    client: Client,
    timeout: Duration,
    /// Held while a token is fetched, so that all who need one wait for the same.
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    token: Option<Token>,
    failed: Option<(Instant, String)>,
    /// Whether the endpoint takes the client's credentials in the body only.
    in_body: bool,
}

struct Token {
    authorization: HeaderValue,
    expires: Option<Instant>,
}

/// What a token endpoint answers (RFC 6749, section 5.1).
#[derive(Deserialize)]
struct Granted {
    access_token: String,
    #[serde(default)]
    token_type: Option<String>,
    #[serde(default)]
    expires_in: Option<Seconds>,
}

/// Some endpoints write the number as text.
#[derive(Deserialize)]
#[serde(untagged)]
enum Seconds {
    Number(f64),
    Text(String),
}

impl Tokens {
    /// Fetches nothing yet.
    pub fn new(grant: Grant, client: Client, timeout: Duration) -> Self {
        Self { grant, client, timeout, state: Mutex::new(State::default()) }
    }

    /// The value of `Authorization`, another one than `refused`.
    ///
    /// # Errors
    /// When no token can be had now. Whoever waited while one attempt failed gets its failure, and no attempt of their
    /// own: an endpoint that is down would else hold all of them, one after the other, for a time-out each.
    pub async fn authorization(&self, refused: Option<&HeaderValue>) -> Result<HeaderValue, Error> {
        let asked = Instant::now();
        let mut state = self.state.lock().await;
        let good = |token: &&Token| {
            token.expires.is_none_or(|expires| asked < expires) && Some(&token.authorization) != refused
        };
        if let Some(token) = state.token.as_ref().filter(good) {
            return Ok(token.authorization.clone());
        }
        if let Some((_, failure)) = state.failed.as_ref().filter(|(at, _)| *at >= asked) {
            return Err(Error::retryable(failure.clone()));
        }
        match self.fetch(&mut state.in_body).await {
            Ok(token) => {
                let authorization = token.authorization.clone();
                (state.token, state.failed) = (Some(token), None);
                Ok(authorization)
            }
            Err(error) => {
                (state.token, state.failed) = (None, Some((Instant::now(), error.chain())));
                Err(error)
            }
        }
    }

    /// Asks with the credentials in the header, and once more with them in the body where that is refused: there are
    /// endpoints of either kind.
    async fn fetch(&self, in_body: &mut bool) -> Result<Token, Error> {
        let (status, body) = self.ask(*in_body).await?;
        if status.is_success() {
            return granted(&body);
        }
        if matches!(status, StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED) {
            let (status, body) = self.ask(!*in_body).await?;
            if status.is_success() {
                *in_body = !*in_body;
                return granted(&body);
            }
        }
        // A rotated secret must not cost events, so this may succeed later, whatever the status.
        Err(Error::retryable(format!("the token endpoint answered {}", status.as_u16())))
    }

    async fn ask(&self, in_body: bool) -> Result<(StatusCode, Bytes), Error> {
        let failed = |error: http::Error| Error::retryable("asking for a token").caused_by(error);
        let answer = self
            .client
            .send(self.grant.request(in_body).map_err(failed)?, self.timeout, MAX_ANSWER)
            .await
            .map_err(|error| Error::retryable("asking for a token").caused_by(error))?;
        Ok((answer.status(), answer.into_body()))
    }
}

impl Grant {
    fn request(&self, in_body: bool) -> Result<Request<Bytes>, http::Error> {
        let secret = self.client_secret.read();
        let mut form = Serializer::new(String::new());
        form.append_pair("grant_type", "client_credentials");
        if !self.scopes.is_empty() {
            form.append_pair("scope", &self.scopes.join(" "));
        }
        let mut request = Request::post(&self.token_url)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::ACCEPT, "application/json");
        if in_body {
            form.append_pair("client_id", &self.client_id).append_pair("client_secret", &secret);
        } else {
            // Both are form-encoded before they are put together (RFC 6749, section 2.3.1).
            let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
            let pair = format!("{}:{}", encoded(&self.client_id), encoded(&secret));
            request = request
                .header(header::AUTHORIZATION, sensitive(&format!("Basic {}", STANDARD.encode(pair)))?);
        }
        request.body(form.finish().into())
    }
}

fn granted(body: &[u8]) -> Result<Token, Error> {
    // The cause is left out: it may repeat a piece of the token.
    let granted: Granted = serde_json::from_slice(body)
        .map_err(|_| Error::retryable("the token endpoint's answer holds no token"))?;
    let kind =
        granted.token_type.as_deref().filter(|kind| !kind.is_empty() && !kind.eq_ignore_ascii_case("bearer"));
    let authorization = sensitive(&format!("{} {}", kind.unwrap_or("Bearer"), granted.access_token))
        .map_err(|_| Error::retryable("the token holds what no header can"))?;
    let seconds = match granted.expires_in {
        Some(Seconds::Number(seconds)) => Some(seconds),
        Some(Seconds::Text(text)) => text.trim().parse().ok(),
        None => None,
    };
    let lifetime = seconds
        .filter(|seconds| *seconds > 0.0)
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let expires =
        lifetime.and_then(|lifetime| Instant::now().checked_add(lifetime - EARLY.min(lifetime / 2)));
    Ok(Token { authorization, expires })
}

fn sensitive(text: &str) -> Result<HeaderValue, http::Error> {
    let mut value = HeaderValue::try_from(text)?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_of_token_endpoints() {
        for (body, expected) in [
            (r#"{"access_token":"t"}"#, Some(("Bearer t", None))),
            (
                r#"{"access_token":"t","token_type":"bearer","expires_in":3600}"#,
                Some(("Bearer t", Some(3590))),
            ),
            (r#"{"access_token":"t","token_type":"MAC","expires_in":"8"}"#, Some(("MAC t", Some(4)))),
            (r#"{"access_token":"t","expires_in":0}"#, Some(("Bearer t", None))),
            (r#"{"access_token":"a\nb"}"#, None),
            (r#"{"error":"invalid_client"}"#, None),
            ("<html>", None),
        ] {
            let before = Instant::now();
            let token = granted(body.as_bytes()).ok();
            let found = token.as_ref().map(|token| {
                let left = token.expires.map(|expires| expires.duration_since(before).as_secs());
                (token.authorization.to_str().expect("ASCII"), left)
            });
            assert_eq!(found, expected, "{body}");
        }
    }

    #[test]
    fn credentials_stand_in_the_header_or_in_the_body() {
        let grant = Grant {
            client_id: "a b".to_owned(),
            client_secret: Secret::new("c:d"),
            token_url: Uri::from_static("http://h/token"),
            scopes: vec!["x".to_owned(), "y".to_owned()],
        };
        let header = grant.request(false).expect("a request");
        assert_eq!(&**header.body(), b"grant_type=client_credentials&scope=x+y");
        assert_eq!(header.headers()["authorization"], format!("Basic {}", STANDARD.encode("a+b:c%3Ad")));
        let body = grant.request(true).expect("a request");
        let expected = b"grant_type=client_credentials&scope=x+y&client_id=a+b&client_secret=c%3Ad";
        assert_eq!(&**body.body(), &expected[..]);
        assert!(!body.headers().contains_key("authorization"));
    }
}
