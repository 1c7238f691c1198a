//! The values of variables: what is accepted is shown in a form that is accepted too and means the same.

use std::fmt::{Debug, Display};

use common::config::{Duration, Flag, Json, List, Pairs, Parse, Pem, Url};
use serde_json::Value;

use crate::{is_message, parts};

/// Reads a text as each kind of value.
pub fn config(data: &[u8]) {
    let Some((text, _)) = parts(data) else { return };
    stable::<Flag>(text);
    if let Some(Pairs(pairs)) = stable(text) {
        assert!(pairs.len() <= text.matches(',').count() + 1);
        assert!(
            pairs
                .iter()
                .all(|(name, _)| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic()))
        );
    }
    if let Some(List(items)) = stable(text) {
        assert!(items.iter().all(|item| !item.is_empty() && item.trim() == item && !item.contains(',')));
    }
    if let Some(url) = stable::<Url>(text) {
        let uri = url.to_uri();
        assert!(matches!(uri.scheme_str(), Some("http" | "https")), "{url} is {uri}");
        assert_eq!((uri.host(), uri.port_u16()), (url.host_str(), url.port()), "{url}");
        assert!(url.username().is_empty() && url.password().is_none());
    }
    if let Some(duration) = read::<Duration>(text) {
        // Shown in milliseconds, and read again as a fraction of seconds.
        let shown = duration.to_string();
        let again = read::<Duration>(&shown).unwrap_or_else(|| panic!("{shown:?} is refused"));
        assert!(duration.abs_diff(*again).as_millis() <= 1, "{text:?} is {shown}, which is {again}");
    }
    read::<Pem>(text);
    read::<Json<Value>>(text);
}

/// What a text means; of a refusal, that it is a message and quotes nothing: it may be a secret.
fn read<T: Parse>(text: &str) -> Option<T> {
    T::parse(text).map_err(|error| is_message(&error, 200)).ok()
}

fn stable<T: Parse + Display + PartialEq + Debug>(text: &str) -> Option<T> {
    let value = read::<T>(text)?;
    let shown = value.to_string();
    assert!(shown.len() <= 16 * text.len() + 64, "{} bytes of {}", shown.len(), text.len());
    assert_eq!(T::parse(&shown).as_ref(), Ok(&value), "{text:?} is shown as {shown:?}");
    Some(value)
}
