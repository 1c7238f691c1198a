//! What the command says: mistakes, the list, the descriptions.

use std::process::Output;

use kit::{Failure, Folder, ensure};

use crate::Named;
use crate::up::{Up, quickstart, replace, root, trestle};

pub const TRIALS: &[Named] = &[
    ("all mistakes of a manifest are printed and nothing starts", mistakes),
    ("a file that is not there", no_file),
    ("list shows the adapters of the quickstart", list),
    ("describe takes an adapter and a kind", describe),
    ("describe suggests", describe_unknown),
    ("lint finds everything, as text and as JSON", lint),
    ("test runs what stands beside a bridge, without network and processes", test),
];

fn run(arguments: &[&str]) -> Result<(String, Output), Failure> {
    let output =
        trestle().args(arguments).output().map_err(|error| format!("cannot run trestle: {error}"))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok((text(&output.stdout) + &text(&output.stderr), output))
}

fn mistakes() -> Result<(), Failure> {
    let manifest = replace(&quickstart()?, "kind: PingSource", "kind: PinSource")?;
    let manifest = replace(&manifest, "eventType:", "eventTyp:")?;
    let mut up = Up::start(&manifest)?;
    let status = up.ended()?;
    ensure(status.code() == Some(1), || format!("{status}"))?;
    up.wait_for("bridge.yaml:19:7: unknown kind 'PinSource'; did you mean 'PingSource'?", 0)?;
    up.wait_for(":3: unknown field 'spec.eventTyp'; did you mean 'spec.eventType'?", 0)?;
    up.wait_for("needs 'spec.eventType'", 0)?;
    Ok(())
}

fn lint() -> Result<(), Failure> {
    let folder = Folder::new()?;
    let manifest = replace(&quickstart()?, "kind: PingSource", "kind: PinSource")?;
    let manifest =
        replace(&manifest, "- exact:\n            type: com.example.hook", "- cesql: type = = 'a'")?;
    let file = folder.file("bridge.yaml", &manifest)?;
    let (text, output) = run(&["lint", &file])?;
    ensure(output.status.code() == Some(1) && text.lines().count() == 3, || text.clone())?;
    for expected in
        ["yaml:19:7: unknown kind 'PinSource'; did you mean", "cesql': expected a value", "2 mistakes"]
    {
        ensure(text.contains(expected), || format!("no {expected} in:\n{text}"))?;
    }
    let (text, _) = run(&["lint", "--output", "json", &file])?;
    let list: serde_json::Value =
        serde_json::from_str(&text).map_err(|error| format!("{error} in:\n{text}"))?;
    ensure(list[0]["line"] == 19 && list[0]["severity"] == "error" && list[0]["file"] == file, || text)?;
    let (text, output) = run(&["lint", "examples/quickstart.yaml", "/nowhere/bridge.yaml"])?;
    ensure(output.status.code() == Some(1) && text.contains("/nowhere/bridge.yaml: cannot be read"), || text)
}

fn test() -> Result<(), Failure> {
    let (text, output) = run(&["test", "examples/quickstart.yaml"])?;
    ensure(output.status.success() && text.ends_with("2 passed, 0 failed\n"), || text)?;
    let folder = Folder::new()?;
    folder.file("a.yaml", &quickstart()?)?;
    let tests = std::fs::read_to_string(root().join("examples/quickstart.test.yaml"));
    let tests = tests.map_err(|error| format!("the tests of the quickstart: {error}"))?;
    folder.file(
        "a.test.yaml",
        &replace(&tests, "event: {data: {message: hello}}", "event: {data: {message: bye}}")?,
    )?;
    folder.file("b.test.yaml", "tests: [{nam: x}]")?;
    let (text, output) = run(&["test", &folder.path().display().to_string()])?;
    ensure(output.status.code() == Some(1) && text.ends_with("1 passed, 2 failed\n"), || text.clone())?;
    ensure(text.contains("- data.message: \"bye\"\n      + data.message: \"hello\""), || text.clone())?;
    ensure(text.contains("b.test.yaml: the bridge"), || text)?;
    let (text, output) = run(&["test", "platform/cli/tests/fixtures/up.yaml"])?;
    ensure(output.status.code() == Some(1) && text.contains("no tests; they would be in"), || text)
}

fn no_file() -> Result<(), Failure> {
    let (text, output) = run(&["up", "/nowhere/bridge.yaml"])?;
    ensure(output.status.code() == Some(1) && text.contains("cannot read /nowhere/bridge.yaml"), || text)
}

fn list() -> Result<(), Failure> {
    let (text, output) = run(&["list"])?;
    ensure(output.status.success(), || text.clone())?;
    for expected in ["webhook-source", "PingSource", "DisplayTarget", "MemoryBroker", "ADAPTER"] {
        ensure(text.contains(expected), || format!("no {expected} in:\n{text}"))?;
    }
    let (text, _) = run(&["list", "--output", "json"])?;
    let list: serde_json::Value =
        serde_json::from_str(&text).map_err(|error| format!("{error} in:\n{text}"))?;
    let is_list = list.as_array().is_some_and(|list| list.iter().all(|entry| entry["name"].is_string()));
    ensure(is_list, || text)
}

fn describe() -> Result<(), Failure> {
    let (by_name, _) = run(&["describe", "webhook-source"])?;
    let (by_kind, _) = run(&["describe", "WebhookSource"])?;
    ensure(by_name == by_kind, || format!("{by_name}\nis not\n{by_kind}"))?;
    for expected in ["spec.eventType", "WEBHOOK_EVENT_TYPE", "required", "webhooksource-adapter", "spec.sink"]
    {
        ensure(by_name.contains(expected), || format!("no {expected} in:\n{by_name}"))?;
    }
    let (trigger, _) = run(&["describe", "Trigger"])?;
    ensure(trigger.contains("spec.filters[].exact"), || trigger)?;
    let (text, _) = run(&["describe", "webhook-source", "--output", "json"])?;
    let one: serde_json::Value =
        serde_json::from_str(&text).map_err(|error| format!("{error} in:\n{text}"))?;
    ensure(one["name"] == "webhook-source" && one["config"]["properties"].is_object(), || text)
}

fn describe_unknown() -> Result<(), Failure> {
    let (text, output) = run(&["describe", "webhok-source"])?;
    ensure(output.status.code() == Some(1) && text.contains("did you mean 'webhook-source'?"), || text)
}
