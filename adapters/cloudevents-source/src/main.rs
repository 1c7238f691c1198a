//! Takes CloudEvents from outside, with credentials and a rate limit, and hands them to the sink.

mod config;
mod credentials;
mod path;
mod rate;
mod source;

fn main() -> std::process::ExitCode {
    common::run::gateway::<source::CloudEvents>()
}
