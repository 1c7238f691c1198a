//! Applies the operations to each event, and answers with the result or hands it to the sink.

use bumblebee::Transformation;
use common::{
    Adapter, Context, Error, Event, Field, Info, Kind, Reply, Role, Rule, Scaling, Target,
    config::ConfigError,
    metrics::{self, Counters},
};

use crate::config::TransformationConfig;

/// The transformation.
pub struct Transform {
    transformation: Transformation,
    /// By the step's place in the specification and the reason.
    without_effect: Counters,
}

impl Adapter for Transform {
    const INFO: Info = Info {
        name: env!("CARGO_PKG_NAME"),
        version: env!("CARGO_PKG_VERSION"),
        summary: env!("CARGO_PKG_DESCRIPTION"),
        role: Role::Transformation,
        component: "transformation",
        resource_group: "transformations.flow.triggermesh.io",
        images: &["transformation-adapter"],
        emits: &[],
        accepts: &["*"],
        scaling: Scaling::Any,
        kinds: &[Kind {
            group: "flow.triggermesh.io",
            version: "v1alpha1",
            kind: "Transformation",
            constants: &[],
            fields: &[
                Field::new("context", "TRANSFORMATION_CONTEXT").rule(Rule::Json),
                Field::new("data", "TRANSFORMATION_DATA").rule(Rule::Json),
            ],
        }],
    };
    type Config = TransformationConfig;

    fn new(config: TransformationConfig) -> Result<Self, ConfigError> {
        let transformation = config.compile().map_err(|problems| ConfigError {
            problems: problems.iter().map(ToString::to_string).collect(),
        })?;
        for warning in transformation.warnings() {
            tracing::warn!(
                step = warning.pointer,
                reason = warning.message,
                "an operation can have no effect"
            );
        }
        let without_effect = metrics::counters(
            "transformation_steps_without_effect_total",
            "Number of steps that changed nothing, by their place in the specification and the reason",
            &["step", "reason"],
            &[],
        );
        Ok(Self { transformation, without_effect })
    }
}

impl Target for Transform {
    async fn handle(&self, event: Event, context: &Context) -> Result<Reply, Error> {
        context.hand_on(self.transform(event)?).await
    }
}

impl Transform {
    fn transform(&self, event: Event) -> Result<Event, Error> {
        let transformed = self.transformation.apply_observed(event, |step, reason| {
            self.without_effect.count(&[step, reason.label()]);
            tracing::debug!(step, %reason, "a step had no effect");
        });
        transformed.map_err(|error| Error::permanent(error.to_string()))
    }
}
