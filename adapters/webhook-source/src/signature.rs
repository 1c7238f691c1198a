//! The HMAC of a body, as GitHub, Gitea, Shopify and many others send it.
//!
//! Facts: GitHub documentation, "Validating webhook deliveries" (`X-Hub-Signature-256: sha256=<hex>`).

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Whether `signature` is the HMAC-SHA256 of the body under the key; compared in constant time.
pub fn is_valid(key: &[u8], body: &[u8], signature: &str) -> bool {
    let signature = signature.trim();
    let signature = signature.strip_prefix("sha256=").unwrap_or(signature);
    let Some(bytes) = hexadecimal(signature).or_else(|| STANDARD.decode(signature).ok()) else {
        return false;
    };
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return false };
    mac.update(body);
    !key.is_empty() && mac.verify_slice(&bytes).is_ok()
}

fn hexadecimal(text: &str) -> Option<Vec<u8>> {
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of GitHub's documentation.
    const HEX: &str = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";

    #[test]
    fn accepts_the_usual_spellings_and_nothing_else() {
        let (key, body) = (b"It's a Secret to Everybody", b"Hello, World!");
        let base64 = STANDARD.encode(hexadecimal(HEX).expect("hexadecimal"));
        for good in [HEX.to_owned(), format!("sha256={HEX}"), HEX.to_uppercase(), base64] {
            assert!(is_valid(key, body, &good), "{good}");
        }
        for bad in ["", "sha256=", &HEX[1..], &HEX.replace('7', "8"), "é", "sha1=00"] {
            assert!(!is_valid(key, body, bad), "{bad}");
        }
        assert!(!is_valid(b"", body, HEX));
    }
}
