//! Rules held against a range.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use flowglass_model::{Graph, GraphNode, LayerSource, NodeId, NodeKind, Severity};
use flowglass_rules::{Evidence, Finding, Hit, Rulebook};
use tokio_util::sync::CancellationToken;

use super::{around, bad_request, bounds, not_found};
use crate::Studio;
use crate::api::*;
use crate::findings::life::{self, Known, META_FINDINGS};
use crate::findings::{FindingsFormat, FindingsList, Judgement, Of, evaluate};
use crate::studio::{lock, workspace_name};
use crate::words::{node_kind, sure};
use crate::workspace::WorkspaceError;

/// Between two words about the progress.
const TELL_EVERY: Duration = Duration::from_millis(250);

/// See [`FindingsView`].
pub(crate) async fn findings(studio: &Studio, request: FindingsRequest) -> Result<FindingsView, ApiError> {
    let judgement = judge(studio, request.range, request.again).await?;
    let _one = studio.0.judged.one.lock().await;
    let mut known = remembered(studio).await?;
    if life::remember(&mut known, &judgement.report.findings, studio.now()) {
        studio.note(META_FINDINGS, life::text(&known)).await?;
    }
    let mut view = view(&judgement, &known);
    if view.spans == 0 && view.messages == 0 {
        let (since, until) = bounds(request.range);
        let nearest = studio.ask(move |w| w.read(|r| r.nearest_series(since, until, &|_| true)));
        view.nearest = Some(around(nearest.await?));
    }
    Ok(view)
}

async fn remembered(studio: &Studio) -> Result<Vec<Known>, ApiError> {
    Ok(life::parse(studio.ask(|w| w.read(|r| r.meta(META_FINDINGS))).await?.as_deref()))
}

/// Ends the judgement under way, if there is one.
pub(crate) async fn findings_cancel(studio: &Studio, _: Nothing) -> Result<Nothing, ApiError> {
    if let Some(cancel) = &*lock(&studio.0.judged.under_way) {
        cancel.cancel();
    }
    Ok(Nothing {})
}

/// What was found so far is no news any more.
pub(crate) async fn findings_looked(studio: &Studio, _: Nothing) -> Result<Nothing, ApiError> {
    let _one = studio.0.judged.one.lock().await;
    let mut known = remembered(studio).await?;
    if known.iter().any(|k| !k.looked) {
        known.iter_mut().for_each(|k| k.looked = true);
        studio.note(META_FINDINGS, life::text(&known)).await?;
    }
    Ok(Nothing {})
}

/// See [`FindingsExportRequest`].
pub(crate) async fn findings_export(studio: &Studio, request: FindingsExportRequest) -> Result<FileContents, ApiError> {
    let (format, ending, media_type) = match request.format.as_str() {
        "markdown" => (FindingsFormat::Markdown, "md", "text/markdown"),
        "json" => (FindingsFormat::Json, "json", "application/json"),
        "sarif" => (FindingsFormat::Sarif, "sarif", "application/sarif+json"),
        "junit" => (FindingsFormat::Junit, "xml", "application/xml"),
        other => return Err(bad_request(format!("`{other}` is no format; it is markdown, json, sarif or junit"))),
    };
    let judgement = judge(studio, request.range, false).await?;
    let name = workspace_name(studio.workspace().path());
    let list = FindingsList {
        findings: judgement.report.findings.iter().collect(),
        checked: judgement.report.checked,
        rules: &studio.workspace().settings().config.rules,
        workspace: &name,
        fails: Severity::Warning,
    };
    Ok(FileContents {
        name: format!("{name}-findings.{ending}"),
        media_type: media_type.into(),
        base64: BASE64_STANDARD.encode(list.render(format)),
    })
}

