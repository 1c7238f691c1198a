//! Which credentials reach Pub/Sub: keys, files, token endpoints and the metadata server, all of them doubles but the
//! signature, which is checked. What the service is told stands in the metadata of the calls.

use std::fs;

use kit::{Adapter, Failure, Folder, Reply, Sink, ensure, eventually};
use peers::Pstest;
use serde_json::{Value, json};

use crate::{Outcome, order};

/// The service, which wants credentials, and a folder for files.
struct Google {
    pubsub: Pstest,
    folder: Folder,
}

impl Google {
    fn new() -> Result<Self, Failure> {
        let pubsub = Pstest::start()?;
        pubsub.topic(Pstest::TOPIC)?;
        Ok(Self { pubsub, folder: Folder::new()? })
    }

    fn launch(&self, settings: &[(&str, &str)]) -> Result<Adapter, Failure> {
        let (endpoint, home) = (self.pubsub.endpoint(), self.folder.path().display().to_string());
        let base = [
            ("GCLOUD_PUBSUB_TOPIC", Pstest::TOPIC),
            ("GCLOUD_PUBSUB_ENDPOINT", &endpoint),
            // So that no file of who runs the test is found.
            ("HOME", &home),
        ];
        Adapter::listening("google-cloud-pubsub-target", &[&base, settings].concat())
    }

    /// One that is ready.
    fn start(&self, settings: &[(&str, &str)]) -> Result<Adapter, Failure> {
        let mut target = self.launch(settings)?;
        target.process.wait_for_status("/readyz", 200)?;
        Ok(target)
    }

    /// Publishes with these settings and gives the `authorization` that came along.
    fn authorization(&self, settings: &[(&str, &str)]) -> Result<String, Failure> {
        let answer = order(&self.start(settings)?, 1)?;
        answer.expect(202)?;
        Ok(self.pubsub.calls("Publish")?.authorization)
    }
}

/// A double of one URL that gives a token.
fn tokens(token: &str, answers: impl Fn(&kit::Captured) -> bool + Send + 'static) -> Result<Sink, Failure> {
    let sink = Sink::start()?;
    let answer = json!({
        "access_token": token, "token_type": "Bearer", "expires_in": 3600,
        "issued_token_type": "urn:ietf:params:oauth:token-type:access_token",
    });
    sink.route(move |request| Some(if answers(request) { Reply::json(&answer) } else { Reply::status(404) }));
    Ok(sink)
}

#[test]
fn a_service_account_signs_its_tokens_itself() -> Outcome {
    let google = Google::new()?;
    let key = google.pubsub.account("robot@p.iam.gserviceaccount.com")?;
    let file = google.folder.file("key.json", &key)?;
    for settings in [
        [("GCLOUD_SERVICEACCOUNT_KEY", &*key)],
        [("GCLOUD_SERVICEACCOUNT_KEY_FILE", &*file)],
        [("GOOGLE_APPLICATION_CREDENTIALS", &*file)],
    ] {
        let authorization = google.authorization(&settings)?;
        let token = google.pubsub.verified(&authorization)?;
        let claims = &token["claims"];
        let found = (&claims["iss"], &claims["scope"], &token["header"]["alg"]);
        let expected = (
            &json!("robot@p.iam.gserviceaccount.com"),
            &json!("https://www.googleapis.com/auth/cloud-platform"),
            &json!("RS256"),
        );
        ensure(found == expected, || format!("{token}"))?;
    }
    // The key that is set wins over the default.
    let other = google.pubsub.account("other@p.iam.gserviceaccount.com")?;
    let settings = [("GCLOUD_SERVICEACCOUNT_KEY", &*other), ("GOOGLE_APPLICATION_CREDENTIALS", &*file)];
    let token = google.pubsub.verified(&google.authorization(&settings)?)?;
    ensure(token["claims"]["iss"] == "other@p.iam.gserviceaccount.com", || token.to_string())
}

#[test]
fn a_key_that_is_replaced_is_used_without_a_restart() -> Outcome {
    let google = Google::new()?;
    let file = google.folder.file("key.json", &google.pubsub.account("old@p")?)?;
    let target = google.start(&[("GCLOUD_SERVICEACCOUNT_KEY_FILE", &file)])?;
    let issuer = || -> Result<Value, Failure> {
        let status = order(&target, 1)?.status;
        ensure(status == 202, || format!("answered {status}"))?;
        let token = google.pubsub.verified(&google.pubsub.calls("Publish")?.authorization)?;
        Ok(token["claims"]["iss"].clone())
    };
    ensure(issuer()? == "old@p", || "another issuer".to_owned())?;
    google.folder.file("key.json", &google.pubsub.account("new@p")?)?;
    eventually("a token of the new key", || issuer().ok().filter(|issuer| issuer == "new@p").map(drop))
}

