//! The header `Authorization` with a key of the account: "Authorize with Shared Key", for versions since 2015-02-21.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use common::Error;
use hmac::{Hmac, KeyInit, Mac};
use http::Method;
use sha2::Sha256;
use url::Url;

/// The value of the header; `headers` are those that are sent, with names in lower case.
pub(super) fn shared_key(
    account: &str,
    key: &str,
    method: &Method,
    url: &Url,
    headers: &BTreeMap<String, String>,
) -> Result<String, Error> {
    let refused = || Error::retryable("signing a request to Blob storage: AZURE_STORAGE_KEY must be base64");
    let key = STANDARD.decode(key.trim()).map_err(|_| refused())?;
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).map_err(|_| refused())?;
    mac.update(to_sign(account, method, url, headers).as_bytes());
    Ok(format!("SharedKey {account}:{}", STANDARD.encode(mac.finalize().into_bytes())))
}

fn to_sign(account: &str, method: &Method, url: &Url, headers: &BTreeMap<String, String>) -> String {
    let header = |name: &str| headers.get(name).map(String::as_str).unwrap_or_default();
    // The length of a body without content is left out.
    let mut text =
        format!("{method}\n\n\n\n\n\n\n\n{}\n{}\n\n\n", header("if-match"), header("if-none-match"));
    for (name, value) in headers.iter().filter(|(name, _)| name.starts_with("x-ms-")) {
        text.push_str(&format!("{name}:{}\n", value.trim()));
    }
    text.push_str(&format!("/{account}{}", url.path()));
    let mut query: Vec<_> = url.query_pairs().collect();
    query.sort();
    for (name, value) in query {
        text.push_str(&format!("\n{}:{value}", name.to_ascii_lowercase()));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_signed_is_what_the_service_signs() {
        let url =
            Url::parse("http://127.0.0.1:1/acc/con?restype=container&comp=list&prefix=a%2Fb").expect("a URL");
        let headers = [("x-ms-version", "2021-12-02"), ("x-ms-date", "D"), ("if-none-match", "*")];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        assert_eq!(
            to_sign("acc", &Method::GET, &url, &headers),
            "GET\n\n\n\n\n\n\n\n\n*\n\n\nx-ms-date:D\nx-ms-version:2021-12-02\n/acc/acc/con\ncomp:list\nprefix:a/b\nrestype:container"
        );
    }
}
