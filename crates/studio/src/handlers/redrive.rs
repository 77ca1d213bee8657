//! Dead letters published again: shown first, then sent, then recorded.

use std::collections::BTreeMap;

use flowglass_ingest::nats::{Outgoing, PUBLISH_MAX, Published, Publisher};
use flowglass_ingest::redact::{redact_headers, redact_payload};
use flowglass_ingest::secrets::Secrets;
use flowglass_model::Message;

use super::events::payload;
use super::{bad_request, not_found};
use crate::Studio;
use crate::api::*;
use crate::display::Redactor;
use crate::nats_saved;
use crate::redrive::{
    self, META_REDRIVES, REDRIVES_MAX, Redrive, Source, draft, fingerprint, incomplete, outgoing, parse,
};
use crate::wire_form::as_sent;

/// A message of a plan.
struct Planned {
    row: i64,
    from: String,
    what: &'static str,
    message: Outgoing,
    problem: Option<String>,
}

/// A dead letter with what it is about.
struct Letter {
    row: i64,
    from: String,
    stored: Message,
    draft: redrive::Draft,
}

fn unavailable(message: String) -> ApiError {
    ApiError { code: "unavailable".into(), message }
}

/// How a message is called in records: its place in a stream, else its event id.
fn called(message: &Message, row: i64) -> String {
    match (&message.stream, message.sequence, &message.event_id) {
        (Some(stream), Some(sequence), _) => format!("{stream} {sequence}"),
        (_, _, Some(id)) => id.clone(),
        _ => format!("{} row {row}", message.destination),
    }
}

async fn letters(studio: &Studio, rows: Vec<i64>) -> Result<Vec<Letter>, ApiError> {
    if rows.is_empty() || rows.len() > PUBLISH_MAX {
        return Err(bad_request(format!("choose 1 to {PUBLISH_MAX} messages")));
    }
    let found = studio.ask(move |workspace| {
        rows.into_iter()
            .map(|row| {
                let Some(detail) = workspace.read(|r| r.event(row))? else { return Ok(Err(row)) };
                let mut find = |id: &str| workspace.read(|r| r.messages_of_event_id(id));
                let draft = draft(&detail.message, &mut find)?;
                Ok(Ok(Letter { row, from: called(&detail.message, row), stored: detail.message, draft }))
            })
            .collect::<Result<Vec<_>, crate::WorkspaceError>>()
    });
    let found = found.await?.into_iter().map(|one| one.map_err(|row| not_found(&format!("event {row}"))));
    let mut letters: Vec<Letter> = found.collect::<Result<_, _>>()?;
    // Out in the order in which they came: consumers may depend on it.
    letters.sort_by_key(|l| (l.stored.time, l.row));
    Ok(letters)
}

/// Works out what would go out; reads originals from their streams.
async fn planned(
    studio: &Studio,
    letters: Vec<Letter>,
    connection: &str,
    subjects: &[RowSubject],
) -> Result<(Publisher, Vec<Planned>), ApiError> {
    let config =
        studio.0.nats.config(connection).ok_or_else(|| not_found(&format!("the connection `{connection}`")))?;
    let publisher = Publisher::connect(&config, &Secrets::system()).await;
    let publisher = publisher.map_err(|e| unavailable(format!("{connection} cannot be reached: {e}")))?;
    let given: BTreeMap<i64, &str> = subjects.iter().map(|s| (s.row, s.subject.trim())).collect();
    let mut out = Vec::with_capacity(letters.len());
    for letter in letters {
        let subject = given.get(&letter.row).copied().filter(|s| !s.is_empty()).map(str::to_owned);
        let subject = subject.or(letter.draft.subject.clone()).unwrap_or_default();
        let (what, message, problem) = content(&publisher, &letter).await;
        let problem = match () {
            () if letter.stored.system != "nats" => Some("it did not come from NATS".to_owned()),
            () if subject.is_empty() => Some("nothing says where it belongs: give a subject".to_owned()),
            () => problem,
        };
        let message = outgoing(message, subject, &letter.from);
        out.push(Planned { row: letter.row, from: letter.from, what, message, problem });
    }
    Ok((publisher, out))
}

/// What is sent for a letter: as its stream keeps it where that can be read, else as it is stored here.
async fn content(publisher: &Publisher, letter: &Letter) -> (&'static str, Outgoing, Option<String>) {
    let (message, in_stream, here) = match &letter.draft.source {
        Source::Original(original) => {
            (&**original, "The original, as its stream keeps it", "The original, put together from what is stored here")
        }
        Source::Itself => (
            &letter.stored,
            "The message, as its stream keeps it",
            "The message, put together from what is stored here",
        ),
        Source::Inside { headers, payload } => {
            let message = Outgoing { subject: String::new(), headers: headers.clone(), payload: payload.clone() };
            let problem = incomplete(&letter.stored).map(|why| format!("it cannot be sent as it was: {why}"));
            return ("The event that the dead letter holds", message, problem);
        }
    };
    if let (Some(stream), Some(sequence)) = (&message.stream, message.sequence)
        && let Ok(Some(kept)) = publisher.stored(stream, sequence).await
    {
        return (in_stream, kept, None);
    }
    let problem =
        incomplete(message).map(|why| format!("it cannot be sent as it was: {why}, and no stream has it any more"));
    (here, as_sent(message), problem)
}

