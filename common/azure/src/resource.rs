//! Resource ids of Azure Resource Manager, in the grammar of the original images.

use std::fmt;

use common::config::Parse;

/// A resource id: `/subscriptions/S[/resourceGroups/RG[/providers/P[/namespaces/NS]/TYPE/NAME[/SUBTYPE/SUBNAME]]]`.
///
/// The words between the values are not compared, but for `namespaces`, in any letter case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceId {
    text: String,
    /// The provider, such as `Microsoft.EventHub`.
    pub provider: Option<String>,
    /// The namespace.
    pub namespace: Option<String>,
    /// The type of the resource and its name.
    pub resource: Option<(String, String)>,
    /// The type of what is in the resource and its name.
    pub part: Option<(String, String)>,
}

impl ResourceId {
    /// The text as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl Parse for ResourceId {
    const FORMAT: &'static str = "azure-resource-id";
    const EXPECTED: &'static str =
        "a resource id such as /subscriptions/S/resourceGroups/RG/providers/P/TYPE/NAME";

    fn parse(text: &str) -> Result<Self, String> {
        let refused = || format!("must be {}", Self::EXPECTED);
        let segments: Vec<_> = text.split('/').collect();
        let values = segments.iter().skip(2).step_by(2);
        let is_whole = matches!(segments.len(), 3 | 5 | 9 | 11 | 13);
        if !is_whole || segments.first() != Some(&"") || values.clone().any(|value| value.is_empty()) {
            return Err(refused());
        }
        let pair = |index: usize| match (segments.get(index), segments.get(index + 1)) {
            (Some(word), Some(value)) => Some(((*word).to_owned(), (*value).to_owned())),
            _ => None,
        };
        let namespace = pair(7).filter(|(word, _)| word.eq_ignore_ascii_case("namespaces"));
        let resource = if namespace.is_some() { 9 } else { 7 };
        // All five levels are only there below a namespace.
        if segments.len() > resource + 4 {
            return Err(refused());
        }
        Ok(Self {
            text: text.to_owned(),
            provider: pair(5).map(|(_, provider)| provider),
            namespace: namespace.map(|(_, name)| name),
            resource: pair(resource),
            part: pair(resource + 2),
        })
    }
}

impl fmt::Display for ResourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

common::config_type!(ResourceId);

/// The resource id of an event hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventHubId {
    id: ResourceId,
    /// The namespace of Event Hubs.
    pub namespace: String,
    /// The hub.
    pub hub: String,
}

impl EventHubId {
    /// The id of a hub in a namespace with this id.
    ///
    /// # Errors
    /// What must be.
    pub fn of_namespace(namespace: &str, hub: &str) -> Result<Self, String> {
        Self::parse(&format!("{}/eventhubs/{hub}", namespace.trim_end_matches('/')))
    }

    /// The text as it was given: the source of events.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.id.as_str()
    }
}

impl Parse for EventHubId {
    const FORMAT: &'static str = "azure-resource-id";
    const EXPECTED: &'static str = "the resource id of an event hub, \
         /subscriptions/S/resourceGroups/RG/providers/Microsoft.EventHub/namespaces/NS/eventhubs/HUB";

    fn parse(text: &str) -> Result<Self, String> {
        let refused = || format!("must be {}", Self::EXPECTED);
        let id = ResourceId::parse(text).map_err(|_| refused())?;
        let is_hub = id.provider.as_deref() == Some("Microsoft.EventHub");
        match (&id.namespace, &id.resource, &id.part) {
            (Some(namespace), Some((_, hub)), None) if is_hub => {
                let (namespace, hub) = (namespace.clone(), hub.clone());
                Ok(Self { id, namespace, hub })
            }
            _ => Err(refused()),
        }
    }
}

impl fmt::Display for EventHubId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.id.fmt(f)
    }
}

common::config_type!(EventHubId);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grammar_is_that_of_the_contract() {
        for (text, provider, namespace, resource, part) in [
            ("/subscriptions/S", None, None, None, None),
            ("/subscriptions/S/resourceGroups/RG", None, None, None, None),
            ("/a/S/b/RG/c/P/TYPE/NAME", Some("P"), None, Some("NAME"), None),
            ("/a/S/b/RG/c/P/namespaces/NS", Some("P"), Some("NS"), None, None),
            ("/a/S/b/RG/c/P/TYPE/NAME/SUB/PART", Some("P"), None, Some("NAME"), Some("PART")),
            ("/a/S/b/RG/c/P/NAMESPACES/NS/TYPE/NAME", Some("P"), Some("NS"), Some("NAME"), None),
            ("/a/S/b/RG/c/P/namespaces/NS/t/NAME/s/PART", Some("P"), Some("NS"), Some("NAME"), Some("PART")),
        ] {
            let id = ResourceId::parse(text).unwrap_or_else(|problem| panic!("{text}: {problem}"));
            assert_eq!(id.as_str(), text);
            assert_eq!((id.provider.as_deref(), id.namespace.as_deref()), (provider, namespace), "{text}");
            let name = |pair: &Option<(String, String)>| pair.as_ref().map(|(_, name)| name.clone());
            assert_eq!(
                (name(&id.resource).as_deref(), name(&id.part).as_deref()),
                (resource, part),
                "{text}"
            );
        }
        for text in [
            "",
            "subscriptions/S",
            "/subscriptions",
            "/subscriptions/",
            "/subscriptions/S/",
            "/a/S/b/RG/c/P",
            "/a/S/b/RG/c/P/t/N/s/M/u/L",
            "/a/S/b//c/P/t/N",
            "/a/S/b/RG/c/P/namespaces/NS/t/N/s/M/u/L",
        ] {
            assert!(ResourceId::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_event_hub_has_a_namespace_of_event_hubs() {
        let text =
            "/subscriptions/S/resourceGroups/RG/providers/Microsoft.EventHub/namespaces/NS/eventhubs/HUB";
        let id = EventHubId::parse(text).expect("an event hub");
        assert_eq!((id.namespace.as_str(), id.hub.as_str(), id.as_str()), ("NS", "HUB", text));
        for wrong in [
            text.replace("EventHub/", "ServiceBus/"),
            text.replace("/eventhubs/HUB", ""),
            text.replace("namespaces", "accounts"),
            format!("{text}/consumergroups/g"),
        ] {
            assert!(EventHubId::parse(&wrong).is_err(), "{wrong}");
        }
    }
}
