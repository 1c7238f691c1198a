//! A bridge that runs: events arrive, and what dies comes back.

use std::fs;
use std::path::Path;
use std::process::Command;

use kit::process::binaries;
use kit::{Failure, Folder, Reply, Request, Sink, ensure, eventually};
use nix::sys::signal::{Signal, kill};
use serde_json::json;

use crate::Named;
use crate::up::{Up, quickstart, replace, trestle};

pub const TRIALS: &[Named] = &[
    ("the quickstart shows events of the clock", clock),
    ("a request to the webhook appears on the screen", webhook),
    ("outside a checkout binaries are found on PATH", on_path),
    ("outside a checkout missing binaries are named", missing),
    ("a component that is late is told of when it is ready", late),
    ("a killed component is started again at its address", killed),
    ("a wrong configuration ends everything with 78", misconfigured),
    ("a secret of the file reaches its component and never the screen", secret),
];

fn clock() -> Result<(), Failure> {
    // As the README has it: in a checkout, which builds what the bridge needs.
    let mut up = Up::start_with(trestle(), &quickstart()?, &[])?;
    up.wait_for("all components are ready", 0)?;
    up.wait_for("dev.knative.sources.ping", 0)?;
    up.wait_for("Hello from the quickstart", 0)?;
    for label in ["ping", "hooks", "default", "display"] {
        ensure(up.address(label)?.ip().is_loopback(), || format!("{label} does not listen on loopback"))?;
    }
    Ok(())
}

fn webhook() -> Result<(), Failure> {
    let mut up = Up::ready(&quickstart()?)?;
    let request = Request::post("/").json(&json!({"order": "\u{1b}[31m4711"}));
    let response = request.send(up.address("hooks")?).map_err(|error| format!("the webhook: {error}"))?;
    ensure(response.is_success(), || format!("the webhook answered {}", response.status))?;
    up.wait_for("com.example.hook", 0)?;
    up.wait_for("4711", 0)?;
    ensure(!up.screen().contains('\u{1b}'), || "an escape sequence on the screen".to_owned())
}

/// What it needs comes when nobody waits for it any more.
fn late() -> Result<(), Failure> {
    let sqs = Sink::refusing()?;
    sqs.route(|request| {
        let action = request.headers.get("x-amz-target")?.trim_start_matches("AmazonSQS.");
        Some(Reply::json(&match action {
            "GetQueueUrl" => json!({"QueueUrl": "http://sqs/queue"}),
            "GetQueueAttributes" => json!({"Attributes": {"VisibilityTimeout": "30"}}),
            _ => json!({}),
        }))
    });
    let manifest =
        crate::examples::text("aws-sqs")?.replace("https://sqs.us-west-2.amazonaws.com", &sqs.url(""));
    let mut up = Up::start(&manifest)?;
    let line = up.wait_for("components are ready, after", 0)?;
    ensure(line.contains("3 of 5"), || line)?;
    let mark = up.mark();
    sqs.open()?;
    up.wait_for("all components are ready (5), in", mark)?;
    for label in ["orders", "uploads"] {
        let is_told = |line: &str| line.trim_start().starts_with(label) && line.contains(" ready in ");
        let screen = up.screen();
        ensure(screen[mark..].lines().any(is_told), || format!("nothing is told of {label}:\n{screen}"))?;
    }
    Ok(())
}

/// A copy of the command alone in a folder that is no checkout.
fn elsewhere(folder: &Folder, path: &Path) -> Result<Command, Failure> {
    let copy = folder.path().join("trestle");
    fs::copy(binaries().join("trestle"), &copy).map_err(|error| format!("cannot copy trestle: {error}"))?;
    let mut command = Command::new(copy);
    command.current_dir(folder.path()).env("PATH", path);
    Ok(command)
}

fn on_path() -> Result<(), Failure> {
    let folder = Folder::new()?;
    let mut up = Up::start_with(elsewhere(&folder, &binaries())?, &quickstart()?, &[])?;
    up.wait_for("all components are ready", 0)?;
    Ok(())
}

fn missing() -> Result<(), Failure> {
    let folder = Folder::new()?;
    let mut up = Up::start_with(elsewhere(&folder, folder.path())?, &quickstart()?, &[])?;
    let status = up.ended()?;
    ensure(status.code() == Some(1), || format!("{status}; the screen:\n{}", up.screen()))?;
    up.wait_for("missing: display-target, memory-broker, ping-source, webhook-source; looked beside", 0)?;
    Ok(())
}

fn killed() -> Result<(), Failure> {
    let mut up = Up::ready(&quickstart()?)?;
    let (before, address) = (up.process("webhook-source")?, up.address("hooks")?);
    let mark = up.mark();
    kill(before, Signal::SIGKILL).map_err(|error| format!("kill: {error}"))?;
    up.wait_for("ended by SIGKILL; starts again in 0.2 s", mark)?;
    let answers = || Request::get("/readyz").send(address).ok().filter(|response| response.status == 200);
    eventually("the component at its old address", answers)?;
    ensure(up.process("webhook-source")? != before, || "the same process".to_owned())
}

fn misconfigured() -> Result<(), Failure> {
    // Only the adapter itself can see that the key is missing.
    let overrides = "spec:\n  adapterOverrides: {env: [{name: TLS_CERT_FILE, value: /nowhere}]}\n  schedule:";
    let mut up = Up::start(&replace(&quickstart()?, "spec:\n  schedule:", overrides)?)?;
    let status = up.ended()?;
    ensure(status.code() == Some(78), || format!("{status}; the screen:\n{}", up.screen()))?;
    up.wait_for("    - TLS_KEY_FILE", 0)?;
    ensure(up.left_over().is_empty(), || format!("left over: {:?}", up.left_over()))
}

fn secret() -> Result<(), Failure> {
    let manifest = quickstart()?
        + "---\napiVersion: v1\nkind: Secret\nmetadata: {name: login}\nstringData: {password: correct-horse}\n";
    let secret = "basicAuthUsername: me\n  basicAuthPassword: {valueFromSecret: {name: login, key: password}}\n  eventType:";
    let up = Up::ready(&replace(&manifest, "eventType:", secret)?)?;
    let address = up.address("hooks")?;
    let post = || Request::post("/").json(&json!({}));
    let answer = |request: Request| request.send(address).map_err(|error| format!("the webhook: {error}"));
    let without = answer(post())?.status;
    ensure(without == 401, || format!("{without} without credentials"))?;
    let with = answer(post().header("Authorization", "Basic bWU6Y29ycmVjdC1ob3JzZQ=="))?.status;
    ensure(with < 300, || format!("{with} with credentials"))?;
    ensure(!up.screen().contains("correct-horse"), || "the secret is on the screen".to_owned())
}
