//! Stylesheets that events bring: the latest are kept compiled, so that the same one is not compiled for every event.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use xslt::{Mistake, Stylesheet};

/// How many are kept.
const COUNT: usize = 64;
/// Bytes of text that are kept; what is compiled takes some ten times as much.
const BYTES: usize = 1 << 20;

/// Stylesheets by their text, the latest last.
#[derive(Debug, Default)]
pub struct Sheets(Mutex<VecDeque<(String, Arc<Stylesheet>)>>);

impl Sheets {
    /// The stylesheet of this text.
    ///
    /// # Errors
    /// The mistake in it.
    pub fn get(&self, text: &str) -> Result<Arc<Stylesheet>, Mistake> {
        let known = || {
            let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let index = kept.iter().position(|(known, _)| known == text)?;
            let found = kept.remove(index)?;
            let sheet = Arc::clone(&found.1);
            kept.push_back(found);
            Some(sheet)
        };
        if let Some(sheet) = known() {
            return Ok(sheet);
        }
        let sheet = Arc::new(Stylesheet::compile(text.as_bytes())?);
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.push_back((text.to_owned(), Arc::clone(&sheet)));
        while kept.len() > COUNT || kept.iter().map(|(text, _)| text.len()).sum::<usize>() > BYTES {
            kept.pop_front();
        }
        Ok(sheet)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(number: usize, filler: usize) -> String {
        format!(
            r#"<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"><!-- {number}{} --></xsl:stylesheet>"#,
            "x".repeat(filler)
        )
    }

    fn kept(sheets: &Sheets) -> usize {
        sheets.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    #[test]
    fn the_same_text_is_compiled_once() {
        let sheets = Sheets::default();
        let first = sheets.get(&text(1, 0)).expect("a stylesheet");
        sheets.get(&text(2, 0)).expect("a stylesheet");
        assert!(Arc::ptr_eq(&first, &sheets.get(&text(1, 0)).expect("a stylesheet")));
        assert!(sheets.get("no stylesheet").is_err());
        assert_eq!(kept(&sheets), 2);
    }

    #[test]
    fn few_are_kept_and_the_latest() {
        let sheets = Sheets::default();
        let first = sheets.get(&text(0, 0)).expect("a stylesheet");
        for number in 1..200 {
            sheets.get(&text(number, 0)).expect("a stylesheet");
        }
        assert_eq!(kept(&sheets), COUNT);
        assert!(!Arc::ptr_eq(&first, &sheets.get(&text(0, 0)).expect("a stylesheet")));
        for number in 0..10 {
            sheets.get(&text(number, BYTES / 3)).expect("a stylesheet");
        }
        assert_eq!(kept(&sheets), 2);
        sheets.get(&text(0, BYTES)).expect("one that is larger than all that is kept");
        assert_eq!(kept(&sheets), 0);
    }
}