#[test]
fn the_metadata_server_is_asked_where_nothing_is_set() -> Outcome {
    let google = Google::new()?;
    let metadata = tokens("of-the-machine", |request| {
        request.headers.get("metadata-flavor") == Some("Google")
            && request.path.starts_with("/computeMetadata/v1/instance/service-accounts/default/token")
    })?;
    let host = metadata.address().to_string();
    let authorization = google.authorization(&[("GCE_METADATA_HOST", &host)])?;
    ensure(authorization == "Bearer of-the-machine", || authorization.clone())
}

#[test]
fn a_workload_identity_exchanges_its_token() -> Outcome {
    let google = Google::new()?;
    let exchange = tokens("of-the-workload", |request| {
        let form = request.text();
        request.path == "/v1/token"
            && form.contains("subject_token=from-the-cluster")
            && form.contains("grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange")
    })?;
    let subject = google.folder.file("token", "from-the-cluster")?;
    let account = json!({
        "type": "external_account",
        "audience": "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/pool/providers/k8s",
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "token_url": exchange.url("/v1/token"),
        "credential_source": { "file": subject },
    });
    let file = google.folder.file("account.json", &account.to_string())?;
    let authorization = google.authorization(&[("GOOGLE_APPLICATION_CREDENTIALS", &file)])?;
    ensure(authorization == "Bearer of-the-workload", || authorization.clone())?;

    // Where gcloud leaves it.
    let folder = google.folder.path().join(".config/gcloud");
    fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    google.folder.file(".config/gcloud/application_default_credentials.json", &account.to_string())?;
    let authorization = google.authorization(&[])?;
    ensure(authorization == "Bearer of-the-workload", || authorization.clone())
}

#[test]
fn credentials_that_are_refused_cost_no_event_and_are_named() -> Outcome {
    let google = Google::new()?;
    let key = google.pubsub.account("robot@p")?;
    google.pubsub.require("Bearer of-somebody-else")?;
    let target = google.start(&[("GCLOUD_SERVICEACCOUNT_KEY", &key)])?;
    let answer = order(&target, 1)?;
    let told = answer.text();
    let expected = "the service account of GCLOUD_SERVICEACCOUNT_KEY is not accepted";
    ensure(answer.status == 503 && told.contains(expected), || format!("{} {told}", answer.status))?;
    let secret: Value = serde_json::from_str(&key).map_err(|error| error.to_string())?;
    let line = secret["private_key"].as_str().and_then(|key| key.lines().nth(1)).unwrap_or("no key");
    ensure(!target.process.output().contains(line), || "the key is logged".to_owned())?;
    google.pubsub.require("")?;
    let answer = order(&target, 2)?;
    answer.expect(202)
}

#[test]
fn tokens_that_cannot_be_had_cost_no_event_and_are_told() -> Outcome {
    let google = Google::new()?;
    let endpoint = Sink::start()?;
    endpoint.always(Reply::status(400).body(r#"{"error":"invalid_grant"}"#));
    let account = json!({
        "type": "external_account", "audience": "//iam", "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "token_url": endpoint.url("/v1/token"), "credential_source": { "file": google.folder.file("token", "hunter2")? },
    });
    let file = google.folder.file("account.json", &account.to_string())?;
    let settings = [("GOOGLE_APPLICATION_CREDENTIALS", &*file), ("GCLOUD_PUBSUB_TIMEOUT", "3s")];
    let target = google.start(&settings)?;
    let answer = order(&target, 1)?;
    let told = answer.text();
    let expected = "no token could be had for the credentials of GOOGLE_APPLICATION_CREDENTIALS";
    ensure(answer.status == 503 && told.contains(expected), || format!("{} {told}", answer.status))?;
    ensure(!target.process.output().contains("hunter2"), || target.process.output())?;

    // A file that is not there may come.
    let missing = google.folder.path().join("later.json").to_string_lossy().into_owned();
    let mut target = google.launch(&[("GOOGLE_APPLICATION_CREDENTIALS", &missing)])?;
    let told = "reading the file of GOOGLE_APPLICATION_CREDENTIALS";
    eventually(told, || target.process.output().contains(told).then_some(()))?;
    google.folder.file("later.json", &google.pubsub.account("robot@p")?)?;
    target.process.wait_for_status("/readyz", 200)?;
    let status = order(&target, 2)?.status;
    ensure(status == 202, || format!("answered {status}"))
}
