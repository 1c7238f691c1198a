//! The other side of the sockets: which bridges run, and which of them a user means.

use std::fs;
use std::io::{BufRead as _, BufReader, ErrorKind, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use super::{State, WATCH, folder};

/// A bridge that is stopped in the terminal does not answer; one on a busy machine does in the end.
const PATIENCE: Duration = Duration::from_secs(10);

/// A connection to a running bridge.
pub struct Bridge {
    pub state: State,
    stream: BufReader<UnixStream>,
}

impl Bridge {
    fn connect(socket: &Path) -> std::io::Result<Bridge> {
        let stream = UnixStream::connect(socket)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let mut stream = BufReader::new(stream);
        let mut line = String::new();
        stream.read_line(&mut line)?;
        Ok(Bridge { state: serde_json::from_str(&line)?, stream })
    }

    /// Asks for events: one line each from now on, however long it takes.
    pub fn watch(mut self) -> std::io::Result<BufReader<UnixStream>> {
        self.stream.get_mut().write_all(format!("{WATCH}\n").as_bytes())?;
        self.stream.get_ref().set_read_timeout(None)?;
        Ok(self.stream)
    }
}

/// The bridges of this user that run.
///
/// # Errors
/// When the folder is not to be trusted.
pub fn running() -> Result<Vec<Bridge>, String> {
    let folder = folder::folder();
    match folder::check(&folder) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error.to_string()),
    }
    let mut found = Vec::new();
    for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
        let path = entry.path();
        match Bridge::connect(&path) {
            Ok(bridge) => found.push(bridge),
            // Its process was killed.
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => drop(fs::remove_file(&path)),
            Err(_) => {}
        }
    }
    found.sort_by_key(|bridge| bridge.state.pid);
    Ok(found)
}

/// The one bridge that fits: by the name of its file (or its process id) when there is one, and by having what
/// `has` looks for.
///
/// # Errors
/// When none fits, or several do.
pub fn choose(name: Option<&str>, has: impl Fn(&State) -> bool, what: &str) -> Result<Bridge, String> {
    let all = running()?;
    if all.is_empty() {
        return Err("no bridge runs here: start one with 'trestle up BRIDGE.yaml'".to_owned());
    }
    let list = |bridges: &[Bridge]| {
        let names =
            bridges.iter().map(|bridge| format!("{} (process {})", bridge.state.bridge, bridge.state.pid));
        names.collect::<Vec<_>>().join(", ")
    };
    let everywhere = list(&all);
    let named: Vec<Bridge> =
        all.into_iter().filter(|bridge| name.is_none_or(|name| is_called(&bridge.state, name))).collect();
    if named.is_empty() {
        return Err(format!("no bridge '{}' runs here; there is {everywhere}", name.unwrap_or_default()));
    }
    let known: Vec<String> =
        named.iter().flat_map(|bridge| &bridge.state.components).map(|one| one.label.clone()).collect();
    let mut fitting: Vec<Bridge> = named.into_iter().filter(|bridge| has(&bridge.state)).collect();
    match (fitting.pop(), fitting.is_empty()) {
        (Some(bridge), true) => Ok(bridge),
        (Some(bridge), false) => {
            fitting.push(bridge);
            Err(format!("several bridges run here; choose one with --bridge: {}", list(&fitting)))
        }
        (None, _) => Err(format!("{what}; there are {}", known.join(", "))),
    }
}

fn is_called(state: &State, name: &str) -> bool {
    let path = Path::new(&state.bridge);
    state.pid.to_string() == name || path.ends_with(name) || path.file_stem().is_some_and(|stem| stem == name)
}
