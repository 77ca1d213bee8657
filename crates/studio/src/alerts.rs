//! Saying that something new went wrong: a kind of failure not seen before in this workspace, or a dead letter.
//!
//! A kind is who failed, at what, and why, without ids and figures. What was stored in the last days is known from the start;
//! imported and old data is learned and never told. At most one alert in ten seconds, the rest summed up.

use std::collections::{BTreeMap, BTreeSet};

use flowglass_model::filter::{Filter, View};
use flowglass_model::{JourneyState, JourneySummary, Nanos, TraceId};
use flowglass_store::{EventFilter, JourneyFilter};

use crate::Studio;
use crate::api::{Alert, EventRow, to_ms};
use crate::handlers::with_journeys;
use crate::stitch::is_dead_letter;
use crate::workspace::{Workspace, WorkspaceError};

const SECOND: Nanos = 1_000_000_000;
/// How far back failures count as known when a workspace is opened.
const KNOWN_FOR: Nanos = 7 * 86_400 * SECOND;
/// Journeys and events read for that at most.
const KNOWN_ROWS: usize = 2_000;
/// Older data is history, whenever it arrives.
const FRESH: Nanos = 600 * SECOND;
/// How long journeys that just got data may have begun before it, between looks at all fresh ones.
const BEGUN_BEFORE: Nanos = 30 * SECOND;
/// Ticks between looks at all fresh journeys.
const LOOK_AT_ALL: u64 = 10;
/// Journeys and events per look.
const ROWS: usize = 200;
/// Ticks a failure must last: a retry may still make it good.
const SETTLED_AFTER: u64 = 3;
/// Ticks between alerts.
const PAUSE: u64 = 10;
/// Ticks after the first data of an empty workspace in which everything is new and nothing worth an alert.
const GETTING_TO_KNOW: u64 = 60;
/// Kinds and journeys remembered at most.
const REMEMBERED: usize = 20_000;

/// What is known, what is being watched, what waits to be told.
#[derive(Default)]
pub(crate) struct Alerts {
    tick: u64,
    kinds: BTreeSet<String>,
    /// Journeys judged already, by their start.
    judged: BTreeMap<TraceId, Nanos>,
    /// Failed journeys and when they were first seen so.
    watched: BTreeMap<TraceId, u64>,
    /// Dead letters known: by journey where they have one, else by row.
    dead: BTreeSet<String>,
    newest_row: i64,
    learn_until: u64,
    /// Nothing was ever stored when this began.
    empty: bool,
    /// Something was stored since the last look at all fresh journeys.
    unlooked: bool,
    waiting: Vec<Found>,
    told_at: Option<u64>,
    told: u32,
}

/// Something new, before it is told.
#[derive(Debug, Clone, PartialEq)]
struct Found {
    dead_letter: bool,
    at: f64,
    title: String,
    detail: Option<String>,
    journey: Option<String>,
    event_row: Option<i64>,
}

struct Seen {
    failed: Vec<JourneySummary>,
    dead: Vec<EventRow>,
    newest_row: i64,
}

impl Alerts {
    /// Learns what is known already.
    pub(crate) async fn begin(studio: &Studio) -> Alerts {
        let since = studio.now().saturating_sub(KNOWN_FOR);
        let learned = studio.ask(move |w| Ok((look(w, since, i64::MAX, KNOWN_ROWS)?, w.stats()?))).await;
        let mut alerts = Alerts::default();
        match learned {
            Ok((seen, stats)) => {
                alerts.empty = stats.spans + stats.events == 0;
                alerts.learn(seen);
            }
            Err(error) => tracing::warn!(%error, "known failures could not be read; they may be told as new"),
        }
        alerts
    }

    /// One second has passed; `first` is the first instant of the data stored in it, if any was. Gives what to tell now.
    pub(crate) async fn tick(&mut self, studio: &Studio, first: Option<Nanos>) -> Option<Alert> {
        self.tick += 1;
        let now = studio.now();
        if first.is_some() && self.empty {
            self.empty = false;
            self.learn_until = self.tick + GETTING_TO_KNOW;
        }
        if studio.0.imports.views().iter().any(|i| i.state == "running") {
            // What it stored last is looked at after it has ended.
            self.learn_until = self.learn_until.max(self.tick + 2);
        }
        self.unlooked |= first.is_some();
        let all = self.unlooked && self.tick.is_multiple_of(LOOK_AT_ALL);
        let reach = if all { Some(now) } else { first };
        if let Some(reach) = reach {
            let begin = if all { now - FRESH } else { (reach - BEGUN_BEFORE).max(now - FRESH) };
            self.unlooked &= !all;
            let newest = self.newest_row;
            match studio.ask(move |w| look(w, begin, newest, ROWS)).await {
                Ok(seen) if self.tick < self.learn_until => self.learn(seen),
                Ok(seen) => self.take(seen, now),
                Err(error) => tracing::warn!(%error, "new failures could not be looked for"),
            }
        }
        self.judge(studio).await;
        self.release()
    }