/// See [`ImpactView`].
pub(crate) async fn impact(studio: &Studio, request: ImpactRequest) -> Result<ImpactView, ApiError> {
    // What the window shows is answered from it, whatever came in meanwhile.
    let kept = lock(&studio.0.judged.last).clone().filter(|j| j.of.range == request.range);
    let judgement = match kept {
        Some(kept) => kept,
        None => judge(studio, request.range, false).await?,
    };
    let id = NodeId::from(request.id.as_str());
    let impact = judgement.report.needs.impact(&id).ok_or_else(|| not_found("this participant"))?;
    let who = People::new(&judgement.graph);
    let hit = |h: Hit, verdict: &str| ImpactHit {
        who: who.of(&h.who),
        via: h.via.to_string(),
        hops: h.hops,
        share: h.share,
        per_hour: h.per_hour,
        verdict: verdict.into(),
        failures: h.seen.0,
        failed_with: h.seen.1,
    };
    let mut hits: Vec<ImpactHit> = impact.fails.into_iter().map(|h| hit(h, "fails")).collect();
    hits.extend(impact.degrades.into_iter().map(|h| hit(h, "degrades")));
    hits.sort_by_key(|h| h.hops);
    Ok(ImpactView {
        who: who.of(&id),
        hits,
        waits: impact
            .waits
            .into_iter()
            .map(|w| ImpactWait {
                topic: who.of(&w.topic),
                who: who.of(&w.who),
                per_hour: w.per_hour,
                piles_up: w.piles_up,
            })
            .collect(),
        users: impact
            .users
            .into_iter()
            .map(|(id, share, per_hour)| ImpactUser { who: who.of(&id), share, per_hour })
            .collect(),
        share: impact.share,
        per_hour: impact.per_hour,
    })
}

