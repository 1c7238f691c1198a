//! What an adapter says about itself, as constants: from this come its documentation, its place in manifests, charts
//! and the command line's catalogue. Nothing of it is kept by hand anywhere else.

/// What an adapter is and how Kubernetes objects become its environment.
#[derive(Debug, Clone, Copy)]
pub struct Info {
    /// Folder, crate, binary, image and chart value: `env!("CARGO_PKG_NAME")`.
    pub name: &'static str,
    /// The version of the package: `env!("CARGO_PKG_VERSION")`.
    pub version: &'static str,
    /// One sentence: `env!("CARGO_PKG_DESCRIPTION")`.
    pub summary: &'static str,
    /// The side it stands on.
    pub role: Role,
    /// The old component name (`webhooksource`): the prefix of the old metrics and the source of category events.
    pub component: &'static str,
    /// The plural of the old kind with its group (`webhooksources.sources.triggermesh.io`): a label of the old metrics.
    pub resource_group: &'static str,
    /// The names of the old images that it takes the place of.
    pub images: &'static [&'static str],
    /// Event types it sends; `{VARIABLE}` stands for the value of a setting.
    pub emits: &'static [&'static str],
    /// Event types it takes; `*` is any.
    pub accepts: &'static [&'static str],
    /// How many replicas may run.
    pub scaling: Scaling,
    /// The Kubernetes kinds that it runs.
    pub kinds: &'static [Kind],
}

/// The side an adapter stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Brings events in.
    Source,
    /// Takes events out.
    Target,
    /// Keeps and routes events.
    Broker,
    /// Changes or chooses events.
    Transformation,
}

/// How many replicas may run side by side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scaling {
    /// As many as wanted.
    Any,
    /// As many as the outside system has partitions.
    Partitioned,
    /// One: polls and clocks.
    Single,
}

/// A Kubernetes kind and how its `spec` becomes environment variables.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    /// The API group, `sources.triggermesh.io`.
    pub group: &'static str,
    /// The API version, `v1alpha1`.
    pub version: &'static str,
    /// The kind, `WebhookSource`.
    pub kind: &'static str,
    /// Variables that this kind always sets.
    pub constants: &'static [(&'static str, &'static str)],
    /// The fields of its `spec`.
    pub fields: &'static [Field],
}

/// One field of a `spec` and the variable that it sets.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// Where the value stands below `spec`, with dots.
    pub path: &'static str,
    /// The variable.
    pub variable: &'static str,
    /// How the value becomes text.
    pub rule: Rule,
    /// The value where the path is absent; `{namespace}` and `{name}` stand for those of the object.
    pub default: Option<&'static str>,
}

/// How a value in a manifest becomes the text of a variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// A scalar as it is; numbers and booleans in their JSON form.
    Value,
    /// A text, `{value}`, `{valueFromSecret: {name, key}}` or `{secretKeyRef: {name, key}}`.
    Secret,
    /// A list of scalars, joined by the separator.
    Join(&'static str),
    /// A map as `key:value` pairs sorted by key, joined by commas.
    Map,
    /// The node as compact JSON.
    Json,
    /// A secret that is written to a file; the variable holds the path.
    File,
    /// Says something to a cluster's controller alone; it sets no variable.
    Cluster,
}

/// A kind's own fields with those behind them that a family shares: `ALL` is the sum of the other two.
#[must_use]
pub const fn joined<const OWN: usize, const SHARED: usize, const ALL: usize>(
    own: [Field; OWN],
    shared: [Field; SHARED],
) -> [Field; ALL] {
    assert!(ALL == OWN + SHARED, "the third number is the sum of the others");
    let mut all = [Field::cluster(""); ALL];
    let mut index = 0;
    while index < ALL {
        all[index] = if index < OWN { own[index] } else { shared[index - OWN] };
        index += 1;
    }
    all
}

impl Field {
    /// A field whose value is taken as it is.
    #[must_use]
    pub const fn new(path: &'static str, variable: &'static str) -> Self {
        Self { path, variable, rule: Rule::Value, default: None }
    }

    /// A field that only a cluster's controller reads.
    #[must_use]
    pub const fn cluster(path: &'static str) -> Self {
        Self::new(path, "").rule(Rule::Cluster)
    }

    /// The same with another rule.
    #[must_use]
    pub const fn rule(mut self, rule: Rule) -> Self {
        self.rule = rule;
        self
    }

    /// The same as a secret.
    #[must_use]
    pub const fn secret(self) -> Self {
        self.rule(Rule::Secret)
    }

    /// The same with a value for when the path is absent.
    #[must_use]
    pub const fn or(mut self, default: &'static str) -> Self {
        self.default = Some(default);
        self
    }
}
