//! What the tests of the shapes share: a frame around a real sink on loopback, and an adapter's constants.

use std::{
    future::Future,
    sync::Arc,
    time::{Duration, Instant},
};

use super::Frame;
use crate::{
    Info, Role, Scaling,
    config::{self, Config},
    frame::FrameConfig,
    health::Health,
    http::{Client, Roots},
    metrics::FrameMetrics,
    send::Sink,
    server::Budget,
    worker,
};

/// A configuration without settings.
#[derive(serde::Deserialize, schemars::JsonSchema)]
pub(super) struct Nothing {}

impl Config for Nothing {}

/// The constants of an adapter that is none.
pub(super) const INFO: Info = Info {
    name: "upstream",
    version: "0",
    summary: "",
    role: Role::Source,
    component: "upstream",
    resource_group: "",
    images: &[],
    emits: &[],
    accepts: &[],
    scaling: Scaling::Single,
    kinds: &[],
};

/// Makes a type an adapter; how it is made is the second word.
macro_rules! adapter {
    ($adapter:ty, $made:expr) => {
        impl $crate::Adapter for $adapter {
            const INFO: $crate::Info = $crate::run::testing::INFO;
            type Config = $crate::run::testing::Nothing;

            fn new(_: Self::Config) -> Result<Self, $crate::config::ConfigError> {
                $made
            }
        }
    };
    ($adapter:ty) => {
        $crate::run::testing::adapter!($adapter, Err($crate::config::ConfigError { problems: Vec::new() }));
    };
}
pub(super) use adapter;

/// A frame whose sink is this one, with more settings.
pub(super) fn frame(sink: &kit::Sink, settings: &[(&str, &str)]) -> Arc<Frame> {
    let to = [("K_SINK", &*sink.url("/"))];
    let config = config::of::<FrameConfig>(&[&to, settings].concat()).expect("a configuration");
    let health = Arc::new(Health::default());
    let metrics = Arc::new(FrameMetrics::new(&INFO, "", "", &health));
    let sink = Sink::new(&config, &Client::new(Roots::Process), &health, &metrics).map(Arc::new);
    let budget = Budget::new(64 << 20);
    let begin = Instant::now();
    Arc::new(Frame {
        begin,
        config,
        component: INFO.component,
        health,
        metrics,
        sink,
        budget,
        positions: None,
    })
}

/// The ids that a sink got, refused attempts too.
pub(super) fn ids(sink: &kit::Sink) -> Vec<String> {
    let ids = sink.requests().into_iter().map(|request| request.headers.get("ce-id").map(str::to_owned));
    ids.flatten().collect()
}

pub(super) fn on_runtime(future: impl Future<Output = ()>) {
    worker::runtime().expect("a runtime").block_on(future);
}

/// Waits until something holds.
pub(super) async fn eventually(what: &str, holds: impl Fn() -> bool) {
    let waiting = async {
        while !holds() {
            worker::sleep(Duration::from_millis(5)).await;
        }
    };
    if tokio::time::timeout(kit::PATIENCE, waiting).await.is_err() {
        panic!("it never held: {what}");
    }
}
