//! Tokens: shared access signatures are checked as the service does, of others only the form and the time.
//!
//! Facts: "Authenticate access to Event Hubs resources using shared access signatures", and RFC 7519 for the rest.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use percent_encoding::percent_decode_str;
use sha2::Sha256;

use super::EventHubs;
use super::event::now;
use super::hub::Hub;

/// What a connection may use: paths of the namespace, until when in seconds since 1970, and when that was said.
#[derive(Default)]
pub struct Grants(Mutex<BTreeMap<String, (i64, Instant)>>);

impl Grants {
    pub fn add(&self, audience: &str, until: i64) {
        let mut grants = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        grants.insert(path(audience), (until, Instant::now()));
    }

    /// Whether a path, or one above it, may be used now.
    pub fn allow(&self, wanted: &str, hub: &Hub) -> bool {
        let grants = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let valid = |(until, since): &(i64, Instant)| {
            *until > now() / 1000 && hub.expired().is_none_or(|expired| expired < *since)
        };
        let wanted = path(wanted);
        grants.iter().any(|(granted, grant)| is_below(&wanted, granted) && valid(grant))
    }

    /// Whether there is a valid one at all that ends so.
    pub fn allow_end(&self, end: &str, hub: &Hub) -> bool {
        let names: Vec<_> = {
            let grants = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            grants.keys().filter(|name| name.ends_with(end)).cloned().collect()
        };
        names.iter().any(|name| self.allow(name, hub))
    }
}

/// The path of an address, in lower case: `amqps://host/hub/x` and `hub/x` are the same.
pub fn path(address: &str) -> String {
    let path = address
        .split_once("://")
        .map_or(address, |(_, rest)| rest.split_once('/').map_or("", |(_, path)| path));
    path.trim_matches('/').to_lowercase()
}

fn is_below(path: &str, upper: &str) -> bool {
    upper.is_empty() || path.strip_prefix(upper).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Until when a token is good for an audience.
///
/// # Errors
/// Why it is not.
pub fn check(kind: &str, token: &str, audience: &str) -> Result<i64, String> {
    let until = match kind {
        "servicebus.windows.net:sastoken" => signature(token, audience)?,
        "jwt" => jwt(token)?,
        _ => return Err(format!("token type {kind} is not supported")),
    };
    if until > now() / 1000 { Ok(until) } else { Err("ExpiredToken: the token is expired".to_owned()) }
}

fn signature(token: &str, audience: &str) -> Result<i64, String> {
    let fields = token.strip_prefix("SharedAccessSignature ").ok_or("MalformedToken: no signature")?;
    let field = |name: &str| {
        let found = fields.split('&').find_map(|field| field.strip_prefix(name)?.strip_prefix('='));
        found.ok_or_else(|| format!("MalformedToken: {name} is missing"))
    };
    let (resource, expiry) = (field("sr")?, field("se")?);
    let decode =
        |text: &str| percent_decode_str(text).decode_utf8().map(String::from).map_err(|_| "MalformedToken");
    if decode(field("skn")?)? != EventHubs::KEY_NAME {
        return Err("InvalidSignature: the key name is unknown".to_owned());
    }
    let mut mac =
        Hmac::<Sha256>::new_from_slice(EventHubs::KEY.as_bytes()).map_err(|error| error.to_string())?;
    mac.update(format!("{resource}\n{expiry}").as_bytes());
    if decode(field("sig")?)? != STANDARD.encode(mac.finalize().into_bytes()) {
        return Err("InvalidSignature: the token has an invalid signature".to_owned());
    }
    if !is_below(&path(audience), &path(&decode(resource)?)) {
        return Err(
            "InvalidAudience: the authorization header contains a token for another resource".to_owned()
        );
    }
    expiry.parse().map_err(|_| "MalformedToken: the expiry is no number".to_owned())
}

fn jwt(token: &str) -> Result<i64, String> {
    let [_, claims, _] = token.split('.').collect::<Vec<_>>()[..] else {
        return Err("MalformedToken: not three parts".to_owned());
    };
    let claims = URL_SAFE_NO_PAD.decode(claims).map_err(|error| error.to_string())?;
    let claims: serde_json::Value = serde_json::from_slice(&claims).map_err(|error| error.to_string())?;
    claims["exp"].as_i64().ok_or_else(|| "MalformedToken: no expiry".to_owned())
}

/// A token as Azure's directory would issue it, as far as the double looks: it ends so many seconds from now.
#[must_use]
pub fn example(seconds: i64) -> String {
    let claims = serde_json::json!({ "aud": "https://eventhubs.azure.net", "exp": now() / 1000 + seconds });
    format!("{}.{}.{}", URL_SAFE_NO_PAD.encode(b"{}"), URL_SAFE_NO_PAD.encode(claims.to_string()), "c2ln")
}
