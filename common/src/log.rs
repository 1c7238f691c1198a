//! JSON log lines on stderr: constant message, fields beside it. ERROR means an operator must act; DEBUG is per event.

use std::io;

use serde_json::Value;
use tracing::{Level, Metadata, level_filters::LevelFilter};
use tracing_subscriber::{filter::filter_fn, fmt, layer::SubscriberExt as _, util::SubscriberInitExt as _};

use crate::frame::{FrameConfig, LogLevel};

/// The beginnings of the names of libraries that log each failure which they give to their caller too, as an error and
/// without a message.
const TELLTALES: [&str; 2] = ["azure_", "typespec_"];

/// Starts logging; a second call changes nothing.
pub(crate) fn start(level: LevelFilter) {
    let lines = fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_target(false)
        .with_writer(io::stderr);
    let wanted = filter_fn(move |metadata| *metadata.level() <= level && speaks(metadata));
    // Only a second subscriber makes this fail, and then the first one is as good.
    let _ = tracing_subscriber::registry().with(wanted.with_max_level_hint(level)).with(lines).try_init();
}

/// Whether a line is ours, or a library's warning. What libraries tell beside that follows no rule of ours, and may hold
/// credentials and payloads (AWS's SDK writes whole requests).
fn speaks(metadata: &Metadata<'_>) -> bool {
    // The compiler is given the workspace's own files by relative paths, and others by absolute ones.
    let is_warning = *metadata.level() <= Level::WARN;
    let is_telltale = TELLTALES.iter().any(|library| metadata.target().starts_with(library));
    // An adapter's own crate may be called so too.
    (is_warning && !is_telltale) || metadata.file().is_some_and(|file| !file.starts_with('/'))
}

/// The level by the settings: `LOG_LEVEL`, else the level in Knative's `zap-logger-config`, else info.
pub(crate) fn level(config: &FrameConfig) -> LevelFilter {
    match config.log_level {
        Some(LogLevel::Error) => LevelFilter::ERROR,
        Some(LogLevel::Warn) => LevelFilter::WARN,
        Some(LogLevel::Info) => LevelFilter::INFO,
        Some(LogLevel::Debug) => LevelFilter::DEBUG,
        Some(LogLevel::Trace) => LevelFilter::TRACE,
        None => config.k_logging_config.as_deref().and_then(zap_level).unwrap_or(LevelFilter::INFO),
    }
}

/// Reads `{"zap-logger-config": "{\"level\": \"info\", …}"}`; anything malformed is as good as absent (K12).
fn zap_level(text: &str) -> Option<LevelFilter> {
    let config: Value = serde_json::from_str(text).ok()?;
    let zap: Value = serde_json::from_str(config.get("zap-logger-config")?.as_str()?).ok()?;
    match zap.get("level")?.as_str()? {
        "debug" => Some(LevelFilter::DEBUG),
        "info" => Some(LevelFilter::INFO),
        "warn" => Some(LevelFilter::WARN),
        "error" | "dpanic" | "panic" | "fatal" => Some(LevelFilter::ERROR),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zap_levels_are_honoured_and_nonsense_is_not_fatal() {
        assert_eq!(zap_level(r#"{"zap-logger-config":"{\"level\":\"warn\"}"}"#), Some(LevelFilter::WARN));
        for text in ["", "{", "{}", "null", r#"{"zap-logger-config":"{"}"#, r#"{"zap-logger-config":7}"#] {
            assert_eq!(zap_level(text), None, "{text}");
        }
    }
}
