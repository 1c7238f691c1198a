//! How `xsl:sort` may sort (XSLT 1.0, section 10).

pub const DATA_TYPES: [&str; 2] = ["text", "number"];
pub const ORDERS: [&str; 2] = ["ascending", "descending"];
pub const CASE_ORDERS: [&str; 2] = ["upper-first", "lower-first"];
/// Of one instruction.
pub const MAX_SORTS: usize = 64;

/// Languages whose letters have the order of the alphabet, those with signs beside those without.
const LANGUAGES: [&str; 7] = ["de", "en", "fr", "ga", "it", "nl", "pt"];

/// The letters without signs of those from U+00C0 to U+017F.
const PLAIN: &str = concat!(
    "AAAAAAÆCEEEEIIIIÐNOOOOO×OUUUUYÞßaaaaaaæceeeeiiiiðnooooo÷ouuuuyþy",
    "AaAaAaCcCcCcCcDdDdEeEeEeEeEeGgGgGgGgHhHhIiIiIiIiIiĲĳJjKkĸLlLlLlL",
    "lLlNnNnNnŉŊŋOoOoOoŒœRrRrRrSsSsSsSsTtTtTtUuUuUuUuUuUuWwYyYZzZzZzſ",
);

/// Whether texts of a language can be sorted.
pub fn is_language(lang: &str) -> bool {
    let primary = lang.split('-').next().unwrap_or_default();
    LANGUAGES.iter().any(|known| primary.eq_ignore_ascii_case(known))
}

/// A text as it is sorted in those languages: letters without their signs and without case. What is equal then is told apart
/// by the text itself.
pub fn letters(text: &str) -> String {
    let plain = |c: char| {
        let index = u32::from(c).checked_sub(0xc0).map(|index| index as usize);
        index.filter(|index| *index < 192).and_then(|index| PLAIN.chars().nth(index)).unwrap_or(c)
    };
    text.chars().map(plain).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_lose_signs_and_case() {
        assert_eq!(PLAIN.chars().count(), 192);
        for (text, expected) in [("Ärger", "arger"), ("ŻÓŁW", "zolw"), ("Éa1 ×", "ea1 ×"), ("Ω", "ω")]
        {
            assert_eq!(letters(text), expected);
        }
        for (index, plain) in PLAIN.chars().enumerate() {
            let letter = char::from_u32(0xc0 + index as u32).expect("a letter");
            let same_case = letter.is_lowercase() == plain.is_lowercase() || !letter.is_alphabetic();
            assert!(same_case, "{letter} {plain}");
        }
        assert!(is_language("en-GB") && is_language("DE") && !is_language("sv") && !is_language(""));
    }
}
