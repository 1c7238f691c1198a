//! Changes XML data of events by an XSLT 1.0 stylesheet.

mod config;
mod sheets;
mod target;

fn main() -> std::process::ExitCode {
    common::run::target::<target::Xslt>()
}
