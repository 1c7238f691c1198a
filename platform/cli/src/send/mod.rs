//! `trestle send`: an event into a component of a running bridge, or to an address.

mod event;

use std::io::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use bytes::Bytes;
use common::Event;
use common::event::http::{Decoded, HeaderDecode, Mode, decode, encode};
use common::http::Client;
use http::{Method, Request, Response, Uri};
use pretty::{Look, Visible};

use crate::args::fail;
use crate::control::Listed;
use crate::reach::{self, Destination};
use crate::style::{Palette, clock};
pub use event::Description;

/// The longest that anything may take to answer.
const TIMEOUT: Duration = Duration::from_secs(60);
/// The largest answer that is read, and what of it is shown.
const ANSWER_BYTES: usize = 8 << 20;
const SHOWN_BYTES: usize = 16 << 10;

/// Sends and prints the answers; exit code 1 when one is no 2xx.
pub fn run(destination: &Destination<'_>, description: &Description) -> ExitCode {
    let refuse =
        |one: &Listed| (!one.takes_events).then(|| format!("{} takes no events: it makes them", one.label));
    let url = match destination.address(refuse) {
        Ok(url) => url,
        Err(why) => return fail(&why),
    };
    let events = match description.events() {
        Ok(events) => events,
        Err(why) => return fail(&why),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let Ok(runtime) = runtime else { return fail("cannot start") };
    let palette = Palette::of_stdout();
    let client = reach::client(&url);
    let mut is_good = true;
    for event in &events {
        let (accepted, text) = runtime.block_on(send(&client, &url, event, palette));
        is_good &= accepted;
        // A reader that has gone (head) is no failure.
        let _ = std::io::stdout().lock().write_all(text.as_bytes());
    }
    if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Whether it was accepted, and what to print.
async fn send(client: &Client, url: &Uri, event: &Event, palette: Palette) -> (bool, String) {
    let (headers, body) = encode(event, Mode::Auto);
    let mut request = Request::new(body);
    *request.method_mut() = Method::POST;
    *request.uri_mut() = url.clone();
    *request.headers_mut() = headers;
    request.headers_mut().insert("prefer", http::HeaderValue::from_static("reply"));
    let line = |text: &str| Visible::line(text, SHOWN_BYTES);
    let sent = format!("{} {} to {url}: ", line(event.event_type()), line(event.id()));
    match client.send(request, TIMEOUT, ANSWER_BYTES).await {
        Ok(response) => {
            let is_good = response.status().is_success();
            let status = response.status().to_string();
            let status = if is_good { palette.good(&status) } else { palette.bad(&status) };
            (is_good, format!("{sent}{status}\n{}", answer(&response, palette)))
        }
        Err(error) => (false, format!("{sent}{}\n", palette.bad(&line(&error.chain())))),
    }
}

/// The event in an answer, else its text.
fn answer(response: &Response<Bytes>, palette: Palette) -> String {
    let body = response.body();
    if body.is_empty() {
        return String::new();
    }
    if let Ok(Decoded::One(event)) = decode(response.headers(), body.clone(), HeaderDecode::Spec) {
        return Look::new(palette.is_on(), SHOWN_BYTES).block(&event, &clock());
    }
    let mut text = Visible::new(SHOWN_BYTES);
    text.add_lines(&String::from_utf8_lossy(body), "    ");
    text.into_text() + "\n"
}
