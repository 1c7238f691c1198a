//! The environment of the display target.

use common::config::{Config, Secret};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Settings of the display target.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct DisplayConfig {
    /// Whether to print in colour: on a terminal only (and not when `NO_COLOR` is set), always or never.
    #[serde(default)]
    pub display_color: Color,
    /// Bytes of one event's data that are printed; what is longer is cut, and a note says so.
    #[serde(default = "default_data_bytes")]
    #[schemars(range(min = 1, max = 16_777_216))]
    pub display_data_bytes: usize,
    /// How many of the last events `GET /events` shows; of 8 MiB in all, however many that are.
    #[serde(default = "default_keep")]
    #[schemars(range(max = 100_000))]
    pub display_keep: usize,
    /// Token that lets others than this machine read `/events`, sent as bearer; without it nobody else can.
    pub display_token: Option<Secret>,
}

impl Config for DisplayConfig {}

/// When to print in colour.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Color {
    /// On a terminal.
    #[default]
    Auto,
    /// Whatever standard output is.
    Always,
    /// Not at all.
    Never,
}

impl Color {
    /// Whether what goes to standard output is to be coloured.
    pub fn is_wanted(self) -> bool {
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto => anstream::AutoStream::choice(&std::io::stdout()) != anstream::ColorChoice::Never,
        }
    }
}

fn default_data_bytes() -> usize {
    16 << 10
}

fn default_keep() -> usize {
    100
}