/// See [`RedrivePlan`].
pub(crate) async fn redrive_plan(studio: &Studio, request: RedrivePlanRequest) -> Result<RedrivePlan, ApiError> {
    let letters = letters(studio, request.rows).await?;
    let connections = studio.0.nats.for_publishing();
    let stream = letters.iter().find_map(|l| l.stored.stream.clone());
    let chosen = request.connection.or_else(|| studio.0.nats.with_stream(stream.as_deref()));
    let chosen = chosen.ok_or_else(|| {
        unavailable("there is no NATS connection to publish over; add one in Settings, Sources".to_owned())
    })?;
    let (publisher, planned) = planned(studio, letters, &chosen, &request.subjects).await?;
    let fingerprint = fingerprint(&chosen, &planned.iter().map(|p| p.message.clone()).collect::<Vec<_>>());
    let before = stored(studio).await?;
    let redactor = Redactor::new(&studio.workspace().settings().config, &[]);
    let messages = planned.into_iter().map(|p| {
        let (mut shown, mut head) = (p.message.payload.clone(), p.message.headers.clone());
        // What a stream keeps was never cleaned at the door: credentials in it are hidden here, and sent as they are.
        redact_headers(&mut head);
        redact_payload(&mut shown);
        let (text, payload_hex, _) = payload(&shown, &redactor);
        let headers = head.iter().map(|(k, v)| redactor.attribute(k, v.clone())).collect();
        RedriveMessage {
            row: p.row,
            stream: publisher.stream_of(&p.message.subject).map(str::to_owned),
            what: p.what.into(),
            headers,
            payload: text,
            payload_hex,
            bytes: p.message.payload.len() as u64,
            problem: p.problem,
            sent_at: before.iter().find(|r| r.sent && r.from == p.from).map(|r| to_ms(r.at)),
            from: p.from,
            subject: p.message.subject,
        }
    });
    Ok(RedrivePlan { connections, connection: chosen, messages: messages.collect(), fingerprint })
}

/// Publishes what a plan showed, one after the other, and records each.
pub(crate) async fn redrive(studio: &Studio, request: RedriveRequest) -> Result<Redrives, ApiError> {
    if studio.0.nats.config(&request.connection).is_some_and(|c| c.read_only) {
        let message =
            format!("{} is read-only; allow publishing for it in Settings, Sources first", request.connection);
        return Err(ApiError { code: "read-only".into(), message });
    }
    let letters = letters(studio, request.rows).await?;
    let (publisher, planned) = planned(studio, letters, &request.connection, &request.subjects).await?;
    let messages: Vec<Outgoing> = planned.iter().map(|p| p.message.clone()).collect();
    if fingerprint(&request.connection, &messages) != request.fingerprint {
        return Err(bad_request("what would be sent is no longer what was shown; look at it again"));
    }
    if let Some(problem) = planned.iter().find_map(|p| p.problem.as_ref()) {
        return Err(bad_request(format!("nothing was sent: {problem}")));
    }
    let mut done = Vec::with_capacity(planned.len());
    for p in &planned {
        let outcome = publisher.publish(&p.message).await;
        let sent = outcome.is_ok();
        done.push(Redrive {
            at: studio.now(),
            connection: request.connection.clone(),
            from: p.from.clone(),
            subject: p.message.subject.clone(),
            bytes: p.message.payload.len() as u64,
            outcome: match outcome {
                Ok(Published::Stored { stream, sequence, duplicate: false }) => {
                    format!("stored in {stream} as {sequence}")
                }
                Ok(Published::Stored { stream, sequence, .. }) => format!("{stream} has it already as {sequence}"),
                Ok(Published::Sent) => "sent; no stream takes this subject".to_owned(),
                Err(reason) => format!("not sent: {reason}"),
            },
            sent,
        });
        if !sent {
            // What goes wrong once mostly goes wrong again: people decide.
            break;
        }
    }
    record(studio, &done).await?;
    Ok(view(done))
}

async fn stored(studio: &Studio) -> Result<Vec<Redrive>, ApiError> {
    Ok(parse(studio.ask(|w| w.read(|r| r.meta(META_REDRIVES))).await?.as_deref()))
}

/// Keeps what was sent, the newest first.
async fn record(studio: &Studio, done: &[Redrive]) -> Result<(), ApiError> {
    let _alone = studio.0.desk.marks.lock().await;
    let mut all = stored(studio).await?;
    all.splice(0..0, done.iter().rev().cloned());
    all.truncate(REDRIVES_MAX);
    let text = serde_json::to_string(&all).map_err(|e| ApiError { code: "internal".into(), message: e.to_string() })?;
    studio.note(META_REDRIVES, text).await?;
    Ok(())
}

fn view(all: Vec<Redrive>) -> Redrives {
    let row = |r: Redrive| RedriveView {
        at: to_ms(r.at),
        connection: r.connection,
        from: r.from,
        subject: r.subject,
        bytes: r.bytes,
        outcome: r.outcome,
        sent: r.sent,
    };
    Redrives { rows: all.into_iter().map(row).collect() }
}

/// See [`Redrives`].
pub(crate) async fn redrives(studio: &Studio, _: Nothing) -> Result<Redrives, ApiError> {
    Ok(view(stored(studio).await?))
}

/// See [`NatsWritableRequest`].
pub(crate) async fn nats_writable(studio: &Studio, request: NatsWritableRequest) -> Result<NatsView, ApiError> {
    if !studio.0.nats.set_read_only(&request.id, !request.writable) {
        return Err(not_found(&format!("the connection `{}`", request.id)));
    }
    nats_saved::save(studio).await;
    studio.publish(Update::Sources {});
    let views = studio.0.nats.views();
    views.into_iter().find(|v| v.id == request.id).ok_or_else(|| not_found(&request.id))
}
