//! What all that is printed has in common: colours, on a terminal only and never with NO_COLOR, and the time of day.

use std::io::IsTerminal as _;
use std::time::{SystemTime, UNIX_EPOCH};

use anstyle::{AnsiColor, Style};

/// Colours that tell components apart on light and dark grounds.
const NAMES: [AnsiColor; 6] = [
    AnsiColor::Cyan,
    AnsiColor::Magenta,
    AnsiColor::Green,
    AnsiColor::Blue,
    AnsiColor::BrightMagenta,
    AnsiColor::BrightCyan,
];

/// Whether and how to colour.
#[derive(Clone, Copy, Debug)]
pub struct Palette {
    on: bool,
}

impl Palette {
    /// For standard output, as the environment wants it.
    pub fn of_stdout() -> Palette {
        let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        Palette { on: std::io::stdout().is_terminal() && !set("NO_COLOR") && !dumb }
    }

    /// None at all.
    #[cfg(test)]
    pub fn plain() -> Palette {
        Palette { on: false }
    }

    /// All of them.
    #[cfg(test)]
    pub fn coloured() -> Palette {
        Palette { on: true }
    }

    /// Whether there are any.
    pub fn is_on(self) -> bool {
        self.on
    }

    /// The text in a style.
    pub fn paint(self, style: Style, text: &str) -> String {
        if self.on { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }

    /// Something of less weight.
    pub fn dim(self, text: &str) -> String {
        self.paint(Style::new().dimmed(), text)
    }

    /// Something good.
    pub fn good(self, text: &str) -> String {
        self.paint(AnsiColor::Green.on_default(), text)
    }

    /// Something bad.
    pub fn bad(self, text: &str) -> String {
        self.paint(AnsiColor::Red.on_default().bold(), text)
    }

    /// Something to note.
    pub fn warn(self, text: &str) -> String {
        self.paint(AnsiColor::Yellow.on_default(), text)
    }

    /// The name of the component with that number.
    pub fn name(self, number: usize, text: &str) -> String {
        let colour = NAMES.get(number % NAMES.len()).copied().unwrap_or(AnsiColor::Cyan);
        self.paint(colour.on_default(), text)
    }
}

/// The time of day now, in UTC as components log it.
pub fn clock() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let seconds = now.as_secs() % 86_400;
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!("{hour:02}:{minute:02}:{second:02}.{:03}Z", now.subsec_millis())
}
