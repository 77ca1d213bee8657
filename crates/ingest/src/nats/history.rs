//! Reading what streams keep, with requests that leave no trace: `STREAM.LIST`, Direct Get, message get.

use std::time::Duration;

use async_nats::StatusCode;
use base64::Engine as _;
use flowglass_model::Nanos;
use futures::StreamExt as _;
use serde::Deserialize;
use tokio::sync::mpsc;

use super::api::{Api, ApiError, STREAM_LIST};
use super::batch::{self, End};
use super::live::{Raw, Stored};
use super::status::NatsStream;
use super::{Backfill, headers};
use crate::cloudevents::parse_time;

/// Requests under way at once while a stream is read.
const WINDOW: usize = 64;
/// Reading one by one is used for a stream with fewer messages than one in this many sequences.
const SPARSE: u64 = 4;

/// How often a request is tried that brings nothing.
const TRIES: u32 = 3;
/// Pause before it is tried again.
const PAUSE: Duration = Duration::from_millis(100);

/// What reading a stream brings.
#[derive(Debug)]
pub(super) enum History {
    /// A message.
    Message(Box<Stored>),
    /// Everything up to this sequence has been handed over.
    Covered { stream: String, sequence: u64 },
}

#[derive(Deserialize)]
struct ErrorBody {
    code: u16,
    #[serde(default)]
    description: String,
}

#[derive(Deserialize)]
struct ListResponse {
    error: Option<ErrorBody>,
    #[serde(default)]
    total: u64,
    #[serde(default)]
    streams: Option<Vec<StreamInfo>>,
}

#[derive(Deserialize)]
struct InfoResponse {
    error: Option<ErrorBody>,
    #[serde(flatten)]
    info: Option<StreamInfo>,
}

#[derive(Deserialize)]
struct StreamInfo {
    config: StreamConfig,
    state: StreamState,
}

