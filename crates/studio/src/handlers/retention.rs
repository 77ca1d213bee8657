//! What is kept, what was removed; copies of the workspace.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use flowglass_model::{Age, Nanos, RetentionConfig, Size};
use flowglass_store::{Figures, Space};
use tokio_util::sync::CancellationToken;

use super::bad_request;
use crate::api::*;
use crate::retention::{META_REMOVED, Preview, Removal, Removed, kept, preview};
use crate::studio::lock;
use crate::workspace::{Workspace, WorkspaceError};
use crate::{Studio, rfc3339};

/// Between two words about the progress of a copy.
const TELL_EVERY: Duration = Duration::from_millis(250);

/// See [`Retention`].
pub(crate) async fn retention(studio: &Studio, _: Nothing) -> Result<Retention, ApiError> {
    Ok(studio.ask(|workspace| workspace.retention()).await?.into())
}

/// See [`RetentionPreview`].
pub(crate) async fn retention_preview(studio: &Studio, rule: RetentionRule) -> Result<RetentionPreview, ApiError> {
    let rule = read(rule).map_err(bad_request)?;
    let now = studio.now();
    let answer = studio.ask(move |workspace| {
        let found = preview(workspace, &rule, now)?;
        Ok::<_, WorkspaceError>(RetentionPreview {
            words: rule.words(),
            gone: in_words(&found),
            healthy: found.healthy as f64,
            failed: found.failed as f64,
            bytes: found.bytes as f64,
            newest_at: found.newest.map(to_ms),
        })
    });
    Ok(answer.await?)
}

/// A rule as the window wants it. Errors in words.
pub(crate) fn read(rule: RetentionRule) -> Result<RetentionConfig, String> {
    let age = |name: &str, text: Option<String>| -> Result<Option<Age>, String> {
        let text = text.filter(|t| !t.trim().is_empty());
        text.map(|t| Age::try_from(t).map_err(|e| format!("{name}: {e}"))).transpose()
    };
    let size = Some(rule.size).filter(|s| !s.trim().is_empty());
    let journeys = match rule.journeys {
        Some(n) if n < 1.0 || n.fract() != 0.0 || n > 1e15 => {
            return Err(format!("journeys: {n} is no number of journeys; give a whole one above 0, or leave it out"));
        }
        other => other.map(|n| n as u64),
    };
    let config = RetentionConfig {
        size: size
            .map_or(Ok(RetentionConfig::default().size), |s| Size::try_from(s).map_err(|e| format!("size: {e}")))?,
        journeys,
        age: age("healthy journeys", rule.age)?,
        failed_age: age("failed journeys", rule.failed_age)?,
        events_age: age("events", rule.events_age)?,
        logs_age: age("log records", rule.logs_age)?,
    };
    match config.problem() {
        Some((_, problem)) => Err(problem),
        None => Ok(config),
    }
}

/// A rule as the window shows it.
pub(crate) fn shown(rule: &RetentionConfig) -> RetentionRule {
    let age = |age: Option<Age>| age.map(|a| a.to_string());
    RetentionRule {
        size: rule.size.to_string(),
        journeys: rule.journeys.map(|n| n as f64),
        age: age(rule.age),
        failed_age: age(rule.failed_age),
        events_age: age(rule.events_age),
        logs_age: age(rule.logs_age),
    }
}

fn in_words(found: &Preview) -> String {
    let journeys = found.healthy + found.failed;
    let loose = |what: &str, until: Option<Nanos>| {
        until.map(|until| format!("{what} of before {} that belong to no journey", rfc3339(until)))
    };
    let counted = match journeys {
        0 => None,
        1 => Some("1 journey".to_owned()),
        n => Some(format!("{}{n} journeys", if found.more { "at least " } else { "" })),
    };
    let of = match (found.healthy, found.failed) {
        (_, 0) => ", all of them healthy".to_owned(),
        (0, _) => ", all of them failed, degraded or unfinished".to_owned(),
        (healthy, failed) => format!(": {healthy} healthy, {failed} failed, degraded or unfinished"),
    };
    let counted = counted.map(|c| if journeys == 1 { c } else { c + &of });
    let events = loose("events", found.events_until);
    let logs = loose("log records", found.logs_until);
    let all: Vec<String> = counted.into_iter().chain(events).chain(logs).collect();
    if all.is_empty() { "Nothing would go now.".to_owned() } else { format!("Would go now: {}.", all.join("; ")) }
}

