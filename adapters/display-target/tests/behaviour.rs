//! What is printed, and a standard output that cannot be written: the real binary.

use kit::{Adapter, Example, Failure, Process, ensure};
use serde_json::json;

type Outcome = Result<(), Failure>;

#[test]
fn an_event_is_printed_before_its_answer_and_without_colour_when_piped() -> Outcome {
    let display = Adapter::ready("display-target", &[("", ""); 0])?;
    let example = Example::json("com.example.hello", &json!({"text": "a\u{1b}[2J"}));
    for number in 0..20 {
        let answer = display.send(&example.structured(number))?;
        answer.expect(202)?;
    }
    let printed = kit::eventually("twenty blocks", || {
        let printed = display.process.stdout();
        (printed.matches("com.example.hello").count() == 20).then_some(printed)
    })?;
    ensure(!printed.contains('\u{1b}'), || printed.clone())?;
    for block in printed.split_terminator("\n\n") {
        ensure(block.ends_with("    {\n      \"text\": \"a\\u001b[2J\"\n    }"), || format!("{block:?}"))?;
    }
    Ok(())
}

#[test]
fn an_output_that_cannot_be_written_is_a_503() -> Outcome {
    let arguments = ["-c", "exec \"$0\" > /dev/full", env!("CARGO_BIN_EXE_display-target")];
    let mut process = Process::bare("/bin/sh", &arguments)?;
    process.wait_for_status("/readyz", 200)?;
    let display = Adapter { address: process.address()?, process };
    for number in 0..3 {
        let example = Example::new("com.example.hello", "text/plain", "hello");
        let answer = display.send(&example.binary(number))?;
        answer.expect(503)?;
    }
    let page = display.get("/events")?;
    let shown = || format!("kept all the same: {} {}", page.status, page.text());
    ensure(page.status == 200 && page.text().trim() == "[\n]", shown)
}
