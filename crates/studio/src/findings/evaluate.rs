//! Reading a range for the rules.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use flowglass_model::{Nanos, NodeId};
use flowglass_rules::{
    Evidence, Fate, Landscape, Needs, Period, Published, Report, Rulebook, Seen, Subject, Survey, Trouble,
};
use flowglass_store::{TroubleKind, TroubleRow};
use flowglass_topology::{Folding, graph_of};

use crate::handlers::group_services;
use crate::stitch::is_dead_letter;
use crate::workspace::{Workspace, WorkspaceError};

/// Publications read at a time.
const PAGE: usize = 2_000;

/// How far a judgement is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress {
    /// Spans read.
    pub spans: u64,
    /// Publications read.
    pub messages: u64,
    /// From 0 to 1.
    pub share: f64,
}

/// Holds the rules of the settings against `[since, until)`. `told` hears how far it is and may end it; then there is no report.
pub fn evaluate(
    workspace: &Workspace,
    since: Option<Nanos>,
    until: Option<Nanos>,
    now: Nanos,
    told: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Result<Option<Report>, WorkspaceError> {
    let config = workspace.settings().config;
    let book = Rulebook::new(&config.rules, now);
    let stats = workspace.stats()?;
    let (Some(oldest), Some(newest)) = (stats.oldest, stats.newest) else {
        return Ok(Some(Report { findings: Vec::new(), checked: Default::default(), needs: Needs::default() }));
    };
    let period = Period { since: since.unwrap_or(oldest), until: until.unwrap_or(newest.saturating_add(1)) };
    let mut survey = Survey::new(subject(workspace, since, until, period)?, book, &config);
    let scan = workspace.read(|r| r.scan(since, until))?;
    let all = scan.spans() + stats.events;
    let mut progress = Progress { spans: 0, messages: 0, share: 0.0 };
    for index in 0..scan.len() {
        workspace.read(|r| {
            r.scan_chunk(&scan, index, &mut |spans| {
                progress.spans += spans.len() as u64;
                let seen: Vec<Seen<'_>> = spans
                    .iter()
                    .map(|s| Seen { facts: &s.facts, attributes: &s.attributes, trace_state: &s.trace_state })
                    .collect();
                survey.trace(&seen);
            })
        })?;
        progress.share = progress.spans as f64 / all.max(1) as f64;
        if told(progress).is_break() {
            return Ok(None);
        }
    }
    let mut after = 0;
    loop {
        let page = workspace.read(|r| r.sightings(since, until, after, PAGE))?;
        let Some(last) = page.last() else { break };
        after = last.id;
        for sighting in &page {
            let message = &sighting.message;
            let dead_letter = is_dead_letter(&message.destination);
            let (row, first, dropped) = (sighting.event, sighting.first, sighting.dropped);
            survey.message(Published { message, row, first, dropped, dead_letter });
        }
        progress.messages += page.len() as u64;
        progress.share = (progress.spans + progress.messages) as f64 / all.max(1) as f64;
        if told(progress).is_break() {
            return Ok(None);
        }
    }
    Ok(Some(survey.finish()))
}

fn subject(
    workspace: &Workspace,
    since: Option<Nanos>,
    until: Option<Nanos>,
    period: Period,
) -> Result<Subject, WorkspaceError> {
    let config = workspace.settings().config;
    let sums = workspace.read(|r| r.series(None, None))?;
    let folding = Folding::new(&sums, &config);
    let known = graph_of(&folding, &sums, &config, None);
    let seen = match (since, until) {
        (None, None) => known.clone(),
        _ => {
            let sums = workspace.read(|r| r.series(since, until))?;
            graph_of(&folding, &sums, &config, None)
        }
    };
    let groups = group_services(workspace)?;
    let stored = workspace.read(|r| r.destinations(since, until))?;
    let topic = |system: &str, name: &str| NodeId::topic(system, name, None);
    let delivered = stored.iter().filter(|d| !d.consumers.is_empty());
    let delivered: BTreeSet<String> = delivered.map(|d| format!("{}/{}", d.system, d.destination)).collect();
    let published = stored.iter().filter(|d| d.publications > 0).map(|d| topic(&d.system, &d.destination)).collect();
    let troubles = workspace.read(|r| r.troubles(since, until))?.into_iter().map(trouble).collect();
    let shown = Box::new(move |id: &NodeId| folding.node(id));
    Ok(Subject {
        landscape: Landscape::new(&known, &seen, shown, groups),
        period,
        troubles,
        delivered: delivered.into_iter().collect(),
        stored: published,
    })
}

fn trouble(row: TroubleRow) -> Trouble {
    let event = row.event.map(|(event, id)| Evidence::Event {
        id: id.unwrap_or_else(|| format!("{}:{}", row.stream, row.sequence)),
        row: event,
    });
    Trouble {
        fate: match row.kind {
            TroubleKind::GivenUp => Fate::GivenUp,
            TroubleKind::Redelivered => Fate::Redelivered,
        },
        topic: NodeId::topic(&row.system, &row.destination, None),
        consumer: row.consumer,
        stream: row.stream,
        sequence: row.sequence,
        event,
        at: row.at,
    }
}
