//! The settings that all adapters of AWS have. Names are those of AWS's "SDKs and Tools Reference Guide".

use common::{
    config::{ConfigError, Flag, Problems, Secret, Url},
    http::Roots,
};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::{Arn, Region};

/// Credentials and endpoints, for `#[serde(flatten)]`.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Settings {
    /// Id of the access key. Without one, credentials are taken from the profile, a web identity, the container or the
    /// instance, whichever has some.
    pub aws_access_key_id: Option<Secret>,
    /// Another name of `AWS_ACCESS_KEY_ID`.
    pub aws_access_key: Option<Secret>,
    /// Secret of the access key.
    pub aws_secret_access_key: Option<Secret>,
    /// Another name of `AWS_SECRET_ACCESS_KEY`.
    pub aws_secret_key: Option<Secret>,
    /// Token that belongs to a temporary access key.
    pub aws_session_token: Option<Secret>,
    /// ARN of a role that is assumed with the credentials, and whose own are then used.
    pub aws_assume_role_arn: Option<Arn>,
    /// ARN of the role that a web identity stands for; needs `AWS_WEB_IDENTITY_TOKEN_FILE` too. EKS sets both.
    pub aws_role_arn: Option<Arn>,
    /// Path of the web identity's token, which is read again when it changes.
    pub aws_web_identity_token_file: Option<String>,
    /// Name of the sessions of roles, as CloudTrail shows it. `trestle` when it is not set.
    pub aws_role_session_name: Option<String>,
    /// Profile of the shared credentials and config files.
    pub aws_profile: Option<String>,
    /// Region, where the ARN names none.
    pub aws_region: Option<Region>,
    /// URL that takes the place of AWS's own, for the service and for STS.
    pub aws_endpoint_url: Option<Url>,
    /// URL that takes the place of that of STS.
    pub aws_endpoint_url_sts: Option<Url>,
    /// Whether endpoints that conform to FIPS 140 are used.
    #[serde(default)]
    pub aws_use_fips_endpoint: Flag,
    /// Whether endpoints that have IPv6 too are used.
    #[serde(default)]
    pub aws_use_dualstack_endpoint: Flag,
    /// Path of a PEM file with the certificates that are trusted instead of those of the system.
    pub aws_ca_bundle: Option<String>,
}

impl Settings {
    /// Adds what is wrong between them.
    pub fn validate(&self, problems: &mut Problems) {
        let pairs = [
            ("AWS_ACCESS_KEY_ID", self.key_id().is_some(), "AWS_SECRET_ACCESS_KEY", self.secret().is_some()),
            (
                "AWS_ROLE_ARN",
                self.aws_role_arn.is_some(),
                "AWS_WEB_IDENTITY_TOKEN_FILE",
                self.aws_web_identity_token_file.is_some(),
            ),
        ];
        for (one, has_one, other, has_other) in pairs {
            match (has_one, has_other) {
                (true, false) => problems.add(other, format_args!("is missing: it belongs to {one}")),
                (false, true) => problems.add(one, format_args!("is missing: it belongs to {other}")),
                _ => {}
            }
        }
        let session = self.aws_role_session_name.as_deref();
        if session.is_some_and(|name| !is_session_name(name)) {
            problems.add("AWS_ROLE_SESSION_NAME", "must be 2 to 64 letters, digits and characters of =,.@_-");
        }
    }

    pub(crate) fn key_id(&self) -> Option<&Secret> {
        self.aws_access_key_id.as_ref().or(self.aws_access_key.as_ref())
    }

    pub(crate) fn secret(&self) -> Option<&Secret> {
        self.aws_secret_access_key.as_ref().or(self.aws_secret_key.as_ref())
    }

    pub(crate) fn session_name(&self) -> &str {
        self.aws_role_session_name.as_deref().unwrap_or("trestle")
    }

    pub(crate) fn sts_endpoint(&self) -> Option<&Url> {
        self.aws_endpoint_url_sts.as_ref().or(self.aws_endpoint_url.as_ref())
    }

    /// Whom connections to AWS trust.
    pub(crate) fn roots(&self) -> Result<Roots, ConfigError> {
        let Some(path) = &self.aws_ca_bundle else { return Ok(Roots::Process) };
        let pem = std::fs::read_to_string(path).map_err(|error| {
            ConfigError::new("AWS_CA_BUNDLE", format_args!("must name a readable file: {path}: {error}"))
        })?;
        let checked = <common::config::Pem as common::config::Parse>::parse(&pem)
            .map_err(|problem| ConfigError::new("AWS_CA_BUNDLE", format_args!("{problem}: {path}")))?;
        Ok(Roots::Only(checked.0))
    }
}

fn is_session_name(name: &str) -> bool {
    (2..=64).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_+=,.@-".contains(&b))
}
