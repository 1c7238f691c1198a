//! Sends each event on with one attempt; the caller holds it and tries again.

use common::{
    Adapter, Context, Error, Event, Field, Info, Kind, Reply, Role, Rule, Scaling, Target,
    config::{ConfigError, Secret},
    http::{Client, Roots},
    send::{Authorization, Sender, SenderOptions},
};

use crate::config::CloudEventsConfig;

/// The CloudEvents target.
pub struct CloudEvents {
    sender: Sender,
    /// Without it nothing is sent.
    password: Option<Secret>,
}

impl Adapter for CloudEvents {
    const INFO: Info = Info {
        name: env!("CARGO_PKG_NAME"),
        version: env!("CARGO_PKG_VERSION"),
        summary: env!("CARGO_PKG_DESCRIPTION"),
        role: Role::Target,
        component: "cloudeventstarget",
        resource_group: "cloudeventstargets.targets.triggermesh.io",
        images: &["cloudeventstarget-adapter"],
        emits: &[],
        accepts: &["*"],
        scaling: Scaling::Any,
        kinds: &[Kind {
            group: "targets.triggermesh.io",
            version: "v1alpha1",
            kind: "CloudEventsTarget",
            constants: &[],
            fields: &[
                Field::new("endpoint", "CLOUDEVENTS_URL"),
                Field::new("path", "CLOUDEVENTS_PATH"),
                Field::new("credentials.basicAuth.username", "CLOUDEVENTS_BASICAUTH_USERNAME"),
                Field::new("credentials.basicAuth.password", "CLOUDEVENTS_BASICAUTH_PASSWORD_PATH")
                    .rule(Rule::File),
                Field::new("caCertificate", "CLOUDEVENTS_CA_CERTIFICATE"),
                Field::new("skipVerify", "CLOUDEVENTS_SKIP_VERIFY"),
            ],
        }],
    };
    type Config = CloudEventsConfig;

    fn new(config: CloudEventsConfig) -> Result<Self, ConfigError> {
        let uri = config.endpoint();
        let roots = Roots::chosen(config.cloudevents_ca_certificate.as_ref(), config.cloudevents_skip_verify);
        let client = Client::new(roots);
        let file = config.cloudevents_basicauth_password_path.as_deref().map(Secret::file);
        let password = config.cloudevents_basicauth_password.or(file);
        let options = SenderOptions {
            timeout: *config.cloudevents_timeout,
            reply: true,
            lenient: true,
            max_reply_bytes: config.cloudevents_max_response_bytes,
            authorization: config
                .cloudevents_basicauth_username
                .zip(password.clone())
                .map(|(user, password)| Authorization::Basic(user, password)),
            ..SenderOptions::default()
        };
        Ok(Self { sender: Sender::new(uri, client, options), password })
    }

    async fn connect(&self) -> Result<(), Error> {
        self.has_password()
    }
}

impl Target for CloudEvents {
    async fn handle(&self, event: Event, context: &Context) -> Result<Reply, Error> {
        self.has_password()?;
        let accepted = self.sender.attempt(&event, &context.trace).await?;
        Ok(accepted.reply.map_or(Reply::Status(accepted.status), Reply::Event))
    }
}

impl CloudEvents {
    /// An empty password is one whose file is not there yet: it must not be tried.
    fn has_password(&self) -> Result<(), Error> {
        if self.password.as_ref().is_some_and(Secret::is_empty) {
            return Err(Error::retryable("the password file is absent or empty"));
        }
        Ok(())
    }
}
