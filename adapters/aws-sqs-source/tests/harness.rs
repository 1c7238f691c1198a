//! What the conformance kit needs to know of aws-sqs-source.

use kit::Harness;

/// It ticks by itself: nothing has to happen upstream.
pub fn harness() -> Harness {
    Harness::source(|_, _| Ok(()))
        .environment(|_| vec![("AWS_SQS_EVENT_SOURCE", "/aws-sqs/test"), ("AWS_SQS_PERIOD", "200ms")])
}
