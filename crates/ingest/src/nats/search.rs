//! Looking for a text in what the streams of a server keep. It only reads, with the requests that history reads with.

use std::collections::BTreeSet;

use flowglass_model::{Batch, Message, SourceKind};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::api::Api;
use super::connect::connect;
use super::history::{self, History};
use super::live::{Raw, Stored};
use super::status::NatsStream;
use super::{Backfill, NatsConfig};
use crate::cloudevents::{Draft, build};
use crate::files::{ImportReport, Progress};
use crate::normalise::Options;
use crate::secrets::Secrets;
use crate::sink::Sink;

/// Messages of one stream looked through at most, the newest ones.
const NEWEST: u64 = 200_000;
/// Messages taken in at most: a text that stands in more is no search.
const TAKEN: usize = 1_000;
/// Messages that wait to be looked at.
const WAITING: usize = 256;
/// Messages between two words about the progress.
const TOLD: u64 = 2_000;

/// Looks for a text (in subject, headers and payload, case counts) in the newest messages of all streams that the connection
/// names, and stores the messages that hold it. `progress` counts streams as files and messages as bytes.
///
/// # Errors
/// In words, when the server cannot be reached, has no streams, or a stream cannot be read; what was stored stays.
pub async fn search(
    config: &NatsConfig,
    secrets: &Secrets,
    text: &str,
    (sink, options): (&Sink, &Options),
    progress: impl Fn(Progress),
    cancel: CancellationToken,
) -> Result<ImportReport, String> {
    let looking = look(config, secrets, text, (sink, options), &progress);
    tokio::select! {
        done = looking => done,
        () = cancel.cancelled() => Ok(ImportReport { cancelled: true, ..ImportReport::default() }),
    }
}

async fn look(
    config: &NatsConfig,
    secrets: &Secrets,
    text: &str,
    (sink, options): (&Sink, &Options),
    progress: &impl Fn(Progress),
) -> Result<ImportReport, String> {
    config.check().map_err(|e| e.to_string())?;
    let connected = connect(config, secrets).await?;
    let api = Api::new(connected.client, config.domain.clone(), connected.refused);
    let streams = history::streams(&api, &config.streams).await.map_err(|e| e.to_string())?;
    let wanted: BTreeSet<&str> = config.streams.iter().map(String::as_str).collect();
    let streams: Vec<NatsStream> =
        streams.into_iter().filter(|s| !s.mirror && (wanted.is_empty() || wanted.contains(s.name.as_str()))).collect();
    let of = streams.len() as u64;
    let mut report = ImportReport::default();
    for stream in streams {
        let found = in_stream(&api, &stream, text, |read| {
            let (file, counts) = (format!("stream {}", stream.name), report.counts);
            let (files_done, waiting) = (report.files, None);
            progress(Progress { file, files_done, files: of, bytes_done: read, bytes: 0, counts, waiting });
        })
        .await?;
        report.files += 1;
        report.recognised += u64::from(!found.is_empty());
        let messages: Vec<Message> = found.into_iter().map(|stored| message(stored, options)).collect();
        for m in &messages {
            report.first = Some(report.first.map_or(m.time, |t| t.min(m.time)));
            report.last = Some(report.last.map_or(m.time, |t| t.max(m.time)));
        }
        if !messages.is_empty() {
            let batch = Batch { messages, ..Batch::default() };
            report.counts.add(sink.submit(batch, SourceKind::Nats).await.map_err(|e| e.to_string())?);
        }
        if report.counts.events as usize >= TAKEN {
            break;
        }
    }
    Ok(report)
}

/// The messages of a stream that hold a text, oldest first.
async fn in_stream(api: &Api, stream: &NatsStream, text: &str, told: impl Fn(u64)) -> Result<Vec<Stored>, String> {
    if stream.messages == 0 {
        return Ok(Vec::new());
    }
    let first = history::start(api, stream, Backfill::All).await?;
    let from = first.max(stream.last_sequence.saturating_sub(NEWEST - 1));
    let (sender, mut receiver) = mpsc::channel(WAITING);
    // Nothing is watched live, so nothing can have been seen before.
    let reading = async {
        let done = history::read(api, stream, from, stream.last_sequence, u64::MAX, &sender).await;
        drop(sender);
        done
    };
    let looking = async {
        let (mut found, mut read) = (Vec::new(), 0);
        while let Some(history) = receiver.recv().await {
            let History::Message(stored) = history else { continue };
            read += 1;
            if read % TOLD == 0 {
                told(read);
            }
            if found.len() < TAKEN && holds(&stored.raw, text) {
                found.push(*stored);
            }
        }
        told(read);
        found
    };
    let (read, found) = tokio::join!(reading, looking);
    read.map(|()| found).map_err(|why| format!("stream {}: {why}", stream.name))
}

fn holds(raw: &Raw, text: &str) -> bool {
    let in_payload = raw.payload.windows(text.len().max(1)).any(|w| w == text.as_bytes());
    in_payload || raw.subject.contains(text) || raw.headers.iter().any(|(_, v)| v.contains(text))
}

fn message(stored: Stored, options: &Options) -> Message {
    let Stored { raw, stream, sequence, .. } = stored;
    let draft = Draft {
        system: "nats".to_owned(),
        destination: raw.subject,
        time: raw.time,
        stream: Some(stream),
        sequence: Some(sequence),
        headers: raw.headers,
        payload: raw.payload,
        ..Draft::default()
    };
    build(draft, options)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_found_wherever_it_stands() {
        let raw = |subject: &str, header: &str, payload: &str| Raw {
            subject: subject.into(),
            reply: None,
            headers: vec![("ce-subject".into(), header.into())],
            payload: payload.into(),
            time: 0,
        };
        for (raw, found) in [
            (raw("orders.o-17", "x", "{}"), true),
            (raw("orders", "o-17", "{}"), true),
            (raw("orders", "x", r#"{"id":"o-17"}"#), true),
            (raw("orders", "x", "o-1"), false),
            (raw("orders", "x", ""), false),
        ] {
            assert_eq!(holds(&raw, "o-17"), found);
        }
    }
}
