//! Names of what is written: objects, addresses, images.

use crate::bridge::{Component, Destination, Id};

/// The longest name of a Service (RFC 1035), and the longest value of a label.
const LONGEST: usize = 63;

/// Where events are taken unless the manifest says otherwise.
pub const PORT: u16 = 8080;

/// The objects of a component are called `<kind>-<name>`, as those of the old controller.
pub fn of_component(id: &Id) -> String {
    label(&format!("{}-{}", id.kind.to_lowercase(), id.name))
}

/// The text as a DNS label; one that had to be changed ends with a digest of the whole, so that no two become one.
pub fn label(text: &str) -> String {
    let keep = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let safe: String = text.chars().map(keep).collect();
    let begins = safe.starts_with(|c: char| c.is_ascii_alphabetic());
    if safe == text && begins && safe.len() <= LONGEST && !safe.ends_with('-') {
        return safe;
    }
    // FNV-1a: the same in every build.
    let digest =
        text.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    let begin = if begins { "" } else { "x" };
    let kept: String = safe.chars().take(LONGEST - 10).collect();
    format!("{begin}{}-{digest:08x}", kept.trim_matches('-'))
}

/// Where a component answers within a cluster.
pub fn in_cluster(component: &Component, path: &str) -> String {
    let (name, namespace) = (of_component(&component.id), &component.id.namespace);
    let port = match service_port(component) {
        80 => String::new(),
        port => format!(":{port}"),
    };
    format!("http://{name}.{namespace}.svc.cluster.local{port}{path}")
}

/// The port of its Service.
pub fn service_port(component: &Component) -> u64 {
    component.cluster.fields.get("broker.port").and_then(serde_json::Value::as_u64).unwrap_or(80)
}

/// Whether it is a URL with a password in it.
pub fn has_password(text: &str) -> bool {
    let authority = text.split_once("://").and_then(|(_, rest)| rest.split(['/', '?', '#']).next());
    authority.and_then(|authority| authority.rsplit_once('@')).is_some_and(|(user, _)| user.contains(':'))
}

/// The destinations a component sends to.
pub fn destinations(component: &Component) -> impl Iterator<Item = &Destination> {
    let addresses = component.environment.values().filter_map(|setting| match setting {
        crate::bridge::Setting::Address(destination) => Some(destination),
        _ => None,
    });
    let of_triggers =
        component.triggers.iter().flat_map(|trigger| trigger.target.iter().chain(&trigger.dead_letter));
    addresses.chain(of_triggers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_labels_and_stay_distinct() {
        assert_eq!(label("webhooksource-hooks"), "webhooksource-hooks");
        let long = "x".repeat(70);
        let names =
            [label(&long), label(&format!("{long}x")), label("a.b"), label("a-b"), label("A-b"), label("-")];
        for name in &names {
            let valid = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            assert!(name.len() <= 63 && name.chars().all(valid), "{name}");
            assert!(name.starts_with(|c: char| c.is_ascii_lowercase()) && !name.ends_with('-'), "{name}");
        }
        let distinct: std::collections::BTreeSet<&String> = names.iter().collect();
        assert_eq!(distinct.len(), names.len(), "{names:?}");
    }

    #[test]
    fn passwords_in_addresses_are_seen() {
        for text in ["https://user:word@example.com", "amqp://a:b@h/p?q", "http://a:@h"] {
            assert!(has_password(text), "{text}");
        }
        for text in ["https://user@example.com", "https://example.com/a:b@c", "a:b@c", "{\"a\": \"b@c\"}", ""]
        {
            assert!(!has_password(text), "{text}");
        }
    }
}
