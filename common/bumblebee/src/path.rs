//! Where a value stands in a document: keys and indexes, split at the separator.

/// One step down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Segment {
    /// Into an object.
    Key(Box<str>),
    /// Into an array.
    Index(usize),
}

/// A path; without segments it is the whole document.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Path(pub(crate) Vec<Segment>);

/// Why a text is no path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum BadPath {
    /// An index below 0.
    Negative(String),
    /// An index that no number of this machine holds.
    Huge(String),
}

impl Path {
    /// Reads a path. Only a number between the first `[` of a part and its last character makes it an index; every
    /// other part is a key as it stands. Empty parts are ignored, so that `a[0].[1]` is an element of an element.
    pub(crate) fn parse(text: &str, separator: &str) -> Result<Self, BadPath> {
        let mut segments = Vec::new();
        for part in text.split(separator) {
            let (name, index) = split_index(part)?;
            if !name.is_empty() {
                segments.push(Segment::Key(name.into()));
            }
            segments.extend(index.map(Segment::Index));
        }
        Ok(Self(segments))
    }

    /// The greatest index in it.
    pub(crate) fn greatest_index(&self) -> Option<usize> {
        let indexes = self.0.iter().filter_map(|segment| match segment {
            Segment::Index(index) => Some(*index),
            Segment::Key(_) => None,
        });
        indexes.max()
    }
}

fn split_index(part: &str) -> Result<(&str, Option<usize>), BadPath> {
    let Some((name, rest)) = part.split_once('[') else { return Ok((part, None)) };
    let Some((last, _)) = rest.char_indices().next_back() else { return Ok((part, None)) };
    let number = &rest[..last];
    let (negative, digits) = match number.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, number.strip_prefix('+').unwrap_or(number)),
    };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok((part, None));
    }
    if negative && digits.bytes().any(|byte| byte != b'0') {
        return Err(BadPath::Negative(number.to_owned()));
    }
    match digits.parse() {
        Ok(index) => Ok((name, Some(index))),
        Err(_) => Err(BadPath::Huge(number.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, separator: &str) -> String {
        let segments = Path::parse(text, separator).expect("a path").0;
        let show = |segment: &Segment| match segment {
            Segment::Key(key) => key.to_string(),
            Segment::Index(index) => format!("#{index}"),
        };
        segments.iter().map(show).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn parts_become_keys_and_indexes() {
        for (text, separator, expected) in [
            ("a.b", ".", "a b"),
            ("a[0].b", ".", "a #0 b"),
            ("a[0].[1]", ".", "a #0 #1"),
            ("[1].foo", ".", "#1 foo"),
            (".", ".", ""),
            ("", ".", ""),
            (".a..b.", ".", "a b"),
            ("a.b/c", "/", "a.b c"),
            ("a->b", "->", "a b"),
            ("a[*]", ".", "a[*]"),
            ("a[0][1]", ".", "a[0][1]"),
            ("a[]", ".", "a[]"),
            ("a[", ".", "a["),
            ("a[1x", ".", "a #1"),
            ("a[+1]", ".", "a #1"),
            ("a[-0]", ".", "a #0"),
            ("a[1é", ".", "a #1"),
            ("ключ.é", ".", "ключ é"),
        ] {
            assert_eq!(shown(text, separator), expected, "{text}");
        }
    }

    #[test]
    fn an_index_that_can_never_be_is_refused() {
        assert_eq!(Path::parse("a[-1]", "."), Err(BadPath::Negative("-1".to_owned())));
        assert!(matches!(Path::parse("a[99999999999999999999]", "."), Err(BadPath::Huge(_))));
    }
}
