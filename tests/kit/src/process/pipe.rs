//! What a process writes: taken as it comes, so that the process never waits for its reader; and whoever looks sees all
//! that was written before.

use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::Line;
use crate::Failure;

/// One stream of a process.
pub struct Pipe {
    shared: Arc<Shared>,
    reader: Option<JoinHandle<()>>,
}

struct Shared {
    stream: File,
    written: Mutex<Written>,
}

#[derive(Default)]
struct Written {
    bytes: Vec<u8>,
    has_ended: bool,
    lines: Vec<Line>,
    /// So many bytes are in `lines`.
    in_lines: usize,
}

impl Pipe {
    /// The reading end of a pipe.
    ///
    /// # Errors
    /// When it cannot be read without waiting.
    pub fn new(stream: OwnedFd) -> Result<Self, Failure> {
        fcntl(&stream, FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).map_err(|error| format!("a pipe: {error}"))?;
        let shared = Arc::new(Shared { stream: stream.into(), written: Mutex::default() });
        let read = Arc::clone(&shared);
        Ok(Self { shared, reader: Some(thread::spawn(move || read.read())) })
    }

    /// The bytes so far.
    pub fn bytes(&self) -> Vec<u8> {
        self.shared.written().bytes.clone()
    }

    /// The lines so far.
    pub fn lines(&self) -> Vec<Line> {
        let mut written = self.shared.written();
        written.parse();
        written.lines.clone()
    }

    /// Waits until nobody can write to it any more.
    pub fn wait(&mut self) {
        if let Some(reader) = self.reader.take() {
            // It does not panic.
            let _ = reader.join();
        }
    }
}

impl Shared {
    fn read(&self) {
        loop {
            let mut waited = [PollFd::new(self.stream.as_fd(), PollFlags::POLLIN)];
            match poll(&mut waited, PollTimeout::NONE) {
                Ok(_) if self.written().has_ended => return,
                Ok(_) | Err(Errno::EINTR) => {}
                Err(_) => return,
            }
        }
    }

    /// What was written, with what is in the pipe.
    fn written(&self) -> MutexGuard<'_, Written> {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        // All that is there, until it would have to wait.
        written.has_ended |= (&self.stream).read_to_end(&mut written.bytes).is_ok();
        written
    }
}

impl Written {
    fn parse(&mut self) {
        for line in self.bytes[self.in_lines..].split_inclusive(|byte| *byte == b'\n') {
            if !line.ends_with(b"\n") && !self.has_ended {
                break;
            }
            self.in_lines += line.len();
            let text = String::from_utf8_lossy(line).trim_end_matches('\n').to_owned();
            let json = serde_json::from_str(&text).unwrap_or_default();
            self.lines.push(Line { text, json });
        }
    }
}
