//! What becomes of an event that nobody takes (Knative delivery specification, "Error extensions").

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::Failure;
use crate::{Event, InvalidEvent};

/// Characters of base64 that `knativeerrordata` holds at most.
const ERROR_DATA: usize = 1024;

/// The event with Knative's error extensions: where it was refused, with which code and, in base64, what body.
///
/// # Errors
/// When `destination` cannot stand in an attribute.
pub fn dead_letter_event(event: &Event, destination: &str, failure: &Failure) -> Result<Event, InvalidEvent> {
    let mut letter = event.clone();
    letter.set("knativeerrordest", destination)?;
    let code = failure.status.map_or(500, |status| status.as_u16());
    letter.set("knativeerrorcode", code.to_string())?;
    if !failure.body.is_empty() {
        let mut data = STANDARD.encode(&failure.body);
        data.truncate(ERROR_DATA);
        letter.set("knativeerrordata", data)?;
    }
    Ok(letter)
}
