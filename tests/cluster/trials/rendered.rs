//! What `trestle render` writes of a bridge: applied as it is, on plain Kubernetes and with Knative.

use std::process::Command;

use kit::{Failure, Request, ensure};

use crate::kubectl::{Way, kubectl};
use crate::place::{Place, ask, event};
use crate::setup;

/// The bridge, and the types of events that come to its display.
const BRIDGE: &str = "examples/quickstart.yaml";
const HOOK: &str = "com.example.hook";
const PING: &str = "dev.knative.sources.ping";

/// The same events come to the display, whichever is used.
pub fn passes() -> Result<(), Failure> {
    for (to, waited) in [
        ("kubernetes", &["deployments"][..]),
        ("knative", &["deployments", "brokers", "triggers", "sinkbindings"]),
    ] {
        passes_on(to, waited).map_err(|failure| format!("{to}: {failure}"))?;
    }
    Ok(())
}

fn passes_on(to: &str, waited: &[&str]) -> Result<(), Failure> {
    let place = Place::new(to)?;
    let (registry, tag, _) = setup::registry();
    let mut render = Command::new(kit::process::binaries().join("trestle"));
    render.arg("render").arg(setup::root().join(BRIDGE)).args(["--to", to, "--namespace", &place.name]);
    render.args(["--image-prefix", &registry, "--tag", &tag]);
    let output = render.output().map_err(|error| format!("{render:?}: {error}"))?;
    ensure(output.status.success(), || format!("{render:?}: {}", String::from_utf8_lossy(&output.stderr)))?;
    let manifest = String::from_utf8_lossy(&output.stdout);
    kubectl(&["apply", "--server-side", "--validate=strict", "--filename", "-"], &manifest)?;
    for kind in waited {
        place.wait(kind, if *kind == "deployments" { "Available" } else { "Ready" })?;
    }
    let hooks = "webhooksource-hooks";
    place.kubectl(&["rollout", "status", &format!("deployment/{hooks}"), "--timeout", "120s"])?;
    let way = Way::forward(&place.name, hooks, 8080)?;
    let answer = ask(&way, &Request::post("/").body("application/json", "{}"))?;
    ensure(answer.status == 204, || format!("{}: {}\n{}", answer.status, answer.text(), place.said()))?;
    let display = Way::forward(&place.name, "displaytarget-display", 8080)?;
    for name in [HOOK, PING] {
        event(&place, &display, name, |event| event["type"] == name)?;
    }
    Ok(())
}
