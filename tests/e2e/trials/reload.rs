//! Edits of the manifest while the bridge runs.

use kit::{Failure, Request, ensure};

use crate::Named;
use crate::up::{Up, gone, quickstart};

pub const TRIALS: &[Named] = &[
    ("changed triggers reach the broker without a restart", triggers),
    ("a changed setting restarts its component only", setting),
    ("components come and go", come_and_go),
    ("a wrong configuration stops its component only, until it is mended", misconfigured),
    ("a broken manifest keeps the bridge running", broken),
];

fn triggers() -> Result<(), Failure> {
    let mut up = Up::ready(&quickstart()?)?;
    let before = up.all();
    up.wait_for("dev.knative.sources.ping", 0)?;
    let mark = up.mark();
    up.edit("type: dev.knative.sources.ping", "type: nothing.like.it")?;
    up.wait_for("has new triggers", mark)?;
    // The broker follows its document on its own: the webhook's event tells that it has taken the new one.
    up.edit("- exact:\n            type: com.example.hook", "- exact:\n            type: com.example.other")?;
    let hook = up.address("hooks")?;
    kit::eventually("an event that is filtered out", || {
        let mark = up.mark();
        Request::post("/").json(&serde_json::json!({"at": mark})).send(hook).ok()?;
        let shown = kit::within(std::time::Duration::from_secs(1), "", || {
            up.screen().get(mark..)?.contains("com.example.hook").then_some(())
        });
        shown.is_err().then_some(())
    })?;
    ensure(same(&before, &up.all()), || format!("processes before {before:?}, after {:?}", up.all()))
}

fn setting() -> Result<(), Failure> {
    let mut up = Up::ready(&quickstart()?)?;
    let (hook, broker) = (up.process("webhook-source")?, up.process("memory-broker")?);
    let address = up.address("hooks")?;
    let mark = up.mark();
    up.edit("- exact:\n            type: com.example.hook", "- exact:\n            type: com.example.new")?;
    up.edit("eventType: com.example.hook", "eventType: com.example.new")?;
    up.wait_for("all components are ready", mark)?;
    ensure(up.process("webhook-source")? != hook, || "the webhook source was not restarted".to_owned())?;
    ensure(up.process("memory-broker")? == broker, || "the broker was restarted".to_owned())?;
    // A busy broker may take the new triggers a moment later.
    kit::eventually("an event of the new type", || {
        Request::post("/").json(&serde_json::json!({})).send(address).ok()?;
        kit::within(std::time::Duration::from_secs(1), "", || {
            up.screen().get(mark..)?.contains("com.example.new").then_some(())
        })
        .ok()
    })
}

fn come_and_go() -> Result<(), Failure> {
    let mut up = Up::ready(&quickstart()?)?;
    let ping = up.all().into_iter().filter(|(_, name)| name == "ping-source").collect::<Vec<_>>();
    let mark = up.mark();
    up.edit("name: ping\n", "name: pong\n")?;
    up.wait_for("ping stopped", mark)?;
    up.wait_for("all components are ready", mark)?;
    gone(&ping)?;
    up.address("pong")?;
    ensure(up.all().len() == 4, || format!("{:?}", up.all()))
}

fn misconfigured() -> Result<(), Failure> {
    let mut up = Up::ready(&quickstart()?)?;
    let (broker, mark) = (up.process("memory-broker")?, up.mark());
    // Only the source itself knows how to read a schedule.
    up.edit("* * * * * *", "every second")?;
    up.wait_for("ended with 78", mark)?;
    ensure(up.processes("ping-source").is_empty(), || "the source runs".to_owned())?;
    ensure(up.process("memory-broker")? == broker, || "the broker was restarted".to_owned())?;
    let mark = up.mark();
    up.edit("every second", "* * * * * *")?;
    up.wait_for("all components are ready", mark)?;
    up.wait_for("dev.knative.sources.ping", mark)?;
    Ok(())
}

fn broken() -> Result<(), Failure> {
    let mut up = Up::ready(&quickstart()?)?;
    let before = up.all();
    let mark = up.mark();
    up.edit("kind: PingSource", "kind: PongSource")?;
    up.wait_for("unknown kind 'PongSource'; did you mean 'PingSource'?", mark)?;
    up.wait_for("the bridge runs on as it was", mark)?;
    up.wait_for("dev.knative.sources.ping", up.mark())?;
    let mark = up.mark();
    up.edit("kind: PongSource", "kind: PingSource")?;
    up.wait_for("has changed", mark)?;
    up.wait_for("dev.knative.sources.ping", up.mark())?;
    ensure(same(&before, &up.all()), || format!("processes before {before:?}, after {:?}", up.all()))
}

fn same(before: &[(nix::unistd::Pid, String)], after: &[(nix::unistd::Pid, String)]) -> bool {
    before.len() == after.len() && before.iter().all(|process| after.contains(process))
}
