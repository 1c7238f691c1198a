//! `new`: a folder with an adapter that compiles and keeps the clauses of every binary, to be filled in.

use std::path::Path;

use crate::cli::{Failure, say};
use crate::workspace::Workspace;

/// The command line of `new`.
#[derive(clap::Args)]
pub struct Arguments {
    /// Folder, crate, binary and image: <system>-source, <system>-target.
    name: String,
    /// How the outside system wants to be spoken to.
    #[arg(long, value_enum)]
    shape: Shape,
    /// The Kubernetes kind; made from the name without it.
    #[arg(long)]
    kind: Option<String>,
}

/// What the adapter writes and what the frame does.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Shape {
    /// The outside system calls: each request becomes events.
    WebhookSource,
    /// Fits none of the others: it says itself when events happen.
    Source,
    /// Asks the outside system again and again, with a cursor.
    PollSource,
    /// A queue whose messages are acknowledged one by one.
    QueueSource,
    /// A log with a position in each of its partitions.
    LogSource,
    /// Takes events out.
    Target,
    /// Takes events out, several with one call.
    BatchTarget,
}

/// Every shape, with a word to tell its adapter from the others.
const SHAPES: [(&str, Shape); 7] = [
    ("hook", Shape::WebhookSource),
    ("clock", Shape::Source),
    ("poll", Shape::PollSource),
    ("queue", Shape::QueueSource),
    ("log", Shape::LogSource),
    ("out", Shape::Target),
    ("batch", Shape::BatchTarget),
];

/// A file below the adapter's folder and what it is made from.
type Template = (&'static str, &'static str);

macro_rules! template {
    ($($path:literal),+) => {
        include_str!(concat!("../templates/", $($path,)+ ".template"))
    };
}

const MAIN: Template = ("src/main.rs", template!("main.rs"));

impl Shape {
    /// Its entry point in `common::run`.
    fn entry(self) -> &'static str {
        match self {
            Self::WebhookSource => "webhook_source",
            Self::Source => "source",
            Self::PollSource => "poll_source",
            Self::QueueSource => "queue_source",
            Self::LogSource => "log_source",
            Self::Target => "target",
            Self::BatchTarget => "batch_target",
        }
    }

    /// The five files beside `main.rs`. Shapes that want the same settings share what stands around the work.
    fn templates(self) -> [Template; 5] {
        macro_rules! templates {
            ($around:literal, $work:literal, $file:literal) => {
                [
                    ("Cargo.toml", template!($around, "/Cargo.toml")),
                    ("README.md", template!($around, "/README.md")),
                    ("src/config.rs", template!($around, "/config.rs")),
                    (concat!("src/", $file), template!($work, "/", $file)),
                    ("tests/harness.rs", template!($around, "/harness.rs")),
                ]
            };
        }
        match self {
            Self::WebhookSource => templates!("webhook-source", "webhook-source", "source.rs"),
            Self::Source => templates!("source", "source", "source.rs"),
            Self::PollSource => templates!("poll-source", "poll-source", "source.rs"),
            Self::QueueSource => templates!("source", "queue-source", "source.rs"),
            Self::LogSource => templates!("source", "log-source", "source.rs"),
            Self::Target => templates!("target", "target", "target.rs"),
            Self::BatchTarget => templates!("target", "batch-target", "target.rs"),
        }
    }

    /// How names of this shape end; also the word for the file that does the work.
    fn suffix(self) -> &'static str {
        if matches!(self, Self::Target | Self::BatchTarget) { "target" } else { "source" }
    }

    /// The package's description, to be said better.
    fn summary(self, system: &str) -> String {
        match self {
            Self::WebhookSource => format!("Turns requests of {system} into events."),
            Self::Source => format!("Brings events of {system} in."),
            Self::PollSource => format!("Asks {system} for what is new and turns it into events."),
            Self::QueueSource => format!("Turns messages of a queue of {system} into events."),
            Self::LogSource => format!("Turns records of a log of {system} into events."),
            Self::Target | Self::BatchTarget => format!("Sends events to {system}."),
        }
    }
}

/// Runs `make` for an adapter of every shape and gives their names.
pub fn one_of_each(
    system: &str,
    mut make: impl FnMut(&Arguments) -> Result<(), Failure>,
) -> Result<Vec<String>, Failure> {
    let mut names = Vec::new();
    for (word, shape) in SHAPES {
        let name = format!("{system}-{word}-{}", shape.suffix());
        make(&Arguments { name: name.clone(), shape, kind: None })?;
        names.push(name);
    }
    Ok(names)
}

