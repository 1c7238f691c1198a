//! Names (Namespaces in XML 1.0).

use crate::tree::Text;

/// A name with its namespace; the prefix is only how it is written.
#[derive(Clone, Debug)]
pub struct Name {
    pub prefix: Text,
    pub local: Text,
    pub uri: Text,
}

impl Name {
    /// A name without a namespace.
    pub fn local(local: &str) -> Self {
        Self { prefix: "".into(), local: local.into(), uri: "".into() }
    }

    /// As it is written.
    pub fn qualified(&self) -> String {
        if self.prefix.is_empty() {
            self.local.to_string()
        } else {
            format!("{}:{}", self.prefix, self.local)
        }
    }

    /// Whether both mean the same.
    pub fn is(&self, uri: &str, local: &str) -> bool {
        *self.local == *local && *self.uri == *uri
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        self.is(&other.uri, &other.local)
    }
}

impl Eq for Name {}

impl std::hash::Hash for Name {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.uri.hash(state);
        self.local.hash(state);
    }
}
