//! What one adapter tells the kit about itself, in `adapters/<name>/tests/harness.rs`.

use crate::example::Example;
use crate::http::Request;
use crate::sink::{Captured, Reply};
use crate::world::{Running, World};
use crate::{Event, Failure};

/// Names and values of environment variables.
pub type Environment = Vec<(String, String)>;

/// Which side of an event the adapter stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A source that a vendor calls.
    Webhook,
    /// A source that calls, waits or ticks.
    Source,
    /// Takes events and answers, transformations and routers among them.
    Target,
    /// Takes events and delivers them by itself.
    Broker,
}

/// What the outside system of a target shall do from now on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Refuses this event for good.
    Permanent,
    /// Is out of order for now.
    Transient,
}

/// One way to prove to the adapter who one is, and requests that fail to.
pub struct Credentials {
    pub(crate) name: String,
    pub(crate) environment: Environment,
    /// The n-th request with the right proof.
    pub genuine: Requests,
    /// Requests that must be refused, each with a name.
    pub forged: Vec<(String, Request)>,
}

impl Credentials {
    /// What this way is called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the adapter needs for it, secrets as plain variables.
    #[must_use]
    pub fn environment(&self) -> &[(String, String)] {
        &self.environment
    }
}

type OfWorld<T> = Box<dyn Fn(&World) -> T + Send + Sync>;
type OfRunning<T> = Box<dyn Fn(&Running) -> T + Send + Sync>;
type OnRunning<A, T> = Box<dyn Fn(&Running, A) -> T + Send + Sync>;
type Requests = Box<dyn Fn(u64) -> Request + Send + Sync>;

/// One adapter as the kit sees it. Made by [`webhook`](Self::webhook), [`source`](Self::source),
/// [`target`](Self::target) or [`broker`](Self::broker); the rest is said by the methods that follow.
pub struct Harness {
    pub(crate) name: String,
    /// The side it stands on.
    pub shape: Shape,
    pub(crate) environment: OfWorld<Environment>,
    pub(crate) genuine: Option<Requests>,
    pub(crate) provoke: Option<OnRunning<u64, Result<(), Failure>>>,
    /// Ways to prove who one is.
    pub credentials: Vec<Credentials>,
    /// Wrong values beside those that the schema lets the kit guess.
    pub wrong: Environment,
    /// Events that it takes.
    pub examples: Vec<Example>,
    /// An event that it can never take.
    pub malformed: Option<Example>,
    pub(crate) arrived: OfRunning<Result<Vec<Vec<u8>>, Failure>>,
    pub(crate) events: Option<OfRunning<Result<Vec<Event>, Failure>>>,
    pub(crate) fault: OnRunning<Fault, ()>,
    pub(crate) varying: Vec<(&'static str, &'static str)>,
    opt_outs: Vec<(&'static str, &'static str)>,
}

impl Harness {
    fn new(shape: Shape) -> Self {
        Self {
            name: String::new(),
            shape,
            environment: Box::new(|_| Vec::new()),
            genuine: None,
            provoke: None,
            credentials: Vec::new(),
            wrong: Vec::new(),
            examples: Vec::new(),
            malformed: None,
            arrived: Box::new(|running| {
                Ok(running.upstream.requests().into_iter().map(|request| request.body).collect())
            }),
            events: None,
            fault: Box::new(|running, fault| {
                running.upstream.always(Reply::status(match fault {
                    Fault::Permanent => 422,
                    Fault::Transient => 503,
                }));
            }),
            varying: Vec::new(),
            opt_outs: Vec::new(),
        }
    }

    /// A webhook source; `genuine` makes the vendor's n-th request, as good without credentials.
    #[must_use]
    pub fn webhook(genuine: impl Fn(u64) -> Request + Send + Sync + 'static) -> Self {
        Self { genuine: Some(Box::new(genuine)), ..Self::new(Shape::Webhook) }
    }

    /// Any other source; `provoke` makes the n-th thing happen upstream. A source that ticks has nothing to do here.
    #[must_use]
    pub fn source(provoke: impl Fn(&Running, u64) -> Result<(), Failure> + Send + Sync + 'static) -> Self {
        Self { provoke: Some(Box::new(provoke)), ..Self::new(Shape::Source) }
    }

