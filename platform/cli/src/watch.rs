//! `trestle watch`: events as the brokers of a running bridge take them.

use std::io::{BufRead as _, Write as _};
use std::process::ExitCode;

use pretty::{Look, Visible};

use crate::args::{Format, fail};
use crate::catalogue::Role;
use crate::control::{self, Line, Seen, State};
use crate::style::{Palette, clock};

/// Bytes of one event's data that are shown.
const SHOWN_BYTES: usize = 16 << 10;
/// The longest name that is shown.
const NAME_BYTES: usize = 200;

/// Which events to show, and how.
pub struct Options<'a> {
    pub component: Option<&'a str>,
    /// A type, or the beginning of one with `*` behind it.
    pub event_type: Option<&'a str>,
    pub bridge: Option<&'a str>,
    pub format: Format,
}

/// Prints events until the bridge or the reader ends.
pub fn run(options: &Options<'_>) -> ExitCode {
    let has_brokers = |state: &State| state.components.iter().any(|one| one.role == Role::Broker);
    let bridge = match control::choose(options.bridge, has_brokers, "no bridge with a broker runs here") {
        Ok(bridge) => bridge,
        Err(why) => return fail(&why),
    };
    let name = match label(options.component, &bridge.state) {
        Ok(name) => name,
        Err(why) => return fail(&why),
    };
    let palette = Palette::of_stdout();
    let mut lines = match bridge.watch() {
        Ok(lines) => lines,
        Err(error) => return fail(&format!("the bridge does not answer: {error}")),
    };
    let mut line = String::new();
    // The end of the bridge is the end of this.
    while lines.read_line(&mut line).is_ok_and(|length| length > 0) {
        let text = match serde_json::from_str::<Line>(&line) {
            Ok(Line::Watching) => {
                // On standard error: what is printed can be piped on.
                let _ = writeln!(std::io::stderr().lock(), "watching; Ctrl-C ends");
                None
            }
            Ok(Line::Missed(count)) => {
                let _ = writeln!(std::io::stderr().lock(), "{count} events came too fast and are not shown");
                None
            }
            Ok(Line::Event(seen)) => shown(&seen, name.as_deref(), options, palette),
            Err(_) => None,
        };
        line.clear();
        if let Some(text) = text {
            let mut stdout = std::io::stdout().lock();
            if stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).is_err() {
                break;
            }
        }
    }
    ExitCode::SUCCESS
}

/// The label of the component a user means. Of a source nothing can be told: events do not say which one sent them.
fn label(component: Option<&str>, state: &State) -> Result<Option<String>, String> {
    let Some(name) = component else { return Ok(None) };
    let Some(found) = state.components.iter().find(|one| one.is_called(name)) else {
        let all: Vec<&str> = state.components.iter().map(|one| one.label.as_str()).collect();
        return Err(format!("no component '{name}' in the bridge; there are {}", all.join(", ")));
    };
    if found.role == Role::Source {
        return Err(format!("{} is a source: what it sends is seen at the broker it sends to", found.label));
    }
    Ok(Some(found.label.clone()))
}

/// The event as it is printed, if it is to be.
fn shown(seen: &Seen, component: Option<&str>, options: &Options<'_>, palette: Palette) -> Option<String> {
    let event = seen.event()?;
    let is_of = |label: &str| seen.broker == label || seen.to.iter().any(|route| route.target == label);
    if !component.is_none_or(is_of)
        || !options.event_type.is_none_or(|wanted| is_like(event.event_type(), wanted))
    {
        return None;
    }
    if options.format == Format::Json {
        return serde_json::to_string(seen).ok().map(|line| line + "\n");
    }
    let name = |text: &str| Visible::line(text, NAME_BYTES);
    let routes: Vec<String> =
        seen.to.iter().map(|route| format!("{} ({})", name(&route.target), name(&route.trigger))).collect();
    let to = if routes.is_empty() { palette.warn("nobody") } else { routes.join(", ") };
    let block = Look::new(palette.is_on(), SHOWN_BYTES).block(&event, &clock());
    Some(format!("{} → {to}\n{block}", name(&seen.broker)))
}

fn is_like(event_type: &str, wanted: &str) -> bool {
    match wanted.strip_suffix('*') {
        Some(start) => event_type.starts_with(start),
        None => event_type == wanted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::Route;

    fn options<'a>(event_type: Option<&'a str>, format: Format) -> Options<'a> {
        Options { component: None, event_type, bridge: None, format }
    }

    #[test]
    fn events_are_chosen_by_type_and_component() {
        let event = r#"{"specversion":"1.0","id":"1","source":"s","type":"com.example.a"}"#;
        let event = serde_json::value::RawValue::from_string(event.to_owned()).unwrap();
        let to = vec![Route { trigger: "all".to_owned(), target: "out".to_owned() }];
        let seen = Seen { broker: "default".to_owned(), to, event };
        let text = |component, event_type| {
            shown(&seen, component, &options(event_type, Format::Text), Palette::plain())
        };
        assert!(text(None, None).unwrap().starts_with("default → out (all)\n"));
        assert!(text(Some("out"), Some("com.example.*")).is_some());
        assert!(text(Some("default"), Some("com.example.a")).is_some());
        assert!(text(Some("other"), None).is_none());
        assert!(text(None, Some("com.example")).is_none());
        let json = shown(&seen, None, &options(None, Format::Json), Palette::plain()).unwrap();
        assert!(
            json.starts_with(r#"{"broker":"default","to":[{"trigger":"all","target":"out"}],"event":{"#),
            "{json}"
        );
    }
}
