//! Requests refused as a whole, on their way into the workspace's count of what was refused.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use flowglass_model::{Batch, Rejected, SourceKind};
use tokio_util::sync::CancellationToken;

use super::request::{Port, Problem};
use crate::Sink;

/// How often the count is handed over.
const EVERY: Duration = Duration::from_secs(1);
/// Different refusals kept apart between two times; the rest is counted together.
const KINDS: usize = 32;
/// Longest time the last count may take at the end.
const LAST: Duration = Duration::from_secs(2);

/// Refusals that were not handed over yet.
#[derive(Debug, Default)]
pub(super) struct Tally(Mutex<BTreeMap<(String, String), u64>>);

impl Tally {
    /// Counts a refused request, if it is one of those that lose data: not those that ask for something that does not exist.
    pub(super) fn count(&self, what: &str, problem: &Problem) {
        if !matches!(problem.status.as_u16(), 400 | 401 | 408 | 413 | 415 | 429) {
            return;
        }
        let mut kinds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut key = (what.to_owned(), problem.message.clone());
        if kinds.len() >= KINDS && !kinds.contains_key(&key) {
            key = ("requests".to_owned(), "refused for other reasons".to_owned());
        }
        *kinds.entry(key).or_default() += 1;
    }

    fn take(&self, port: Port) -> Vec<Rejected> {
        let kinds = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        let line = |((at, reason), count)| Rejected { source: port.title().to_owned(), at, reason, count };
        kinds.into_iter().map(line).collect()
    }

    async fn hand_over(&self, port: Port, sink: &Sink) {
        let rejected = self.take(port);
        if rejected.is_empty() {
            return;
        }
        let source = match port {
            Port::Grpc => SourceKind::OtlpGrpc,
            Port::Http => SourceKind::OtlpHttp,
        };
        // Waits for room like everybody else; meanwhile the next ones are added up.
        if let Err(error) = sink.submit(Batch { rejected, ..Batch::default() }, source).await {
            tracing::debug!(%error, "refused requests could not be counted in the workspace");
        }
    }

    /// Hands over until `end`, then the rest.
    pub(super) async fn run(&self, port: Port, sink: Sink, end: CancellationToken) {
        let mut clock = tokio::time::interval(EVERY);
        clock.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = end.cancelled() => break,
                _ = clock.tick() => self.hand_over(port, &sink).await,
            }
        }
        let _ = tokio::time::timeout(LAST, self.hand_over(port, &sink)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_different_refusals_stays_bounded_and_is_counted() {
        let tally = Tally::default();
        for i in 0..1000 {
            tally.count("POST /v1/traces", &Problem::bad(format!("broken at byte {i}")));
        }
        tally.count("POST /v1/traces", &Problem::bad("broken at byte 0"));
        tally.count("GET /", &Problem::new(http::StatusCode::NOT_FOUND, tonic::Code::NotFound, "nothing there"));
        let lines = tally.take(Port::Http);
        assert_eq!((lines.len(), lines.iter().map(|l| l.count).sum::<u64>()), (KINDS + 1, 1001));
        assert!(tally.take(Port::Http).is_empty());
    }
}
