//! Everything of a range looked at once, trace by trace and message by message.

use flowglass_model::{Config, NodeId, Role, Rule};
use rustc_hash::FxHashSet;

use crate::book::Rulebook;
use crate::explain::{Details, finding};
use crate::finding::Finding;
use crate::impact::Needs;
use crate::judge::messages::{Messages, Published};
use crate::judge::troubles::{Trouble, Troubles};
use crate::judge::{Bench, chatty, credentials, cycle, fan_out, key, layering, local_dates, own, reads, system};
use crate::landscape::{Landscape, Who};
use crate::tally::{Offence, Period, Tally, Which};
use crate::trace::{Call, Seen, Trace};

/// How much was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Checked {
    /// Traces.
    pub traces: u64,
    /// Spans.
    pub spans: u64,
    /// Calls between participants.
    pub calls: u64,
    /// Publications.
    pub messages: u64,
}

/// What came of it.
pub struct Report {
    /// Worst first, then by rule and subject.
    pub findings: Vec<Finding>,
    /// How much was looked at.
    pub checked: Checked,
    /// Who needs whom.
    pub needs: Needs,
}

/// What to judge beside spans and messages.
pub struct Subject {
    /// Who is who.
    pub landscape: Landscape,
    /// From when to when.
    pub period: Period,
    /// What brokers told of single messages.
    pub troubles: Vec<Trouble>,
    /// Topics (`SYSTEM/NAME`) whose deliveries a broker told.
    pub delivered: FxHashSet<String>,
    /// Topics whose messages are stored.
    pub stored: Vec<NodeId>,
}

/// The judgement under way. Traces and messages may come in any order; each whole, and once.
pub struct Survey {
    land: Landscape,
    book: Rulebook,
    noise: Vec<String>,
    tally: Tally,
    stored: FxHashSet<Who>,
    checked: Checked,
    credentials: credentials::Credentials,
    chatty: chatty::Chatty,
    cycle: cycle::Cycle,
    fan_out: fan_out::FanOut,
    messages: Messages,
    own: own::Own,
    reads: reads::Reads,
    troubles: Troubles,
    needs: Needs,
}

impl Survey {
    /// Begins. The settings say what is noise: probes need no credentials and are no reads.
    pub fn new(subject: Subject, book: Rulebook, config: &Config) -> Survey {
        let Subject { mut landscape, period, troubles, delivered, stored } = subject;
        let stored = stored.iter().filter_map(|topic| landscape.who(topic)).collect();
        Survey {
            land: landscape,
            book,
            noise: config.noise.clone(),
            tally: Tally::new(period),
            stored,
            checked: Checked::default(),
            credentials: credentials::Credentials::default(),
            chatty: chatty::Chatty::default(),
            cycle: cycle::Cycle::default(),
            fan_out: fan_out::FanOut::default(),
            messages: Messages::default(),
            own: own::Own::default(),
            reads: reads::Reads::default(),
            troubles: Troubles::new(troubles, delivered),
            needs: Needs::default(),
        }
    }

