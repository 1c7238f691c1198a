//! Has the engine of XSLT compile stylesheets, so that what passes here is what the adapter takes.

use std::collections::BTreeMap;

use ::xslt::Stylesheet;

use super::mistake::Mistakes;
use super::node::Node;
use crate::bridge::Setting;

/// The adapter that runs stylesheets.
pub const XSLT: &str = "xslt-transformation";

/// Adds the mistake in the stylesheet of a `spec`, wherever it stands, or that there is none; that of any other adapter is
/// none of its business.
pub fn check(adapter: &str, spec: &Node, environment: &BTreeMap<String, Setting>, mistakes: &mut Mistakes) {
    if adapter != XSLT {
        return;
    }
    let stylesheet = environment.get("XSLTTRANSFORMATION_XSLT");
    let Some(node) = spec.get("xslt") else {
        let allowed = environment.get("XSLTTRANSFORMATION_ALLOW_XSLT_OVERRIDE").and_then(Setting::text);
        if allowed != Some("true") && stylesheet.is_none() {
            let message =
                "'spec.xslt' is missing, and 'spec.allowPerEventXSLT' does not let events bring their own";
            mistakes.add(spec.at, message);
        }
        return;
    };
    // One that is known in the cluster alone is told there.
    let Some(text) = stylesheet.and_then(Setting::text) else { return };
    let Err(mistake) = Stylesheet::compile(text.as_bytes()) else { return };
    let value = node.get("value").unwrap_or(node);
    let own = value.text().filter(|own| *own == text);
    let place = own.and_then(|_| value.place(mistake.line as usize, mistake.column as usize));
    let (at, prefix) = match place {
        Some(at) => (at, String::new()),
        None => (value.at, format!("line {}, column {}: ", mistake.line, mistake.column)),
    };
    mistakes.add(at, format!("'spec.xslt': {prefix}{}", mistake.message));
}
