//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::catalogue::{Catalogue, EMBEDDED};
use crate::manifest::DEFAULT_NAMESPACE;
use crate::reach::Destination;
use crate::up::Finder;
use crate::{describe, dlq, lint, list, render, send, test, up, watch};

/// Connects systems with CloudEvents: sources bring events in, brokers route them, targets take them out.
///
/// A bridge is one YAML file of Kubernetes objects that wires several of them together. `trestle up` runs it on this
/// machine, with nothing else installed.
#[derive(Parser)]
#[command(name = "trestle", version, arg_required_else_help = true)]
#[command(after_help = "Try: trestle up examples/quickstart.yaml")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run a bridge here until Ctrl-C.
    ///
    /// Every component is a process on 127.0.0.1. One log shows them all, a component that dies is started again, and an
    /// edit of the file takes effect at once. Secrets that the file refers to and does not hold are taken from the
    /// environment: key `password` of Secret `my-login` is MY_LOGIN_PASSWORD.
    ///
    /// Exit codes: 0 stopped as asked, 1 the file has mistakes or something is missing, 78 a component was configured
    /// wrongly.
    Up {
        /// The bridge: a YAML file with one or more objects.
        #[arg(value_name = "BRIDGE.yaml")]
        bridge: PathBuf,
        /// In a checkout too, take the binaries that lie beside this command or on PATH.
        #[arg(long)]
        no_build: bool,
    },
    /// Find every mistake in bridges without running them.
    ///
    /// Nothing is started and nothing is reached over the network. Secrets that a file refers to and does not hold have to
    /// be in the environment, as for `trestle up`.
    ///
    /// Exit codes: 0 nothing or only warnings, 1 mistakes.
    Lint {
        /// Bridges and their tests (`*.test.yaml`).
        #[arg(value_name = "FILE", required = true)]
        files: Vec<PathBuf>,
        /// As lines that editors understand, or as a JSON list.
        #[arg(long, value_enum, default_value_t = Format::Text)]
        output: Format,
    },
    /// Run the tests of bridges.
    ///
    /// The tests of `bridge.yaml` stand beside it in `bridge.test.yaml`: events that are sent to a broker, a trigger or a
    /// transformation, and the events that shall arrive, where, with which fields. Nothing is started and nothing is
    /// reached over the network; filters and transformations are the code that runs in the adapters.
    ///
    /// Exit codes: 0 all passed, 1 one failed or has a mistake.
    Test {
        /// Bridges, files of tests, or folders in which all `*.test.yaml` are run.
        #[arg(value_name = "BRIDGE.yaml|FOLDER", required = true)]
        paths: Vec<PathBuf>,
    },
    /// Write a bridge for Kubernetes, Knative or Compose.
    ///
    /// Environments are those of `trestle up`, addresses are wired, and each pod meets the restricted Pod Security Standard.
    /// Secrets are referred to by name and never written, also those that the file holds: what has to be there is said on
    /// standard error. In Compose, key `password` of Secret `my-login` is the variable MY_LOGIN_PASSWORD, or the file that
    /// MY_LOGIN_PASSWORD_FILE names where a component wants a file.
    ///
    /// For Kubernetes and Knative a sink or target may also be a Service that is not in the file, for Knative any object that
    /// takes events. With Knative a broker is one of Knative's; its annotation `eventing.knative.dev/broker.class` says of
    /// which class, MTChannelBasedBroker unless it is there.
    ///
    /// Exit codes: 0 written, 1 the file has mistakes or cannot be written so.
    #[command(
        after_help = "Example: trestle render examples/quickstart.yaml --to kubernetes | kubectl apply -f -"
    )]
    Render(Render),
    /// Send an event into a bridge that runs here, or to an address.
    ///
    /// The data is what `--data` says, else the file, else standard input when that is no terminal. A file with an event
    /// in its JSON form (it has `specversion`), or with a list of those, is sent as it is; flags change its attributes.
    /// Prints the answer's status, and the event in it when there is one.
    ///
    /// Exit codes: 0 every answer was a 2xx, 1 one was not, or there was none.
    #[command(
        after_help = "Example: trestle send --to default --type com.example.order --data '{\"id\": 1}'"
    )]
    Send(Box<Send>),
    /// Show events as they pass a bridge that runs here.
    ///
    /// Seen is every event that a broker of the bridge takes, replies too, with the triggers whose filters it passes.
    /// Not seen is whether a target then took it (the log of `trestle up` tells of failures), what a target sends to the
    /// outside, and what goes from a source or a transformation to its sink without a broker. While somebody watches,
    /// each broker has one more trigger, which takes everything: under heavy load that costs the bridge some of its speed.
    /// Whoever watches too slowly misses events, and is told how many.
    Watch {
        /// Only what this broker takes, or what goes from brokers to this component.
        #[arg(long, value_name = "COMPONENT")]
        component: Option<String>,
        /// Only events of this type; with * at its end, of types that begin so.
        #[arg(long = "type", value_name = "TYPE")]
        event_type: Option<String>,
        /// The bridge, where several run: its file or its process id.
        #[arg(long)]
        bridge: Option<String>,
        /// As blocks or as one line of JSON for each.
        #[arg(long, value_enum, default_value_t = Format::Text)]
        output: Format,
    },
    /// Look at the events that a broker could not deliver, and deliver them again.
    ///
    /// A broker keeps those of triggers that have no dead-letter address of their own: the durable ones until they are
    /// delivered or deleted, the memory broker the newest of them as long as it runs. Which broker is said as for
    /// `trestle send`. Where its document wants credentials, they are those, from --user and --password-file or from the
    /// environment: TRESTLE_BROKER_USER and TRESTLE_BROKER_PASSWORD.
    #[command(subcommand)]
    Dlq(dlq::Command),
    /// List the sources, brokers and targets there are.
    List {
        /// As a table or as JSON.
        #[arg(long, value_enum, default_value_t = Format::Text)]
        output: Format,
    },
    /// Show what an adapter takes: fields, variables, defaults, event types.
    Describe {
        /// An adapter (webhook-source) or a kind (WebhookSource).
        #[arg(value_name = "ADAPTER|KIND")]
        name: String,
        /// As text or as JSON.
        #[arg(long, value_enum, default_value_t = Format::Text)]
        output: Format,
    },
    /// Become a component (`trestle up` starts them so).
    #[command(name = up::child::SUBCOMMAND, hide = true)]
    RunComponent { parent: u32, program: OsString },
}

