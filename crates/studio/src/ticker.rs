//! Once a second: what was stored, new events, counters.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Duration;

use flowglass_model::Nanos;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use crate::Studio;
use crate::alerts::Alerts;
use crate::api::{Range, Update, to_ms};
use crate::control::Control;
use crate::handlers::with_journeys;
use crate::nats_saved;
use crate::pipeline::Committed;
use crate::studio::lock;

/// Event rows pushed at once at most; the rest is counted.
const ROWS_PUSHED: usize = 200;
/// Seconds between notes of how far NATS streams were read: what is lost by a crash is read again, and known.
const SAVE_EVERY: u64 = 30;
/// Seconds between looks for what the rule of what is kept says must go.
const TEND_EVERY: u64 = 10;
/// Seconds over which the rail's rates are averaged.
const RATE_WINDOW: usize = 5;

/// What was stored lately.
#[derive(Default)]
pub(crate) struct Activity(Mutex<State>);

#[derive(Default)]
struct State {
    /// Spans and events of the last seconds, newest last.
    seconds: VecDeque<(u64, u64)>,
    redacted: u64,
    /// Requests of each listener when last looked at, and when that number last grew.
    requests: Vec<(u64, Option<Nanos>)>,
}

impl Activity {
    /// When each listener last took a request, to the second; in the order of the receivers.
    pub(crate) fn last_requests(&self) -> Vec<Option<Nanos>> {
        lock(&self.0).requests.iter().map(|(_, at)| *at).collect()
    }

    fn note_requests(&self, counts: &[u64], now: Nanos) {
        let mut state = lock(&self.0);
        state.requests.resize(counts.len(), (0, None));
        for (known, count) in state.requests.iter_mut().zip(counts) {
            if *count > known.0 {
                *known = (*count, Some(now));
            }
        }
    }

    /// Credential values replaced at the door since the start.
    pub(crate) fn redacted(&self) -> u64 {
        lock(&self.0).redacted
    }

    fn tick(&self, spans: u64, events: u64, redacted: u64) -> (f64, f64) {
        let mut state = lock(&self.0);
        state.redacted += redacted;
        state.seconds.push_back((spans, events));
        if state.seconds.len() > RATE_WINDOW {
            state.seconds.pop_front();
        }
        let n = state.seconds.len() as f64;
        let (s, e) = state.seconds.iter().fold((0, 0), |(a, b), (x, y)| (a + x, b + y));
        (s as f64 / n, e as f64 / n)
    }
}

#[derive(Default)]
struct Second {
    first: Option<Nanos>,
    last: Option<Nanos>,
    spans: u64,
    events: u64,
    logs: u64,
    facts: u64,
    redacted: u64,
}

impl Second {
    fn take_in(&mut self, c: &Committed) {
        self.first = [self.first, c.first].into_iter().flatten().min();
        self.last = [self.last, c.last].into_iter().flatten().max();
        self.spans += c.counts.spans;
        self.events += c.counts.events;
        self.logs += c.counts.logs;
        self.facts += c.counts.facts;
        self.redacted += c.redacted;
    }

    fn stored_anything(&self) -> bool {
        self.spans + self.events + self.logs + self.facts > 0
    }
}

impl Studio {
    /// Whether data arrives: a NATS connection is there, or a listener took something in the last five minutes.
    pub fn receiving(&self) -> bool {
        let lately = self.now() - 300 * 1_000_000_000;
        !self.0.nats.is_empty() || self.0.activity.last_requests().into_iter().flatten().any(|at| at >= lately)
    }
}

