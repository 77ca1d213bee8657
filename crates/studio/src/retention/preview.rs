//! What a rule would remove now, without removing it.

use std::collections::BTreeMap;

use flowglass_model::{Nanos, RetentionConfig, TraceId};
use flowglass_store::StoreError;

use super::kept;
use super::plan::{Kind, Pass};
use super::record::Why;
use crate::workspace::{Workspace, WorkspaceError};

/// Journeys looked at, at a time and at most of each kind.
const PAGE: usize = 10_000;
const LOOKED: usize = 2_000_000;

/// What would go.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Preview {
    /// Healthy journeys.
    pub(crate) healthy: u64,
    /// Failed, degraded and unfinished journeys.
    pub(crate) failed: u64,
    /// About how many bytes they take.
    pub(crate) bytes: u64,
    /// Start of the newest of them.
    pub(crate) newest: Option<Nanos>,
    /// Journeys for each reason.
    pub(crate) why: Vec<(Why, u64)>,
    /// Up to when events and log records that belong to no journey go.
    pub(crate) events_until: Option<Nanos>,
    /// The same for log records.
    pub(crate) logs_until: Option<Nanos>,
    /// Whether there were too many journeys to look at all.
    pub(crate) more: bool,
}

/// What a rule would remove now.
pub(crate) fn preview(workspace: &Workspace, rule: &RetentionConfig, now: Nanos) -> Result<Preview, WorkspaceError> {
    workspace.read(|r| {
        let space = r.space()?;
        let kept = kept(|key| r.meta(key))?;
        let mut pass = Pass::new(rule.clone(), &space, now);
        let mut out = Preview::default();
        for kind in [Kind::Healthy, Kind::Failed] {
            let (mut after, mut looked) = (None, 0);
            loop {
                let page = r.stored_journeys(after, PAGE)?;
                let chosen = pass.choose(kind, &page, &kept, usize::MAX);
                let starts: BTreeMap<TraceId, Nanos> = page.iter().map(|j| (j.id, j.start)).collect();
                for (id, why) in &chosen.gone {
                    *(if kind == Kind::Healthy { &mut out.healthy } else { &mut out.failed }) += 1;
                    out.newest = out.newest.max(starts.get(id).copied());
                    match out.why.iter_mut().find(|(known, _)| known == why) {
                        Some((_, count)) => *count += 1,
                        None => out.why.push((*why, 1)),
                    }
                }
                looked += page.len();
                out.more |= looked >= LOOKED;
                if chosen.over || page.len() < PAGE || looked >= LOOKED {
                    break;
                }
                after = page.last().map(|j| (j.start, j.id));
            }
        }
        out.bytes = pass.bytes_each() * (out.healthy + out.failed);
        // Only what an age says is sure beforehand.
        let by_age = |until: Option<(Nanos, Why)>| until.filter(|(_, why)| *why == Why::Age).map(|(until, _)| until);
        (out.events_until, out.logs_until) =
            (by_age(pass.events_until(space.used, None)), by_age(pass.logs_until(space.used, None)));
        Ok::<_, StoreError>(out)
    })
}
