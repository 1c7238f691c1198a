//! What the conformance kit needs to know of the synchronizer.

use std::net::{Ipv4Addr, SocketAddr};

use kit::{Captured, Example, Failure, Harness, Request, Sink, World};
use serde_json::json;

/// Whoever is behind the sink answers each request by sending it back, key and all, as soon as it came.
pub fn harness() -> Harness {
    Harness::target(vec![
        Example::json("com.example.order", &json!({ "order": 1 })),
        Example::new("com.example.note", "text/plain", "hello"),
    ])
    .environment(|world| {
        // Without a port nothing is answered, and the trials say so.
        let port = answered_at(world).unwrap_or_default();
        vec![
            ("PORT", port.to_string()),
            ("K_SINK", world.upstream.url("/")),
            ("CORRELATION_KEY", "correlationid".to_owned()),
            ("RESPONSE_WAIT_TIMEOUT", "10s".to_owned()),
        ]
    })
    .events_upstream()
    .varying(&[
        ("/settings/PORT", "8080"),
        ("/delivers/correlationid", "k3v9a0d5x7m1q8r2t4w6y0zb"),
        ("/answers/event/correlationid", "k3v9a0d5x7m1q8r2t4w6y0zb"),
    ])
    .wrong(&[
        ("CORRELATION_KEY", "type"),
        ("CORRELATION_KEY", "correlation_id"),
        ("RESPONSE_WAIT_TIMEOUT", "0s"),
        ("MAX_WAITING", "4096"),
    ])
    .opt_out("T9", "any data may go to the sink: it alone knows what it takes")
    .opt_out("L10", "who answers here does not speak TLS; behaviour.rs tries both over TLS")
}

/// Puts one behind the sink who answers to this port.
fn answered_at(world: &World) -> Result<u16, Failure> {
    let port = peers::free_port()?;
    let to = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let backend = world.peer(Sink::start)?;
    backend.route(move |request| {
        // The synchronizer may well be gone by then.
        drop(response(request).send_later(to));
        None
    });
    world.upstream.stand_before(backend.address());
    Ok(port)
}

/// The same event, on its way back.
fn response(request: &Captured) -> Request {
    let fields = request.headers.0.iter();
    let fields = fields.filter(|(name, _)| name.starts_with("ce-") || name == "content-type");
    let mut response = Request::post("/");
    response.headers = fields.cloned().collect();
    response.body.clone_from(&request.body);
    response
}