/// Announces until the studio stops.
pub(crate) async fn run(studio: Studio, mut commits: broadcast::Receiver<Committed>) {
    let mut clock = tokio::time::interval(Duration::from_secs(1));
    clock.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut second = Second::default();
    let mut ticks = 0_u64;
    let mut newest = studio.ask(|w| w.read(|r| r.newest_event_row())).await.unwrap_or_default();
    // The sample landscape fails on purpose.
    let mut alerts = if studio.0.demo { None } else { Some(Alerts::begin(&studio).await) };
    loop {
        tokio::select! {
            () = studio.0.stop.cancelled() => return,
            commit = commits.recv() => match commit {
                Ok(commit) if commit.rejoined => studio.publish(Update::Joined {}),
                Ok(commit) if commit.expired => studio.publish(Update::Expired {}),
                Ok(commit) => second.take_in(&commit),
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return,
            },
            _ = clock.tick() => {
                ticks += 1;
                if ticks.is_multiple_of(SAVE_EVERY) && !studio.0.nats.is_empty() {
                    nats_saved::save(&studio).await;
                }
                if ticks.is_multiple_of(TEND_EVERY) {
                    studio.tell(Control::Tend(studio.now())).await;
                }
                let second = std::mem::take(&mut second);
                let first = second.first.filter(|_| second.stored_anything());
                announce(&studio, second, &mut newest).await;
                if let Some(alerts) = &mut alerts
                    && let Some(alert) = alerts.tick(&studio, first).await
                {
                    studio.publish(Update::Alert { alert });
                }
                studio.reload_settings().await;
            }
        }
    }
}

async fn announce(studio: &Studio, second: Second, newest: &mut i64) {
    let (spans_per_second, events_per_second) = studio.0.activity.tick(second.spans, second.events, second.redacted);
    let requests: Vec<u64> = studio.0.receivers.iter().map(|r| r.requests(&studio.0.ingest_stats)).collect();
    studio.0.activity.note_requests(&requests, studio.now());
    if second.stored_anything() {
        studio.publish(Update::Stored {
            range: Range { since_at: second.first.map(to_ms), until_at: second.last.map(to_ms) },
            spans: second.spans as u32,
            events: second.events as u32,
            logs: second.logs as u32,
        });
    }
    if second.events > 0 {
        announce_events(studio, second.events, newest).await;
    }
    let problem = studio
        .0
        .room
        .problem()
        .into_iter()
        .chain(studio.0.receivers.iter().filter_map(|r| r.problem().map(|p| p.words)))
        .chain(studio.0.nats.problems())
        .chain(studio.0.forwarding.problem())
        .chain(studio.0.workspace.settings().problem)
        .next();
    let quiet = studio.ask(|w| w.stats()).await.is_ok_and(|s| s.spans + s.events + s.logs == 0);
    let state = match (&problem, quiet) {
        (Some(_), _) => "warning",
        (None, true) => "waiting",
        (None, false) => "healthy",
    };
    studio.publish(Update::Counters {
        spans_per_second,
        events_per_second,
        state: state.into(),
        problem,
        otlp: studio.0.receivers.addresses().into_iter().map(|a| format!(":{}", a.port())).collect(),
        nats: studio.0.nats.short_addresses(),
    });
}

async fn announce_events(studio: &Studio, stored: u64, newest: &mut i64) {
    let after = *newest;
    let rows = studio.ask(move |workspace| {
        let page = workspace.read(|r| {
            r.events(&flowglass_store::EventFilter {
                after: Some(after),
                limit: ROWS_PUSHED,
                ..flowglass_store::EventFilter::default()
            })
        })?;
        let newest = workspace.read(|r| r.newest_event_row())?;
        let graph = workspace.graph(None, None, None)?;
        let skipped = stored.saturating_sub(page.rows.len() as u64);
        let mut rows = with_journeys(workspace, page.rows, &graph)?;
        rows.sort_by_key(|r| r.row);
        Ok((newest, rows, skipped))
    });
    match rows.await {
        Ok((row, rows, skipped)) => {
            *newest = row;
            studio.publish(Update::Events { rows, skipped: skipped as u32 });
        }
        Err(error) => tracing::warn!(%error, "new events could not be listed"),
    }
}
