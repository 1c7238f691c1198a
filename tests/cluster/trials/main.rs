//! Images and charts on a real Kubernetes with Knative Eventing: on that of `ci/cluster`, or, where `KUBECONFIG` names one,
//! on that one with the images of `IMAGE_PREFIX`. Runs when `ci/test --cluster` asks for it and holds nothing otherwise.

#![expect(clippy::disallowed_methods, reason = "a test tool outside the frame: it reads its environment")]

mod accepted;
mod chart;
mod controller;
mod dead_letters;
mod helm;
mod identity;
mod injected;
mod kafka;
mod kubectl;
mod place;
mod readme;
mod rendered;
mod restarts;
mod setup;

use std::process::ExitCode;

use kit::trials::{Named, trial};
use libtest_mimic::Arguments;

const TRIALS: &[Named] = &[
    ("the chart, installed by Helm, passes events", chart::passes),
    ("what `trestle render` writes passes the same events", rendered::passes),
    ("the README's commands: Knative", readme::knative),
    ("the README's commands: Helm", readme::helm),
    (
        "ContainerSource and SinkBinding: what Knative injects, and the way through broker and triggers",
        injected::passes,
    ),
    ("a sink of its own authority: K_CA_CERTS and the trust bundle", injected::trusts),
    ("a broker that asks who sends", identity::proven),
    ("503 is retried, 4xx is dead-lettered", dead_letters::kept),
    ("restarts and killed pods under load lose nothing", restarts::lose_nothing),
    (kafka::NAME, kafka::passes),
    ("the definitions are accepted, the examples too, misspelt fields are not", accepted::definitions),
    ("values with every adapter are accepted in every mode", accepted::every_adapter),
    ("the environment of the old controller starts the images", controller::starts),
];

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // They share a machine, and one of them counts what is lost under load.
    arguments.test_threads = Some(1);
    let with_kafka = arguments.filter.as_deref().is_none_or(|filter| kafka::NAME.contains(filter));
    let trials = match setup::enter(with_kafka) {
        Ok(true) => TRIALS.iter().map(|(name, run)| trial(*name, *run)).collect(),
        Ok(false) => Vec::new(),
        Err(failure) => vec![trial("the cluster is there", move || Err(failure))],
    };
    libtest_mimic::run(&arguments, trials).exit_code()
}
