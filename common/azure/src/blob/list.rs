//! The answer of "List Blobs", as far as it is needed.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use quick_xml::{Reader, events::Event};

use super::record::{Blob, age, read_date};

/// Why an answer cannot be read.
pub(super) type Problem = Box<dyn std::error::Error + Send + Sync>;

/// Blobs with their names, and the marker of the next page.
type Page = (Vec<(String, Blob)>, Option<String>);

/// Reads one page; `now` is the time that the service gave with it.
pub(super) fn page(xml: &[u8], now: Option<DateTime<Utc>>) -> Result<Page, Problem> {
    let mut reader = Reader::from_reader(xml.strip_prefix(b"\xef\xbb\xbf").unwrap_or(xml));
    let (mut blobs, mut marker) = (Vec::new(), None);
    let mut path: Vec<String> = Vec::new();
    let mut text = String::new();
    let mut blob = Unfinished::default();
    loop {
        match reader.read_event()? {
            Event::Start(tag) => {
                path.push(String::from_utf8_lossy(tag.name().as_ref()).into_owned());
                text.clear();
            }
            Event::Text(piece) => text.push_str(&piece.decode()?),
            Event::GeneralRef(reference) => text.push(character(&reference.decode()?)),
            Event::End(_) => {
                let names: Vec<_> = path.iter().map(String::as_str).collect();
                match &names[..] {
                    [_, "NextMarker"] => {
                        marker = Some(std::mem::take(&mut text)).filter(|marker| !marker.is_empty())
                    }
                    [_, "Blobs", "Blob"] => blobs.extend(std::mem::take(&mut blob).finish(now)),
                    [_, "Blobs", "Blob", "Name"] => blob.name = std::mem::take(&mut text),
                    [_, "Blobs", "Blob", "Properties", "Etag"] => blob.etag = std::mem::take(&mut text),
                    [_, "Blobs", "Blob", "Properties", "Last-Modified"] => blob.changed = read_date(&text),
                    [_, "Blobs", "Blob", "Metadata", name] => {
                        blob.metadata.insert(name.to_ascii_lowercase(), std::mem::take(&mut text));
                    }
                    _ => {}
                }
                path.pop();
            }
            Event::Eof => return Ok((blobs, marker)),
            _ => {}
        }
    }
}

/// What `&…;` stands for; names of blobs and owners hold none but these.
fn character(reference: &str) -> char {
    match reference {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "apos" => '\'',
        "quot" => '"',
        _ => {
            let number = reference.strip_prefix('#').unwrap_or_default();
            let code =
                number.strip_prefix('x').map_or_else(|| number.parse(), |hex| u32::from_str_radix(hex, 16));
            code.ok().and_then(char::from_u32).unwrap_or(char::REPLACEMENT_CHARACTER)
        }
    }
}

#[derive(Default)]
struct Unfinished {
    name: String,
    etag: String,
    changed: Option<DateTime<Utc>>,
    metadata: BTreeMap<String, String>,
}

impl Unfinished {
    fn finish(self, now: Option<DateTime<Utc>>) -> Option<(String, Blob)> {
        let etag = self.etag.trim_matches('"').to_owned();
        let blob = Blob { metadata: self.metadata, etag, age: age(self.changed, now) };
        (!self.name.is_empty()).then_some((self.name, blob))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_page_gives_names_metadata_and_ages() {
        let xml = "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?><EnumerationResults ContainerName=\"c\"><Prefix>a</Prefix>\
            <Blobs><Blob><Name>ns/hub/$default/ownership/0&amp;x</Name><Properties>\
            <Last-Modified>Wed, 25 Nov 2026 10:00:00 GMT</Last-Modified><Etag>0x8D1</Etag><Content-Length>0</Content-Length>\
            </Properties><Metadata><OwnerId>me &lt;1&gt;</OwnerId></Metadata></Blob>\
            <Blob><Name>b</Name><Properties><Etag>\"0x8D2\"</Etag></Properties><Metadata /></Blob></Blobs>\
            <NextMarker>m</NextMarker></EnumerationResults>";
        let now = read_date("Wed, 25 Nov 2026 10:00:30 GMT");
        let (blobs, marker) = page(xml.as_bytes(), now).expect("a page");
        assert_eq!(marker.as_deref(), Some("m"));
        let [(first, one), (second, two)] = &blobs[..] else { panic!("{blobs:?}") };
        assert_eq!((first.as_str(), second.as_str()), ("ns/hub/$default/ownership/0&x", "b"));
        assert_eq!((one.etag.as_str(), one.age), ("0x8D1", Duration::from_secs(30)));
        assert_eq!(one.metadata.get("ownerid").map(String::as_str), Some("me <1>"));
        assert_eq!((two.etag.as_str(), two.age, two.metadata.len()), ("0x8D2", Duration::ZERO, 0));
        let (none, marker) =
            page(b"<EnumerationResults><Blobs/><NextMarker/></EnumerationResults>", None).expect("a page");
        assert!(none.is_empty() && marker.is_none());
    }
}
