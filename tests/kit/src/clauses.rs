//! The numbered list of what every adapter must keep. Each clause is a trial of `tests/conformance`.

/// One clause.
#[derive(Clone, Copy, Debug)]
pub struct Clause {
    /// Letter and number.
    pub id: &'static str,
    /// What must hold, in one sentence.
    pub text: &'static str,
}

/// What the letters stand for.
pub const CHAPTERS: [(char, &str); 6] = [
    ('C', "Configuration: every binary"),
    ('L', "Life: every binary"),
    ('S', "Sources"),
    ('W', "Webhook sources"),
    ('T', "Targets and brokers"),
    ('X', "Bad input: every binary"),
];

const fn clause(id: &'static str, text: &'static str) -> Clause {
    Clause { id, text }
}

/// All of them, in order.
pub const CLAUSES: &[Clause] = &[
    clause(
        "C1",
        "Without configuration it exits with 78 within a second, after one line that names every missing variable.",
    ),
    clause("C2", "Wrong values are refused likewise: exit 78, one line that names all of them."),
    clause(
        "C3",
        "The value of a secret appears in no output: not when it starts, not in an error, not in a log, not in the metrics.",
    ),
    clause(
        "C4",
        "`--help`, `--version` and `--describe` work without configuration; the description is complete and the committed `describe.json`.",
    ),
    clause("C5", "An unknown or malformed `K_OBSERVABILITY_CONFIG` or `K_LOGGING_CONFIG` never stops it."),
    clause(
        "C6",
        "Every secret can be given as `<NAME>_FILE`; a file that cannot be read is a configuration error that names it.",
    ),
    clause("C7", "The variables that Knative's and TriggerMesh's controllers add are accepted."),
    clause("C8", "An empty variable counts as absent."),
    clause(
        "C9",
        "Every setting can be given as a flag, and the words `start` and `--disable-ha` are accepted.",
    ),
    clause(
        "L1",
        "Every health path answers: live, started and ready 200 once it works; an unknown path is no health path.",
    ),
    clause(
        "L2",
        "After SIGTERM it is not ready at once, still serves while it drains, finishes what is in flight and exits with 0.",
    ),
    clause("L3", "`PORT` and `HOST` are honoured."),
    clause("L4", "`/metrics` on `METRICS_PROMETHEUS_PORT` is valid Prometheus text."),
    clause(
        "L5",
        "A `PORT` or a set `METRICS_PROMETHEUS_PORT` that is taken ends it with 78 and a line that names the variable.",
    ),
    clause("L6", "A second SIGTERM does not make it crash, and SIGINT stops it like SIGTERM."),
    clause(
        "L7",
        "With the outside system or the sink down at the start it stays alive and works once they are there.",
    ),
    clause("L8", "Every line on standard error is a JSON object with timestamp, level and message."),
    clause(
        "L9",
        "A client that goes away before the answer leaves nothing behind: nothing stays counted as in work.",
    ),
    clause(
        "L10",
        "With `TLS_CERT_FILE` and `TLS_KEY_FILE` it serves HTTPS, and takes a new certificate without a restart.",
    ),
    clause("S1", "It posts to `K_SINK` verbatim, path and query kept."),
    clause("S2", "What it sends are valid CloudEvents 1.0, each with an id of its own."),
    clause(
        "S3",
        "`K_CE_OVERRIDES` sets extensions; empty, `{}` and `null` change nothing; malformed JSON is a configuration error.",
    ),
    clause(
        "S4",
        "A sink with a private certificate is trusted by `K_CA_CERTS` or by `TRUST_BUNDLE_DIR`, and by nothing else.",
    ),
    clause(
        "S5",
        "The token of `OIDC_TOKEN_FILE` is sent to the sink only, read again when it changes; without a file no header is sent.",
    ),
    clause(
        "S6",
        "Transport errors, 404, 408, 409, 425, 429 and 5xx are retried with the same id until the sink accepts.",
    ),
    clause(
        "S7",
        "An event that the sink refuses goes to `DEAD_LETTER_SINK` with Knative's error extensions and is not sent again; redirects are not followed.",
    ),
    clause("S8", "`Retry-After` of a 429 or 503 is waited for."),
    clause("S9", "Nothing is acknowledged upstream before the sink's 2xx."),
    clause("S10", "The trace context goes on: same trace id, a span of its own."),
    clause("S11", "A sink that does not answer within `K_SINK_TIMEOUT` is tried again."),
    clause("S12", "The event in its README (`tests/sample.json`) is one that it sent in a run."),
    clause(
        "W1",
        "A request without the right credentials or signature is answered 401 or 403, and nothing is sent.",
    ),
    clause("W2", "While the sink is down it answers 5xx, within the vendor's deadline."),
    clause("W3", "A body over `MAX_EVENT_BYTES` is answered 413, and nothing is sent."),
    clause("W4", "A sink that refuses the event is answered 502 with its code in the body."),
    clause(
        "T1",
        "Binary, structured (any letter case, with charset) and batch mode: every event arrives, and the answer is 2xx.",
    ),
    clause("T2", "A malformed CloudEvent is answered 400 and does not arrive; an unknown event format 415."),
    clause("T3", "Percent-encoded, quoted and raw header values are read as the specification says."),
    clause(
        "T4",
        "A success is 202 or 204 with an empty body, or 200 with a valid event; a 202 never carries `ce-` fields.",
    ),
    clause(
        "T5",
        "What the outside system refuses for good is a 4xx that nobody retries, what it cannot do now 503 with `Retry-After`; the body is at most 768 bytes.",
    ),
    clause("T6", "OPTIONS answers the webhook handshake; GET, PUT and DELETE are 405 with `Allow`."),
    clause("T7", "Fifty events at once all arrive."),
    clause(
        "T8",
        "`EVENTS_PAYLOAD_POLICY=error` turns a permanent failure into 200 with an event of `category=error`; a transient one stays 503.",
    ),
    clause("T9", "Data that the outside system cannot take is refused for good and leaves it untouched."),
    clause("T10", "The body is opaque in binary mode: every media type arrives byte for byte."),
    clause(
        "T11",
        "The event in its README (`tests/sample.json`), what arrives of it and the answer are those of a run.",
    ),
    clause("X1", "A body of 100 MiB, announced or chunked, is refused with 413 before all of it is read."),
    clause("X2", "A header field of 1 MiB and 10,000 fields are answered 431."),
    clause(
        "X3",
        "Two different lengths, and a length together with chunks, are answered 400 and never taken for an event.",
    ),
    clause("X4", "Garbage in place of a request is answered 400."),
    clause(
        "X5",
        "Hundreds of slow clients, in the head or in the body, do not keep others from being served.",
    ),
    clause(
        "X6",
        "A sink or destination that hangs, closes, redirects, refuses, talks garbage or never ends is answered for, and nothing breaks.",
    ),
    clause(
        "X7",
        "Over all bad input the resident memory grows by less than 16 MB, and the next good request is served.",
    ),
];

/// The list as Markdown, for the book of rules.
#[must_use]
pub fn markdown() -> String {
    let mut text = String::new();
    for (letter, title) in CHAPTERS {
        text.push_str(&format!("### {letter}. {title}\n\n"));
        for clause in CLAUSES.iter().filter(|clause| clause.id.starts_with(letter)) {
            text.push_str(&format!("- **{}** {}\n", clause.id, clause.text));
        }
        text.push('\n');
    }
    text.trim_end().to_owned() + "\n"
}
