//! The end of a container: SIGTERM to PID 1, which has no default action there.

use kit::{Failure, Gate, Reply, Request, Sink, ensure, eventually};

use crate::build::image;
use crate::container::Container;

/// A request whose event the sink has not yet taken when SIGTERM comes is answered as any other.
pub fn drains() -> Result<(), Failure> {
    let sink = Sink::start()?;
    let gate = Gate::new();
    sink.always(Reply::status(202).held(&gate));
    let settings = [
        ("K_SINK", sink.url("/")),
        ("WEBHOOK_EVENT_TYPE", "com.example.last".to_owned()),
        ("WEBHOOK_EVENT_SOURCE", "shop".to_owned()),
        ("DRAIN_SECONDS", "0".to_owned()),
    ];
    let container = Container::on_loopback(&image("webhook-source")?, "32m", &settings)?;
    container.ready()?;
    let door = container.door()?;
    let last = Request::post("/").body("application/json", "{}").send_later(door);
    sink.wait_for(1)?;
    container.terminate()?;
    container.line("stopping")?;
    eventually("refused connections", || Request::get("/healthz").send(door).is_err().then_some(()))?;
    gate.open();
    let answer =
        last.join().map_err(|_| "the client panicked")?.map_err(|error| format!("no answer: {error}"))?;
    ensure(answer.status == 204, || format!("answered {}\n{}", answer.status, container.said()))?;
    let code = container.wait()?;
    ensure(code == 0, || format!("exit {code}\n{}", container.said()))
}
