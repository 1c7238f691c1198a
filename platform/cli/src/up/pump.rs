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

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt as _;

    use super::*;
    use crate::style::Palette;

    fn renderer() -> Renderer {
        Renderer { palette: Palette::plain(), name: "x".to_owned(), number: 0, width: 1 }
    }

    #[tokio::test]
    async fn a_block_is_one_piece_and_its_end_is_not_lost() {
        let (output, mut pieces) = Output::kept();
        let (mut writer, pipe) = tokio::io::duplex(16);
        let pump = blocks(pipe, renderer(), output);
        writer.write_all("one\n  two with an é\nthree without an end".as_bytes()).await.unwrap();
        drop(writer);
        pump.await.unwrap();
        assert_eq!(pieces.recv().await.unwrap(), "x | one\nx |   two with an é\nx | three without an end\n");
        assert!(pieces.recv().await.is_none());
    }

    #[tokio::test]
    async fn log_lines_come_one_by_one_and_documents_are_counted() {
        let (output, mut pieces) = Output::kept();
        let (documents, counted) = watch::channel(0);
        let (mut writer, pipe) = tokio::io::duplex(16);
        let pump = lines(pipe, renderer(), output, documents);
        let log = "{\"message\":\"the configuration document is in force\"}\n\nthread panicked\n";
        writer.write_all(log.as_bytes()).await.unwrap();
        drop(writer);
        pump.await.unwrap();
        assert!(pieces.recv().await.unwrap().contains("in force"));
        assert!(pieces.recv().await.unwrap().ends_with(" x thread panicked\n"));
        assert!(pieces.recv().await.is_none());
        assert_eq!(*counted.borrow(), 1);
    }
}
