//! Correlation keys: random ones, which nobody can guess, of the letters that the original used and the digit it forgot.

/// What keys are made of: safe in a header, a URL and a file name.
const LETTERS: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";
/// Bytes from here on are drawn again, so that every letter is as likely as another.
const LIMIT: u8 = 252;

/// A key of this length from the system's source of randomness.
///
/// # Errors
/// When the system has none.
pub fn random(length: usize) -> Result<String, getrandom::Error> {
    let mut key = String::with_capacity(length);
    let mut bytes = [0; 32];
    while key.len() < length {
        getrandom::fill(&mut bytes)?;
        let letters = bytes.iter().filter(|byte| **byte < LIMIT);
        let letters = letters.map(|byte| char::from(LETTERS[usize::from(*byte) % LETTERS.len()]));
        key.extend(letters.take(length - key.len()));
    }
    Ok(key)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn keys_have_their_length_and_all_letters() {
        let mut seen = HashSet::new();
        for length in 0..=64 {
            let key = random(length).expect("random bytes");
            assert_eq!(key.len(), length);
            assert!(key.bytes().all(|letter| LETTERS.contains(&letter)), "{key}");
            seen.extend(random(512).expect("random bytes").into_bytes());
        }
        assert_eq!(seen.len(), LETTERS.len());
    }

    #[test]
    fn every_letter_is_as_likely() {
        let mut counts = [0_u32; 128];
        for letter in random(360_000).expect("random bytes").into_bytes() {
            counts[usize::from(letter)] += 1;
        }
        // 10,000 expected, with a deviation of 99.
        for letter in LETTERS {
            let count = counts[usize::from(*letter)];
            assert!((9_000..11_000).contains(&count), "{} came {count} times", char::from(*letter));
        }
    }

    #[test]
    fn no_key_comes_twice() {
        let keys: HashSet<_> = (0..10_000).map(|_| random(24).expect("random bytes")).collect();
        assert_eq!(keys.len(), 10_000);
    }
}
