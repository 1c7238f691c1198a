//! Which words name an attribute and which a function (sections 2.2 and 2.4).

/// What is wrong with a name, and the byte of it where that starts.
type Fault = (usize, &'static str);

/// The name of an attribute as events have it, in lower case.
pub(crate) fn attribute(word: &str) -> Result<String, Fault> {
    match word.find('_') {
        Some(at) => Err((at, "expected an attribute name of letters and digits, found \"_\"")),
        None => Ok(word.to_ascii_lowercase()),
    }
}

/// The name of a function in upper case.
pub(crate) fn function(word: &str) -> Result<String, Fault> {
    let invalid = |c: char| !c.is_ascii_alphabetic() && c != '_';
    let at = if word.starts_with('_') { Some(0) } else { word.find(invalid) };
    match at {
        Some(at) => {
            Err((at, "expected a function name of letters and underscores that starts with a letter"))
        }
        None => Ok(word.to_ascii_uppercase()),
    }
}
