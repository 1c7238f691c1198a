//! Where credentials come from, each tried with the real binary: STS at moto, metadata services as small doubles.

use kit::{Captured, Failure, Folder, Reply, Sink, ensure, eventually};
use serde_json::json;

use crate::{Outcome, moto, order, start};

/// The credential id and the token that a request to S3 was signed with.
fn signers(requests: &[Captured]) -> Vec<(String, Option<String>)> {
    let puts = requests.iter().filter(|request| request.method == "PUT" && request.path.contains("/orders/"));
    puts.map(|request| {
        let text = request.headers.get("authorization").unwrap_or_default();
        let id = text.split_once("Credential=").and_then(|(_, rest)| rest.split('/').next());
        let token = request.headers.get("x-amz-security-token").map(str::to_owned);
        (id.unwrap_or_default().to_owned(), token)
    })
    .collect()
}

/// Starts a target that finds its credentials by these settings, sends one event and gives its signer.
fn signer(settings: &[(&str, &str)]) -> Result<(String, Option<String>), Failure> {
    let (moto, sink) = moto()?;
    let endpoint = [("AWS_ENDPOINT_URL", sink.url(""))];
    let endpoint = endpoint.each_ref().map(|(name, value)| (*name, value.as_str()));
    let target = start(&[&endpoint[..], settings].concat())?;
    let answer = target.send(&order(1, "one"))?;
    answer.expect(200)?;
    ensure(moto.object("orders", "one")?.is_some(), || "no object".to_owned())?;
    signers(&sink.requests()).pop().ok_or_else(|| "nothing was signed".to_owned())
}

const KEYS: [(&str, &str); 2] = [("AWS_ACCESS_KEY_ID", "AKID"), ("AWS_SECRET_ACCESS_KEY", "secret")];
const ROLE: &str = "arn:aws:iam::123456789012:role/writer";

#[test]
fn keys_and_their_other_names() -> Outcome {
    let (id, token) = signer(&[&KEYS[..], &[("AWS_SESSION_TOKEN", "hunter2")]].concat())?;
    ensure((&*id, token.as_deref()) == ("AKID", Some("hunter2")), || format!("{id} {token:?}"))?;
    let (id, token) = signer(&[("AWS_ACCESS_KEY", "OTHER"), ("AWS_SECRET_KEY", "secret")])?;
    ensure((&*id, token) == ("OTHER", None), || id.clone())
}

#[test]
fn a_role_is_assumed() -> Outcome {
    let (id, token) = signer(&[&KEYS[..], &[("AWS_ASSUME_ROLE_ARN", ROLE)]].concat())?;
    ensure(id.starts_with("ASIA") && token.is_some(), || format!("{id} {token:?}"))
}

#[test]
fn a_web_identity_stands_for_a_role() -> Outcome {
    let folder = Folder::new()?;
    let file = folder.file("token", "a.b.c\n")?;
    let settings = [("AWS_ROLE_ARN", ROLE), ("AWS_WEB_IDENTITY_TOKEN_FILE", &*file)];
    let (id, token) = signer(&settings)?;
    ensure(id.starts_with("ASIA") && token.is_some(), || format!("{id} {token:?}"))?;
    // And another role by that one.
    let (id, _) = signer(&[&settings[..], &[("AWS_ASSUME_ROLE_ARN", ROLE)]].concat())?;
    ensure(id.starts_with("ASIA"), || id.clone())
}

#[test]
fn a_profile_names_keys() -> Outcome {
    let folder = Folder::new()?;
    let text = "[default]\naws_access_key_id = NOT\naws_secret_access_key = x\n\
                [work]\naws_access_key_id = PROFILE\naws_secret_access_key = x\n";
    let file = folder.file("credentials", text)?;
    let (id, _) = signer(&[("AWS_SHARED_CREDENTIALS_FILE", &*file), ("AWS_PROFILE", "work")])?;
    ensure(id == "PROFILE", || id.clone())
}

#[test]
fn a_container_has_credentials() -> Outcome {
    let container = Sink::start()?;
    container.always(Reply::json(&temporary("CONTAINER", "2124-01-01T00:00:00Z")));
    let url = container.url("/v1/credentials?id=7");
    let settings =
        [("AWS_CONTAINER_CREDENTIALS_FULL_URI", &*url), ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "pod")];
    let (id, token) = signer(&settings)?;
    ensure((&*id, token.as_deref()) == ("CONTAINER", Some("hunter2")), || format!("{id} {token:?}"))?;
    let requests = container.requests();
    let asked = requests.first().map(|request| (&*request.path, request.headers.get("authorization")));
    ensure(asked == Some(("/v1/credentials?id=7", Some("pod"))), || format!("{asked:?}"))
}

