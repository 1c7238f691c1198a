//! Takes CloudEvents from outside, with credentials and a rate limit, and hands them to the sink.

mod config;
mod credentials;
mod source;

fn main() -> std::process::ExitCode {
    common::run::gateway::<source::CloudEvents>()
}
