//! Dead letters delivered again or deleted, one after the other, each told of as it is done.

use std::io::{IsTerminal as _, Write};

use pretty::Visible;
use serde_json::json;

use super::Streams;
use super::store::{PAGE, Page, Problem, Store};
use crate::args::Format;
use crate::style::Palette;

/// What is done with each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    Replay,
    Delete,
}

impl Deed {
    fn done(self) -> &'static str {
        match self {
            Self::Replay => "delivered",
            Self::Delete => "deleted",
        }
    }
}

/// Something to be done with dead letters.
pub struct Work<'a> {
    pub store: &'a Store,
    pub deed: Deed,
    pub format: Format,
    pub palette: Palette,
}

#[derive(Default)]
struct Counts {
    done: usize,
    kept: usize,
}

impl Work<'_> {
    /// Does it with these, or with all there are, of one trigger perhaps. True when it was done with each.
    ///
    /// # Errors
    /// Why nothing could be begun.
    pub async fn run(
        &self,
        ids: &[String],
        all: Option<Option<&str>>,
        (out, err): Streams<'_>,
    ) -> Result<bool, String> {
        let found = match all {
            // Known before the first is done: what comes meanwhile, from a reply for one, is not for this time.
            Some(trigger) => self.known(trigger).await?,
            None => ids.to_vec(),
        };
        let mut counts = Counts::default();
        let mut stopped = None;
        for (number, id) in found.iter().enumerate() {
            let result = match self.deed {
                Deed::Replay => self.store.replay(id).await,
                Deed::Delete => self.store.delete(id).await,
            };
            let reason = match result {
                Ok(()) => None,
                // Somebody else has done it.
                Err(Problem::Gone(_)) if all.is_some() => continue,
                Err(Problem::Gone(_)) => Some("there is no such dead letter".to_owned()),
                Err(Problem::Kept(reason)) => Some(reason),
                Err(Problem::Final(reason)) => {
                    stopped = Some((reason, found.len() - number));
                    break;
                }
            };
            if reason.is_some() {
                counts.kept += 1
            } else {
                counts.done += 1
            }
            // A reader that has gone (head) does not end what was begun.
            let _ = out.write_all(self.line(id, reason.as_deref()).as_bytes());
            self.progress(number + 1, found.len(), err);
        }
        self.summary(&counts, stopped.as_ref(), err);
        Ok(stopped.is_none() && counts.kept == 0)
    }

    /// The ids of all there are now.
    async fn known(&self, trigger: Option<&str>) -> Result<Vec<String>, String> {
        let (mut ids, mut after) = (Vec::new(), None);
        loop {
            let page = self.store.page(after.as_deref(), PAGE, trigger).await;
            let Page { entries, next } = page.map_err(Problem::into_text)?;
            ids.extend(entries.iter().filter_map(|entry| Some(entry.get("id")?.as_str()?.to_owned())));
            match next {
                Some(next) => after = Some(next),
                None => return Ok(ids),
            }
        }
    }

    fn line(&self, id: &str, reason: Option<&str>) -> String {
        if self.format == Format::Json {
            let mut line = json!({"id": id, "done": reason.is_none()});
            if let Some(reason) = reason {
                line["reason"] = reason.into();
            }
            return format!("{line}\n");
        }
        let id = Visible::line(id, usize::MAX);
        match reason {
            None => format!("{id}  {}\n", self.palette.good(self.deed.done())),
            Some(reason) => {
                format!("{id}  {}\n", self.palette.bad(&format!("not {}: {reason}", self.deed.done())))
            }
        }
    }

    /// How far it is, where the lines go elsewhere and somebody looks on.
    fn progress(&self, number: usize, of: usize, err: &mut dyn Write) {
        if std::io::stderr().is_terminal() && !std::io::stdout().is_terminal() {
            let _ = write!(err, "\r{number} of {of}");
            if number == of {
                let _ = writeln!(err);
            }
        }
    }

    fn summary(&self, counts: &Counts, stopped: Option<&(String, usize)>, err: &mut dyn Write) {
        let Counts { done, kept } = counts;
        let mut text = format!("{done} {}", self.deed.done());
        if *kept > 0 {
            text += &format!(", {kept} not");
        }
        if let Some((reason, left)) = stopped {
            text += &format!(", {left} not tried or not known: {reason}");
        }
        let _ = writeln!(err, "{text}");
    }
}