    fn learn(&mut self, seen: Seen) {
        self.newest_row = self.newest_row.max(seen.newest_row);
        for journey in seen.failed {
            self.watched.remove(&journey.id);
            self.judged.insert(journey.id, journey.start);
            self.kinds.extend(journey.failure.as_deref().map(kind));
        }
        self.dead.extend(seen.dead.iter().map(dead_letter_key));
    }

    fn take(&mut self, seen: Seen, now: Nanos) {
        self.newest_row = self.newest_row.max(seen.newest_row);
        for journey in seen.failed.iter().filter(|j| !self.judged.contains_key(&j.id)) {
            self.watched.entry(journey.id).or_insert(self.tick);
        }
        for row in seen.dead {
            if row.at >= to_ms(now - FRESH) && self.dead.insert(dead_letter_key(&row)) {
                self.waiting.push(dead_letter(row));
            }
        }
        // What is older than fresh never comes up again.
        if self.judged.len() > REMEMBERED {
            self.judged.retain(|_, start| *start >= now - FRESH);
        }
        if self.dead.len() > REMEMBERED {
            self.dead.pop_first();
        }
    }

    /// Looks again at journeys that have been in failure for a while.
    async fn judge(&mut self, studio: &Studio) {
        let due: Vec<TraceId> =
            self.watched.iter().filter(|(_, at)| **at + SETTLED_AFTER <= self.tick).map(|(id, _)| *id).take(ROWS).collect();
        if due.is_empty() {
            return;
        }
        let asked = due.clone();
        let summaries = studio.ask(move |w| {
            w.read(|r| asked.iter().map(|id| r.journey_summary(*id)).collect::<Result<Vec<_>, _>>())
        });
        match summaries.await {
            Ok(summaries) => summaries.into_iter().flatten().for_each(|j| self.verdict(j)),
            Err(error) => tracing::warn!(%error, "new failures could not be looked at"),
        }
        for id in due {
            self.watched.remove(&id);
        }
    }

    fn verdict(&mut self, journey: JourneySummary) {
        // A retry made it good, or it goes on: it is looked at again when it gets data.
        if journey.state != JourneyState::Failed {
            return;
        }
        self.judged.insert(journey.id, journey.start);
        let Some(failure) = journey.failure else { return };
        if self.kinds.len() >= REMEMBERED || !self.kinds.insert(kind(&failure)) {
            return;
        }
        let who = failure.split_whitespace().next().unwrap_or("a service");
        self.waiting.push(Found {
            dead_letter: false,
            at: to_ms(journey.start),
            title: format!("New kind of failure in {who}"),
            detail: Some(failure),
            journey: Some(journey.id.to_string()),
            event_row: None,
        });
    }

    /// The alert that is due: one finding as it is, several in words.
    fn release(&mut self) -> Option<Alert> {
        if self.waiting.is_empty() || self.told_at.is_some_and(|at| self.tick < at + PAUSE) {
            return None;
        }
        let found = std::mem::take(&mut self.waiting);
        self.told_at = Some(self.tick);
        self.told += 1;
        let (first, title, detail) = (&found[0], summed_up(&found), details(&found));
        Some(Alert {
            id: self.told,
            kind: if found.iter().all(|f| f.dead_letter) { "dead-letter" } else { "failure" }.into(),
            at: first.at,
            title,
            detail,
            journey: first.journey.clone(),
            event_row: first.event_row,
        })
    }
}

fn look(workspace: &Workspace, since: Nanos, after: i64, rows: usize) -> Result<Seen, WorkspaceError> {
    let failed = JourneyFilter {
        since: Some(since),
        state: Some(vec![JourneyState::Failed]),
        limit: rows,
        ..JourneyFilter::default()
    };
    let dead_lettered = Filter::parse("dead-lettered:true", View::Events).unwrap_or_default();
    let given_up = EventFilter { since: Some(since), filter: dead_lettered, limit: rows, ..EventFilter::default() };
    let new = EventFilter { after: Some(after), limit: rows, ..EventFilter::default() };
    let (failed, given_up, new, newest_row) = workspace
        .read(|r| Ok((r.journeys(&failed)?.rows, r.events(&given_up)?.rows, r.events(&new)?.rows, r.newest_event_row()?)))?;
    let given_up = given_up.into_iter().filter(|e| e.dead_lettered);
    let on_dead_letter_topics = new.into_iter().filter(|e| is_dead_letter(&e.message.destination));
    let dead: Vec<_> = given_up.chain(on_dead_letter_topics).collect();
    if dead.is_empty() {
        return Ok(Seen { failed, dead: Vec::new(), newest_row });
    }
    let graph = workspace.graph(None, None, None)?;
    Ok(Seen { failed, dead: with_journeys(workspace, dead, &graph)?, newest_row })
}