/// The judgement of a range: the one at hand when nothing has changed since, else a new one.
async fn judge(studio: &Studio, range: Range, again: bool) -> Result<Arc<Judgement>, ApiError> {
    let _one = studio.0.judged.one.lock().await;
    let stats = studio.ask(|w| w.stats()).await?;
    let settings = studio.0.configuration.revision();
    let of = Of { range, stored: (stats.spans, stats.events), settings };
    let kept = lock(&studio.0.judged.last).clone();
    if let Some(kept) = kept.filter(|j| j.of == of && !again) {
        return Ok(kept);
    }
    let cancel = CancellationToken::new();
    *lock(&studio.0.judged.under_way) = Some(cancel.clone());
    let teller = studio.clone();
    let now = studio.now();
    let (since, until) = bounds(range);
    let judged = studio.ask(move |workspace| {
        let started = Instant::now();
        let mut told = started;
        let mut hear = |progress: crate::Progress| {
            if told.elapsed() >= TELL_EVERY {
                told = Instant::now();
                let text = format!("{} spans, {} events checked", progress.spans, progress.messages);
                teller.publish(Update::Judging { text, share: progress.share });
            }
            if cancel.is_cancelled() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let Some(report) = evaluate(workspace, since, until, now, &mut hear)? else { return Ok(None) };
        let config = workspace.settings().config;
        let took_ms = started.elapsed().as_secs_f64() * 1_000.0;
        let graph = workspace.graph(None, None, None)?;
        let in_force = Rulebook::new(&config.rules, now).in_force();
        Ok::<_, WorkspaceError>(Some(Judgement { of, report, graph, in_force, took_ms, at: now }))
    });
    let judged = judged.await;
    *lock(&studio.0.judged.under_way) = None;
    let stopped = || ApiError { code: "cancelled".into(), message: "Checking was stopped; nothing is shown.".into() };
    let judgement = Arc::new(judged?.ok_or_else(stopped)?);
    *lock(&studio.0.judged.last) = Some(judgement.clone());
    Ok(judgement)
}

/// Participants as the window shows them.
pub(super) struct People<'g>(BTreeMap<&'g NodeId, &'g GraphNode>);

impl<'g> People<'g> {
    pub(super) fn new(graph: &'g Graph) -> People<'g> {
        People(graph.nodes.iter().map(|n| (&n.id, n)).collect())
    }

    pub(super) fn of(&self, id: &NodeId) -> FindingParticipant {
        let node = self.0.get(id);
        FindingParticipant {
            id: id.to_string(),
            name: node.map_or_else(|| id.name().to_owned(), |n| n.name.clone()),
            kind: node_kind(id.kind()).into(),
            layer: node.map_or("backend", |n| n.layer.as_str()).into(),
            system: id.system().map(str::to_owned),
        }
    }
}

fn view(judgement: &Judgement, known: &[Known]) -> FindingsView {
    let report = &judgement.report;
    let who = People::new(&judgement.graph);
    let (_, until) = bounds(judgement.of.range);
    let services = judgement.graph.nodes.iter().filter(|n| n.kind == NodeKind::Service);
    let (guessed, all): (Vec<_>, Vec<_>) = services.partition(|n| n.layer_source == LayerSource::Inferred);
    let looked_at = report.checked.calls + report.checked.messages;
    let bad: u64 = report.findings.iter().filter(|f| f.severity > Severity::Info).map(|f| f.count).sum();
    let resolved = life::resolved(known, &report.findings, until);
    FindingsView {
        took_ms: judgement.took_ms,
        traces: report.checked.traces,
        spans: report.checked.spans,
        calls: report.checked.calls,
        messages: report.checked.messages,
        conformance: (looked_at > 0).then(|| 1.0 - (bad as f64 / looked_at as f64).min(1.0)),
        rules: judgement.in_force as u32,
        guessed: guessed.len() as u32,
        services: (guessed.len() + all.len()) as u32,
        nearest: None,
        findings: report.findings.iter().map(|f| finding(f, known, &who, judgement.at)).collect(),
        resolved: resolved
            .into_iter()
            .map(|k| ResolvedFinding {
                rule: k.rule.clone(),
                title: k.title.clone(),
                subject: k.subject.clone(),
                names: k.subject.split(" → ").map(|id| who.of(&NodeId::from(id)).name).collect(),
                found_at: to_ms(k.found),
                last_at: to_ms(k.last),
            })
            .collect(),
        points: report
            .needs
            .single_points()
            .into_iter()
            .map(|p| SinglePointView { who: who.of(&p.who), share: p.share, services: p.services })
            .collect(),
    }
}

fn finding(f: &Finding, known: &[Known], who: &People<'_>, now: i64) -> FindingView {
    let subject = f.subject_text();
    let memory = known.iter().find(|k| k.rule == f.rule && k.subject == subject);
    FindingView {
        id: format!("{}|{subject}", f.rule),
        rule: f.rule.clone(),
        title: f.title.clone(),
        area: f.area.to_owned(),
        severity: f.severity.as_str().to_owned(),
        subject: f.subject.iter().map(|id| who.of(id)).collect(),
        participants: f.participants.iter().map(NodeId::to_string).collect(),
        count: f.count,
        estimated: f.estimated,
        evidence: f.evidence.iter().map(|(at, e)| evidence(*at, e)).collect(),
        layer_guessed: f.layer_guessed,
        sure: sure(f.sure).to_owned(),
        doubt: f.doubt.clone(),
        saw: f.saw.clone(),
        why: f.why.clone(),
        advice: f.advice.clone(),
        first_at: to_ms(f.first),
        last_at: to_ms(f.last),
        parts: f.parts.clone(),
        is_new: memory.is_some_and(|k| !k.looked),
        found_at: to_ms(memory.map_or(now, |k| k.found)),
        waiver: f
            .waiver
            .as_ref()
            .map(|w| WaiverView { reason: w.reason.clone(), expires: w.expires.map(|d| d.to_string()) }),
    }
}

fn evidence(at: i64, evidence: &Evidence) -> FindingEvidence {
    let at = to_ms(at);
    match evidence {
        Evidence::Span { trace, span } => {
            FindingEvidence { at, trace: Some(trace.to_string()), span: Some(span.to_string()), event: None, row: None }
        }
        Evidence::Event { id, row } => {
            FindingEvidence { at, trace: None, span: None, event: Some(id.clone()), row: Some(*row) }
        }
    }
}
