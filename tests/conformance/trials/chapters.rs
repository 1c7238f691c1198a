//! Which check proves which clause, and to whom it applies.

use std::sync::Arc;

use kit::{Failure, Harness, Shape};

use crate::{
    bad_input, config, config_ways, framing, life, life_stop, sample, sink_faults, slow_clients,
    source_retries, sources, target_answers, target_input, targets, webhooks,
};

/// One clause's proof.
pub struct Check {
    pub clause: &'static str,
    pub applies: fn(&Harness) -> bool,
    pub run: fn(&Arc<Harness>) -> Result<(), Failure>,
}

const fn check(
    clause: &'static str,
    applies: fn(&Harness) -> bool,
    run: fn(&Arc<Harness>) -> Result<(), Failure>,
) -> Check {
    Check { clause, applies, run }
}

fn all(_: &Harness) -> bool {
    true
}

fn webhook(harness: &Harness) -> bool {
    harness.shape == Shape::Webhook
}

fn taker(harness: &Harness) -> bool {
    matches!(harness.shape, Shape::Target | Shape::Broker)
}

fn target(harness: &Harness) -> bool {
    harness.shape == Shape::Target
}

fn listener(harness: &Harness) -> bool {
    harness.shape != Shape::Source
}

/// In the order of the list.
pub const CHECKS: &[Check] = &[
    check("C1", all, config::missing),
    check("C2", all, config::wrong),
    check("C3", all, config::secrets_stay_secret),
    check("C4", all, config_ways::describes_itself),
    check("C5", all, config::malformed_observability),
    check("C6", all, config_ways::secrets_from_files),
    check("C7", all, config_ways::controllers_variables),
    check("C8", all, config::empty_is_absent),
    check("C9", all, config_ways::flags),
    check("L1", all, life::health),
    check("L2", all, life_stop::drains),
    check("L3", all, life::host_and_port),
    check("L4", all, life::metrics),
    check("L5", all, life::ports_taken),
    check("L6", all, life_stop::signals),
    check("L7", all, life::peers_down_at_start),
    check("L8", all, life::log_is_json),
    check("L9", listener, life_stop::clients_go_away),
    check("L10", all, life::serves_tls),
    check("S1", Harness::is_source, sources::verbatim),
    check("S2", Harness::is_source, sources::valid_events),
    check("S3", Harness::is_source, sources::overrides),
    check("S4", Harness::is_source, sources::private_authority),
    check("S5", Harness::is_source, sources::token),
    check("S6", Harness::is_source, source_retries::retried),
    check("S7", Harness::is_source, source_retries::dead_letters),
    check("S8", Harness::is_source, source_retries::retry_after),
    check("S9", Harness::is_source, source_retries::sink_first),
    check("S10", Harness::is_source, sources::trace),
    check("S11", Harness::is_source, source_retries::sink_timeout),
    check("S12", Harness::is_source, sample::of_source),
    check("W1", webhook, webhooks::credentials),
    check("W2", webhook, webhooks::sink_down),
    check("W3", webhook, webhooks::oversize),
    check("W4", webhook, webhooks::refused),
    check("T1", taker, targets::modes),
    check("T2", taker, target_input::malformed_events),
    check("T3", taker, target_input::percent_coding),
    check("T4", taker, targets::success),
    check("T5", target, target_answers::faults),
    check("T6", taker, targets::methods),
    check("T7", taker, targets::fifty_at_once),
    check("T8", target, target_answers::payload_policy),
    check("T9", target, target_answers::malformed_data),
    check("T10", taker, targets::opaque),
    check("T11", taker, sample::of_target),
    check("X1", all, bad_input::huge_body),
    check("X2", all, bad_input::huge_head),
    check("X3", listener, framing::framing),
    check("X4", all, bad_input::garbage),
    check("X5", all, slow_clients::slow_clients),
    check("X6", all, sink_faults::faults),
    check("X7", all, sink_faults::memory),
];
