//! Brings events of google-cloud-pubsub in.

mod config;
mod source;

fn main() -> std::process::ExitCode {
    common::run::source::<source::GoogleCloudPubsub>()
}