/// One message that a broker gave up on and its copy on a dead-letter topic are one dead letter: they share the journey.
fn dead_letter_key(row: &EventRow) -> String {
    row.journey.clone().unwrap_or_else(|| format!("row {}", row.row))
}

fn dead_letter(row: EventRow) -> Found {
    let what = row.key.or(row.event_id);
    Found {
        dead_letter: true,
        at: row.at,
        title: format!("Dead letter on {}", row.destination),
        detail: what.map(|w| format!("{w} was not handled and was given up")),
        journey: row.journey,
        event_row: Some(row.row),
    }
}

/// `3 new kinds of failure and 1 dead letter`.
fn summed_up(found: &[Found]) -> String {
    if let [only] = found {
        return only.title.clone();
    }
    let dead = found.iter().filter(|f| f.dead_letter).count();
    let counted = |n: usize, one: &str, many: &str| (n > 0).then(|| format!("{n} {}", if n == 1 { one } else { many }));
    let parts = [
        counted(found.len() - dead, "new kind of failure", "new kinds of failure"),
        counted(dead, "dead letter", "dead letters"),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" and ")
}

fn details(found: &[Found]) -> Option<String> {
    if let [only] = found {
        return only.detail.clone();
    }
    let first = &found[0];
    let said = first.detail.as_ref().filter(|_| !first.dead_letter).unwrap_or(&first.title);
    Some(format!("{said}, and {} more", found.len() - 1))
}

/// Who failed, at what, and why: the sentence without ids and figures. The participant and a status stay as they are.
fn kind(sentence: &str) -> String {
    let sentence = sentence.split("; ").next().unwrap_or(sentence);
    let mut out = String::new();
    let mut before = "";
    for (i, word) in sentence.split_whitespace().enumerate() {
        let bare = word.trim_matches(|c: char| !c.is_alphanumeric());
        let status = matches!(before, "got" | "returned") && bare.len() == 3;
        let varies = i > 0 && !status && bare.bytes().any(|b| b.is_ascii_digit());
        if i > 0 {
            out.push(' ');
        }
        out.push_str(if varies { "#" } else { word });
        before = word;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_leaves_out_what_varies() {
        let k = |s: &str| kind(s);
        assert_eq!(
            k("payments-2 POST /charge returned 500: order ORD-17 timed out after 1500 ms; 3 attempts failed"),
            k("payments-2 POST /charge returned 500: order ORD-18 timed out after 1501 ms; 2 attempts failed")
        );
        assert_ne!(k("payments-2 POST /charge returned 500"), k("payments-2 POST /charge returned 503"));
        assert_ne!(k("payments-2 POST /charge returned 500"), k("payments-1 POST /charge returned 500"));
    }

    fn found(dead_letter: bool, n: u32) -> Found {
        Found {
            dead_letter,
            at: 0.0,
            title: format!("title {n}"),
            detail: Some(format!("detail {n}")),
            journey: Some(format!("journey {n}")),
            event_row: None,
        }
    }

    #[test]
    fn one_alert_in_ten_seconds_and_the_rest_summed_up() {
        let mut alerts = Alerts { waiting: vec![found(false, 1)], tick: 100, ..Alerts::default() };
        let alert = alerts.release().unwrap();
        assert_eq!((alert.id, alert.title.as_str(), alert.detail.as_deref()), (1, "title 1", Some("detail 1")));
        alerts.waiting = vec![found(false, 2), found(true, 3), found(false, 4)];
        alerts.tick += PAUSE - 1;
        assert_eq!(alerts.release(), None);
        alerts.tick += 1;
        let alert = alerts.release().unwrap();
        assert_eq!(alert.title, "2 new kinds of failure and 1 dead letter");
        assert_eq!(alert.detail.as_deref(), Some("detail 2, and 2 more"));
        assert_eq!((alert.kind.as_str(), alert.journey.as_deref()), ("failure", Some("journey 2")));
        alerts.tick += 100;
        assert_eq!(alerts.release(), None);
    }
}
