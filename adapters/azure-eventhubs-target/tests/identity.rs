//! Identities of Entra ID: tokens come from doubles of its endpoints, and the hub sees that there is one.

use kit::{Authority, Captured, Failure, Folder, Reply, Sink, ensure};
use peers::EventHubs;
use serde_json::json;

use super::{Outcome, Target, note};

/// Answers with a token as Entra ID does.
fn token(seconds: i64) -> Reply {
    Reply::json(&json!({
        "access_token": EventHubs::directory_token(seconds), "expires_in": seconds, "token_type": "Bearer",
        "expires_on": "4102444800", "resource": "https://eventhubs.azure.net",
    }))
}

/// The form of the first request, once an event was taken.
fn asked(login: &Sink, settings: &[(&str, &str)]) -> Result<Captured, Failure> {
    let mut target = Target::before(EventHubs::start(1)?, settings)?;
    target.adapter.process.wait_for_status("/health", 200)?;
    let answer = target.send(&note("x"), 1)?;
    ensure(answer.status == 202, || format!("{answer:?}, {}", target.adapter.process.output()))?;
    login.requests().into_iter().next().ok_or_else(|| "nobody asked for a token".to_owned())
}

#[test]
fn a_service_principal_gets_a_token_with_its_secret() -> Outcome {
    let authority = Authority::new()?;
    let login = Sink::start_tls(&authority)?;
    login.always(token(3600));
    let (url, pem) = (login.url(""), authority.pem().to_owned());
    let base =
        [("AZURE_TENANT_ID", "tenant"), ("AZURE_CLIENT_ID", "client"), ("AZURE_CLIENT_SECRET", "hunter2")];
    let settings =
        [&base[..], &[("AZURE_AUTHORITY_HOST", url.as_str()), ("K_CA_CERTS", pem.as_str())]].concat();
    let request = asked(&login, &settings)?;
    let text = request.text();
    let wanted =
        ["grant_type=client_credentials", "client_id=client", "client_secret=hunter2", "eventhubs.azure.net"];
    let all = wanted.iter().all(|part| text.contains(part));
    ensure(all && request.path == "/tenant/oauth2/v2.0/token", || format!("{}: {text}", request.path))?;

    let refused = json!({"error": "invalid_client", "error_description": "AADSTS7000215: Invalid client secret provided."});
    login.always(Reply::json(&refused));
    login.route(move |_| {
        Some(Reply::status(401).header("Content-Type", "application/json").body(refused.to_string()))
    });
    let target = Target::before(EventHubs::start(1)?, &settings)?;
    let answer = target.send(&note("x"), 1)?;
    let text = answer.text();
    let named = text.contains("AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET");
    ensure(answer.status == 503 && named && text.contains("AADSTS7000215"), || text.clone())?;
    ensure(!target.adapter.process.output().contains("hunter2"), || target.adapter.process.output())
}

#[test]
fn a_workload_identity_gets_a_token_with_its_file() -> Outcome {
    let authority = Authority::new()?;
    let login = Sink::start_tls(&authority)?;
    login.always(token(3600));
    let folder = Folder::new()?;
    let file = folder.file("token", "the-token-of-the-cluster")?;
    let (url, pem) = (login.url(""), authority.pem().to_owned());
    let request = asked(
        &login,
        &[
            ("AZURE_TENANT_ID", "tenant"),
            ("AZURE_CLIENT_ID", "client"),
            ("AZURE_FEDERATED_TOKEN_FILE", &file),
            ("AZURE_AUTHORITY_HOST", &url),
            ("K_CA_CERTS", &pem),
        ],
    )?;
    let text = request.text();
    ensure(text.contains("client_assertion=the-token-of-the-cluster"), || text)
}

#[test]
fn a_managed_identity_gets_a_token_from_its_machine() -> Outcome {
    let machine = Sink::start()?;
    machine.always(token(3600));
    let proxy = machine.url("");
    // The address of the service is the same on every machine; the proxy takes its place.
    let request = asked(&machine, &[("HTTP_PROXY", &proxy), ("AZURE_CLIENT_ID", "client")])?;
    let wanted =
        ["/metadata/identity/oauth2/token", "api-version=", "client_id=client", "eventhubs.azure.net"];
    let all = wanted.iter().all(|part| request.path.contains(part));
    ensure(all && request.headers.get("metadata") == Some("true"), || format!("{request:?}"))
}