/// What to write, and where.
#[derive(Args)]
struct Render {
    /// The bridge: a YAML file with one or more objects.
    #[arg(value_name = "BRIDGE.yaml")]
    bridge: PathBuf,
    /// For what.
    #[arg(long, value_enum)]
    to: render::Target,
    /// A folder for files, one for each component; without it all goes to standard output.
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    /// The namespace of objects that name none.
    #[arg(long, default_value = DEFAULT_NAMESPACE)]
    namespace: String,
    /// Where the images are.
    #[arg(long, value_name = "PREFIX", default_value = "ghcr.io/trestle-events")]
    image_prefix: String,
    /// Which of them.
    #[arg(long, default_value = env!("CARGO_PKG_VERSION"))]
    tag: String,
}

impl Render {
    fn run(&self, catalogue: &Catalogue) -> ExitCode {
        let Render { bridge, to, out, namespace, image_prefix, tag } = self;
        let options = render::Options { to: *to, out: out.as_deref(), namespace, image_prefix, tag };
        render::run(bridge, &options, catalogue)
    }
}

/// Where to send, and what.
#[derive(Args)]
struct Send {
    /// The component of the bridge, by name; without it the broker, when there is just one.
    #[arg(long, value_name = "COMPONENT", conflicts_with = "url")]
    to: Option<String>,
    /// An address instead.
    #[arg(long)]
    url: Option<String>,
    /// The bridge, where several run: its file or its process id.
    #[arg(long, conflicts_with = "url")]
    bridge: Option<String>,
    /// Its type; trestle.send unless given.
    #[arg(long = "type", value_name = "TYPE")]
    event_type: Option<String>,
    /// Its source; trestle unless given.
    #[arg(long)]
    source: Option<String>,
    /// Its id; a new one unless given.
    #[arg(long)]
    id: Option<String>,
    /// Its subject.
    #[arg(long)]
    subject: Option<String>,
    /// Its time, as 2026-01-02T03:04:05Z.
    #[arg(long)]
    time: Option<String>,
    /// The media type of its data; found out unless given.
    #[arg(long, value_name = "MEDIA TYPE")]
    content_type: Option<String>,
    /// Another attribute; may be repeated.
    #[arg(long = "extension", value_name = "NAME=VALUE", value_parser = pair)]
    extensions: Vec<(String, String)>,
    /// Its data.
    #[arg(long, conflicts_with = "file")]
    data: Option<String>,
    /// A file with its data, or with one or more events; - is standard input.
    #[arg(long)]
    file: Option<PathBuf>,
}

impl Send {
    fn run(self) -> ExitCode {
        let named = [
            ("type", self.event_type),
            ("source", self.source),
            ("id", self.id),
            ("subject", self.subject),
            ("time", self.time),
            ("datacontenttype", self.content_type),
        ];
        let named = named.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        let attributes = named.chain(self.extensions).collect();
        let description = send::Description { attributes, data: self.data, file: self.file };
        let (component, url, bridge) = (self.to.as_deref(), self.url.as_deref(), self.bridge.as_deref());
        send::run(&Destination { component, url, bridge, flag: "--to" }, &description)
    }
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// How to print.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Text,
    Json,
}

/// Does what the command line says.
pub fn run() -> ExitCode {
    let command = Arguments::parse().command;
    if let Command::RunComponent { parent, program } = &command {
        return up::child::become_component(*parent, program);
    }
    let catalogue = match Catalogue::parse(EMBEDDED) {
        Ok(catalogue) => catalogue,
        Err(error) => return fail(&format!("the catalogue of this build is broken: {error}")),
    };
    match command {
        Command::Up { bridge, no_build } => up::run(&bridge, Finder::new(!no_build), &catalogue),
        Command::Lint { files, output } => lint::run(&files, output, &catalogue),
        Command::Test { paths } => test::run(&paths, &catalogue),
        Command::Render(render) => render.run(&catalogue),
        Command::Send(send) => send.run(),
        Command::Watch { component, event_type, bridge, output } => watch::run(&watch::Options {
            component: component.as_deref(),
            event_type: event_type.as_deref(),
            bridge: bridge.as_deref(),
            format: output,
        }),
        Command::Dlq(command) => dlq::run(&command),
        Command::List { output } => list::run(&catalogue, output),
        Command::Describe { name, output } => describe::run(&catalogue, &name, output),
        Command::RunComponent { .. } => ExitCode::SUCCESS,
    }
}

/// Says why on standard error.
pub fn fail(message: &str) -> ExitCode {
    let _ = std::io::Write::write_fmt(&mut std::io::stderr().lock(), format_args!("{message}\n"));
    ExitCode::FAILURE
}
