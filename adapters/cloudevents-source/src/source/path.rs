//! Which paths events are taken on.

use percent_encoding::percent_decode_str;

/// A path, or everything below one.
#[derive(Debug)]
pub struct PathRule {
    /// Begins with a slash.
    path: String,
}

impl PathRule {
    /// The rule of a setting; a slash that is missing at the front is added.
    pub fn new(setting: &str) -> Self {
        let slash = if setting.starts_with('/') { "" } else { "/" };
        Self { path: format!("{slash}{setting}") }
    }

    /// Whether a request's path is taken.
    pub fn takes(&self, path: &str) -> bool {
        if self.path == "/" || path == self.path {
            return true;
        }
        let path = percent_decode_str(path).decode_utf8_lossy();
        if self.path.ends_with('/') { path.starts_with(&self.path) } else { path == self.path }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_exact_and_a_slash_at_its_end_makes_it_a_prefix() {
        for (setting, path, expected) in [
            ("/", "/", true),
            ("/", "/any/thing", true),
            ("/a", "/a", true),
            ("/a", "/a/", false),
            ("/a", "/a/b", false),
            ("/a", "/ab", false),
            ("/a", "/", false),
            ("a", "/a", true),
            ("a/", "/a/b", true),
            ("/a/", "/a/", true),
            ("/a/", "/a/b/c", true),
            ("/a/", "/a", false),
            ("/a b", "/a%20b", true),
            ("/a", "/%61", true),
            ("/a", "/A", false),
        ] {
            assert_eq!(PathRule::new(setting).takes(path), expected, "{setting} and {path}");
        }
    }
}
