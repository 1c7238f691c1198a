//! The one way to the screen: whole pieces of text, in order, written by a thread of their own so that a stopped terminal
//! does not stop the supervision.

use std::io::Write as _;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

/// Pieces that may wait; a full queue slows the components' logs down, never loses them.
const QUEUE: usize = 256;

/// Writes to standard output.
#[derive(Clone)]
pub struct Output {
    pieces: mpsc::Sender<String>,
}

/// Tells when everything has been written.
pub struct Flushed(oneshot::Receiver<()>);

impl Output {
    /// Starts the writer.
    pub fn start() -> (Output, Flushed) {
        let (pieces, mut queue) = mpsc::channel::<String>(QUEUE);
        let (done, flushed) = oneshot::channel();
        std::thread::spawn(move || {
            while let Some(piece) = queue.blocking_recv() {
                let mut stdout = std::io::stdout().lock();
                if stdout.write_all(piece.as_bytes()).and_then(|()| stdout.flush()).is_err() {
                    break;
                }
            }
            drop(queue);
            let _ = done.send(());
        });
        (Output { pieces }, Flushed(flushed))
    }

    /// Keeps what is written, for a test to look at.
    #[cfg(test)]
    pub fn kept() -> (Output, mpsc::Receiver<String>) {
        let (pieces, queue) = mpsc::channel(QUEUE);
        (Output { pieces }, queue)
    }

    /// Writes a piece of a log, which should end with a line end, as soon as there is room.
    pub async fn write(&self, text: String) {
        // Nobody reads any more: `closed` tells.
        let _ = self.pieces.send(text).await;
    }

    /// Writes words of this command itself; a terminal that is stopped does not stop it.
    pub async fn say(&self, text: String) {
        let _ = self.pieces.send_timeout(text, Duration::from_secs(1)).await;
    }

    /// Ends when standard output is closed, as by the end of `head` in a pipe.
    pub async fn closed(&self) {
        self.pieces.closed().await;
    }
}

impl Flushed {
    /// Waits until all is written, once every `Output` is gone; not for ever, since a terminal can be stopped.
    pub async fn wait(self) {
        let _ = tokio::time::timeout(Duration::from_secs(2), self.0).await;
    }
}
