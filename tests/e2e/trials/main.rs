//! Whole bridges, run by the `trestle` command as a user runs it.

mod answers;
mod brokers;
mod command;
mod controller;
mod examples;
mod gather;
mod reload;
mod render;
mod rendered;
mod run;
mod send;
mod stop;
mod up;
mod watch;

use std::process::ExitCode;

use kit::trials::{self, Named};

fn main() -> ExitCode {
    trials::run(&[
        ("command", command::TRIALS),
        ("controller", controller::TRIALS),
        ("examples", examples::TRIALS),
        ("gather", gather::TRIALS),
        ("answers", answers::TRIALS),
        ("brokers", brokers::TRIALS),
        ("render", render::TRIALS),
        ("rendered", rendered::TRIALS),
        ("up", run::TRIALS),
        ("send", send::TRIALS),
        ("watch", watch::TRIALS),
        ("reload", reload::TRIALS),
        ("stop", stop::TRIALS),
    ])
}
