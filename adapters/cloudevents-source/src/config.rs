//! The environment of the CloudEvents source. The names are those of the original image.

use std::{fmt, ops::Deref};

use common::config::{Config, Parse};
use schemars::JsonSchema;
use serde::Deserialize;

/// Settings of the CloudEvents source.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct CloudEventsConfig {
    /// Path on which events are taken; others are answered with 404. With a slash at its end everything below it is
    /// taken too, so that `/` is every path.
    #[serde(default = "default_path")]
    pub cloudevents_path: String,
    /// Who may send (basic authentication); without it anybody. A JSON list of user names with the files that hold
    /// their passwords, read again when they change: `[{"Key": "user", "MountedValueFile": "/path"}]`.
    #[serde(default)]
    pub cloudevents_basicauth_credentials: Credentials,
    /// Requests that are taken per second; 0 is any number.
    #[serde(default)]
    #[schemars(range(max = 1_000_000))]
    pub cloudevents_ratelimiter_rps: u32,
}

/// A user and where the password is. The first spelling is what the old controller wrote, the second what a manifest
/// holds.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Credential {
    /// The user name.
    #[serde(alias = "Key", alias = "key", default)]
    pub username: String,
    /// The file with the password.
    #[serde(rename = "MountedValueFile", alias = "mountedValueFile", default)]
    pub file: Option<String>,
    /// The password itself.
    #[serde(default)]
    pub password: Option<Password>,
}

/// A password in place.
#[derive(Clone, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum Password {
    /// As a text.
    Text(String),
    /// As a member `value`.
    Value {
        /// The text.
        value: String,
    },
}

impl Password {
    /// The password.
    pub fn text(&self) -> &str {
        match self {
            Self::Text(text) | Self::Value { value: text } => text,
        }
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

/// The users that may send, a JSON list; `null` is none.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Credentials(pub Vec<Credential>);

impl Parse for Credentials {
    const FORMAT: &'static str = "json";
    const EXPECTED: &'static str = r#"a JSON list such as [{"Key": "user", "MountedValueFile": "/path"}]"#;

    fn parse(text: &str) -> Result<Self, String> {
        let list: Option<Vec<Credential>> = serde_json::from_str(text).map_err(|error| {
            format!("must be {} (line {}, column {})", Self::EXPECTED, error.line(), error.column())
        })?;
        let list = list.unwrap_or_default();
        for (number, credential) in (1..).zip(&list) {
            if credential.username.is_empty() || credential.username.contains(':') {
                return Err(format!("entry {number} needs a user name, 'Key', without a colon"));
            }
            if credential.file.as_ref().is_none_or(String::is_empty) && credential.password.is_none() {
                return Err(format!("entry {number} needs a password file, 'MountedValueFile'"));
            }
        }
        Ok(Self(list))
    }
}

/// Only the default is ever shown.
impl fmt::Display for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() { "[]" } else { "[…]" })
    }
}

impl Deref for Credentials {
    type Target = [Credential];
    fn deref(&self) -> &[Credential] {
        &self.0
    }
}

common::config_type!(Credentials);

impl Config for CloudEventsConfig {}

fn default_path() -> String {
    "/".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_read_as_the_controller_and_as_a_manifest_write_them() {
        let one = |username: &str, file: Option<&str>, password| {
            vec![Credential { username: username.to_owned(), file: file.map(str::to_owned), password }]
        };
        for (text, expected) in [
            ("null", vec![]),
            ("[]", vec![]),
            (r#"[{"Key":"user1","MountedValueFile":"/opt/a"}]"#, one("user1", Some("/opt/a"), None)),
            (r#"[{"username":"u","password":"p"}]"#, one("u", None, Some(Password::Text("p".to_owned())))),
            (
                r#"[{"username":"u","password":{"value":"p"}}]"#,
                one("u", None, Some(Password::Value { value: "p".to_owned() })),
            ),
        ] {
            assert_eq!(Credentials::parse(text), Ok(Credentials(expected)), "{text}");
        }
    }

    #[test]
    fn incomplete_credentials_are_refused_and_never_shown() {
        for text in [
            r#"{"Key":"a"}"#,
            r#"[{"Key":"","MountedValueFile":"/f"}]"#,
            r#"[{"Key":"a:b","MountedValueFile":"/f"}]"#,
            r#"[{"Key":"a","MountedValueFile":""}]"#,
            r#"[{"username":"a","password":{"valueFromSecret":"hunter2"}}]"#,
        ] {
            let problem = Credentials::parse(text).expect_err(text);
            assert!(!problem.contains("hunter2"), "{problem}");
        }
    }
}
