//! Events into a running bridge.

use std::io::Write as _;
use std::process::Stdio;

use kit::{Failure, Folder, ensure};
use nix::sys::signal::Signal;

use crate::Named;
use crate::up::{Up, quickstart, replace};

pub const TRIALS: &[Named] = &[
    ("flags make an event, and the only broker takes it", flags),
    ("files with one event and with several, and standard input", files),
    ("a transformation's reply is printed", reply),
    ("what is not accepted is a failure", refused),
    ("a bridge that is not there, or was killed, is told", gone),
    ("two bridges are told apart", two),
];

/// The quickstart, whose display shows everything.
fn open() -> Result<Up, Failure> {
    let text = quickstart()?;
    let (start, rest) = text.split_once("  filters:").ok_or("no filters")?;
    let (_, end) = rest.split_once("  target:").ok_or("no target")?;
    Up::ready(&format!("{start}  target:{end}"))
}

fn flags() -> Result<(), Failure> {
    let mut up = open()?;
    let arguments = ["send", "--type", "a.b", "--source", "/me", "--id", "7", "--subject", "s\u{1b}[2J"];
    let (text, is_good) =
        up.run(&[&arguments[..], &["--extension", "team=blue", "--data", "[4711]"]].concat())?;
    ensure(!is_good && text.contains("subject"), || text)?;
    let arguments = ["send", "--type", "a.b", "--source", "/me", "--id", "7", "--subject", "s"];
    let (text, is_good) =
        up.run(&[&arguments[..], &["--extension", "team=blue", "--data", "[4711]"]].concat())?;
    ensure(is_good && text.starts_with("a.b 7 to http://127.0.0.1:") && text.contains("200 OK"), || text)?;
    for expected in ["a.b  /me  7", "application/json", "team", "blue", "4711"] {
        up.wait_for(expected, 0)?;
    }
    Ok(())
}

fn files() -> Result<(), Failure> {
    let mut up = open()?;
    let event = |id: &str| {
        format!(r#"{{"specversion":"1.0","id":"{id}","source":"/f","type":"of.file","data":{{}}}}"#)
    };
    let folder = Folder::new()?;
    let file = folder.file("events.json", &event("one"))?;
    ensure(up.run(&["send", "--to", "default", "--file", &file])?.1, || "one event".to_owned())?;
    up.wait_for("of.file  /f  one", 0)?;
    folder.file("events.json", &format!("[{}, {}]", event("two"), event("three")))?;
    let (text, is_good) =
        up.run(&["send", "--to", "MemoryBroker/default", "--file", &file, "--type", "flagged"])?;
    ensure(is_good && text.lines().count() == 2, || text)?;
    up.wait_for("flagged  /f  two", 0)?;
    up.wait_for("flagged  /f  three", 0)?;
    let mut command = up.command();
    command.args(["send", "--type", "from.stdin"]).stdin(Stdio::piped()).stdout(Stdio::null());
    let mut child = command.spawn().map_err(|error| format!("trestle: {error}"))?;
    let written = child.stdin.take().map(|mut stdin| stdin.write_all(b"plain text, 4713"));
    ensure(matches!(written, Some(Ok(()))), || "standard input".to_owned())?;
    let status = child.wait().map_err(|error| format!("trestle: {error}"))?;
    ensure(status.success(), || format!("{status}"))?;
    up.wait_for("from.stdin", 0)?;
    up.wait_for("plain text, 4713", 0)?;
    Ok(())
}

fn reply() -> Result<(), Failure> {
    let transformation = "---\napiVersion: flow.triggermesh.io/v1alpha1\nkind: Transformation\nmetadata: {name: t}\n\
        spec: {data: [{operation: add, paths: [{key: added, value: yes-4714}]}]}\n";
    let up = Up::ready(&(quickstart()? + transformation))?;
    let (text, is_good) = up.run(&["send", "--to", "t", "--type", "x.y", "--data", "{}"])?;
    ensure(is_good && text.contains("200 OK") && text.contains("\"added\": \"yes-4714\""), || text)
}

fn refused() -> Result<(), Failure> {
    let up = Up::ready(&quickstart()?)?;
    for (arguments, expected) in [
        (["--to", "nobody"], "no component 'nobody'"),
        (["--to", "ping"], "takes no events"),
        (["--url", "http://127.0.0.1:9/"], "connection failed"),
        (["--url", "nowhere"], "no absolute http or https URL"),
        (["--bridge", "other"], "no bridge 'other'"),
    ] {
        let (text, is_good) = up.run(&[&["send", "--data", "x"][..], &arguments].concat())?;
        ensure(!is_good && text.contains(expected), || format!("no {expected:?} in:\n{text}"))?;
    }
    let health = format!("http://{}/healthz", up.address("display")?);
    let (text, is_good) = up.run(&["send", "--url", &health, "--data", "x"])?;
    ensure(!is_good && text.contains("to http://127.0.0.1:"), || text)
}

fn gone() -> Result<(), Failure> {
    let mut up = Up::ready(&quickstart()?)?;
    up.signal(Signal::SIGKILL)?;
    up.ended()?;
    let (text, is_good) = up.run(&["send", "--data", "x"])?;
    ensure(!is_good && text.contains("no bridge runs here"), || text)?;
    let sockets = up.left_over().into_iter().flat_map(std::fs::read_dir).flatten().flatten();
    let left: Vec<_> = sockets
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|e| e == "sock"))
        .collect();
    ensure(left.is_empty(), || format!("left over: {left:?}"))
}

fn two() -> Result<(), Failure> {
    let up = Up::ready(&quickstart()?)?;
    let manifest = replace(&quickstart()?, "name: hooks", "name: doors")?;
    let mut other = Up::start_with(up.command(), &manifest, &["--no-build"])?;
    other.wait_for("all components are ready", 0)?;
    ensure(up.run(&["send", "--to", "doors", "--data", "{}"])?.1, || "what only one of them has".to_owned())?;
    other.wait_for("com.example.hook", 0)?;
    for arguments in [["send", "--to", "display"], ["watch", "--type", "x"]] {
        let (text, is_good) = up.run(&arguments)?;
        ensure(!is_good && text.contains("several bridges run here; choose one with --bridge"), || text)?;
    }
    let pid = other.pid().to_string();
    ensure(up.run(&["send", "--bridge", &pid, "--to", "display", "--type", "chosen"])?.1, || pid.clone())?;
    other.wait_for("chosen", 0)?;
    ensure(!up.screen().contains("chosen"), || up.screen())
}
