//! The metrics of a running binary.

use std::net::SocketAddr;

use crate::{Failure, Line, Process, Request, eventually};

impl Process {
    /// Where it serves metrics: the field `address` of the first line that names metrics.
    ///
    /// # Errors
    /// When that line does not come.
    pub fn metrics_address(&self) -> Result<SocketAddr, Failure> {
        let named = |line: &Line| {
            let of_line = if line.field("message").contains("metrics") { line.field("address") } else { "" };
            line.field("metrics_address").parse().or_else(|_| of_line.parse()).ok()
        };
        eventually("a log line with the address of the metrics", || self.log().iter().find_map(named))
            .map_err(|error| format!("{error}; its output:\n{}", self.output()))
    }

    /// The page of the metrics as it is now.
    ///
    /// # Errors
    /// When it cannot be asked.
    pub fn metrics(&self) -> Result<String, Failure> {
        let answer = Request::get("/metrics").send(self.metrics_address()?);
        answer.map(|answer| answer.text()).map_err(|error| format!("the metrics: {error}"))
    }

    /// The figure of the first line of the metrics that begins so.
    ///
    /// # Errors
    /// When there is none.
    pub fn figure(&self, start: &str) -> Result<u64, Failure> {
        let metrics = self.metrics()?;
        let line = metrics.lines().find(|line| line.starts_with(start));
        let figure = line.and_then(|line| line.rsplit(' ').next()?.parse().ok());
        figure.ok_or_else(|| format!("no figure of {start} in {metrics}"))
    }

    /// Waits for a line of the metrics.
    ///
    /// # Errors
    /// When it does not come.
    pub fn wait_for_metric(&self, line: &str) -> Result<(), Failure> {
        let is_there = || self.metrics().ok()?.lines().any(|known| known == line).then_some(());
        eventually(line, is_there).map_err(|error| format!("{error}; in {:?}", self.metrics()))
    }
}
