//! The signature of a request. Facts: Slack documentation, "Verifying requests from Slack".

use std::fmt::Write as _;

use common::credentials;
use hmac::{Hmac, KeyInit, Mac};
use http::HeaderMap;
use sha2::Sha256;

/// How far the clocks may be apart, in seconds, in either direction: a request that was overheard is of no use after it.
const WINDOW: u64 = 300;

/// Checks that Slack has signed the request, now.
///
/// # Errors
/// What is wrong, in words for the caller.
pub fn verify(key: &[u8], headers: &HeaderMap, body: &[u8], now: i64) -> Result<(), &'static str> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let (Some(timestamp), Some(signature)) = (text("x-slack-request-timestamp"), text("x-slack-signature"))
    else {
        return Err("the request is not signed");
    };
    let seconds: i64 = timestamp.parse().map_err(|_| "the timestamp is no number")?;
    if now.abs_diff(seconds) > WINDOW {
        return Err("the timestamp is more than five minutes away");
    }
    let expected = sign(key, timestamp, body).ok_or("there is no signing secret")?;
    if credentials::equal(expected.as_bytes(), signature.as_bytes()) {
        Ok(())
    } else {
        Err("the signature is not valid")
    }
}

/// `v0=` and the HMAC-SHA256 in hexadecimal; none without a key.
fn sign(key: &[u8], timestamp: &str, body: &[u8]) -> Option<String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok().filter(|_| !key.is_empty())?;
    mac.update(format!("v0:{timestamp}:").as_bytes());
    mac.update(body);
    let mut text = String::from("v0=");
    for byte in mac.finalize().into_bytes() {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    /// The example of Slack's documentation.
    const KEY: &[u8] = b"8f742231b10e8888abcd99yyyzzz85a5";
    const NOW: i64 = 1_531_420_618;
    const BODY: &[u8] = b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V\
        &channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https\
        %3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=\
        398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";
    const SIGNATURE: &str = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503";

    fn verified(key: &[u8], timestamp: &str, signature: &str, now: i64) -> Result<(), &'static str> {
        let mut headers = HeaderMap::new();
        for (name, value) in [("x-slack-request-timestamp", timestamp), ("x-slack-signature", signature)] {
            headers.insert(name, HeaderValue::from_str(value).expect("a value"));
        }
        verify(key, &headers, BODY, now)
    }

    #[test]
    fn the_example_of_the_documentation_holds_for_five_minutes_both_ways() {
        for (now, good) in
            [(NOW, true), (NOW + 300, true), (NOW - 300, true), (NOW + 301, false), (NOW - 301, false)]
        {
            assert_eq!(verified(KEY, &NOW.to_string(), SIGNATURE, now).is_ok(), good, "{now}");
        }
    }

    #[test]
    fn everything_else_is_refused() {
        let [now, min, max] = [NOW, i64::MIN, i64::MAX].map(|seconds| seconds.to_string());
        let (now, min, max) = (now.as_str(), min.as_str(), max.as_str());
        for (key, timestamp, signature) in [
            (&b"another"[..], now, SIGNATURE),
            (&b""[..], now, SIGNATURE),
            (KEY, "1531420619", SIGNATURE),
            (KEY, "+1531420618", SIGNATURE),
            (KEY, "", SIGNATURE),
            (KEY, "now", SIGNATURE),
            (KEY, min, SIGNATURE),
            (KEY, max, SIGNATURE),
            (KEY, "99999999999999999999", SIGNATURE),
            (KEY, now, ""),
            (KEY, now, "v0"),
            (KEY, now, "v0="),
            (KEY, now, &SIGNATURE[3..]),
            (KEY, now, &SIGNATURE[..66]),
            (KEY, now, SIGNATURE.replace("v0", "v1").as_str()),
            (KEY, now, SIGNATURE.replace('a', "b").as_str()),
        ] {
            assert!(verified(key, timestamp, signature, NOW).is_err(), "{timestamp} {signature}");
        }
        assert!(verify(KEY, &HeaderMap::new(), BODY, NOW).is_err());
    }
}
