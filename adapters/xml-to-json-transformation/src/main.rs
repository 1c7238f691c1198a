//! Turns XML data of events into JSON.

mod config;
mod target;

fn main() -> std::process::ExitCode {
    common::run::target::<target::XmlToJson>()
}
