//! A running peer: a child process on a free port, its output in a file, ended when it is dropped.

use std::fs::{self, File};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::net::{Ipv4Addr, SocketAddr, TcpStream, UdpSocket};
use std::ops::Range;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use kit::{Failure, Folder, PATIENCE};
use socket2::{Domain, Socket, Type};

/// How often a port that somebody else took first is given up for another.
const TRIES: usize = 5;

/// The process and its folder, which goes with it.
pub struct Server {
    child: Child,
    address: SocketAddr,
    folder: Folder,
}

impl Server {
    /// Starts what `command` makes of a port and a folder, and waits until it listens.
    ///
    /// # Errors
    /// When it does not, with what it wrote.
    pub fn start(command: impl Fn(u16, &Path) -> Result<Command, Failure>) -> Result<Self, Failure> {
        let mut told = String::new();
        for _ in 0..TRIES {
            let folder = Folder::new()?;
            match launch(folder, free_port()?, &command)? {
                Ok(server) => return Ok(server),
                Err(output) => told = output,
            }
        }
        Err(format!("it ended {TRIES} times before it listened:\n{told}"))
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its URL, without a path.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Its folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Kills it and starts it again at the same address, with the folder it had.
    ///
    /// # Errors
    /// When it does not come back.
    pub fn restart(
        &mut self,
        command: impl Fn(u16, &Path) -> Result<Command, Failure>,
    ) -> Result<(), Failure> {
        self.end();
        self.child = spawn(&mut command(self.address.port(), self.folder.path())?, self.folder.path())?;
        if listens(&mut self.child, self.address)? { Ok(()) } else { Err(output(self.folder.path())) }
    }

    /// The process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Kills it (SIGKILL); [`restart`](Self::restart) starts it again.
    pub fn end(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
    }
}

/// A server that listens, or the output of one that ended before.
fn launch(
    folder: Folder,
    port: u16,
    command: &impl Fn(u16, &Path) -> Result<Command, Failure>,
) -> Result<Result<Server, String>, Failure> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let child = spawn(&mut command(port, folder.path())?, folder.path())?;
    let mut server = Server { child, address, folder };
    let listens = listens(&mut server.child, address)?;
    Ok(if listens { Ok(server) } else { Err(output(server.folder.path())) })
}

fn spawn(command: &mut Command, folder: &Path) -> Result<Child, Failure> {
    let log = File::create(folder.join("output")).and_then(|log| Ok((log.try_clone()?, log)));
    let (out, err) = log.map_err(|error| format!("no file for the output: {error}"))?;
    command.stdin(Stdio::null()).stdout(out).stderr(err);
    command.spawn().map_err(|error| format!("{command:?}: {error}"))
}

/// Waits until connections are accepted; false when the process has ended.
fn listens(child: &mut Child, address: SocketAddr) -> Result<bool, Failure> {
    let begun = Instant::now();
    // Several of them may start at the same time as much else runs.
    while begun.elapsed() < PATIENCE * 3 {
        if child.try_wait().map_err(|error| error.to_string())?.is_some() {
            return Ok(false);
        }
        if TcpStream::connect(address).is_ok() {
            return Ok(true);
        }
        thread::sleep(Duration::from_millis(10));
    }
    Err(format!("it does not listen on {address}"))
}

fn output(folder: &Path) -> String {
    fs::read_to_string(folder.join("output")).unwrap_or_default()
}

/// Ports of peers: below those that the system gives to whoever asks for any, so that nobody takes one between here and the
/// peer's own start.
const PORTS: Range<u16> = 20_000..32_000;

/// What says that a port is some peer's: the port of the same number for UDP, which no peer uses, until this process ends.
/// Between one peer's choice and its start another's, in whichever process, would choose the same otherwise.
static CHOSEN: Mutex<Vec<UdpSocket>> = Mutex::new(Vec::new());

/// A port that is free, and that no other peer gets while this process runs.
///
/// # Errors
/// When there is none.
pub fn free_port() -> Result<u16, Failure> {
    for _ in 0..100 {
        // A hasher's keys are random.
        let random = RandomState::new().build_hasher().finish() % PORTS.len() as u64;
        let port = PORTS.start + random as u16;
        // Bound and no more: were it listened on for a moment, somebody who waits for his own peer there would take it for that.
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).map_err(|error| error.to_string())?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        if let Ok(claim) = UdpSocket::bind(address)
            && socket.bind(&address.into()).is_ok()
        {
            CHOSEN.lock().unwrap_or_else(PoisonError::into_inner).push(claim);
            return Ok(port);
        }
    }
    Err(format!("no port of {PORTS:?} is free"))
}
