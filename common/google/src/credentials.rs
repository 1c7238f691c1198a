//! Who an adapter is to Google: a service account's key, or Application Default Credentials
//! (<https://cloud.google.com/docs/authentication/application-default-credentials>).

use std::{env, fs, io, path::PathBuf, sync::Arc};

use common::{
    Error,
    config::{Problems, Secret},
};
use google_cloud_auth::{
    build_errors,
    credentials::{
        Credentials, anonymous, external_account, impersonated, mds,
        service_account::{self, AccessSpecifier},
        user_account,
    },
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::error::unbuilt;

/// What every call may do as far as the credentials themselves go; the roles of the account decide.
const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";

/// The kinds of credentials that a key or a file may hold.
const KINDS: [&str; 4] =
    ["service_account", "authorized_user", "external_account", "impersonated_service_account"];

/// Settings of the credentials, to be flattened into those of an adapter.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct CredentialsConfig {
    /// Key of a service account, as JSON text. Without it Application Default Credentials are used: the file of
    /// `GOOGLE_APPLICATION_CREDENTIALS`, that of `gcloud auth application-default login`, the metadata server.
    pub gcloud_serviceaccount_key: Option<Secret>,
    /// File with credentials (a service account's key, external account, authorized user, impersonated service account);
    /// not looked at while `GCLOUD_SERVICEACCOUNT_KEY` is set.
    pub google_application_credentials: Option<String>,
    /// Project that quotas are counted for, where it is not that of the credentials.
    pub google_cloud_quota_project: Option<String>,
    /// Host and port of the metadata server, where it is not the usual one.
    pub gce_metadata_host: Option<String>,
}

impl CredentialsConfig {
    /// Adds what is wrong with the credentials as far as they can be looked at without asking anybody.
    pub fn validate(&self, problems: &mut Problems) {
        if let Some(key) = &self.gcloud_serviceaccount_key
            && let Err(problem) = read(&key.read())
        {
            problems.add("GCLOUD_SERVICEACCOUNT_KEY", problem);
        }
        if let Some(host) = &self.gce_metadata_host
            && (host.contains('/') || host.contains(char::is_whitespace))
        {
            problems.add("GCE_METADATA_HOST", "must be a host, or a host and a port");
        }
    }
}

/// Reads the JSON of a key or of a file with credentials.
fn read(text: &str) -> Result<(String, Value), &'static str> {
    // What serde would say may show a part of the secret.
    let json: Value = serde_json::from_str(text).map_err(|_| "must be the JSON text of a key")?;
    let kind = json.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
    if !KINDS.contains(&kind.as_str()) {
        return Err(
            "must hold credentials of a known type: service_account, authorized_user, external_account or \
                    impersonated_service_account",
        );
    }
    let is_text = |name: &str| json.get(name).and_then(Value::as_str).is_some_and(|text| !text.is_empty());
    if kind == "service_account" {
        if !["client_email", "private_key", "private_key_id", "project_id"].into_iter().all(is_text) {
            return Err("must hold client_email, private_key, private_key_id and project_id");
        }
        let key = json["private_key"].as_str().unwrap_or_default();
        if !key.contains("-----BEGIN PRIVATE KEY-----") {
            return Err("must hold a private_key in PKCS #8 form (-----BEGIN PRIVATE KEY-----)");
        }
    }
    Ok((kind, json))
}

/// Where the credentials come from, to be told in errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Identity {
    /// `GCLOUD_SERVICEACCOUNT_KEY`.
    Key,
    /// `GOOGLE_APPLICATION_CREDENTIALS`.
    File,
    /// What `gcloud auth application-default login` has left in the home folder.
    WellKnown,
    /// The metadata server: the service account of the machine or, with Workload Identity, of the pod.
    Metadata,
    /// Nobody: an emulator asks for nothing.
    Anonymous,
}

impl Identity {
    /// The words for it in an error.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Key => "the service account of GCLOUD_SERVICEACCOUNT_KEY",
            Self::File => "the credentials of GOOGLE_APPLICATION_CREDENTIALS",
            Self::WellKnown => "the credentials of gcloud auth application-default login",
            Self::Metadata => {
                "the service account of the metadata server (GCLOUD_SERVICEACCOUNT_KEY and \
                 GOOGLE_APPLICATION_CREDENTIALS are not set)"
            }
            Self::Anonymous => "nobody (PUBSUB_EMULATOR_HOST is set)",
        }
    }
}

/// Credentials, and the text they were made of: when it is another one, they are made again.
pub(crate) struct Made {
    pub(crate) identity: Identity,
    pub(crate) credentials: Credentials,
    pub(crate) text: Option<Arc<str>>,
}

