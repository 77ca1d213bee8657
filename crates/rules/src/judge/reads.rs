//! `cacheable-read`: the same caller asks the same question while the last answer is young and nothing was written in between.

use flowglass_model::{Nanos, NodeKind, Rule, SpanId, TraceId, is_noise};

use super::{Bench, key, method, writes};
use crate::finding::Evidence;
use crate::landscape::Who;
use crate::tally::{Key, Offence, Period, Sum, hash};
use crate::trace::{Call, Trace};

/// Reads and writes kept; beyond, every second question is left out of account, then every second of the rest.
const KEPT: usize = 1 << 19;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Read {
    caller: Who,
    callee: Who,
    /// The whole address.
    question: u64,
    at: Nanos,
    /// The address without its query: what a write would change.
    resource: u64,
    trace: TraceId,
    span: SpanId,
}

/// Questions asked of APIs, and writes to what they ask about.
#[derive(Default)]
pub(crate) struct Reads {
    reads: Vec<Read>,
    writes: Vec<(Who, u64, Nanos)>,
    operations: std::collections::BTreeMap<(Who, Who), String>,
    /// Questions whose hash ends in this many zeros are kept.
    zeros: u32,
}

/// What is told of a finding.
pub(crate) struct Repeats {
    pub(crate) key: Key,
    pub(crate) sum: Sum,
    pub(crate) reads: u64,
    /// Median age of the answer that could have been used, nanoseconds.
    pub(crate) age: Nanos,
    /// Share of the questions that were looked at.
    pub(crate) looked_at: f64,
}

impl Reads {
    pub(crate) fn call(&mut self, bench: &Bench<'_>, noise: &[String], trace: &Trace<'_>, number: usize, call: &Call) {
        if call.access || call.failed || call.first != number || call.caller == call.callee {
            return;
        }
        let facts = trace.facts(call.span());
        let operation = &trace.facts(call.server.unwrap_or(call.span())).operation;
        if !bench.is_on(Rule::CacheableRead)
            || !bench.tally.period.has(facts.start)
            || bench.land.get(call.callee).id.kind() == NodeKind::Backend
        {
            return;
        }
        let Some(address) = address(trace, call) else { return };
        let path = address.split('?').next().unwrap_or_default();
        let resource = hash(&(call.callee, path.split("://").last().map(|p| p.split_once('/').map_or("", |(_, p)| p))));
        if writes(operation) || call.client.is_some_and(|c| writes(&trace.facts(c).operation)) {
            self.writes.push((call.callee, resource, facts.start));
            self.shrink();
            return;
        }
        let reads = matches!(method(operation), Some("GET" | "HEAD" | "QUERY"));
        if !reads
            || facts.http_status.is_some_and(|s| s >= 400)
            || is_noise(noise, "", operation)
            || forbidden(trace, call)
        {
            return;
        }
        let question = hash(&(call.caller, call.callee, &*address));
        if question.trailing_zeros() < self.zeros {
            return;
        }
        self.operations.entry((call.caller, call.callee)).or_insert_with(|| operation.to_string());
        let (trace, span) = (facts.trace_id, facts.span_id);
        let (caller, callee, at) = (call.caller, call.callee, facts.start);
        self.reads.push(Read { caller, callee, question, at, resource, trace, span });
        self.shrink();
    }

    fn shrink(&mut self) {
        while self.reads.len() > KEPT {
            self.zeros += 1;
            self.reads.retain(|r| r.question.trailing_zeros() >= self.zeros);
        }
        if self.writes.len() > KEPT * 2 {
            // Without them some repeats might be told that are none: then none are told at all.
            self.writes.clear();
            self.reads.clear();
            self.zeros = u64::BITS + 1;
        }
    }

    pub(crate) fn finish(mut self, thresholds: &flowglass_model::Thresholds, period: Period) -> Vec<Repeats> {
        self.reads.sort_unstable();
        self.writes.sort_unstable();
        let young = (thresholds.cacheable_age_s * 1e9) as Nanos;
        let written = |r: &Read, since: Nanos| {
            let from = self.writes.partition_point(|w| *w < (r.callee, r.resource, since));
            self.writes.get(from).is_some_and(|w| *w <= (r.callee, r.resource, r.at))
        };
        let mut out = Vec::new();
        for reads in self.reads.chunk_by(|a, b| (a.caller, a.callee) == (b.caller, b.callee)) {
            let (caller, callee) = (reads[0].caller, reads[0].callee);
            let (mut sum, mut ages) = (Sum::default(), Vec::new());
            let operation = self.operations.get(&(caller, callee)).map(String::as_str);
            for pair in reads.windows(2).filter(|p| p[0].question == p[1].question) {
                let age = pair[1].at - pair[0].at;
                if age <= young && !written(&pair[1], pair[0].at) {
                    ages.push(age);
                    let evidence = Evidence::Span { trace: pair[1].trace, span: pair[1].span };
                    sum.add(Offence { at: pair[1].at, evidence: Some(evidence), weight: 1.0 }, period, operation);
                }
            }
            let looked_at = 0.5_f64.powi(self.zeros as i32);
            let enough = reads.len() as f64 / looked_at >= f64::from(thresholds.cacheable_reads);
            if enough && sum.count > 0 && sum.count as f64 >= thresholds.cacheable_share * reads.len() as f64 {
                ages.sort_unstable();
                let age = ages[ages.len() / 2];
                let key = key(Rule::CacheableRead, caller, Some(callee));
                out.push(Repeats { key, sum, reads: reads.len() as u64, age, looked_at });
            }
        }
        out
    }
}

/// What was asked for, with its query: the same for the same question of one caller.
fn address<'t>(trace: &Trace<'t>, call: &Call) -> Option<std::borrow::Cow<'t, str>> {
    let client = call.client.and_then(|c| trace.spans[c].text("url.full"));
    if let Some(url) = client {
        return Some(url.into());
    }
    let server = &trace.spans[call.server?];
    let path = server.text("url.path")?;
    Some(match server.text("url.query").filter(|q| !q.is_empty()) {
        Some(query) => format!("{path}?{query}").into(),
        None => path.into(),
    })
}

/// Whether the answer says that it must not be kept.
fn forbidden(trace: &Trace<'_>, call: &Call) -> bool {
    let says = |at: usize| {
        trace.spans[at].attributes.iter().any(|(key, value)| {
            let header =
                key.strip_prefix("http.response.header.").is_some_and(|h| h.replace('_', "-") == "cache-control");
            header && value.to_string().contains("no-store")
        })
    };
    [call.client, call.server].into_iter().flatten().any(says)
}
