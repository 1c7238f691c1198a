//! What a library alone costs on an event: beside it the floors of `jq`, `xml` and `xslt` run it twice for each.
//!
//! For a query that is jaq with its own values: the data read, the query run, its last value written. For XML it is
//! quick-xml read into serde_json's values with what it offers for text, attributes and entities, and those written. For a
//! stylesheet it is this project's own engine, as there is no other: what is measured is what the adapter adds to it.

use jaq_core::load::{Arena, File, Loader};
use jaq_core::{Compiler, Ctx, Filter, Vars, data::JustLut, unwrap_valr};
use jaq_json::{Val, read, write};
use quick_xml::Reader;
use quick_xml::escape::{resolve_xml_entity, unescape};
use quick_xml::events::Event;
use serde_json::{Map, Value};
use xslt::{Limits, Stylesheet};

use crate::cli::Failure;

/// A query as people write them: some fields, a list made anew, a sum.
pub const QUERY: &str = "{order: .id, customer: .customer.name, country: .customer.address.country, \
    items: [.items[] | {sku, amount: (.quantity * .price)}], total: ([.items[] | .quantity * .price] | add)}";

/// A stylesheet as people write them: templates for elements, a list made anew and sorted, a sum.
pub const SHEET: &str = r#"<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">
<xsl:template match="/order"><invoice number="{@id}" country="{customer/address/country}"><to><xsl:value-of select="customer/name"/></to>
<lines><xsl:apply-templates select="items/item"><xsl:sort select="price * quantity" data-type="number" order="descending"/></xsl:apply-templates></lines>
<sum><xsl:value-of select="format-number(sum(items/item/price), '#,##0.00')"/></sum>
<xsl:if test="paid = 'true'"><paid/></xsl:if><xsl:copy-of select="note"/></invoice></xsl:template>
<xsl:template match="item"><line n="{position()}" sku="{@sku}"><xsl:value-of select="concat(quantity, ' x ', normalize-space(name))"/></line></xsl:template>
</xsl:stylesheet>"#;

/// A library.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Library {
    /// jaq, with [`QUERY`].
    Jq,
    /// quick-xml.
    Xml,
    /// Our own engine, with [`SHEET`].
    Xslt,
}

thread_local! {
    static FILTER: Option<Filter<JustLut<Val>>> = compile();
    static COMPILED: Option<Stylesheet> = Stylesheet::compile(SHEET.as_bytes()).ok();
}

impl Library {
    /// As it is given on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Jq => "jq",
            Self::Xml => "xml",
            Self::Xslt => "xslt",
        }
    }

    /// Runs it over the data of an event, twice.
    pub fn run_twice(self, data: &[u8]) -> Result<(), Failure> {
        for _ in 0..2 {
            let made = match self {
                Self::Jq => jq(data)?,
                Self::Xml => xml(data)?,
                Self::Xslt => xslt(data)?,
            };
            std::hint::black_box(made);
        }
        Ok(())
    }
}

fn compile() -> Option<Filter<JustLut<Val>>> {
    let arena = Arena::default();
    let loader = Loader::new(jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs()));
    let modules = loader.load(&arena, File { code: QUERY, path: () }).ok()?;
    let functions = jaq_core::funs().chain(jaq_std::funs()).chain(jaq_json::funs());
    Compiler::default().with_funs(functions).compile(modules).ok()
}

fn jq(data: &[u8]) -> Result<Vec<u8>, Failure> {
    FILTER.with(|filter| {
        let filter = filter.as_ref().ok_or("the query does not compile")?;
        let input = read::parse_single(data)?;
        let context = Ctx::<JustLut<Val>>::new(&filter.lut, Vars::new([]));
        let outputs = filter.id.run((context, input)).map(unwrap_valr);
        let last = outputs.last().ok_or("no value")?.map_err(|error| error.to_string())?;
        let mut json = Vec::new();
        write::write(&mut json, &write::Pp::default(), 0, &last)?;
        Ok(json)
    })
}

fn xslt(data: &[u8]) -> Result<Vec<u8>, Failure> {
    COMPILED.with(|sheet| {
        let sheet = sheet.as_ref().ok_or("the stylesheet does not compile")?;
        Ok(sheet.transform(data, &Limits::default())?.bytes)
    })
}

fn xml(data: &[u8]) -> Result<Vec<u8>, Failure> {
    let mut reader = Reader::from_reader(data);
    reader.config_mut().expand_empty_elements = true;
    let mut open: Vec<(String, Map<String, Value>, String)> = vec![Default::default()];
    loop {
        match reader.read_event()? {
            Event::Start(start) => {
                let mut members = Map::new();
                for attribute in start.attributes() {
                    let attribute = attribute?;
                    let name = String::from_utf8_lossy(attribute.key.local_name().into_inner()).into_owned();
                    let value = unescape(std::str::from_utf8(&attribute.value)?)?.into_owned();
                    members.insert(format!("-{name}"), value.into());
                }
                let name = String::from_utf8_lossy(start.local_name().into_inner()).into_owned();
                open.push((name, members, String::new()));
            }
            Event::Text(text) => {
                if let Some((.., content)) = open.last_mut() {
                    content.push_str(&text.xml10_content()?);
                }
            }
            Event::GeneralRef(reference) => {
                let text = resolve_xml_entity(&reference.decode()?).unwrap_or_default();
                if let Some((.., content)) = open.last_mut() {
                    content.push_str(text);
                }
            }
            Event::End(_) => {
                let (Some((name, mut members, content)), Some((_, parent, _))) =
                    (open.pop(), open.last_mut())
                else {
                    return Err("an end without a beginning".into());
                };
                let content = content.trim();
                let value = if members.is_empty() {
                    content.into()
                } else {
                    if !content.is_empty() {
                        members.insert("#content".to_owned(), content.into());
                    }
                    Value::Object(members)
                };
                match parent.get_mut(&name) {
                    None => drop(parent.insert(name, value)),
                    Some(Value::Array(items)) => items.push(value),
                    Some(other) => *other = vec![other.take(), value].into(),
                }
            }
            Event::Eof => break,
            _ => {}
        }
    }
    let (_, members, _) = open.pop().ok_or("no document")?;
    Ok(serde_json::to_vec(&members)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::{Payload, body};

    #[test]
    fn they_make_of_it_what_is_expected() {
        let made: Value = serde_json::from_slice(&jq(body(Payload::Order)).unwrap()).unwrap();
        assert_eq!(made["items"][0]["amount"], 25.0);
        let made: Value = serde_json::from_slice(&xml(body(Payload::Xml)).unwrap()).unwrap();
        assert_eq!(made["order"]["items"]["item"][0]["-sku"], "A-1001");
        let made = String::from_utf8(xslt(body(Payload::Xml)).unwrap()).unwrap();
        assert!(made.contains("<line n=\"1\" sku=\"C-3003\">1 x Fountain pen</line>"), "{made}");
        assert!(made.contains("<sum>59.40</sum>"), "{made}");
    }
}
