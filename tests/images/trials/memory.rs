//! The limit of memory: more is brought than fits, and what does not fit is refused instead of killing the process.

use kit::{Failure, Reply, Request, Sink, ensure};

use crate::build::image;
use crate::container::Container;

/// The container's memory, and bytes of one request: all of them together are three times of it.
const LIMIT: u64 = 32 << 20;
const BODY: usize = 1 << 20;
const REQUESTS: usize = 96;

/// Nothing is killed, what is refused is refused with 503, and afterwards all is as before.
pub fn honoured() -> Result<(), Failure> {
    let sink = Sink::start()?;
    // Whoever is let in stays in until the webhook gives up.
    sink.always(Reply::hang());
    let settings = [
        ("K_SINK", sink.url("/")),
        ("WEBHOOK_EVENT_TYPE", "com.example.large".to_owned()),
        ("WEBHOOK_EVENT_SOURCE", "shop".to_owned()),
        ("DELIVERY_DEADLINE", "3s".to_owned()),
        ("DRAIN_SECONDS", "0".to_owned()),
    ];
    let container = Container::on_loopback(&image("webhook-source")?, &LIMIT.to_string(), &settings)?;
    container.ready()?;
    let granted = container.inspect("{{.HostConfig.Memory}}")?;
    ensure(granted == LIMIT.to_string(), || format!("the limit is {granted}"))?;
    let door = container.door()?;
    let request = || Request::post("/").body("application/octet-stream", vec![b'x'; BODY]);
    let sent: Vec<_> = (0..REQUESTS).map(|_| request().send_later(door)).collect();
    for answer in sent {
        // A client that is still writing when it is refused may see the connection end.
        if let Ok(answer) = answer.join().map_err(|_| "a client panicked")? {
            ensure(answer.status == 503, || format!("answered {}\n{}", answer.status, container.said()))?;
        }
    }
    let state = container.inspect("{{.State.Status}} {{.State.ExitCode}} {{.State.OOMKilled}}")?;
    ensure(state.starts_with("running"), || format!("{state}\n{}", container.said()))?;
    sink.reset();
    sink.always(Reply::status(202));
    let answer = request().send(door).map_err(|error| format!("afterwards: {error}"))?;
    ensure(answer.status == 204, || format!("afterwards: {}\n{}", answer.status, container.said()))?;
    container.terminate()?;
    let code = container.wait()?;
    ensure(code == 0, || format!("exit {code}\n{}", container.said()))
}
