//! An exporter: a process of its own that sends OTLP over HTTP at a pace, keeps what is refused, and says what it does.
//!
//! It reads `again N` for each request that an earlier life left open, then `go N`; `stop` or the end of input lets it finish what
//! is on its way. What it may not do is forget: a refusal or a lost connection is tried again until the request is acknowledged.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use flowglass_tests::live::now;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message as _;
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use tokio::runtime::Builder;
use tokio::task::JoinSet;

use crate::ledger::Told;
use crate::spans::Stream;

/// Requests on their way at once.
const WINDOW: usize = 8;
/// An exporter that is later than this leaves out what it missed, as one with a full queue would: nobody was told that it is stored.
const LATE: Duration = Duration::from_secs(5);
/// Time until the next attempt where the answer names none.
const AGAIN: Duration = Duration::from_millis(500);

/// Which exporter this is.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// OTLP/HTTP receiver
    #[arg(long)]
    http: String,
    /// Its number
    #[arg(long)]
    number: u64,
    /// Seed of all it sends
    #[arg(long)]
    seed: u64,
    /// When request 0 is due, nanoseconds since the epoch
    #[arg(long)]
    base: u64,
    /// Nanoseconds from one request to the next
    #[arg(long)]
    every: u64,
}

/// Sends until told to stop.
///
/// # Errors
/// If no client can be made, or the input says something else than it should.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let Arguments { number: sender, seed, base, every, .. } = *arguments;
    let stream = Stream { seed, sender, base, every };
    let (again, next) = orders()?;
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = Arc::clone(&stop);
    std::thread::spawn(move || {
        // Whatever comes, or the end of input: both mean the same.
        let _ = std::io::stdin().read_line(&mut String::new());
        stopped.store(true, Ordering::Relaxed);
    });
    // No client can be built before somebody says what does the cryptography; that it was said before is fine.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(30)).build()?;
    let url = format!("{}/v1/traces", arguments.http);
    Builder::new_current_thread().enable_all().build()?.block_on(send(&client, &url, stream, again, next, &stop));
    Ok(())
}

/// What an earlier life left open, and the first request that is new.
fn orders() -> Result<(VecDeque<u64>, u64)> {
    let mut again = VecDeque::new();
    for line in std::io::stdin().lines() {
        let line = line?;
        let (word, number) = line.split_once(' ').with_context(|| format!("`{line}` is no order"))?;
        let number = number.parse().with_context(|| format!("`{line}` is no order"))?;
        match word {
            "again" => again.push_back(number),
            _ => return Ok((again, number)),
        }
    }
    anyhow::bail!("the input ended before `go`")
}

/// Standard output is written line by line: what is said has left this process before the next thing is done.
fn say(told: &Told) {
    println!("{}", told.line());
}

async fn send(
    client: &reqwest::Client,
    url: &str,
    stream: Stream,
    mut again: VecDeque<u64>,
    mut next: u64,
    stop: &AtomicBool,
) {
    let mut flying = JoinSet::new();
    let late = LATE.as_nanos() as u64 / stream.every;
    loop {
        let stopped = stop.load(Ordering::Relaxed);
        if stopped && again.is_empty() && flying.is_empty() {
            return;
        }
        let due = stream.due(now());
        if !stopped && due.saturating_sub(next) > late {
            say(&Told::Skipped(due - 1 - next));
            next = due - 1;
        }
        while flying.len() < WINDOW {
            let number = match again.pop_front() {
                Some(number) => number,
                None if stopped || next >= due => break,
                None => {
                    next += 1;
                    next - 1
                }
            };
            say(&Told::Send(number));
            flying.spawn(deliver(client.clone(), url.to_owned(), stream, number));
        }
        tokio::select! {
            Some(_) = flying.join_next() => {}
            () = tokio::time::sleep(Duration::from_millis(10)) => {}
        }
    }
}

/// Sends one request until it is acknowledged or refused for good.
async fn deliver(client: reqwest::Client, url: String, stream: Stream, number: u64) {
    let body = stream.request(number).encode_to_vec();
    let begin = Instant::now();
    loop {
        let request = client.post(&url).header(CONTENT_TYPE, "application/x-protobuf").body(body.clone());
        let wait = match attempt(request).await {
            Ok(Answer::Stored) => return say(&Told::Stored(number, begin.elapsed().as_secs_f64() * 1e3)),
            Ok(Answer::Refused(status, wait)) => {
                say(&Told::Refused(number, status));
                wait
            }
            Ok(Answer::Lost(why)) => return say(&Told::Lost(number, why)),
            Err(_) => {
                say(&Told::Failed(number));
                AGAIN
            }
        };
        tokio::time::sleep(wait).await;
    }
}

enum Answer {
    Stored,
    Refused(u16, Duration),
    Lost(String),
}

/// One attempt, and what its answer means by <https://opentelemetry.io/docs/specs/otlp/#otlphttp-response>.
async fn attempt(request: reqwest::RequestBuilder) -> Result<Answer> {
    let answer = request.send().await?;
    let status = answer.status();
    let wait = answer.headers().get(RETRY_AFTER).and_then(|v| v.to_str().ok()?.parse().ok());
    let body = answer.bytes().await?;
    Ok(match status.as_u16() {
        200 => match ExportTraceServiceResponse::decode(body)?.partial_success {
            Some(partial) if partial.rejected_spans > 0 => {
                Answer::Lost(format!("{} spans rejected: {}", partial.rejected_spans, partial.error_message))
            }
            _ => Answer::Stored,
        },
        429 | 502 | 503 | 504 => Answer::Refused(status.as_u16(), wait.map_or(AGAIN, Duration::from_secs)),
        _ => Answer::Lost(format!("{status} {}", String::from_utf8_lossy(&body))),
    })
}
