//! Declarations of a stylesheet: keys, white space, formats of numbers, the output (XSLT 1.0, sections 3.4, 12.2, 12.3, 16).

use super::{
    Key,
    compile::{Compiler, Done},
    parts::{DecimalFormat, Output, qualified},
};
use crate::{
    tree::Id,
    value::is_space,
    xpath::{Expression, parse},
};

impl Compiler<'_> {
    pub(super) fn key(&mut self, id: Id) -> Done<()> {
        self.need(id, "match")?;
        let name = self.qualified(id, "name")?.ok_or_else(|| self.mistake(id, "xsl:key has no name"))?;
        let key = Key { name, patterns: self.patterns(id, "match")?, value: self.needed(id, "use")? };
        self.sheet.keys.push(key);
        Ok(())
    }

    pub(super) fn spaces(&mut self, id: Id, kept: bool) -> Done<()> {
        let scope = self.scope(id);
        let list = self.need(id, "elements")?.to_owned();
        for word in list.split(is_space).filter(|word| !word.is_empty()) {
            let Ok(Expression::Path(_, mut steps)) = parse(word, &scope, &mut Vec::new()) else {
                return Err(self.mistake(id, format!("'{word}' is no name of elements")));
            };
            if let Some(step) = steps.pop() {
                self.sheet.spaces.push((step.test, kept));
            }
        }
        Ok(())
    }

    pub(super) fn decimal_format(&mut self, id: Id) -> Done<()> {
        let mut format = DecimalFormat::default();
        let letter = |attribute: &str, default: char| match self.get(id, attribute) {
            None => Ok(default),
            Some(text) => {
                let mut letters = text.chars();
                let first = letters.next().filter(|_| letters.next().is_none());
                first.ok_or_else(|| self.mistake(id, format!("'{attribute}' must be one letter")))
            }
        };
        format.decimal = letter("decimal-separator", format.decimal)?;
        format.grouping = letter("grouping-separator", format.grouping)?;
        format.percent = letter("percent", format.percent)?;
        format.per_mille = letter("per-mille", format.per_mille)?;
        format.zero = letter("zero-digit", format.zero)?;
        format.digit = letter("digit", format.digit)?;
        format.separator = letter("pattern-separator", format.separator)?;
        format.minus = letter("minus-sign", format.minus)?;
        if let Some(text) = self.get(id, "infinity") {
            text.clone_into(&mut format.infinity);
        }
        if let Some(text) = self.get(id, "NaN") {
            text.clone_into(&mut format.nan);
        }
        let name = self.qualified(id, "name")?;
        self.sheet.formats.insert(name, format);
        Ok(())
    }

    /// Several of them count as one; the later says what both say.
    pub(super) fn output(&mut self, id: Id) -> Done<()> {
        let text = |attribute: &str, known: &Option<String>| {
            self.get(id, attribute).map(str::to_owned).or_else(|| known.clone())
        };
        let known = &self.sheet.output;
        let mut cdata = known.cdata.clone();
        for word in self.get(id, "cdata-section-elements").unwrap_or_default().split(is_space) {
            if !word.is_empty() {
                // Here the default namespace counts.
                let mut name = qualified(word, &self.scope(id)).map_err(|why| self.mistake(id, why))?;
                if name.prefix.is_empty() {
                    name.uri = self.tree.namespace(id, "").unwrap_or_default();
                }
                cdata.insert(name);
            }
        }
        let method = text("method", &known.method);
        if let Some(method) = &method
            && !matches!(method.as_str(), "xml" | "html" | "text")
        {
            return Err(self.mistake(id, format!("the method '{method}' is none of xml, html and text")));
        }
        let output = Output {
            method,
            encoding: text("encoding", &known.encoding),
            omit_declaration: self.flag(id, "omit-xml-declaration")?.or(known.omit_declaration),
            standalone: self.flag(id, "standalone")?.or(known.standalone),
            public: text("doctype-public", &known.public),
            system: text("doctype-system", &known.system),
            indent: self.flag(id, "indent")?.or(known.indent),
            media_type: text("media-type", &known.media_type),
            version: text("version", &known.version),
            cdata,
        };
        if let Some(encoding) = &output.encoding
            && !matches!(
                encoding.to_ascii_lowercase().as_str(),
                "utf-8" | "iso-8859-1" | "us-ascii" | "ascii"
            )
        {
            return Err(self.mistake(id, "the encoding is none of UTF-8, ISO-8859-1 and US-ASCII"));
        }
        self.sheet.output = output;
        Ok(())
    }
}
