//! Roles that are assumed at STS (API reference: AssumeRole, AssumeRoleWithWebIdentity).

use aws_config::SdkConfig;
use aws_credential_types::{
    Credentials,
    provider::{self, ProvideCredentials, error::CredentialsError, future},
};
use aws_sdk_sts::{Client, types};
use common::{Error, config::WatchedFile};

use crate::{Arn, error};

/// One role and how it is assumed.
#[derive(Debug)]
pub(crate) struct Role {
    sts: Client,
    arn: String,
    session: String,
    /// The web identity's token; without one the role is assumed by the credentials that `sts` has.
    token: Option<WatchedFile>,
}

impl Role {
    /// Assumed by the credentials that the configuration holds.
    pub(crate) fn assumed(sdk: &SdkConfig, arn: &Arn, session: &str) -> Self {
        Self { sts: Client::new(sdk), arn: arn.to_string(), session: session.to_owned(), token: None }
    }

    /// Assumed by a token that somebody else signed: Kubernetes, an identity provider.
    pub(crate) fn web_identity(sdk: &SdkConfig, arn: &Arn, session: &str, path: &str) -> Self {
        Self { token: Some(WatchedFile::new(path)), ..Self::assumed(sdk, arn, session) }
    }

    async fn assume(&self) -> provider::Result {
        let credentials = match &self.token {
            None => {
                let call = self.sts.assume_role().role_arn(&self.arn).role_session_name(&self.session);
                call.send()
                    .await
                    .map_err(|failure| error::of("assuming the role of AWS_ASSUME_ROLE_ARN", failure).0)
                    .map(|answer| answer.credentials)
            }
            Some(file) => {
                let doing = "assuming the role of AWS_ROLE_ARN with the token of AWS_WEB_IDENTITY_TOKEN_FILE";
                // A token that was rotated away must not be sent.
                let token =
                    file.read_present().filter(|token| !token.trim().is_empty()).ok_or_else(|| {
                        CredentialsError::provider_error(Error::retryable(format!(
                            "reading AWS_WEB_IDENTITY_TOKEN_FILE: {} is not there, not readable or empty",
                            file.path().display()
                        )))
                    })?;
                let call = self.sts.assume_role_with_web_identity().role_arn(&self.arn);
                call.role_session_name(&self.session)
                    .web_identity_token(token.trim())
                    .send()
                    .await
                    .map_err(|failure| error::of(doing, failure).0)
                    .map(|answer| answer.credentials)
            }
        };
        let credentials = credentials.map_err(CredentialsError::provider_error)?;
        credentials.ok_or_else(|| CredentialsError::unhandled("STS gave no credentials"))?.try_into_sdk()
    }
}

trait TryIntoSdk {
    fn try_into_sdk(self) -> provider::Result;
}

impl TryIntoSdk for types::Credentials {
    fn try_into_sdk(self) -> provider::Result {
        let expiration = self.expiration.try_into().map_err(CredentialsError::unhandled)?;
        Ok(Credentials::new(
            self.access_key_id,
            self.secret_access_key,
            Some(self.session_token),
            Some(expiration),
            "role",
        ))
    }
}

impl ProvideCredentials for Role {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.assume())
    }
}