/// What a workspace keeps and what went of it.
#[derive(Debug, Clone)]
pub struct Kept {
    /// The rule.
    pub rule: RetentionConfig,
    /// Bytes of the file and its write-ahead log.
    pub bytes: u64,
    /// Bytes of that which nothing uses.
    pub free: u64,
    /// Journeys.
    pub journeys: u64,
    /// Journeys that no rule removes.
    pub kept: usize,
    /// Room and steps of the figures of the map.
    pub figures: Figures,
    /// What was removed by rule.
    pub removed: Removed,
}

impl Workspace {
    /// What is kept, and what was removed by rule.
    pub fn retention(&self) -> Result<Kept, WorkspaceError> {
        let rule = self.settings().config.retention.clone();
        self.read(|r| {
            let (stats, space) = (r.stats()?, r.space()?);
            let removed = Removed::parse(r.meta(META_REMOVED)?.as_deref());
            let kept = kept(|key| r.meta(key))?.len();
            let Space { free, journeys, figures, .. } = space;
            Ok(Kept { rule, bytes: stats.bytes, free, journeys, kept, figures, removed })
        })
    }
}

impl From<Kept> for Retention {
    fn from(kept: Kept) -> Retention {
        let Kept { rule, bytes, free, journeys, kept, figures, removed } = kept;
        Retention {
            words: rule.words(),
            rule: shown(&rule),
            bytes: bytes as f64,
            free: free as f64,
            journeys: journeys as f64,
            kept: kept as u32,
            figures: figures.bytes as f64,
            fine_from_at: figures.fine_from.map(to_ms),
            middle_from_at: figures.middle_from.map(to_ms),
            total: removed.is_any().then(|| removal(&removed.total)),
            days: removed.days.iter().map(removal).collect(),
        }
    }
}

fn removal(r: &Removal) -> RemovalView {
    RemovalView {
        since_at: to_ms(r.since),
        until_at: to_ms(r.until),
        why: r.why.clone(),
        journeys: r.journeys as f64,
        spans: r.spans as f64,
        events: r.events as f64,
        logs: r.logs as f64,
        newest_at: r.newest.map(to_ms),
    }
}

/// Marks the copy under way as over, whatever ended it.
struct Under<'a>(&'a Studio);

impl Drop for Under<'_> {
    fn drop(&mut self) {
        lock(&self.0.0.desk.copying).take();
    }
}

/// See [`BackupRequest`].
pub(crate) async fn backup(studio: &Studio, request: BackupRequest) -> Result<BackupReport, ApiError> {
    let name = request.to.trim();
    if name.is_empty() {
        return Err(bad_request("name the file that the copy goes to"));
    }
    let beside = studio.workspace().path().parent().map(PathBuf::from).unwrap_or_default();
    let mut to = beside.join(name);
    if to.extension().is_none() {
        to.set_extension("flowglass");
    }
    let cancel = CancellationToken::new();
    {
        let mut under_way = lock(&studio.0.desk.copying);
        if under_way.is_some() {
            return Err(bad_request("A copy is being written already; wait for it or cancel it."));
        }
        *under_way = Some(cancel.clone());
    }
    let _under = Under(studio);
    let (teller, path, stop) = (studio.clone(), to.clone(), studio.0.stop.clone());
    let written = studio.ask(move |workspace| {
        let mut told = Instant::now();
        workspace.copy_to(&path, &mut |progress| {
            if told.elapsed() >= TELL_EVERY {
                told = Instant::now();
                let share = progress.done as f64 / progress.of.max(1) as f64;
                teller.publish(Update::Copying { text: progress.to_string(), share });
            }
            !cancel.is_cancelled() && !stop.is_cancelled()
        })
    });
    let written = written.await?;
    Ok(BackupReport {
        path: to.display().to_string(),
        bytes: written.map_or(0.0, |copied| copied.after as f64),
        done: written.is_some(),
    })
}

/// Stops the copy under way, if there is one.
pub(crate) async fn backup_cancel(studio: &Studio, _: Nothing) -> Result<Nothing, ApiError> {
    if let Some(cancel) = &*lock(&studio.0.desk.copying) {
        cancel.cancel();
    }
    Ok(Nothing {})
}
