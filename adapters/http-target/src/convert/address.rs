//! The URL of one request: the configured one with what the event adds to its path and query.

use std::collections::HashSet;

use common::{Error, config::Url};
use http::{StatusCode, Uri};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use url::{Position, form_urlencoded};

/// What cannot stand in a segment of a path as it is (RFC 3986, section 3.3), and the backslash, which some take for a
/// slash.
const SEGMENT: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// The URL with a path below its own and more parameters.
///
/// # Errors
/// When the path would leave that of the URL, or the query is malformed; the answer is 400.
pub fn extended(url: &Url, path_suffix: &str, query_string: &str) -> Result<Uri, Error> {
    let path = joined(url.path(), path_suffix)?;
    let query = merged(url.query().unwrap_or_default(), query_string)?;
    let mark = if query.is_empty() { "" } else { "?" };
    let text = format!("{}{path}{mark}{query}", &url[..Position::BeforePath]);
    text.parse()
        .map_err(|error| refused("the URL with path_suffix and query_string is none").caused_by(error))
}

/// The suffix is text, not encoded: its segments are cleaned of empty ones and dots, encoded and put behind the base.
fn joined(base: &str, suffix: &str) -> Result<String, Error> {
    let mut segments = Vec::new();
    for segment in suffix.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop().ok_or_else(|| refused("path_suffix leaves the path of HTTP_URL"))?;
            }
            _ => segments.push(segment),
        }
    }
    if segments.is_empty() {
        return Ok(base.to_owned());
    }
    let mut path = base.trim_end_matches('/').to_owned();
    for segment in segments {
        path.push('/');
        path.extend(utf8_percent_encode(segment, SEGMENT));
    }
    Ok(path)
}

/// The parameters of both, sorted by name; those of the URL win over those of the event.
fn merged(configured: &str, added: &str) -> Result<String, Error> {
    if added.is_empty() {
        return Ok(configured.to_owned());
    }
    if !is_query(added) {
        return Err(refused("query_string is malformed"));
    }
    let mut pairs: Vec<_> = form_urlencoded::parse(configured.as_bytes()).collect();
    let names: HashSet<_> = pairs.iter().map(|(name, _)| name.clone()).collect();
    pairs.extend(form_urlencoded::parse(added.as_bytes()).filter(|(name, _)| !names.contains(name)));
    // Stable, so that several values of one name keep their order.
    pairs.sort_by(|(left, _), (right, _)| left.cmp(right));
    Ok(form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish())
}

/// Whether the text is a query as Go's `url.ParseQuery` takes it: whole percent codes and no semicolon.
fn is_query(text: &str) -> bool {
    let mut rest = text.as_bytes();
    while let Some(at) = rest.iter().position(|b| matches!(b, b'%' | b';')) {
        let code = rest.get(at + 1..at + 3);
        if rest.get(at) == Some(&b';') || !code.is_some_and(|code| code.iter().all(u8::is_ascii_hexdigit)) {
            return false;
        }
        rest = rest.get(at + 3..).unwrap_or_default();
    }
    true
}

fn refused(message: &str) -> Error {
    Error::permanent(message).with_status(StatusCode::BAD_REQUEST)
}

#[cfg(test)]
mod tests {
    use common::config::Parse;

    use super::*;

    #[test]
    fn paths_and_queries() {
        for (url, suffix, query, expected) in [
            ("http://h", "", "", "http://h/"),
            ("http://h/api/", "", "", "http://h/api/"),
            ("http://h/api?x=1&x=2", "", "", "http://h/api?x=1&x=2"),
            ("http://h/api", "world/total", "", "http://h/api/world/total"),
            ("http://h/api/", "/world//total/", "", "http://h/api/world/total"),
            ("http://h/a%2Fb", "c/../d/./e", "", "http://h/a%2Fb/d/e"),
            ("http://h/api", "a/..", "", "http://h/api"),
            ("http://h/api", "a b?c#d%2e\\..", "", "http://h/api/a%20b%3Fc%23d%252e%5C.."),
            ("http://h/api", "%2e%2e/x", "", "http://h/api/%252e%252e/x"),
            ("http://h/api", "é", "", "http://h/api/%C3%A9"),
            ("http://h", "", "b=2&a=1", "http://h/?a=1&b=2"),
            ("http://h?a=0&z=1&z=2", "", "a=1&b=x+y%21&b", "http://h/?a=0&b=x+y%21&b=&z=1&z=2"),
            ("http://h:8080/p?k=v#f", "s", "q=1", "http://h:8080/p/s?k=v&q=1"),
            ("http://[::1]:80/", "x", "", "http://[::1]/x"),
        ] {
            let url = Url::parse(url).expect("a URL");
            let found = extended(&url, suffix, query).map(|uri| uri.to_string());
            assert_eq!(found.ok().as_deref(), Some(expected), "{url} {suffix} {query}");
        }
    }

    #[test]
    fn what_leaves_the_path_or_is_malformed_is_refused() {
        let url = Url::parse("http://h/api/v1").expect("a URL");
        for (suffix, query) in [
            ("..", ""),
            ("../admin", ""),
            ("/../admin", ""),
            ("a/../../admin", ""),
            ("", "a=%"),
            ("", "a=%zz"),
            ("", "a=1;b=2"),
        ] {
            let error = extended(&url, suffix, query).expect_err("refused");
            assert_eq!((error.is_permanent(), error.status().as_u16()), (true, 400), "{suffix} {query}");
        }
    }
}
