//! The reply: what the queue said of the message, in the form in which the Go SDK prints it.

use aws::{Arn, GoValue};
use aws_sdk_sqs::types::SendMessageBatchResultEntry;
use common::{Event, InvalidEvent};

/// The type of replies.
pub const REPLY_TYPE: &str = "io.triggermesh.targets.aws.sqs.result";

/// The reply event for a message that the queue has.
///
/// # Errors
/// When the ARN is no `source`, which the configuration does not allow.
pub fn reply(arn: &Arn, sent: &SendMessageBatchResultEntry) -> Result<Event, InvalidEvent> {
    let fields = [
        ("MD5OfMessageAttributes", sent.md5_of_message_attributes()),
        ("MD5OfMessageBody", Some(sent.md5_of_message_body())),
        ("MD5OfMessageSystemAttributes", sent.md5_of_message_system_attributes()),
        ("MessageId", Some(sent.message_id())),
        ("SequenceNumber", sent.sequence_number()),
    ];
    let fields = fields.map(|(name, value)| (name, value.map(GoValue::Text)));
    aws::reply(REPLY_TYPE, arn, aws::go_struct(&fields))
}

#[cfg(test)]
mod tests {
    use common::config::Parse;

    use super::*;

    #[test]
    fn the_reply_is_a_text_as_the_go_sdk_prints_it() {
        let sent =
            SendMessageBatchResultEntry::builder().id("0").message_id("m-1").md5_of_message_body("5d41");
        let arn = Arn::parse("arn:aws:sqs:us-west-2:123456789012:orders").expect("an ARN");
        let standard = sent.clone().build().expect("an entry");
        let event = reply(&arn, &standard).expect("an event");
        assert_eq!((event.event_type(), event.source()), (REPLY_TYPE, arn.as_str()));
        let data = event.data().expect("data");
        assert_eq!(&**data, br#""{\n  MD5OfMessageBody: \"5d41\",\n  MessageId: \"m-1\"\n}""#);
        let fifo = sent.sequence_number("188").build().expect("an entry");
        let data = reply(&arn, &fifo).expect("an event").data().cloned().expect("data");
        assert!(data.ends_with(br#"MessageId: \"m-1\",\n  SequenceNumber: \"188\"\n}""#), "{data:?}");
    }
}
