//! Who may send events to a broker: HTTP basic authentication (RFC 7617).

use common::credentials::{basic_credentials, equal};
use http::HeaderMap;

/// What a sender must show.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    user: String,
    password: String,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials").finish_non_exhaustive()
    }
}

impl Credentials {
    /// A user, without a colon, and a password, perhaps empty.
    #[must_use]
    pub fn new(user: &str, password: &str) -> Self {
        Self { user: user.to_owned(), password: password.to_owned() }
    }

    /// Whether a request shows them; takes as long for any wrong pair of the same lengths.
    #[must_use]
    pub fn admit(&self, headers: &HeaderMap) -> bool {
        basic_credentials(headers).is_some_and(|(user, password)| {
            // Both are compared, whatever the first says.
            equal(user.as_bytes(), self.user.as_bytes())
                & equal(password.as_bytes(), self.password.as_bytes())
        })
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderValue, header::AUTHORIZATION};

    use super::*;

    #[test]
    fn admits_the_pair_alone() {
        let credentials = Credentials::new("Aladdin", "open sesame");
        let table: [(&[u8], bool); 7] = [
            (b"Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", true),
            (b"basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", true),
            (b"Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==x", false),
            (b"Basic QWxhZGRpbjo=", false),
            (b"Bearer QWxhZGRpbjpvcGVuIHNlc2FtZQ==", false),
            (b"Basic", false),
            (b"\xff\xff\xff\xff\xff\xff\xff", false),
        ];
        for (value, admitted) in table {
            let headers = HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_bytes(value).unwrap())]);
            assert_eq!(credentials.admit(&headers), admitted, "{value:?}");
        }
        assert!(!credentials.admit(&HeaderMap::new()));
    }
}