impl CredentialsConfig {
    /// The text of the key as it is now.
    pub(crate) fn key(&self) -> Option<Arc<str>> {
        self.gcloud_serviceaccount_key.as_ref().map(Secret::read)
    }

    /// Makes the credentials. Asks nobody but the file system.
    pub(crate) fn make(&self) -> Result<Made, Error> {
        let (identity, text) = match self.key() {
            Some(text) => (Identity::Key, Some(text)),
            None => self.default_credentials()?,
        };
        let credentials = match &text {
            Some(text) => {
                let (kind, json) = read(text)
                    .map_err(|problem| Error::retryable(format!("{} {problem}", identity.words())))?;
                self.of_json(&kind, json)
            }
            None => self.of_metadata(),
        };
        let credentials =
            credentials.map_err(|error| unbuilt(format!("{} cannot be used", identity.words()), error))?;
        Ok(Made { identity, credentials, text })
    }

    /// The file that Application Default Credentials are in; without one the metadata server is asked.
    fn default_credentials(&self) -> Result<(Identity, Option<Arc<str>>), Error> {
        if let Some(path) = &self.google_application_credentials {
            let text = fs::read_to_string(path).map_err(|error| {
                Error::retryable("reading the file of GOOGLE_APPLICATION_CREDENTIALS").caused_by(error)
            })?;
            return Ok((Identity::File, Some(text.into())));
        }
        let Some(path) = well_known() else { return Ok((Identity::Metadata, None)) };
        match fs::read_to_string(&path) {
            Ok(text) => Ok((Identity::WellKnown, Some(text.into()))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok((Identity::Metadata, None)),
            Err(error) => {
                let message = format!("reading {} of gcloud auth application-default login", path.display());
                Err(Error::retryable(message).caused_by(error))
            }
        }
    }

    fn of_json(&self, kind: &str, json: Value) -> Result<Credentials, build_errors::Error> {
        let quota = &self.google_cloud_quota_project;
        /// The builders have no trait in common.
        macro_rules! build {
            ($builder:expr) => {{
                let builder = $builder;
                match quota {
                    Some(project) => builder.with_quota_project_id(project).build(),
                    None => builder.build(),
                }
            }};
        }
        match kind {
            "authorized_user" => build!(user_account::Builder::new(json)),
            "external_account" => build!(external_account::Builder::new(json).with_scopes([SCOPE])),
            "impersonated_service_account" => build!(impersonated::Builder::new(json).with_scopes([SCOPE])),
            _ => build!(
                service_account::Builder::new(json)
                    .with_access_specifier(AccessSpecifier::from_scopes([SCOPE]))
            ),
        }
    }

    fn of_metadata(&self) -> Result<Credentials, build_errors::Error> {
        let mut builder = mds::Builder::default().with_scopes([SCOPE]);
        if let Some(host) = &self.gce_metadata_host {
            builder = builder.with_endpoint(format!("http://{host}"));
        }
        if let Some(project) = &self.google_cloud_quota_project {
            builder = builder.with_quota_project_id(project);
        }
        builder.build()
    }
}

/// Nobody's credentials, for emulators.
pub(crate) fn anonymous() -> Made {
    Made { identity: Identity::Anonymous, credentials: anonymous::Builder::new().build(), text: None }
}

/// Where gcloud keeps them on Linux and macOS.
#[expect(clippy::disallowed_methods, reason = "the user's home is no setting of an adapter")]
fn well_known() -> Option<PathBuf> {
    let folder = match env::var_os("CLOUDSDK_CONFIG").filter(|folder| !folder.is_empty()) {
        Some(folder) => PathBuf::from(folder),
        None => PathBuf::from(env::var_os("HOME").filter(|home| !home.is_empty())?).join(".config/gcloud"),
    };
    Some(folder.join("application_default_credentials.json"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_key_is_told_without_showing_it() {
        let key = |private_key: &str| {
            serde_json::json!({"type": "service_account", "client_email": "a@b", "private_key_id": "1",
                "project_id": "p", "private_key": private_key})
            .to_string()
        };
        for (text, problem) in [
            (key("-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----\n"), None),
            (r#"{"type":"external_account"}"#.to_owned(), None),
            ("hunter2".to_owned(), Some("must be the JSON text of a key")),
            (r#"{"type":"hunter2"}"#.to_owned(), Some("must hold credentials of a known type")),
            (r#"{"type":"service_account"}"#.to_owned(), Some("must hold client_email")),
            (key("-----BEGIN RSA PRIVATE KEY-----\nhunter2"), Some("PKCS #8")),
        ] {
            let found = read(&text).err();
            assert_eq!(found.is_some(), problem.is_some(), "{text}: {found:?}");
            let told = found.unwrap_or_default();
            assert!(told.contains(problem.unwrap_or_default()) && !told.contains("hunter2"), "{told}");
        }
    }
}
