//! Reading what streams keep, with requests that leave no trace: `STREAM.LIST`, Direct Get, message get.

use std::time::Duration;

use async_nats::{Client, StatusCode};
use base64::Engine as _;
use flowglass_model::Nanos;
use futures::StreamExt as _;
use serde::Deserialize;
use tokio::sync::mpsc;

use super::live::{Raw, Stored};
use super::status::NatsStream;
use super::{Backfill, headers};
use crate::cloudevents::parse_time;

/// Requests under way at once while a stream is read.
const WINDOW: usize = 64;
/// Reading one by one is used for a stream with fewer messages than one in this many sequences.
const SPARSE: u64 = 4;

/// What reading a stream brings.
#[derive(Debug)]
pub(super) enum History {
    /// A message.
    Message(Box<Stored>),
    /// Everything up to this sequence has been handed over.
    Covered { stream: String, sequence: u64 },
}

#[derive(Deserialize)]
struct ApiError {
    code: u16,
    #[serde(default)]
    description: String,
}

#[derive(Deserialize)]
struct ListResponse {
    error: Option<ApiError>,
    #[serde(default)]
    total: u64,
    #[serde(default)]
    streams: Option<Vec<StreamInfo>>,
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
    error: Option<ApiError>,
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
struct Kept {
    raw: Raw,
    sequence: u64,
}

async fn request(client: &Client, subject: String, body: serde_json::Value) -> Result<async_nats::Message, String> {
    let sent = client.request(subject.clone(), body.to_string().into()).await;
    sent.map_err(|e| match e.kind() {
        async_nats::RequestErrorKind::NoResponders => "JetStream is not enabled for this account".to_owned(),
        async_nats::RequestErrorKind::TimedOut => {
            format!("no answer to {subject}; the account may lack the permission to publish there")
        }
        _ => e.to_string(),
    })
}

/// All streams of the account, sorted by name; an error in words.
pub(super) async fn streams(client: &Client) -> Result<Vec<NatsStream>, String> {
    let mut all = Vec::new();
    loop {
        let body = serde_json::json!({ "offset": all.len() });
        let answer = request(client, "$JS.API.STREAM.LIST".to_owned(), body).await?;
        let page: ListResponse =
            serde_json::from_slice(&answer.payload).map_err(|e| format!("the list of streams cannot be read: {e}"))?;
        if let Some(error) = page.error {
            return Err(format!("the streams cannot be listed: {} ({})", error.description, error.code));
        }
        let streams = page.streams.unwrap_or_default();
        let last = streams.is_empty();
        all.extend(streams.into_iter().map(facts));
        if last || all.len() as u64 >= page.total {
            break;
        }
    }
    all.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(all)
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
    }
}

/// Reads a stream's message: exactly this sequence, or the first one at or behind it.
async fn get(client: &Client, stream: &NatsStream, sequence: u64, next: bool) -> Result<Option<Kept>, String> {
    let mut body = serde_json::json!({ "seq": sequence });
    if next {
        body["next_by_subj"] = ">".into();
    }
    if stream.allow_direct {
        let answer = request(client, format!("$JS.API.DIRECT.GET.{}", stream.name), body).await?;
        return direct(answer);
    }
    let answer = request(client, format!("$JS.API.STREAM.MSG.GET.{}", stream.name), body).await?;
    let answer: GetResponse = serde_json::from_slice(&answer.payload).map_err(|e| e.to_string())?;
    match (answer.error, answer.message) {
        (Some(error), _) if error.code == 404 => Ok(None),
        (Some(error), _) => Err(format!("{} ({})", error.description, error.code)),
        (None, Some(message)) => Ok(Some(kept(message)?)),
        (None, None) => Err("the server's answer holds no message".to_owned()),
    }
}

fn direct(answer: async_nats::Message) -> Result<Option<Kept>, String> {
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
pub(super) async fn start(client: &Client, stream: &NatsStream, backfill: Backfill) -> Result<u64, String> {
    match backfill {
        Backfill::None => Ok(stream.last_sequence + 1),
        // A stream that never held a message names 0 as its first sequence, which cannot be asked for.
        Backfill::All => Ok(stream.first_sequence.max(1)),
        Backfill::FromSequence(sequence) => Ok(sequence.max(stream.first_sequence).max(1)),
        Backfill::Since(time) => first_since(client, stream, time).await,
    }
}

/// Finds the first message stored at or after a time by halving: stored times grow with the sequence.
async fn first_since(client: &Client, stream: &NatsStream, time: Nanos) -> Result<u64, String> {
    let (mut low, mut high) = (stream.first_sequence, stream.last_sequence + 1);
    while low < high {
        let middle = low + (high - low) / 2;
        match get(client, stream, middle, true).await? {
            Some(kept) if kept.raw.time < time => low = kept.sequence + 1,
            _ => high = middle,
        }
    }
    Ok(low)
}

/// Reads a stream from one sequence to another (both included) and hands the messages over in order. Sequences from
/// `overlap` on may have been seen live. Returns when all is handed over, or an error in words; what was handed over stays.
pub(super) async fn read(
    client: &Client,
    stream: &NatsStream,
    from: u64,
    to: u64,
    overlap: u64,
    out: &mpsc::Sender<History>,
) -> Result<(), String> {
    let is_copy = |kept: &Kept| kept.raw.headers.iter().any(|(k, _)| k.eq_ignore_ascii_case("Nats-Stream-Source"));
    let hand_over = async |kept: Kept| {
        let sequence = kept.sequence;
        if !is_copy(&kept) {
            let stored = Stored { raw: kept.raw, stream: stream.name.clone(), sequence, overlap: sequence >= overlap };
            out.send(History::Message(Box::new(stored))).await.map_err(|_| "stopped".to_owned())?;
        }
        Ok::<(), String>(())
    };
    let covered = async |sequence: u64| {
        let stream = stream.name.clone();
        out.send(History::Covered { stream, sequence }).await.map_err(|_| "stopped".to_owned())
    };
    let dense = stream.messages.saturating_mul(SPARSE) >= to.saturating_sub(from);
    if dense {
        let mut answers = futures::stream::iter(from..=to)
            .map(|sequence| async move { (sequence, patient(|| get(client, stream, sequence, false)).await) })
            .buffered(WINDOW);
        while let Some((sequence, kept)) = answers.next().await {
            if let Some(kept) = kept? {
                hand_over(kept).await?;
            }
            if sequence % 256 == 0 {
                covered(sequence).await?;
            }
        }
    } else {
        let mut next = from;
        while next <= to {
            match patient(|| get(client, stream, next, true)).await? {
                Some(kept) if kept.sequence <= to => {
                    next = kept.sequence + 1;
                    hand_over(kept).await?;
                    covered(next - 1).await?;
                }
                _ => break,
            }
        }
    }
    covered(to).await
}

/// Tries a request again twice: a busy server may leave one unanswered.
async fn patient<F: Future<Output = Result<Option<Kept>, String>>>(
    ask: impl Fn() -> F,
) -> Result<Option<Kept>, String> {
    let mut pause = Duration::from_millis(100);
    for _ in 0..2 {
        match ask().await {
            Ok(kept) => return Ok(kept),
            Err(_) => tokio::time::sleep(pause).await,
        }
        pause *= 4;
    }
    ask().await
}
