//! The environment of the CloudEvents source. The names are those of the original image.

use common::config::{Config, Json, Problems};
use schemars::JsonSchema;
use serde::Deserialize;

/// Settings of the CloudEvents source.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct CloudEventsConfig {
    /// Path on which events are taken; others are answered with 404. With a slash at its end everything below it is
    /// taken too, so that `/` is every path.
    #[serde(default = "default_path")]
    pub cloudevents_path: String,
    /// Who may send (basic authentication); without it anybody. A JSON list of user names with the files that hold their
    /// passwords, read again when they change: `[{"Key": "user", "MountedValueFile": "/path"}]`.
    #[serde(default)]
    pub cloudevents_basicauth_credentials: Json<Vec<Credential>>,
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

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password(…)")
    }
}

impl Config for CloudEventsConfig {
    fn validate(&self, problems: &mut Problems) {
        const VARIABLE: &str = "CLOUDEVENTS_BASICAUTH_CREDENTIALS";
        for (index, credential) in self.cloudevents_basicauth_credentials.iter().enumerate() {
            let number = index + 1;
            if credential.username.is_empty() || credential.username.contains(':') {
                problems.add(VARIABLE, format_args!("entry {number} needs a user name ('Key') without a colon"));
            }
            if credential.file.as_ref().is_none_or(String::is_empty) && credential.password.is_none() {
                problems.add(VARIABLE, format_args!("entry {number} needs a password file ('MountedValueFile')"));
            }
        }
    }
}

fn default_path() -> String {
    "/".to_owned()
}

#[cfg(test)]
mod tests {
    use common::config::load;

    use super::*;

    fn credentials(text: &str) -> Result<Vec<Credential>, Vec<String>> {
        let environment = [("CLOUDEVENTS_BASICAUTH_CREDENTIALS".to_owned(), text.to_owned())].into();
        let config = load::<CloudEventsConfig>(&environment).map_err(|error| error.problems)?;
        Ok(config.cloudevents_basicauth_credentials.0)
    }

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
            assert_eq!(credentials(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn incomplete_credentials_are_all_named() {
        let problems = credentials(r#"[{"Key":""},{"Key":"a:b","MountedValueFile":"/f"},{"Key":"a"}]"#);
        assert_eq!(problems.map_err(|problems| problems.len()), Err(4));
        assert!(credentials(r#"{"Key":"a"}"#).is_err());
    }
}