    /// A target and the events it takes.
    #[must_use]
    pub fn target(examples: Vec<Example>) -> Self {
        Self { examples, ..Self::new(Shape::Target) }
    }

    /// A broker and events that it delivers to `world.upstream`.
    #[must_use]
    pub fn broker(examples: Vec<Example>) -> Self {
        Self { examples, ..Self::new(Shape::Broker) }
    }

    /// The least valid environment, besides `K_SINK`, which the kit gives to a source. `world.upstream` is a scripted
    /// HTTP peer to be the outside system, `world.folder()` a folder for files.
    #[must_use]
    pub fn environment<N: Into<String>, V: Into<String>>(
        mut self,
        environment: impl Fn(&World) -> Vec<(N, V)> + Send + Sync + 'static,
    ) -> Self {
        self.environment = Box::new(move |world| {
            environment(world).into_iter().map(|(name, value)| (name.into(), value.into())).collect()
        });
        self
    }

    /// A way to prove who one is: the variables for it, requests that hold the proof, and named ones that do not.
    #[must_use]
    pub fn credentials(
        mut self,
        name: &str,
        environment: &[(&str, &str)],
        genuine: impl Fn(u64) -> Request + Send + Sync + 'static,
        forged: Vec<(&str, Request)>,
    ) -> Self {
        self.credentials.push(Credentials {
            name: name.to_owned(),
            environment: owned(environment),
            genuine: Box::new(genuine),
            forged: forged.into_iter().map(|(name, request)| (name.to_owned(), request)).collect(),
        });
        self
    }

    /// Wrong values that the schema alone does not show to be wrong.
    #[must_use]
    pub fn wrong(mut self, values: &[(&str, &str)]) -> Self {
        self.wrong = owned(values);
        self
    }

    /// An event that the target must refuse for good, leaving the outside system untouched.
    #[must_use]
    pub fn malformed(mut self, example: Example) -> Self {
        self.malformed = Some(example);
        self
    }

    /// The payloads that reached the outside system so far; without this, the bodies that `upstream` saw.
    #[must_use]
    pub fn arrived(
        mut self,
        arrived: impl Fn(&Running) -> Result<Vec<Vec<u8>>, Failure> + Send + Sync + 'static,
    ) -> Self {
        self.arrived = Box::new(arrived);
        self
    }

    /// Where attributes survive to the outside system: the events that reached it so far.
    #[must_use]
    pub fn events(
        mut self,
        events: impl Fn(&Running) -> Result<Vec<Event>, Failure> + Send + Sync + 'static,
    ) -> Self {
        self.events = Some(Box::new(events));
        self
    }

    /// The same where `upstream` is the outside system and gets events.
    #[must_use]
    pub fn events_upstream(self) -> Self {
        self.events(|running| running.upstream.requests().iter().map(Captured::event).collect())
    }

    /// How to make the outside system refuse; without this `upstream` answers 422 or 503.
    #[must_use]
    pub fn fault(mut self, fault: impl Fn(&Running, Fault) + Send + Sync + 'static) -> Self {
        self.fault = Box::new(fault);
        self
    }

    /// Leaves a clause out, for a reason that is printed.
    #[must_use]
    pub fn opt_out(mut self, clause: &'static str, reason: &'static str) -> Self {
        self.opt_outs.push((clause, reason));
        self
    }

    /// Says whose harness it is: the adapter's folder.
    #[must_use]
    pub fn named(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self
    }

    /// The adapter's folder, binary and image.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Why a clause is left out, if it is.
    #[must_use]
    pub fn opted_out(&self, clause: &str) -> Option<&'static str> {
        self.opt_outs.iter().find(|(known, _)| *known == clause).map(|(_, reason)| *reason)
    }

    /// Whether it sends to `K_SINK`.
    #[must_use]
    pub fn is_source(&self) -> bool {
        matches!(self.shape, Shape::Webhook | Shape::Source)
    }
}

fn owned(values: &[(&str, &str)]) -> Environment {
    values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}
