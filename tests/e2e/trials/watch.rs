//! Events as they pass, seen from outside.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use kit::{Failure, Request, ensure, eventually};

use crate::Named;
use crate::up::{Up, quickstart};

pub const TRIALS: &[Named] = &[
    ("every event of a broker is seen with where it goes, as long as somebody watches", seen),
    ("by type and by component", chosen),
    ("the end of the bridge is the end", ended),
    ("an edit while somebody watches", edited),
];

/// A running `trestle watch`; dropped, it is killed.
pub struct Watching {
    child: Child,
    lines: Receiver<String>,
}

impl Watching {
    /// Starts it and waits until it sees all.
    pub fn start(up: &Up, arguments: &[&str]) -> Result<Watching, Failure> {
        let mut command = up.command();
        command.arg("watch").args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|error| format!("trestle watch: {error}"))?;
        let (sender, lines) = channel();
        let stderr = child.stderr.take().ok_or("no standard error")?;
        let mut first = String::new();
        BufReader::new(stderr).read_line(&mut first).map_err(|error| format!("trestle watch: {error}"))?;
        ensure(first.starts_with("watching"), || first.clone())?;
        let stdout = child.stdout.take().ok_or("no standard output")?;
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        Ok(Watching { child, lines })
    }

    /// Waits for a line with this text.
    pub fn line(&self, text: &str) -> Result<String, Failure> {
        let mut seen = Vec::new();
        let found = eventually("a line of trestle watch", || {
            let line = self.lines.try_recv().ok()?;
            seen.push(line.clone());
            line.contains(text).then_some(line)
        });
        found.map_err(|why| format!("{why}: {text}, only {seen:#?}"))
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn hook(up: &Up, data: &str) -> Result<(), Failure> {
    let answer = Request::post("/").json(&serde_json::json!({ "mark": data })).send(up.address("hooks")?);
    answer.map(drop).map_err(|error| format!("the webhook: {error}"))
}

fn seen() -> Result<(), Failure> {
    let mut up = Up::ready(&quickstart()?)?;
    let (mark, watching) = (up.mark(), Watching::start(&up, &[])?);
    up.wait_for("document is in force triggers=2", mark)?;
    hook(&up, "4711")?;
    watching.line("default → display (show)")?;
    watching.line("4711")?;
    let nobody = Watching::start(&up, &["--type", "unwanted"])?;
    ensure(up.run(&["send", "--type", "unwanted"])?.1, || "send".to_owned())?;
    nobody.line("default → nobody")?;
    drop(nobody);
    let mark = up.mark();
    drop(watching);
    up.wait_for("document is in force triggers=1", mark)?;
    Ok(())
}

fn chosen() -> Result<(), Failure> {
    let up = Up::ready(&quickstart()?)?;
    let watching =
        Watching::start(&up, &["--type", "com.example.*", "--component", "display", "--output", "json"])?;
    hook(&up, "4712")?;
    let line = watching.line("4712")?;
    let seen: serde_json::Value = serde_json::from_str(&line).map_err(|error| format!("{error}: {line}"))?;
    ensure(seen["event"]["type"] == "com.example.hook" && seen["to"][0]["target"] == "display", || line)?;
    let rest: Vec<String> = watching.lines.try_iter().collect();
    ensure(rest.iter().all(|line| !line.contains("dev.knative")), || format!("{rest:?}"))?;
    for (name, expected) in [("nobody", "no component 'nobody'"), ("ping", "is a source")] {
        let (text, is_good) = up.run(&["watch", "--component", name])?;
        ensure(!is_good && text.contains(expected), || text)?;
    }
    Ok(())
}

fn ended() -> Result<(), Failure> {
    let mut up = Up::ready(&quickstart()?)?;
    let mut watching = Watching::start(&up, &[])?;
    up.signal(nix::sys::signal::Signal::SIGTERM)?;
    up.ended()?;
    let status = eventually("the end of trestle watch", || watching.child.try_wait().ok().flatten())?;
    ensure(status.success(), || format!("{status}"))?;
    ensure(up.left_over().is_empty(), || format!("left over: {:?}", up.left_over()))
}

fn edited() -> Result<(), Failure> {
    let mut up = Up::ready(&quickstart()?)?;
    let watching = Watching::start(&up, &[])?;
    let mark = up.mark();
    up.edit("name: show", "name: others")?;
    up.wait_for("has new triggers", mark)?;
    watching.line("default → display (others)")?;
    Ok(())
}
