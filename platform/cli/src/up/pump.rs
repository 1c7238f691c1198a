//! From a component's pipes to the screen.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};

use super::output::Output;
use super::render::Renderer;

/// A longer line is cut in pieces: memory stays bounded whatever a component writes.
const MAX_LINE: usize = 256 * 1024;
/// What is written in one go arrives well within this time.
const GAP: Duration = Duration::from_millis(20);
/// However busy a component is, what it wrote is shown after this time.
const LONGEST: Duration = Duration::from_millis(200);

/// What a broker logs when it has taken a configuration document.
const IN_FORCE: &str = "\"the configuration document is in force\"";

/// Shows log lines, each as it comes; counts the configuration documents that a broker says it has taken.
pub fn lines(
    pipe: impl AsyncRead + Unpin + Send + 'static,
    renderer: Renderer,
    output: Output,
    documents: watch::Sender<u64>,
) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut reader = Reader::new(pipe);
        while reader.more().await {
            while let Some(line) = reader.take_line() {
                if line.contains(IN_FORCE) {
                    documents.send_modify(|count| *count += 1);
                }
                show(&line, &renderer, &output).await;
            }
        }
        let rest = reader.take_all();
        show(&rest, &renderer, &output).await;
    })
}

async fn show(line: &str, renderer: &Renderer, output: &Output) {
    if !line.trim().is_empty() {
        output.write(renderer.log_line(line.trim_end())).await;
    }
}

/// Shows what belongs together in one piece: the lines that come without a gap in between.
pub fn blocks(
    pipe: impl AsyncRead + Unpin + Send + 'static,
    renderer: Renderer,
    output: Output,
) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut reader = Reader::new(pipe);
        let mut open = true;
        while open {
            open = reader.more().await;
            let deadline = Instant::now() + LONGEST;
            while open && reader.buffer.len() < MAX_LINE {
                let gap = deadline.min(Instant::now() + GAP);
                match timeout_at(gap, reader.more()).await {
                    Ok(more) => open = more,
                    Err(_) => break,
                }
            }
            let block = if open { reader.take_lines() } else { reader.take_all() };
            if !block.trim().is_empty() {
                output.write(renderer.block(&block)).await;
            }
        }
    })
}

struct Reader<R> {
    pipe: R,
    buffer: Vec<u8>,
}

impl<R: AsyncRead + Unpin> Reader<R> {
    fn new(pipe: R) -> Reader<R> {
        Reader { pipe, buffer: Vec::new() }
    }

    /// Reads what there is; false at the end.
    async fn more(&mut self) -> bool {
        self.buffer.reserve(8 * 1024);
        self.pipe.read_buf(&mut self.buffer).await.is_ok_and(|count| count > 0)
    }

    fn take_line(&mut self) -> Option<String> {
        let end = self.buffer.iter().position(|byte| *byte == b'\n').map(|end| end + 1);
        self.take(end.or_else(|| (self.buffer.len() >= MAX_LINE).then_some(self.buffer.len())))
    }

    /// The complete lines.
    fn take_lines(&mut self) -> String {
        let end = self.buffer.iter().rposition(|byte| *byte == b'\n').map(|end| end + 1);
        self.take(end.or_else(|| (self.buffer.len() >= MAX_LINE).then_some(self.buffer.len())))
            .unwrap_or_default()
    }

    fn take_all(&mut self) -> String {
        self.take(Some(self.buffer.len())).unwrap_or_default()
    }

    fn take(&mut self, end: Option<usize>) -> Option<String> {
        let taken: Vec<u8> = self.buffer.drain(..end?).collect();
        Some(String::from_utf8_lossy(&taken).into_owned())
    }
}
