//! Who may send events to a broker: HTTP basic authentication (RFC 7617).

use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use subtle::ConstantTimeEq as _;

/// Some clients leave the padding out.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What a sender must show.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// `user:password`.
    pair: String,
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
        Self { pair: format!("{user}:{password}") }
    }

    /// Whether the value of an `Authorization` header shows them; takes as long for any wrong pair of a length.
    #[must_use]
    pub fn admit(&self, authorization: Option<&[u8]>) -> bool {
        let shown = authorization.and_then(|value| {
            let (scheme, rest) = value.split_at_checked(6)?;
            scheme.eq_ignore_ascii_case(b"basic ").then(|| BASE64.decode(rest.trim_ascii()).ok())?
        });
        shown.is_some_and(|shown| shown.ct_eq(self.pair.as_bytes()).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn admits_the_pair_alone() {
        let credentials = Credentials::new("Aladdin", "open sesame");
        let table: [(Option<&[u8]>, bool); 9] = [
            (Some(b"Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="), true),
            (Some(b"basic  QWxhZGRpbjpvcGVuIHNlc2FtZQ"), true),
            (Some(b"Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==x"), false),
            (Some(b"Basic QWxhZGRpbjo="), false),
            (Some(b"Bearer QWxhZGRpbjpvcGVuIHNlc2FtZQ=="), false),
            (Some(b"Basic"), false),
            (Some(b""), false),
            (Some(b"\xff\xff\xff\xff\xff\xff\xff"), false),
            (None, false),
        ];
        for (value, admitted) in table {
            assert_eq!(credentials.admit(value), admitted, "{value:?}");
        }
    }
}
