//! Sends events to google-cloud-pubsub.

mod config;
mod target;

fn main() -> std::process::ExitCode {
    common::run::target::<target::GoogleCloudPubsub>()
}
