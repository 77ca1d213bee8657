//! An event as a command or document to send it again.

use super::{bad_request, not_found};
use crate::Studio;
use crate::api::{ApiError, CopyText, EventCopyRequest};
use crate::redrive::incomplete;
use crate::share::redact_message;
use crate::wire_form::{as_sent, cloud_event, curl, nats_pub};

/// Where our own listener takes CloudEvents, when it does not listen.
const USUAL: &str = "127.0.0.1:4318";

/// See [`EventCopyRequest`].
pub(crate) async fn event_copy(studio: &Studio, request: EventCopyRequest) -> Result<CopyText, ApiError> {
    let row = request.row;
    let detail = studio.ask(move |w| w.read(|r| r.event(row))).await?;
    let mut message = detail.ok_or_else(|| not_found(&format!("event {row}")))?.message;
    let mut notes: Vec<String> =
        incomplete(&message).map(|why| format!("Not quite as sent: {why}.")).into_iter().collect();
    if !request.unredacted {
        let hidden = redact_message(&mut message, &studio.workspace().settings().config);
        if hidden > 0 {
            notes.push(format!("{hidden} hidden {} left out.", if hidden == 1 { "value was" } else { "values were" }));
        }
    }
    let event =
        || cloud_event(&message).ok_or_else(|| bad_request("it is no CloudEvent: it has no id, source or type"));
    let text = match request.form.as_str() {
        "nats" => nats_pub(&as_sent(&message)),
        "curl" => {
            let listener = studio.addresses().1.map_or_else(|| USUAL.to_owned(), |a| a.to_string());
            curl(&event()?, &format!("http://{listener}/cloudevents"))
        }
        "cloudevent" => serde_json::to_string_pretty(&event()?).unwrap_or_default(),
        other => return Err(bad_request(format!("`{other}` is no form; it is nats, curl or cloudevent"))),
    };
    Ok(CopyText { text, note: (!notes.is_empty()).then(|| notes.join(" ")) })
}
