//! Direct Get in batches (NATS ADR-31, server 2.11): one request, many messages, an end mark. An older server answers such a
//! request with a single message, which tells it.

use std::time::Duration;

use async_nats::{Message, StatusCode, Subscriber};
use futures::StreamExt as _;

use super::api::Api;
use super::history::{Kept, Out, direct};

/// Messages asked for at once.
const BATCH: u64 = 1_000;
/// Bytes asked for at once. At least one message comes.
const MAX_BYTES: u64 = 4 * 1024 * 1024;
/// How long to wait for the next message.
const PATIENCE: Duration = Duration::from_secs(5);

/// How a batch ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum End {
    /// There is more: go on at this sequence.
    More(u64),
    /// Nothing is left up to the last sequence that was wanted.
    Done,
    /// The server gives single messages only. Nothing was handed over.
    Unsupported,
}

/// What an answer means.
enum Part {
    Kept(Kept),
    End(End),
}

/// Reads a batch of a stream from one sequence on, not beyond another (both included), and hands it over as it comes.
/// An error in words; what was handed over stays, and `next` says where to go on.
pub(super) async fn read(api: &Api, next: &mut u64, to: u64, out: &Out<'_>) -> Result<End, String> {
    let (from, mut first) = (*next, true);
    let subject = api.subject(&format!("DIRECT.GET.{}", out.stream.name));
    let mut answers = ask(api, &subject, from, to).await?;
    loop {
        let answer = tokio::select! {
            biased;
            refused = api.refused(&subject) => return Err(refused.into()),
            answer = tokio::time::timeout(PATIENCE, answers.next()) => answer,
        };
        let answer = answer.map_err(|_| format!("no answer to {subject}"))?;
        let answer = answer.ok_or_else(|| "the connection broke".to_owned())?;
        match part(answer, first, *next)? {
            Part::End(End::More(after)) => return Ok(if after > to { End::Done } else { End::More(after) }),
            Part::End(end) => return Ok(end),
            Part::Kept(kept) if kept.sequence > to => return Ok(End::Done),
            Part::Kept(kept) => {
                *next = kept.sequence + 1;
                out.message(kept).await?;
            }
        }
        first = false;
    }
}

async fn ask(api: &Api, subject: &str, from: u64, to: u64) -> Result<Subscriber, String> {
    let body = serde_json::json!({
        "seq": from,
        "next_by_subj": ">",
        "batch": BATCH.min(to.saturating_sub(from) + 1),
        "max_bytes": MAX_BYTES,
    });
    let client = api.client();
    let inbox = client.new_inbox();
    let answers = client.subscribe(inbox.clone()).await.map_err(|e| e.to_string())?;
    let sent = client.publish_with_reply(subject.to_owned(), inbox, body.to_string().into()).await;
    sent.map_err(|e| e.to_string())?;
    Ok(answers)
}

/// Reads an answer; `next` is where reading goes on after what came so far.
fn part(answer: Message, first: bool, next: u64) -> Result<Part, String> {
    let pending = answer.headers.as_ref().and_then(|h| h.get("Nats-Num-Pending"));
    let pending = pending.map(|p| p.as_str().parse::<u64>().unwrap_or(0));
    // The end mark is 204; the client library has no name for it.
    if answer.status.is_some_and(|s| s.as_u16() == 204) {
        return Ok(Part::End(if pending == Some(0) || first { End::Done } else { End::More(next) }));
    }
    if answer.status == Some(StatusCode::NO_RESPONDERS) {
        return Err("nobody answers Direct Get for this stream".to_owned());
    }
    if first && pending.is_none() && answer.status.is_none_or(|s| s == StatusCode::OK) {
        return Ok(Part::End(End::Unsupported));
    }
    match direct(answer)? {
        Some(kept) => Ok(Part::Kept(kept)),
        None => Ok(Part::End(End::Done)),
    }
}