#[test]
fn an_instance_has_credentials() -> Outcome {
    let metadata = Sink::start()?;
    metadata.route(|request| {
        let session = request.headers.get("x-aws-ec2-metadata-token");
        Some(match (request.method.as_str(), request.path.trim_end_matches('/'), session) {
            ("PUT", "/latest/api/token", _) => {
                Reply::status(200).header("X-Aws-Ec2-Metadata-Token-Ttl-Seconds", "21600").body("session")
            }
            (_, _, session) if session != Some("session") => Reply::status(401),
            ("GET", "/latest/meta-data/iam/security-credentials", _) => Reply::status(200).body("writer"),
            ("GET", "/latest/meta-data/iam/security-credentials/writer", _) => {
                Reply::json(&temporary("INSTANCE", "2124-01-01T00:00:00Z"))
            }
            _ => Reply::status(404),
        })
    });
    let (id, token) = signer(&[("AWS_EC2_METADATA_SERVICE_ENDPOINT", &metadata.url(""))])?;
    ensure((&*id, token.as_deref()) == ("INSTANCE", Some("hunter2")), || format!("{id} {token:?}"))
}

#[test]
fn expired_credentials_are_got_anew() -> Outcome {
    let (container, (moto, sink)) = (Sink::start()?, moto()?);
    container.script([Reply::json(&temporary("FIRST", "2124-01-01T00:00:00Z"))]);
    container.always(Reply::json(&temporary("SECOND", "2124-01-01T00:00:00Z")));
    let url = container.url("/");
    let mut target =
        start(&[("AWS_ENDPOINT_URL", &sink.url("")), ("AWS_CONTAINER_CREDENTIALS_FULL_URI", &url)])?;
    // They are revoked before their time.
    sink.script([Reply::status(400)
        .header("Content-Type", "application/xml")
        .body("<Error><Code>ExpiredToken</Code><Message>hunter2</Message></Error>")]);
    let answer = target.send(&order(1, "one"))?;
    ensure(answer.status == 503 && answer.text().contains("AWS_SESSION_TOKEN"), || answer.text())?;
    let line = target.process.wait_for_line("an event was not handled")?;
    ensure(line.field("reason").contains("the credentials have expired"), || line.text.clone())?;
    let answer = target.send(&order(1, "one"))?;
    ensure(answer.status == 200 && moto.object("orders", "one")?.is_some(), || answer.text())?;
    let ids: Vec<_> = signers(&sink.requests()).into_iter().map(|(id, _)| id).collect();
    ensure(ids == ["FIRST", "SECOND"], || format!("{ids:?}"))?;
    ensure(!target.process.output().contains("hunter2"), || target.process.output())
}

#[test]
fn credentials_that_expire_are_got_anew_in_time() -> Outcome {
    let (container, (_moto, sink)) = (Sink::start()?, moto()?);
    container.script([Reply::json(&temporary("FIRST", "2024-01-01T00:00:00Z"))]);
    container.always(Reply::json(&temporary("SECOND", "2124-01-01T00:00:00Z")));
    let url = container.url("/");
    let target = start(&[("AWS_ENDPOINT_URL", &sink.url("")), ("AWS_CONTAINER_CREDENTIALS_FULL_URI", &url)])?;
    for number in 0..3 {
        let answer = target.send(&order(number, "one"))?;
        answer.expect(200)?;
    }
    // The bucket was looked for with the first ones.
    let ids: Vec<_> = signers(&sink.requests()).into_iter().map(|(id, _)| id).collect();
    ensure(ids == ["SECOND"; 3] && container.count() == 2, || format!("{ids:?}, {}", container.count()))
}

#[test]
fn a_rotated_file_is_read_again() -> Outcome {
    let (moto, sink) = moto()?;
    let folder = Folder::new()?;
    let (path, endpoint) = (folder.file("id", "OLD\n")?, sink.url(""));
    let settings =
        [("AWS_ACCESS_KEY_ID_FILE", &*path), ("AWS_SECRET_ACCESS_KEY", "x"), ("AWS_ENDPOINT_URL", &endpoint)];
    let target = start(&settings)?;
    target.send(&order(1, "one"))?;
    folder.file("id", "NEWER\n")?;
    eventually("the new key is used", || {
        let answer = target.send(&order(2, "two")).ok()?;
        let last = signers(&sink.requests()).pop()?;
        (answer.status == 200 && last.0 == "NEWER").then_some(())
    })?;
    ensure(moto.keys("orders")? == ["one", "two"], || "other objects".to_owned())
}

fn temporary(id: &str, expiration: &str) -> serde_json::Value {
    json!({
        "Code": "Success", "Type": "AWS-HMAC", "LastUpdated": "2024-01-01T00:00:00Z",
        "AccessKeyId": id, "SecretAccessKey": "x", "Token": "hunter2", "Expiration": expiration,
    })
}