/// Writes the adapter.
pub fn run(workspace: &Workspace, arguments: &Arguments) -> Result<(), Failure> {
    let words = Words::of(&arguments.name, arguments.shape, arguments.kind.as_deref())?;
    let folder = workspace.adapter(&arguments.name);
    if folder.exists() {
        return Err(format!("adapters/{} exists already", arguments.name).into());
    }
    for (path, template) in arguments.shape.templates().into_iter().chain([MAIN]) {
        write(&folder.join(path), &words.fill(template)?)?;
        say(&format!("adapters/{}/{path}", arguments.name));
    }
    // Cargo.lock learns of the new member.
    workspace.cargo(&["update", "--workspace", "--offline", "--quiet"])?;
    let name = &arguments.name;
    // How long a name is decides where lines break.
    workspace.cargo(&["fmt", "--package", name])?;
    say(&format!(
        "\nNext:\n  cargo xtask gen       writes its description and tables\n  cargo xtask t {name}  runs its tests and the \
         conformance clauses\nthen fill in adapters/{name}/src and its README, whose events cargo xtask sample {name} writes."
    ));
    Ok(())
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    Ok(std::fs::write(path, text)?)
}

/// What the placeholders of the templates stand for.
struct Words([(&'static str, String); 11]);

impl Words {
    fn of(name: &str, shape: Shape, kind: Option<&str>) -> Result<Self, Failure> {
        let suffix = shape.suffix();
        let system = name
            .strip_suffix(suffix)
            .and_then(|rest| rest.strip_suffix('-'))
            .filter(|system| is_name(system))
            .ok_or_else(|| {
                format!("{name} must be <system>-{suffix}, in small letters, digits and single hyphens")
            })?;
        let kind = kind.map_or_else(|| pascal(name), str::to_owned);
        if !kind.starts_with(|first: char| first.is_ascii_uppercase())
            || !kind.chars().all(|c| c.is_ascii_alphanumeric())
        {
            return Err(format!(
                "{kind} is no Kubernetes kind: it must be letters and digits, a capital first"
            )
            .into());
        }
        Ok(Self([
            ("name", name.to_owned()),
            ("system", system.to_owned()),
            ("summary", shape.summary(system)),
            ("type", format!("com.{}.event", system.replace('-', "."))),
            ("module", suffix.to_owned()),
            ("struct", pascal(system)),
            ("variable", system.replace('-', "_").to_uppercase()),
            ("field", system.replace('-', "_")),
            ("component", name.replace('-', "")),
            ("kind", kind),
            ("entry", shape.entry().to_owned()),
        ]))
    }

    /// Puts the words in place of `{{word}}`.
    fn fill(&self, template: &str) -> Result<String, Failure> {
        let text = self
            .0
            .iter()
            .fold(template.to_owned(), |text, (word, value)| text.replace(&format!("{{{{{word}}}}}"), value));
        match text.split_once("{{") {
            Some((_, rest)) => Err(format!("a template has an unknown placeholder: {{{{{:.20}", rest).into()),
            None => Ok(text),
        }
    }
}

/// Words of small letters and digits, a letter first, joined by single hyphens.
fn is_name(text: &str) -> bool {
    let is_word = |word: &str| {
        !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    text.starts_with(|first: char| first.is_ascii_lowercase()) && text.split('-').all(is_word)
}

/// `acme-orders` as `AcmeOrders`.
fn pascal(name: &str) -> String {
    name.split('-')
        .flat_map(|word| {
            let (first, rest) = word.split_at(word.len().min(1));
            [first.to_uppercase(), rest.to_owned()]
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_fills_without_a_rest() {
        for (_, shape) in SHAPES {
            let words = Words::of(&format!("acme-orders-{}", shape.suffix()), shape, None).unwrap();
            for (path, template) in shape.templates().into_iter().chain([MAIN]) {
                let text = words.fill(template).unwrap();
                assert!(!path.ends_with(".rs") || text.starts_with("//! "), "{path} says what it is");
            }
        }
    }

    #[test]
    fn names_become_the_words_of_code() {
        let Words(words) = Words::of("acme-orders-source", Shape::PollSource, None).unwrap();
        let word = |name| words.iter().find(|(word, _)| *word == name).unwrap().1.clone();
        assert_eq!(word("struct"), "AcmeOrders");
        assert_eq!(word("kind"), "AcmeOrdersSource");
        assert_eq!(word("variable"), "ACME_ORDERS");
        assert_eq!(word("component"), "acmeorderssource");
    }

    #[test]
    fn names_that_do_not_fit_are_refused() {
        for name in
            ["acme", "-source", "Acme-source", "acme--x-source", "acme-target", "1acme-source", "../x-source"]
        {
            assert!(Words::of(name, Shape::Source, None).is_err(), "{name}");
        }
        assert!(Words::of("acme-source", Shape::Source, Some("no-kind")).is_err());
    }
}
