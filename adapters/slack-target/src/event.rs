//! Slack's answer: success, or a failure by its code.
//!
//! Facts: Slack documentation, "Using the Slack Web API" (a status says little, `ok` and `error` say what happened), "Rate
//! limits", and the tables of errors of `chat.postMessage`, `chat.scheduleMessage` and `chat.update`.

use bytes::Bytes;
use common::{Error, Fault, send::retry_after};
use http::Response;
use serde::Deserialize;
use serde_json::Value;

/// The type of the reply events, as the old manifests announce it.
pub const REPLY_TYPE: &str = "io.triggermesh.targets.response";

/// Slack cannot do it now.
const TRANSIENT: [&str; 13] = [
    "external_channel_migrating",
    "fatal_error",
    "internal_error",
    "message_limit_exceeded",
    "org_login_required",
    "rate_limited",
    "ratelimited",
    "request_timeout",
    "service_unavailable",
    "streaming_state_conflict",
    "team_added_to_org",
    "timeout",
    "update_failed",
];

/// No event would be accepted with this token, from this address or at this URL, until somebody changes that: no event is
/// to blame.
const RECEIVER: [&str; 20] = [
    "access_denied",
    "accesslimited",
    "account_inactive",
    "app_not_installed",
    "deprecated_endpoint",
    "ekm_access_denied",
    "enterprise_is_restricted",
    "invalid_app_id",
    "invalid_auth",
    "invalid_token",
    "method_deprecated",
    "missing_scope",
    "no_permission",
    "not_allowed_token_type",
    "not_authed",
    "team_access_not_granted",
    "token_expired",
    "token_revoked",
    "two_factor_setup_required",
    "unknown_method",
];

/// What every answer of the Web API holds.
#[derive(Deserialize)]
struct Verdict {
    ok: bool,
    #[serde(default)]
    error: Value,
}

/// Reads an answer.
///
/// # Errors
/// When Slack has not done it.
pub fn done(response: &Response<Bytes>) -> Result<(), Error> {
    let error = match serde_json::from_slice::<Verdict>(response.body()) {
        Ok(Verdict { ok: true, .. }) => return Ok(()),
        Ok(Verdict { error: Value::String(code), .. }) => by_code(response, &code),
        _ if response.status().is_success() => Error::retryable("slack's answer says neither yes nor no"),
        _ => by_status(response),
    };
    let error = error.with_detail(response.body());
    Err(match retry_after(response.headers()) {
        Some(after) => error.after(after),
        None => error,
    })
}

/// Slack documents what is transient and what is the token's fault, and these lists are the same for all methods; what is
/// left are the many ways in which arguments can be wrong.
fn by_code(response: &Response<Bytes>, code: &str) -> Error {
    let status = response.status();
    let shown = if is_code(code) { code } else { "an unreadable code" };
    if TRANSIENT.contains(&code) {
        Error::retryable(format!("slack cannot do it now: {shown}"))
    } else if RECEIVER.contains(&code) {
        Error::retryable(format!("slack refuses SLACK_TOKEN or its app: {shown}"))
    } else if status.is_success() || Fault::of(status) == Fault::Event {
        Error::permanent(format!("slack refuses the event: {shown}"))
    } else {
        by_status(response)
    }
}

fn by_status(response: &Response<Bytes>) -> Error {
    let status = response.status();
    Error::from_status(status, None, format!("slack answered {}", status.as_u16()))
}

/// Whether it is a word such as Slack's codes are: nothing else is logged.
fn is_code(code: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    !code.is_empty() && code.len() <= 64 && code.bytes().all(is_part)
}

#[cfg(test)]
mod tests {
    use http::header;

    use super::*;

    fn response(status: u16, body: &str) -> Response<Bytes> {
        let response = Response::builder().status(status).header(header::RETRY_AFTER, "7");
        response.body(Bytes::copy_from_slice(body.as_bytes())).expect("a response")
    }

    fn refusal(code: &str) -> String {
        format!(r#"{{"ok":false,"error":"{code}"}}"#)
    }

    #[test]
    fn ok_is_success_whatever_else_is_said() {
        for body in [r#"{"ok":true}"#, r#"{"ok":true,"error":7,"warning":["x"],"ts":"1.2"}"#] {
            assert!(done(&response(200, body)).is_ok(), "{body}");
        }
    }

    #[test]
    fn codes_are_those_of_the_tables() {
        let transient = TRANSIENT.into_iter().chain(RECEIVER).map(|code| (code, false));
        let permanent = [
            "channel_not_found",
            "not_in_channel",
            "is_archived",
            "msg_too_long",
            "no_text",
            "too_many_attachments",
            "invalid_arguments",
            "invalid_blocks",
            "invalid_blocks_format",
            "time_in_past",
            "time_too_far",
            "restricted_action",
            "restricted_too_many",
            "cant_update_message",
            "message_not_found",
            "edit_window_closed",
            "heard_of_for_the_first_time",
        ];
        for (code, is_permanent) in transient.chain(permanent.map(|code| (code, true))) {
            let error = done(&response(200, &refusal(code))).expect_err("a refusal");
            let status = if is_permanent { 422 } else { 503 };
            assert_eq!((error.is_permanent(), error.status().as_u16()), (is_permanent, status), "{code}");
            assert!(error.to_string().contains(code), "{error}");
            assert_eq!(error.retry_after().map(|after| after.as_secs()), Some(7), "{code}");
        }
        assert!(TRANSIENT.is_sorted() && RECEIVER.is_sorted());
        let expired = done(&response(200, &refusal("token_expired"))).expect_err("a refusal");
        assert!(expired.to_string().contains("SLACK_TOKEN"), "{expired}");
    }

    #[test]
    fn statuses_count_where_there_is_no_code() {
        for (status, body, answered) in [
            (200, "", 503),
            (200, "<html>", 503),
            (200, "[]", 503),
            (200, r#"{"ok":"true"}"#, 503),
            (200, r#"{"ok":false}"#, 503),
            (200, r#"{"ok":false,"error":{"a":"b"}}"#, 503),
            (302, "", 503),
            (400, "", 400),
            (401, "", 503),
            (403, "", 503),
            (404, "", 503),
            (413, "too large", 413),
            (422, "", 422),
            (429, "", 503),
            (500, "", 503),
            (400, &refusal("no_text"), 422),
            (429, &refusal("ratelimited"), 503),
            (503, &refusal("heard_of_for_the_first_time"), 503),
        ] {
            let error = done(&response(status, body)).expect_err("a failure");
            assert_eq!(error.status().as_u16(), answered, "{status} {body}: {error}");
            assert_eq!(error.is_permanent(), answered < 500, "{status} {body}");
        }
    }

    #[test]
    fn what_is_no_code_is_not_repeated() {
        for code in ["", "with space", "hunter2\\n", &"x".repeat(65)] {
            let error = done(&response(200, &refusal(code))).expect_err("a refusal");
            assert!(error.is_permanent() && error.to_string().ends_with("an unreadable code"), "{error}");
        }
    }
}
