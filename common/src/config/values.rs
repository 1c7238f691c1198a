//! The everyday value types of a configuration: flags, lists and URLs.

use std::{fmt, ops::Deref};

use super::Parse;

/// A switch that accepts what Go's `strconv.ParseBool` accepts: `1 t T TRUE true True 0 f F FALSE false False`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flag(pub bool);

impl Parse for Flag {
    const FORMAT: &'static str = "flag";
    const EXPECTED: &'static str = "true or false";
    const JSON_TYPE: &'static str = "boolean";

    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "1" | "t" | "T" | "TRUE" | "true" | "True" => Ok(Self(true)),
            "0" | "f" | "F" | "FALSE" | "false" | "False" => Ok(Self(false)),
            _ => Err(format!("must be {}", Self::EXPECTED)),
        }
    }
}

impl fmt::Display for Flag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

crate::config_type!(Flag);

/// A list of texts, separated by commas; white space around an item is dropped, and so are empty items.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct List(pub Vec<String>);

impl Parse for List {
    const FORMAT: &'static str = "list";
    const EXPECTED: &'static str = "a list separated by commas";

    fn parse(text: &str) -> Result<Self, String> {
        Ok(Self(text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect()))
    }
}

impl fmt::Display for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(","))
    }
}

impl Deref for List {
    type Target = [String];
    fn deref(&self) -> &[String] {
        &self.0
    }
}

crate::config_type!(List);

/// An absolute `http` or `https` URL with a host. User information is refused: credentials have their own settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url(url::Url);

impl Url {
    /// The URL as a request target for the HTTP client.
    #[must_use]
    pub fn to_uri(&self) -> http::Uri {
        // Every URL that `url` accepts with a host is a URI; the default only keeps this free of a panic.
        self.0.as_str().parse().unwrap_or_default()
    }
}

impl Parse for Url {
    const FORMAT: &'static str = "uri";
    const EXPECTED: &'static str = "an absolute http or https URL";

    fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let url = url::Url::parse(text).map_err(|error| format!("must be {}: {error}", Self::EXPECTED))?;
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none_or(str::is_empty) {
            return Err(format!("must be {}", Self::EXPECTED));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("must not hold a user name or password".to_owned());
        }
        if url.as_str().parse::<http::Uri>().is_err() {
            return Err(format!("must be {}", Self::EXPECTED));
        }
        Ok(Self(url))
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Deref for Url {
    type Target = url::Url;
    fn deref(&self) -> &url::Url {
        &self.0
    }
}

crate::config_type!(Url);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_those_of_go() {
        for text in ["1", "t", "True", "TRUE"] {
            assert_eq!(Flag::parse(text), Ok(Flag(true)), "{text}");
        }
        assert_eq!(Flag::parse("f"), Ok(Flag(false)));
        assert!(Flag::parse("yes").is_err());
    }

    #[test]
    fn urls_are_absolute_http_without_credentials() {
        assert!(Url::parse("http://127.0.0.1:9/a/b?x=1").is_ok());
        for text in ["", "/a", "ftp://a/", "http://", "http://u:p@h/", "mailto:x"] {
            assert!(Url::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn hosts_are_ascii() {
        for text in [
            "http://VVVVµA",
            "http://%C2%B5A/",
            "\u{a0}ht\ntp:\\\\u@Éa:1?x",
            "https:Éa",
            "file://AÉ@b",
            "HTTPS://b.É/",
        ] {
            assert!(Url::parse(text).is_err(), "{text}");
        }
        // Punycode of characters that no host may have is not looked into.
        let _ = Url::parse("https://XN--t0-00tpdddddddddeddddddddddddda/");
        for text in ["http://h/É%41?É#É", "http://xn--bcher-kva.example/", "http://[::1]:80/"] {
            assert!(Url::parse(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn a_url_never_shows_its_password_in_the_error() {
        let error = Url::parse("http://user:hunter2@host/").expect_err("refused");
        assert!(!error.contains("hunter2"), "{error}");
    }
}