#[derive(Deserialize)]
struct StreamConfig {
    name: String,
    subjects: Option<Vec<String>>,
    #[serde(default)]
    retention: String,
    #[serde(default)]
    allow_direct: bool,
    mirror: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct StreamState {
    messages: u64,
    first_seq: u64,
    last_seq: u64,
}

#[derive(Deserialize)]
struct GetResponse {
    error: Option<ErrorBody>,
    message: Option<GetMessage>,
}

#[derive(Deserialize)]
struct GetMessage {
    subject: String,
    seq: u64,
    data: Option<String>,
    hdrs: Option<String>,
    time: String,
}

/// One message as a stream keeps it.
pub(super) struct Kept {
    pub(super) raw: Raw,
    pub(super) sequence: u64,
}

/// All streams of the account, sorted by name. When they may not be listed, those with these names.
pub(super) async fn streams(api: &Api, named: &[String]) -> Result<Vec<NatsStream>, ApiError> {
    let mut all = match list(api).await {
        Err(ApiError::Refused(_)) if !named.is_empty() => by_name(api, named).await?,
        other => other?,
    };
    all.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(all)
}

async fn list(api: &Api) -> Result<Vec<NatsStream>, ApiError> {
    let mut all = Vec::new();
    loop {
        let answer = api.ask(STREAM_LIST, &serde_json::json!({ "offset": all.len() })).await?;
        let page: ListResponse = read_json(&answer.payload, "the list of streams")?;
        if let Some(error) = page.error {
            let words = format!("the streams cannot be listed: {} ({})", error.description, error.code);
            return Err(ApiError::Failed(words));
        }
        let streams = page.streams.unwrap_or_default();
        let last = streams.is_empty();
        all.extend(streams.into_iter().map(facts));
        if last || all.len() as u64 >= page.total {
            return Ok(all);
        }
    }
}

/// Asks for streams one by one; those that may not be asked for, or are not there, are left out.
async fn by_name(api: &Api, named: &[String]) -> Result<Vec<NatsStream>, ApiError> {
    let mut all = Vec::new();
    for name in named {
        let answer = match api.ask(&format!("STREAM.INFO.{name}"), &serde_json::Value::Null).await {
            Err(ApiError::Refused(_)) => continue,
            other => other?,
        };
        let answer: InfoResponse = read_json(&answer.payload, "what the server says of a stream")?;
        match (answer.error, answer.info) {
            (None, Some(info)) => all.push(facts(info)),
            (Some(error), _) if error.code != 404 => {
                return Err(ApiError::Failed(format!("the stream {name}: {} ({})", error.description, error.code)));
            }
            _ => {}
        }
    }
    Ok(all)
}

fn read_json<'a, T: Deserialize<'a>>(payload: &'a [u8], what: &str) -> Result<T, ApiError> {
    serde_json::from_slice(payload).map_err(|e| ApiError::Failed(format!("{what} cannot be read: {e}")))
}

fn facts(info: StreamInfo) -> NatsStream {
    let note = match (info.config.retention.as_str(), info.config.allow_direct) {
        ("interest" | "workqueue", _) => Some(format!(
            "a stream with {} retention forgets what was acknowledged: only what is left can be read",
            info.config.retention
        )),
        (_, false) => Some("Direct Get is off: messages are read one by one from the stream's leader".to_owned()),
        _ => None,
    };
    NatsStream {
        name: info.config.name,
        subjects: info.config.subjects.unwrap_or_default(),
        messages: info.state.messages,
        first_sequence: info.state.first_seq,
        last_sequence: info.state.last_seq,
        retention: info.config.retention,
        allow_direct: info.config.allow_direct,
        mirror: info.config.mirror.is_some(),
        backfilled_to: None,
        covered_to: None,
        note,
        consumers: None,
    }
}

/// Reads a stream's message: exactly this sequence, or the first one at or behind it.
pub(super) async fn get(api: &Api, stream: &NatsStream, sequence: u64, next: bool) -> Result<Option<Kept>, String> {
    let mut body = serde_json::json!({ "seq": sequence });
    if next {
        body["next_by_subj"] = ">".into();
    }
    if stream.allow_direct {
        return direct(api.ask(&format!("DIRECT.GET.{}", stream.name), &body).await?);
    }
    let answer = api.ask(&format!("STREAM.MSG.GET.{}", stream.name), &body).await?;
    let answer: GetResponse = serde_json::from_slice(&answer.payload).map_err(|e| e.to_string())?;
    match (answer.error, answer.message) {
        (Some(error), _) if error.code == 404 => Ok(None),
        (Some(error), _) => Err(format!("{} ({})", error.description, error.code)),
        (None, Some(message)) => Ok(Some(kept(message)?)),
        (None, None) => Err("the server's answer holds no message".to_owned()),
    }
}

/// Reads an answer to Direct Get; `None` when nothing is there.
pub(super) fn direct(answer: async_nats::Message) -> Result<Option<Kept>, String> {
    match answer.status {
        Some(StatusCode::NOT_FOUND) => return Ok(None),
        Some(status) if status != StatusCode::OK => {
            return Err(format!("{status} {}", answer.description.unwrap_or_default()));
        }
        _ => {}
    }
    let mut list = headers::list(answer.headers.as_ref());
    let own = |name: &str| list.iter().find(|(k, _)| k.eq_ignore_ascii_case(name)).map(|(_, v)| v.clone());
    let missing = || "the server's answer lacks the headers of a stored message".to_owned();
    let subject = own("Nats-Subject").ok_or_else(missing)?;
    let sequence = own("Nats-Sequence").and_then(|s| s.parse().ok()).ok_or_else(missing)?;
    let time = own("Nats-Time-Stamp").as_deref().and_then(parse_time).ok_or_else(missing)?;
    headers::without_direct_get(&mut list);
    let raw = Raw { subject, reply: None, headers: list, payload: answer.payload.to_vec(), time };
    Ok(Some(Kept { raw, sequence }))
}

fn kept(message: GetMessage) -> Result<Kept, String> {
    let decode = |text: Option<String>| {
        let engine = base64::engine::general_purpose::STANDARD;
        text.map_or(Ok(Vec::new()), |t| engine.decode(t)).map_err(|e| format!("a message cannot be read: {e}"))
    };
    let time =
        parse_time(&message.time).ok_or_else(|| format!("the time {} of a message cannot be read", message.time))?;
    let headers = headers::parse(&decode(message.hdrs)?);
    let raw = Raw { subject: message.subject, reply: None, headers, payload: decode(message.data)?, time };
    Ok(Kept { raw, sequence: message.seq })
}

/// The first sequence to read of a stream that was never read.
pub(super) async fn start(api: &Api, stream: &NatsStream, backfill: Backfill) -> Result<u64, String> {
    match backfill {
        Backfill::None => Ok(stream.last_sequence + 1),
        // A stream that never held a message names 0 as its first sequence, which cannot be asked for.
        Backfill::All => Ok(stream.first_sequence.max(1)),
        Backfill::FromSequence(sequence) => Ok(sequence.max(stream.first_sequence).max(1)),
        Backfill::Since(time) => first_since(api, stream, time).await,
    }
}

/// Finds the first message stored at or after a time by halving: stored times grow with the sequence.
async fn first_since(api: &Api, stream: &NatsStream, time: Nanos) -> Result<u64, String> {
    let (mut low, mut high) = (stream.first_sequence, stream.last_sequence + 1);
    while low < high {
        let middle = low + (high - low) / 2;
        match get(api, stream, middle, true).await? {
            Some(kept) if kept.raw.time < time => low = kept.sequence + 1,
            _ => high = middle,
        }
    }
    Ok(low)
}

/// Where what is read goes to.
pub(super) struct Out<'a> {
    pub(super) stream: &'a NatsStream,
    /// From which sequence on messages may have been seen live.
    overlap: u64,
    sender: &'a mpsc::Sender<History>,
}

