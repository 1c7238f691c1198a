//! Who may send: any of the listed users with the right password.

use common::{config::Secret, credentials};
use http::HeaderMap;
use sha2::{Digest, Sha256};

use crate::config::Credential;

/// The users.
pub struct Users(Vec<(String, Secret)>);

impl Users {
    /// The users of a setting; a password that is not there is warned of, for whoever waits to be let in.
    pub fn new(credentials: &[Credential]) -> Self {
        let user = |credential: &Credential| {
            let secret = match (&credential.file, &credential.password) {
                (Some(file), _) => Secret::file(file),
                (None, password) => Secret::new(password.as_ref().map_or("", |password| password.text())),
            };
            if secret.is_empty() {
                let (user, file) = (&credential.username, &credential.file);
                tracing::warn!(
                    user,
                    file,
                    "the password is absent or empty: this user is refused until there is one"
                );
            }
            (credential.username.clone(), secret)
        };
        Self(credentials.iter().map(user).collect())
    }

    /// Whether anybody may send.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the request has the name and the password of a user. All are compared, by digests, so that the time
    /// tells neither how much is right nor how long anything is. An empty password lets nobody in.
    pub fn admit(&self, headers: &HeaderMap) -> bool {
        let Some((name, password)) = credentials::basic_credentials(headers) else { return false };
        let (name, given) = (Sha256::digest(name), Sha256::digest(&password));
        self.0.iter().fold(false, |admitted, (user, secret)| {
            let right = secret.read();
            let matches = credentials::equal(&name, &Sha256::digest(user))
                & credentials::equal(&given, &Sha256::digest(right.as_bytes()));
            admitted | (matches & !right.is_empty())
        })
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use http::{HeaderValue, header};

    use super::*;

    fn basic(encoded: &str) -> HeaderMap {
        let value = HeaderValue::from_str(&format!("Basic {encoded}")).expect("a header");
        [(header::AUTHORIZATION, value)].into_iter().collect()
    }

    #[test]
    fn any_pair_is_good_and_an_empty_password_never_is() {
        let folder = std::env::temp_dir().join(format!("cloudevents-source-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        let file = |name: &str, content: &str| {
            let path = folder.join(name);
            fs::write(&path, content).expect("a file");
            Some(path.to_string_lossy().into_owned())
        };
        let credential =
            |username: &str, file| Credential { username: username.to_owned(), file, password: None };
        let users = Users::new(&[
            credential("alice", file("a", "secret\n")),
            credential("bob", file("b", "other ")),
            credential("empty", file("c", "")),
            credential("absent", Some("/no/such/file".to_owned())),
        ]);
        fs::remove_dir_all(&folder).expect("removed");
        for (encoded, expected) in [
            ("YWxpY2U6c2VjcmV0", true),      // alice:secret
            ("Ym9iOm90aGVyIA==", true),      // bob:other and a space
            ("YWxpY2U6b3RoZXIg", false),     // alice with the password of bob
            ("ZW1wdHk6", false),             // empty:
            ("YWJzZW50Og==", false),         // absent:
            ("bm9ib2R5OnNlY3JldA==", false), // nobody:secret
            ("YWxpY2U=", false),             // alice without a colon
            ("!", false),
        ] {
            assert_eq!(users.admit(&basic(encoded)), expected, "{encoded}");
        }
        assert!(!users.admit(&HeaderMap::new()));
    }
}
