//! Identities of Microsoft Entra ID, chosen by what is set, as `DefaultAzureCredential` does: a service principal with its
//! secret, a workload identity, a managed identity.

use std::sync::Arc;

use azure_core::{
    cloud::CustomConfiguration,
    credentials::{Secret as Value, TokenCredential},
    http::{ClientOptions, Transport},
};
use azure_identity::{
    ClientAssertionCredentialOptions, ClientSecretCredential, ClientSecretCredentialOptions,
    ManagedIdentityCredential, ManagedIdentityCredentialOptions, UserAssignedId, WorkloadIdentityCredential,
    WorkloadIdentityCredentialOptions,
};
use common::{
    Error,
    config::{Problems, Secret, Url},
    http::{Client, Roots},
};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::transport::Http;

/// Who this is for Microsoft Entra ID.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
pub struct DirectoryConfig {
    /// Tenant of the service principal or of the workload identity.
    pub azure_tenant_id: Option<String>,
    /// Client id of the service principal, of the workload identity, or of a managed identity that a user assigned.
    pub azure_client_id: Option<String>,
    /// Secret of the service principal.
    pub azure_client_secret: Option<Secret>,
    /// File with the token of a workload identity, as Kubernetes mounts it.
    pub azure_federated_token_file: Option<String>,
    /// Where tokens are had in other clouds than the public one, with `https`.
    pub azure_authority_host: Option<Url>,
}

/// The settings by which somebody proves who he is; their names stand in errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings(pub &'static str);

impl DirectoryConfig {
    /// Adds what is wrong between the fields.
    pub fn check(&self, problems: &mut Problems) {
        if self.azure_client_secret.is_some() || self.azure_federated_token_file.is_some() {
            let given = if self.azure_client_secret.is_some() {
                "AZURE_CLIENT_SECRET"
            } else {
                "AZURE_FEDERATED_TOKEN_FILE"
            };
            for (name, value) in
                [("AZURE_TENANT_ID", &self.azure_tenant_id), ("AZURE_CLIENT_ID", &self.azure_client_id)]
            {
                if value.is_none() {
                    problems.add(name, format_args!("is missing: {given} is set"));
                }
            }
        }
        if self.azure_authority_host.as_ref().is_some_and(|host| host.scheme() != "https") {
            problems.add("AZURE_AUTHORITY_HOST", "must be a URL with https");
        }
    }

    /// The settings that are used.
    #[must_use]
    pub fn settings(&self) -> Settings {
        match (&self.azure_tenant_id, &self.azure_client_id) {
            (Some(_), Some(_)) if self.azure_client_secret.is_some() => {
                Settings("AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET")
            }
            (Some(_), Some(_)) if self.azure_federated_token_file.is_some() => {
                Settings("AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_FEDERATED_TOKEN_FILE")
            }
            (_, Some(_)) => Settings("AZURE_CLIENT_ID, the managed identity"),
            _ => Settings(
                "AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET, or the managed identity where they are not set",
            ),
        }
    }

    /// What gets tokens, with the secret as it is now.
    ///
    /// # Errors
    /// When the settings make none, such as a token file that is not there yet.
    pub fn credential(&self) -> Result<Arc<dyn TokenCredential>, Error> {
        let made = self.make();
        made.map_err(|error| {
            Error::retryable(format!("preparing credentials of Entra ID: check {}", self.settings().0))
                .caused_by(error)
        })
    }

    fn make(&self) -> azure_core::Result<Arc<dyn TokenCredential>> {
        let options = self.client_options();
        if let (Some(tenant), Some(client)) = (&self.azure_tenant_id, &self.azure_client_id) {
            if let Some(secret) = &self.azure_client_secret {
                let secret = Value::new(secret.read().to_string());
                let options = Some(ClientSecretCredentialOptions { client_options: options });
                return Ok(ClientSecretCredential::new(tenant, client.clone(), secret, options)?);
            }
            if let Some(file) = &self.azure_federated_token_file {
                let credential_options = ClientAssertionCredentialOptions { client_options: options };
                return Ok(WorkloadIdentityCredential::new(Some(WorkloadIdentityCredentialOptions {
                    credential_options,
                    client_id: Some(client.clone()),
                    tenant_id: Some(tenant.clone()),
                    token_file_path: Some(file.into()),
                    ..WorkloadIdentityCredentialOptions::default()
                }))?);
            }
        }
        let user_assigned_id = self.azure_client_id.clone().map(UserAssignedId::ClientId);
        Ok(ManagedIdentityCredential::new(Some(ManagedIdentityCredentialOptions {
            user_assigned_id,
            client_options: options,
        }))?)
    }

    fn client_options(&self) -> ClientOptions {
        let http = Http(Client::new(Roots::Process));
        let cloud = self.azure_authority_host.as_ref().map(|host| {
            let mut cloud = CustomConfiguration::default();
            host.as_str().clone_into(&mut cloud.authority_host);
            Arc::new(cloud.into())
        });
        ClientOptions { transport: Some(Transport::new(Arc::new(http))), cloud, ..ClientOptions::default() }
    }
}
