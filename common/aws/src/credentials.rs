//! Where credentials come from, in the order of AWS's SDKs: keys, profile, web identity, container, instance.

use aws_config::{
    SdkConfig, ecs::EcsCredentialsProvider, imds::credentials::ImdsCredentialsProvider,
    meta::credentials::CredentialsProviderChain, profile::ProfileFileCredentialsProvider,
    provider_config::ProviderConfig,
};
use aws_credential_types::{
    Credentials,
    provider::{self, ProvideCredentials, error::CredentialsError, future},
};
use common::config::Secret;

use crate::{client::Http, role::Role, settings::Settings};

/// The access key of the settings, as its files say now.
#[derive(Debug)]
pub(crate) struct Keys {
    id: Secret,
    secret: Secret,
    token: Option<Secret>,
}

impl Keys {
    pub(crate) fn of(settings: &Settings) -> Option<Self> {
        let (id, secret) = (settings.key_id()?.clone(), settings.secret()?.clone());
        Some(Self { id, secret, token: settings.aws_session_token.clone() })
    }

    fn read(&self) -> provider::Result {
        let token = self.token.as_ref().map(|token| token.read().trim().to_owned());
        let (id, secret) = (self.id.read().trim().to_owned(), self.secret.read().trim().to_owned());
        if id.is_empty() || secret.is_empty() {
            return Err(CredentialsError::invalid_configuration("the access key's file is empty"));
        }
        Ok(Credentials::new(id, secret, token, None, "settings"))
    }
}

impl ProvideCredentials for Keys {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::ready(self.read())
    }
}

/// Everything that may have credentials when the settings hold no key. `sdk` is how STS is called.
pub(crate) fn chain(settings: &Settings, sdk: &SdkConfig, http: &Http) -> CredentialsProviderChain {
    let config = ProviderConfig::without_region()
        .with_region(sdk.region().cloned())
        .with_http_client(http.clone())
        .with_use_fips(Some(settings.aws_use_fips_endpoint.0))
        .with_use_dual_stack(Some(settings.aws_use_dualstack_endpoint.0));
    let mut profile = ProfileFileCredentialsProvider::builder().configure(&config);
    if let Some(name) = &settings.aws_profile {
        profile = profile.profile_name(name);
    }
    let mut chain = CredentialsProviderChain::first_try("profile", profile.build());
    if let (Some(arn), Some(path)) = (&settings.aws_role_arn, &settings.aws_web_identity_token_file) {
        chain = chain.or_else("web identity", Role::web_identity(sdk, arn, settings.session_name(), path));
    }
    chain
        .or_else("container", EcsCredentialsProvider::builder().configure(&config).build())
        .or_else("instance", ImdsCredentialsProvider::builder().configure(&config).build())
}
