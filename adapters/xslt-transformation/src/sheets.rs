//! Stylesheets that events bring: the latest are kept compiled, so that the same one is not compiled for every event.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use xslt::{Limits, Mistake, Stylesheet};

/// How many are kept.
const COUNT: usize = 64;
/// What part of the memory of one transformation those that are kept may take together.
const PART: usize = 4;

/// Stylesheets by their text, the latest last.
#[derive(Debug, Default)]
pub struct Sheets(Mutex<VecDeque<(String, Arc<Stylesheet>)>>);

impl Sheets {
    /// The stylesheet of this text.
    ///
    /// # Errors
    /// The mistake in it.
    pub fn get(&self, text: &str, limits: &Limits) -> Result<Arc<Stylesheet>, Mistake> {
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
        let sheet = Arc::new(Stylesheet::compile_within(text.as_bytes(), limits)?);
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.push_back((text.to_owned(), Arc::clone(&sheet)));
        let size = |(text, sheet): &(String, Arc<Stylesheet>)| text.len() + sheet.size();
        while kept.len() > COUNT || kept.iter().map(size).sum::<usize>() > limits.memory / PART {
            kept.pop_front();
        }
        Ok(sheet)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { time: std::time::Duration::from_secs(60), memory: 8 << 20, depth: 100 };

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
        let first = sheets.get(&text(1, 0), &LIMITS).expect("a stylesheet");
        sheets.get(&text(2, 0), &LIMITS).expect("a stylesheet");
        assert!(Arc::ptr_eq(&first, &sheets.get(&text(1, 0), &LIMITS).expect("a stylesheet")));
        assert!(sheets.get("no stylesheet", &LIMITS).is_err());
        assert_eq!(kept(&sheets), 2);
    }

    #[test]
    fn few_are_kept_and_the_latest() {
        let sheets = Sheets::default();
        let first = sheets.get(&text(0, 0), &LIMITS).expect("a stylesheet");
        for number in 1..200 {
            sheets.get(&text(number, 0), &LIMITS).expect("a stylesheet");
        }
        assert_eq!(kept(&sheets), COUNT);
        assert!(!Arc::ptr_eq(&first, &sheets.get(&text(0, 0), &LIMITS).expect("a stylesheet")));
        for number in 0..10 {
            sheets.get(&text(number, LIMITS.memory / PART / 5), &LIMITS).expect("a stylesheet");
        }
        assert_eq!(kept(&sheets), 2);
        sheets
            .get(&text(0, LIMITS.memory / PART), &LIMITS)
            .expect("one that is larger than all that is kept");
        assert_eq!(kept(&sheets), 0);
    }
}
