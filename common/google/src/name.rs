//! Names of resources: `projects/PROJECT/COLLECTION/NAME` (<https://cloud.google.com/apis/design/resource_names>).

use std::{fmt, ops::Deref};

use common::config::Parse;

/// Whether a text is the name of a resource in this collection.
fn is_name(text: &str, collection: &str) -> bool {
    let segments: Vec<_> = text.split('/').collect();
    matches!(segments[..], ["projects", project, found, name]
        if found == collection && is_segment(project) && is_segment(name))
}

/// Whether a text can stand between two slashes.
fn is_segment(text: &str) -> bool {
    !text.is_empty() && !text.contains(|at: char| at == '/' || at.is_whitespace() || at.is_control())
}

/// Makes the type of a resource's name that is read from a variable.
macro_rules! name {
    ($type:ident, $collection:literal, $expected:literal, $doc:literal) => {
        #[doc = $doc]
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $type(String);

        impl Parse for $type {
            const FORMAT: &'static str = "resource-name";
            const EXPECTED: &'static str = $expected;

            fn parse(text: &str) -> Result<Self, String> {
                let text = text.trim();
                if is_name(text, $collection) {
                    Ok(Self(text.to_owned()))
                } else {
                    Err(format!("must be {}", Self::EXPECTED))
                }
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl Deref for $type {
            type Target = str;
            fn deref(&self) -> &str {
                &self.0
            }
        }

        common::config_type!($type);
    };
}

name!(
    TopicName,
    "topics",
    "the full name of a topic, projects/PROJECT/topics/TOPIC",
    "The full name of a Pub/Sub topic."
);

/// A Pub/Sub subscription: its full name, or its id within a project that is told otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubscriptionName(String);

impl SubscriptionName {
    /// The full name; `project` is that of an id. `None` when it is one, and there is no project.
    #[must_use]
    pub fn full(&self, project: Option<&str>) -> Option<String> {
        if self.0.contains('/') {
            return Some(self.0.clone());
        }
        Some(format!("projects/{}/subscriptions/{}", project?, self.0))
    }
}

impl Parse for SubscriptionName {
    const FORMAT: &'static str = "resource-name";
    const EXPECTED: &'static str =
        "the full name of a subscription, projects/PROJECT/subscriptions/SUBSCRIPTION";

    fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if is_name(text, "subscriptions") || is_segment(text) {
            Ok(Self(text.to_owned()))
        } else {
            Err(format!("must be {}", Self::EXPECTED))
        }
    }
}

impl fmt::Display for SubscriptionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

common::config_type!(SubscriptionName);

/// A project: its id, or the name of something in it, `projects/PROJECT/…`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProjectName(String);

impl Parse for ProjectName {
    const FORMAT: &'static str = "project";
    const EXPECTED: &'static str = "the id of a project, or the name of something in it, projects/PROJECT/…";

    fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let project =
            text.strip_prefix("projects/").map_or(text, |rest| rest.split('/').next().unwrap_or(rest));
        if is_segment(project) {
            Ok(Self(project.to_owned()))
        } else {
            Err(format!("must be {}", Self::EXPECTED))
        }
    }
}

impl fmt::Display for ProjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Deref for ProjectName {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

common::config_type!(ProjectName);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_four_segments_and_their_collection() {
        for (text, topic, subscription) in [
            ("projects/p/topics/t", true, false),
            (" projects/example.com:p/topics/t ", true, false),
            ("projects/p/subscriptions/ns.name~googlecloudpubsubsources.sources.triggermesh.io", false, true),
            ("projects/p/topics/", false, false),
            ("projects//topics/t", false, false),
            ("projects/p/topics/t/u", false, false),
            ("projects/p/topics/a b", false, false),
            ("project/p/topics/t", false, false),
            ("/projects/p/topics/t", false, false),
            ("projects/p/subscriptions/", false, false),
            ("s", false, true),
            ("", false, false),
        ] {
            assert_eq!(TopicName::parse(text).is_ok(), topic, "{text:?}");
            assert_eq!(SubscriptionName::parse(text).is_ok(), subscription, "{text:?}");
        }
        let told = TopicName::parse("t").unwrap_err();
        assert_eq!(told, "must be the full name of a topic, projects/PROJECT/topics/TOPIC");
    }

    #[test]
    fn an_id_needs_a_project() {
        let full = |text: &str, project| SubscriptionName::parse(text).expect("a name").full(project);
        assert_eq!(
            full("projects/p/subscriptions/s", Some("q")).as_deref(),
            Some("projects/p/subscriptions/s")
        );
        assert_eq!(full("s", Some("q")).as_deref(), Some("projects/q/subscriptions/s"));
        assert_eq!(full("s", None), None);
        for (text, project) in
            [("p", Some("p")), ("projects/p/repos/r", Some("p")), ("a/b", None), ("", None)]
        {
            let found = ProjectName::parse(text).ok();
            assert_eq!(found.as_deref(), project, "{text}");
        }
    }
}
