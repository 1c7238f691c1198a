//! The manifest reader, with the catalogue that the command carries.

use std::sync::LazyLock;

use trestle::{
    bridge::Setting,
    catalogue::{Catalogue, EMBEDDED},
    manifest::{Platform, Severity, read, read_for},
};

use crate::{is_message, parts};

/// What every variable of the environment holds: secrets may be there, and must not be seen.
const CANARY: &str = "hunter2-canary";

/// Reads a manifest; a bridge or mistakes come of it, and no secret comes out.
pub fn manifest(data: &[u8]) {
    static CATALOGUE: LazyLock<Option<Catalogue>> = LazyLock::new(|| Catalogue::parse(EMBEDDED).ok());
    let Some((text, _)) = parts(data) else { return };
    let Some(catalogue) = &*CATALOGUE else { panic!("the embedded catalogue is malformed") };
    let reading = read(text, catalogue, &|_| Some(CANARY.to_owned()));

    // A carriage return is a line break of YAML too, and the end of the text may count as a line of its own.
    let lines = text.matches(['\n', '\r']).count() + 2;
    let mut errors = 0;
    for mistake in &reading.mistakes {
        errors += usize::from(mistake.severity == Severity::Error);
        assert!(mistake.at.line <= lines, "line {} of {lines}", mistake.at.line);
        assert!(mistake.at.line == 0 || (1..=text.len() + 2).contains(&mistake.at.column), "{mistake:?}");
        // A message repeats names, which are escaped.
        is_message(&mistake.render("b.yaml"), 1000 + 12 * text.len());
        assert!(text.contains(CANARY) || !mistake.message.contains(CANARY), "{mistake:?}");
    }
    assert!(reading.mistakes.is_sorted(), "{:?}", reading.mistakes);
    assert_eq!(reading.bridge.is_none(), errors > 0, "{:?}", reading.mistakes);

    for platform in [Platform::Compose, Platform::Kubernetes, Platform::Knative] {
        let elsewhere = read_for(platform, "n", text, catalogue);
        let errors = elsewhere.mistakes.iter().filter(|mistake| mistake.severity == Severity::Error).count();
        assert_eq!(elsewhere.bridge.is_none(), errors > 0, "{:?}", elsewhere.mistakes);
        // What a cluster or whoever starts Compose has is not missing.
        assert!(errors <= reading.mistakes.len() || reading.bridge.is_none(), "{:?}", elsewhere.mistakes);
    }

    let Some(bridge) = reading.bridge else { return };
    assert!(!bridge.components.is_empty());
    assert!(text.contains(CANARY) || !format!("{bridge:?}").contains(CANARY), "a secret in the debug form");
    let mut labels: Vec<&str> = bridge.components.iter().map(|component| component.label.as_str()).collect();
    labels.sort_unstable();
    assert!(labels.windows(2).all(|pair| pair[0] != pair[1]), "{labels:?}");
    for component in &bridge.components {
        assert!(
            catalogue.adapters.iter().any(|adapter| adapter.name == component.adapter),
            "{}",
            component.adapter
        );
        for (name, setting) in &component.environment {
            let hidden = matches!(setting, Setting::Secret(_) | Setting::SecretFile(_));
            assert!(
                hidden || text.contains(CANARY) || !format!("{setting:?}").contains(CANARY),
                "{name}: {setting:?}"
            );
        }
    }
    let again = read(text, catalogue, &|_| Some(CANARY.to_owned()));
    assert_eq!((Some(bridge), reading.mistakes), (again.bridge, again.mistakes));
}
