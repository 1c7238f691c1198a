//! The end of the process: who waits is answered, who comes is refused.

use kit::{Failure, ensure};

use crate::bridge::{Bridge, Outcome, request, response};

/// The line that says that no request is taken any more.
const CLOSED: &str = "waiting for responses before the end";

fn terminate(bridge: &mut Bridge) -> Result<(), Failure> {
    bridge.adapter.process.terminate()?;
    bridge.adapter.process.wait_for_line(CLOSED).map(drop)
}

#[test]
fn requests_in_work_are_answered_before_the_end() -> Outcome {
    let mut bridge = Bridge::start(&[])?;
    let caller = request("1").send_later(bridge.adapter.address);
    let key = bridge.forwarded(1)?.get("correlationid").to_owned();
    terminate(&mut bridge)?;
    let refused = bridge.send(&request("2"))?;
    refused.expect_text(503, "the process is about to end")?;
    ensure(refused.headers.get("retry-after").is_some(), || format!("{refused:?}"))?;
    bridge.send(&response("a1", &key))?.expect_text(200, "")?;
    let answer = kit::answer(caller)?;
    ensure(answer.status == 200 && answer.headers.get("ce-id") == Some("a1"), || format!("{answer:?}"))?;
    let code = bridge.adapter.process.wait()?;
    ensure(code == 0, || format!("exit code {code}: {}", bridge.adapter.process.output()))
}

#[test]
fn who_has_no_response_at_the_end_is_told_to_come_again() -> Outcome {
    let mut bridge = Bridge::start(&[])?;
    let caller = request("1").send_later(bridge.adapter.address);
    bridge.forwarded(1)?;
    terminate(&mut bridge)?;
    let answer = kit::answer(caller)?;
    answer.expect_text(503, "the process ends before there is a response")?;
    let code = bridge.adapter.process.wait()?;
    ensure(code == 0, || format!("exit code {code}: {}", bridge.adapter.process.output()))
}
