//! `trestle dlq`: the events that a broker could not deliver, listed, shown, delivered again, deleted. What is asked for is
//! in the README of the crate `broker`.

mod show;
mod store;
#[cfg(test)]
mod tests;
mod work;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};

use crate::args::{Format, fail};
use crate::catalogue::Role;
use crate::control::Listed;
use crate::reach::Destination;
use crate::style::Palette;
use store::{Credentials, Store};

/// What to do with dead letters.
#[derive(Subcommand)]
pub enum Command {
    /// List them, oldest first.
    ///
    /// Exit codes: 0 listed, 1 the broker did not answer so.
    List {
        #[command(flatten)]
        broker: Broker,
        /// Only those of this trigger.
        #[arg(long, value_name = "NAME")]
        trigger: Option<String>,
        /// Only those behind this one: the next page.
        #[arg(long, value_name = "ID")]
        after: Option<String>,
        /// How many.
        #[arg(long, value_name = "COUNT", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
        limit: u32,
        /// As a table, or as JSON: `entries`, and in `next` what --after wants for the next page, null on the last.
        #[arg(long, value_enum, default_value_t = Format::Text)]
        output: Format,
    },
    /// Show one: why it was not delivered, and the event.
    ///
    /// Exit codes: 0 shown, 1 there is no such dead letter, or the broker did not answer.
    Show {
        #[arg(value_name = "ID")]
        id: String,
        #[command(flatten)]
        broker: Broker,
        /// As text, or as the event in its JSON form with what is said of the failure in its extensions.
        #[arg(long, value_enum, default_value_t = Format::Text)]
        output: Format,
    },
    /// Deliver some again, each to the trigger that it is from and to no other.
    ///
    /// One after the other, oldest first, by the trigger's target and policy of now. Whatever the target takes is removed;
    /// the rest is kept. Ends early when the broker does not answer.
    ///
    /// Exit codes: 0 all of them were delivered, 1 some were not.
    #[command(after_help = "Example: trestle dlq replay --all --trigger orders")]
    Replay(Which),
    /// Delete some for good.
    ///
    /// Exit codes: 0 all of them are gone, 1 some are not.
    Delete(Which),
}

/// Which dead letters.
#[derive(Args)]
pub struct Which {
    #[arg(value_name = "ID", required_unless_present = "all")]
    ids: Vec<String>,
    /// All that are there when this begins.
    #[arg(long, conflicts_with = "ids")]
    all: bool,
    /// With --all: only those of this trigger.
    #[arg(long, value_name = "NAME", requires = "all")]
    trigger: Option<String>,
    #[command(flatten)]
    broker: Broker,
    /// A line of text for each, or of JSON: `id`, `done`, and `reason` where it is not done.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    output: Format,
}

/// Which broker.
#[derive(Args, Clone, Debug, Default)]
pub struct Broker {
    /// The broker of the bridge, by name, when there are several.
    #[arg(long = "to", value_name = "BROKER", conflicts_with = "url")]
    to: Option<String>,
    /// An address instead.
    #[arg(long)]
    url: Option<String>,
    /// The bridge, where several run: its file or its process id.
    #[arg(long, conflicts_with = "url")]
    bridge: Option<String>,
    /// The user that the broker wants.
    #[arg(long)]
    user: Option<String>,
    /// A file with the password.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

impl Broker {
    fn store(&self) -> Result<Store, String> {
        let destination = Destination {
            component: self.to.as_deref(),
            url: self.url.as_deref(),
            bridge: self.bridge.as_deref(),
            flag: "--to",
        };
        let refuse = |one: &Listed| {
            (one.role != Role::Broker)
                .then(|| format!("{} is no broker: it keeps no dead letters", one.label))
        };
        let url = destination.address(refuse)?;
        let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        let user = self.user.clone().or_else(|| variable("TRESTLE_BROKER_USER"));
        let password = match &self.password_file {
            Some(path) => Some(read(path)?),
            None => variable("TRESTLE_BROKER_PASSWORD"),
        };
        Store::new(&url, Credentials { user, password })
    }
}

/// The first line of a file.
fn read(path: &Path) -> Result<String, String> {
    let text =
        std::fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

/// Does it.
pub fn run(command: &Command) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let Ok(runtime) = runtime else { return fail("cannot start") };
    let (mut out, mut err) = (std::io::stdout(), std::io::stderr());
    let done = runtime.block_on(async {
        let palette = Palette::of_stdout();
        match command {
            Command::List { broker, trigger, after, limit, output } => {
                let wanted = show::Wanted {
                    trigger: trigger.as_deref(),
                    after: after.as_deref(),
                    limit: *limit as usize,
                };
                show::list(&broker.store()?, &wanted, *output, (&mut out, &mut err)).await
            }
            Command::Show { id, broker, output } => {
                show::one(&broker.store()?, id, *output, palette, &mut out).await
            }
            Command::Replay(which) => act(which, work::Deed::Replay, palette, (&mut out, &mut err)).await,
            Command::Delete(which) => act(which, work::Deed::Delete, palette, (&mut out, &mut err)).await,
        }
    });
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => fail(&why),
    }
}

type Streams<'a> = (&'a mut dyn std::io::Write, &'a mut dyn std::io::Write);

async fn act(
    which: &Which,
    deed: work::Deed,
    palette: Palette,
    streams: Streams<'_>,
) -> Result<bool, String> {
    let store = which.broker.store()?;
    work::Work { store: &store, deed, format: which.output, palette }
        .run(&which.ids, which.all.then_some(which.trigger.as_deref()), streams)
        .await
}
