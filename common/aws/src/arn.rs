//! Amazon Resource Names and regions, by AWS's reference (IAM User Guide, "Amazon Resource Names").

use std::{fmt, ops::Range};

use common::config::Parse;

/// `arn:partition:service:region:account:resource`. Region and account may be empty; the resource may hold colons.
///
/// Shown, it is what was given, letter by letter.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Arn {
    text: String,
    /// Where the five parts after `arn` stand in the text.
    parts: [Range<usize>; 5],
}

impl Arn {
    /// `aws`, `aws-cn`, `aws-us-gov` and others.
    #[must_use]
    pub fn partition(&self) -> &str {
        self.part(0)
    }

    /// The service, `sqs`.
    #[must_use]
    pub fn service(&self) -> &str {
        self.part(1)
    }

    /// The region; empty where names are global, as those of S3 are.
    #[must_use]
    pub fn region(&self) -> &str {
        self.part(2)
    }

    /// The account's number; may be empty.
    #[must_use]
    pub fn account(&self) -> &str {
        self.part(3)
    }

    /// What is named, as the service writes it: `queue`, `stream/NAME`, `log-group:NAME:*`.
    #[must_use]
    pub fn resource(&self) -> &str {
        self.part(4)
    }

    /// The whole text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The region that global names of this partition are asked for in.
    #[must_use]
    pub fn home_region(&self) -> &'static str {
        match self.partition() {
            "aws-cn" => "cn-north-1",
            "aws-us-gov" => "us-gov-west-1",
            "aws-eusc" => "eusc-de-east-1",
            "aws-iso" => "us-iso-east-1",
            "aws-iso-b" => "us-isob-east-1",
            _ => "us-east-1",
        }
    }

    fn part(&self, index: usize) -> &str {
        let range = self.parts.get(index).cloned().unwrap_or_default();
        self.text.get(range).unwrap_or_default()
    }
}

impl Parse for Arn {
    const FORMAT: &'static str = "arn";
    const EXPECTED: &'static str = "an ARN: arn:partition:service:region:account:resource";

    fn parse(text: &str) -> Result<Self, String> {
        let mut parts: [Range<usize>; 5] = Default::default();
        let mut start = 0;
        for (index, piece) in text.splitn(6, ':').enumerate() {
            let end = start + piece.len();
            let required = matches!(index, 1 | 2 | 5);
            if (index == 0 && piece != "arn") || (required && piece.is_empty()) {
                return Err(format!("must be {}", Self::EXPECTED));
            }
            if let Some(part) = index.checked_sub(1).and_then(|index| parts.get_mut(index)) {
                *part = start..end;
            }
            start = end + 1;
        }
        if parts[4].is_empty() || text.contains(|c: char| c.is_control() || c.is_whitespace()) {
            return Err(format!("must be {}", Self::EXPECTED));
        }
        Ok(Self { text: text.to_owned(), parts })
    }
}

impl fmt::Display for Arn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Arn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

common::config_type!(Arn);

/// The name of a region, `us-west-2`. It becomes part of host names, so that nothing else may stand in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Region(pub String);

impl Parse for Region {
    const FORMAT: &'static str = "region";
    const EXPECTED: &'static str = "the name of a region, such as us-west-2";

    fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let valid = !text.is_empty()
            && text.len() <= 63
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if valid { Ok(Self(text.to_owned())) } else { Err(format!("must be {}", Self::EXPECTED)) }
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

common::config_type!(Region);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_those_of_the_text() {
        for (text, expected) in [
            (
                "arn:aws:sqs:us-west-2:123456789012:queue",
                ["aws", "sqs", "us-west-2", "123456789012", "queue"],
            ),
            ("arn:aws-cn:s3:::bucket", ["aws-cn", "s3", "", "", "bucket"]),
            (
                "arn:aws:logs:eu-west-1:1:log-group:/aws/lambda/f:*",
                ["aws", "logs", "eu-west-1", "1", "log-group:/aws/lambda/f:*"],
            ),
        ] {
            let arn = Arn::parse(text).expect(text);
            let parts = [arn.partition(), arn.service(), arn.region(), arn.account(), arn.resource()];
            assert_eq!(parts, expected);
            assert_eq!(arn.to_string(), text);
        }
    }

    #[test]
    fn what_is_no_arn_is_refused() {
        for text in [
            "",
            "arn",
            "arn:aws:sqs:us-west-2:123456789012",
            "arn:aws:sqs:us-west-2:123456789012:",
            "arn::sqs:us-west-2:1:q",
            "arn:aws::us-west-2:1:q",
            "ARN:aws:sqs:us-west-2:1:q",
            "https://sqs.us-west-2.amazonaws.com/1/q",
            "arn:aws:sqs:us-west-2:1:q q",
        ] {
            assert!(Arn::parse(text).is_err(), "{text}");
        }
        assert!(Region::parse("us-west-2").is_ok());
        assert!(Region::parse("evil.example/").is_err());
    }

    #[test]
    fn partitions_have_their_own_home() {
        assert_eq!(Arn::parse("arn:aws-cn:s3:::b").expect("valid").home_region(), "cn-north-1");
        assert_eq!(Arn::parse("arn:aws:s3:::b").expect("valid").home_region(), "us-east-1");
    }
}