    /// Looks at a trace: all of its spans.
    pub fn trace(&mut self, spans: &[Seen<'_>]) {
        let trace = Trace::new(spans, &mut self.land);
        self.checked.traces += 1;
        self.checked.spans += spans.iter().filter(|s| self.tally.period.has(s.facts.start)).count() as u64;
        let mut bench = Bench { land: &mut self.land, book: &self.book, tally: &mut self.tally };
        for (number, call) in trace.calls.iter().enumerate() {
            let inside = bench.tally.period.has(trace.facts(call.span()).start);
            self.checked.calls += u64::from(inside && !call.access);
            layering::judge(&mut bench, &trace, call);
            if layering::broken(&bench, call) != Some(Rule::UpwardCall) {
                self.cycle.call(&bench, &trace, number, call);
            }
            self.reads.call(&bench, &self.noise, &trace, number, call);
            self.own.call(&mut bench, &trace, call);
        }
        let by_handling = calls_by_handling(&trace);
        for (handling, calls) in &by_handling {
            system::judge(&mut bench, &trace, *handling, calls);
            self.chatty.judge(&mut bench, &trace, *handling, calls);
            self.fan_out.judge(&bench, &trace, *handling, calls);
        }
        for handling in trace.handlings() {
            self.credentials.judge(&mut bench, &self.noise, &trace, handling);
        }
        let stored = |topic: Who| self.stored.contains(&topic);
        local_dates::judge(&mut bench, &stored, &trace);
        for at in 0..spans.len() {
            if !matches!(trace.facts(at).role, Role::Send { .. } | Role::Process { .. }) {
                continue;
            }
            self.messages.span(&mut bench, &stored, &trace, at);
            self.troubles.span(&mut bench, &trace, at);
            self.own.message(&mut bench, &trace, at);
        }
        self.needs.trace(&mut bench, &trace);
    }

    /// Looks at a publication.
    pub fn message(&mut self, published: Published<'_>) {
        let mut bench = Bench { land: &mut self.land, book: &self.book, tally: &mut self.tally };
        self.messages.message(&mut bench, published);
    }

    /// Judges what needs all of it, and tells what was found.
    pub fn finish(mut self) -> Report {
        self.checked.messages = self.messages.count;
        let mut bench = Bench { land: &mut self.land, book: &self.book, tally: &mut self.tally };
        let period = bench.tally.period;
        let thresholds = self.book.thresholds.clone();
        let mut details = Details::default();
        self.credentials.drop_unjudged(&mut bench.tally.sums);
        self.troubles.finish(&mut bench);
        let given_up = |bench: &Bench<'_>, topic: Who| {
            let by = bench.land.publishers(topic);
            let dead = Which::BuiltIn(Rule::DeadLettered);
            bench.tally.sums.keys().any(|(which, _, other)| *which == dead && other.is_some_and(|o| by.contains(&o)))
        };
        self.messages.finish(&mut bench, given_up);
        lags(&mut bench, &thresholds);
        for circle in self.cycle.finish() {
            details.circles.insert(circle.key, (cycle::told(bench.land, &circle), circle.round, circle.in_one_request));
            bench.tally.sums.insert(circle.key, circle.sum);
        }
        for repeats in self.reads.finish(&thresholds, period) {
            details.repeats.insert(repeats.key, (repeats.reads, repeats.age, repeats.looked_at));
            bench.tally.sums.insert(repeats.key, repeats.sum);
        }
        for (key, sum, told) in self.fan_out.finish(thresholds.fan_out_systems as usize, bench.land, period) {
            details.fan_outs.insert(key, told);
            bench.tally.sums.insert(key, sum);
        }
        details.credentials = self.credentials.seen;
        details.most_calls = self.chatty.most;
        let sums = std::mem::take(&mut self.tally.sums);
        let told = sums.into_iter().filter(|(_, sum)| sum.count > 0);
        let mut findings: Vec<Finding> =
            told.filter_map(|(key, sum)| finding(key, sum, &self.land, &self.book, &details)).collect();
        findings.sort_by(|a, b| {
            let rank = |f: &Finding| (std::cmp::Reverse(f.severity), f.rule.clone(), f.subject.clone());
            rank(a).cmp(&rank(b))
        });
        self.needs.close(&self.land, period);
        Report { findings, checked: self.checked, needs: self.needs }
    }
}

/// First attempts of calls, by the handling they belong to.
fn calls_by_handling<'t>(trace: &'t Trace<'_>) -> Vec<(usize, Vec<&'t Call>)> {
    let mut firsts: Vec<&Call> =
        trace.calls.iter().enumerate().filter(|(i, c)| c.first == *i).map(|(_, c)| c).collect();
    firsts.sort_by_key(|c| c.handling);
    firsts.chunk_by(|a, b| a.handling == b.handling).map(|c| (c[0].handling, c.to_vec())).collect()
}

/// `consumer-lag`, from the waits that are added up as data is written.
fn lags(bench: &mut Bench<'_>, thresholds: &flowglass_model::Thresholds) {
    if !bench.is_on(Rule::ConsumerLag) {
        return;
    }
    for (topic, consumer, count, p95) in bench.land.lags().to_vec() {
        if p95 < thresholds.consumer_lag_s * 1_000.0 {
            continue;
        }
        // At least one in twenty waited that long: that is what the percentile says.
        let late = ((count as f64) * 0.05).ceil().max(1.0) as u64;
        let sum = bench.tally.sums.entry(key(Rule::ConsumerLag, topic, Some(consumer))).or_default();
        let period = bench.tally.period;
        let at = period.until.saturating_sub(1);
        sum.add(Offence { at, evidence: None, weight: 1.0 }, period, Some(&format!("{:.0} s", p95 / 1_000.0)));
        (sum.count, sum.weight) = (late, late as f64);
    }
}