impl Out<'_> {
    async fn send(&self, history: History) -> Result<(), String> {
        self.sender.send(history).await.map_err(|_| "stopped".to_owned())
    }

    /// Hands a message over. Copies from another stream are left to that one.
    pub(super) async fn message(&self, kept: Kept) -> Result<(), String> {
        if kept.raw.headers.iter().any(|(k, _)| k.eq_ignore_ascii_case("Nats-Stream-Source")) {
            return Ok(());
        }
        let (stream, sequence) = (self.stream.name.clone(), kept.sequence);
        let stored = Stored { raw: kept.raw, stream, sequence, overlap: sequence >= self.overlap };
        self.send(History::Message(Box::new(stored))).await
    }

    async fn covered(&self, sequence: u64) -> Result<(), String> {
        self.send(History::Covered { stream: self.stream.name.clone(), sequence }).await
    }
}

/// Reads a stream from one sequence to another (both included) and hands the messages over in order. Sequences from
/// `overlap` on may have been seen live. Returns when all is handed over, or an error in words; what was handed over stays.
pub(super) async fn read(
    api: &Api,
    stream: &NatsStream,
    from: u64,
    to: u64,
    overlap: u64,
    sender: &mpsc::Sender<History>,
) -> Result<(), String> {
    let out = Out { stream, overlap, sender };
    let in_batches = stream.allow_direct && from <= to && in_batches(api, from, to, &out).await?;
    if !in_batches {
        let dense = stream.messages.saturating_mul(SPARSE) >= to.saturating_sub(from);
        match dense {
            true => one_by_one(api, from, to, &out).await?,
            false => from_each_to_the_next(api, from, to, &out).await?,
        }
    }
    out.covered(to).await
}

/// Answers whether the server can do it.
async fn in_batches(api: &Api, from: u64, to: u64, out: &Out<'_>) -> Result<bool, String> {
    let (mut next, mut failures) = (from, 0);
    loop {
        let before = next;
        match batch::read(api, &mut next, to, out).await {
            Ok(End::Unsupported) => return Ok(false),
            Ok(End::Done) => return Ok(true),
            Ok(End::More(_)) => failures = 0,
            Err(words) => {
                failures = if next > before { 1 } else { failures + 1 };
                if failures == TRIES {
                    return Err(words);
                }
                tokio::time::sleep(PAUSE).await;
            }
        }
        if next > before {
            out.covered(next - 1).await?;
        }
    }
}

/// For a stream with few gaps: many requests under way at once.
async fn one_by_one(api: &Api, from: u64, to: u64, out: &Out<'_>) -> Result<(), String> {
    let mut answers = futures::stream::iter(from..=to)
        .map(|sequence| async move { (sequence, patient(|| get(api, out.stream, sequence, false)).await) })
        .buffered(WINDOW);
    while let Some((sequence, kept)) = answers.next().await {
        if let Some(kept) = kept? {
            out.message(kept).await?;
        }
        if sequence % 256 == 0 {
            out.covered(sequence).await?;
        }
    }
    Ok(())
}

/// For a stream with wide gaps: each answer says where the next message is.
async fn from_each_to_the_next(api: &Api, from: u64, to: u64, out: &Out<'_>) -> Result<(), String> {
    let mut next = from;
    while next <= to {
        match patient(|| get(api, out.stream, next, true)).await? {
            Some(kept) if kept.sequence <= to => {
                next = kept.sequence + 1;
                out.message(kept).await?;
                out.covered(next - 1).await?;
            }
            _ => break,
        }
    }
    Ok(())
}

/// Tries a request again: a busy server may leave one unanswered.
async fn patient<F: Future<Output = Result<Option<Kept>, String>>>(
    ask: impl Fn() -> F,
) -> Result<Option<Kept>, String> {
    let mut pause = PAUSE;
    for _ in 1..TRIES {
        match ask().await {
            Ok(kept) => return Ok(kept),
            Err(_) => tokio::time::sleep(pause).await,
        }
        pause *= 4;
    }
    ask().await
}
