//! The scenario file, with how each figure is known in a comment beside it.

use std::fmt::Write as _;

use flowglass_model::NodeKind;

use super::design::{Channel, Design, Operation, Participant};
use super::names::{comment, is_read, quoted, slug};
use super::sample::{digits, duration};
use super::steps::{Group, Step, Target};
use super::{Calibration, Input, Question};
use crate::model::Source;

/// Attempts of messages when none was given up within fewer: the usual number.
const DELIVERIES: u32 = 5;

struct Writer<'d> {
    design: &'d Design,
    yaml: String,
    inputs: Vec<Input>,
    questions: Vec<Question>,
    /// Steps that are events, with their channels.
    events: Vec<(String, String)>,
    /// Ids of steps given so far.
    ids: std::collections::BTreeSet<String>,
}

pub(super) fn write(title: &str, design: &Design) -> Calibration {
    let mut w = Writer {
        design,
        yaml: String::new(),
        inputs: Vec::new(),
        questions: Vec::new(),
        events: Vec::new(),
        ids: Default::default(),
    };
    w.line("flowglass: scenario/1");
    w.line(&format!("title: {}", quoted(title)));
    let seconds = (design.period.1 - design.period.0) as f64 / 1e9;
    w.line(&format!("# Observed: {} requests within {} s.", design.requests, digits(seconds, 4)));
    w.line("run: { duration: 10m, replications: 20, seed: 1 }");
    w.workloads();
    w.participants();
    w.operations();
    w.channels();
    w.variants();
    w.sources();
    Calibration {
        yaml: w.yaml,
        inputs: w.inputs,
        questions: w.questions,
        notes: design.notes.clone(),
        period: design.period,
        requests: design.requests,
    }
}

impl Writer<'_> {
    fn line(&mut self, text: &str) {
        self.yaml.push_str(text);
        self.yaml.push('\n');
    }

    fn input(&mut self, path: String, what: String, value: String, n: usize, source: Source) {
        self.inputs.push(Input { path, what, value, n, source });
    }

    fn ask(&mut self, path: String, text: String) {
        self.questions.push(Question { path, text });
    }

    fn workloads(&mut self) {
        self.line("\nworkloads:");
        for (i, workload) in self.design.workloads.iter().enumerate() {
            let (arrivals, to) = (workload.arrivals.text(), self.design.operation_name(&workload.to));
            let (n, words) = (workload.arrivals.n, workload.arrivals.words());
            self.line(&format!("  - name: {}", workload.name));
            self.line(&format!("    to: {to}"));
            self.line(&format!("    arrivals: {arrivals} # measured, n = {n}; {words}"));
            let what = format!("Arrivals of {}", workload.name);
            self.input(format!("/workloads/{i}/arrivals"), what, arrivals, n, Source::Measured);
        }
    }

    fn participants(&mut self) {
        self.line("\nparticipants:");
        for p in &self.design.participants {
            self.participant(p);
        }
    }

    fn participant(&mut self, p: &Participant) {
        let base = format!("/participants/{}", p.name);
        self.line(&format!("  {}: # {}", p.name, p.node));
        self.line(&format!("    layer: {}", p.layer.as_str()));
        match p.workers {
            Some(workers) => {
                let assumed = workers.assumed();
                let seen = workers.seen_at_once;
                self.line(&format!(
                    "    workers: {assumed} # assumed: {seen} at once were seen in one instance, never more"
                ));
                let many = format!("{assumed}");
                self.input(
                    format!("{base}/workers"),
                    format!("Workers of {}", p.name),
                    many,
                    p.attempts,
                    Source::Assumed,
                );
                self.ask(
                    format!("{base}/workers"),
                    format!(
                        "How many requests can one instance of {} work on at once? {seen} were seen; {assumed} are taken.",
                        p.node.name()
                    ),
                );
                if workers.instances > 1 {
                    self.line(&format!("    replicas: {} # measured", workers.instances));
                    let what = format!("Instances of {}", p.name);
                    let value = workers.instances.to_string();
                    self.input(format!("{base}/replicas"), what, value, p.attempts, Source::Measured);
                }
            }
            None => {
                self.line("    workers: unlimited # assumed: it says nothing itself");
                let what = format!("Workers of {}", p.name);
                self.input(format!("{base}/workers"), what, "unlimited".into(), p.attempts, Source::Assumed);
            }
        }
        if p.network.mean() >= 1_000.0 {
            let (dist, n) = (p.network.dist(), p.network.n());
            self.line(&format!("    network: {dist} # measured while it was quiet, n = {n}"));
            self.input(format!("{base}/network"), format!("One way to {}", p.name), dist, n, Source::Measured);
        }
        if p.outage {
            self.line("    # Its failures came in clusters: an outage, which is left out. Add it as `outages` where it matters.");
            self.ask(
                format!("{base}/outages"),
                format!(
                    "The failures of {} came in clusters, as an outage does. Should one be simulated?",
                    p.node.name()
                ),
            );
        } else if p.failures > 0 && p.attempts > 0 {
            let share = format!("{}%", digits(100.0 * p.failures as f64 / p.attempts as f64, 3));
            self.line(&format!("    fails: {share} # measured, {} of {}", p.failures, p.attempts));
            self.input(format!("{base}/fails"), format!("Failures of {}", p.name), share, p.attempts, Source::Measured);
        }
    }

    fn operations(&mut self) {
        self.line("\noperations:");
        for o in &self.design.operations {
            self.operation(o);
        }
    }

    fn operation(&mut self, o: &Operation) {
        let dist = o.given_up.map_or_else(|| o.own.dist(), |(after, n)| o.own.dist_given_up(after, n));
        let base = format!("/operations/{}", o.name);
        self.line(&format!("  {}: # {}", o.name, comment(&o.asked.1)));
        let shape = match (o.own.has_shape(), o.quiet_only) {
            (true, true) => "measured while it was quiet",
            (true, false) => "measured",
            (false, _) => "measured mean, assumed shape",
        };
        let besides = o.given_up.map(|(after, n)| format!("{n} more were given up after {}", duration(after)));
        let more = besides
            .as_ref()
            .map(|b| format!("; {b}: their work is assumed to take a tenth longer"))
            .unwrap_or_default();
        self.line(&format!("    work: {dist} # {shape}, n = {}{more}", o.own.n()));
        let source = if o.own.has_shape() { Source::Measured } else { Source::Assumed };
        let mean = format!("mean {}", duration(o.own.mean()));
        let value = besides.map_or_else(|| mean.clone(), |besides| format!("{mean}, {besides}"));
        self.input(format!("{base}/work"), format!("Work of {}", o.name), value, o.own.n(), source);
        if o.steps.is_empty() {
            return;
        }
        self.line("    steps:");
        for group in &o.steps {
            self.group(o, group);
        }
    }

    fn group(&mut self, of: &Operation, group: &Group) {
        match group {
            Group::One(step) if step.always() => self.step(of, step, 6),
            Group::Parallel(steps) => {
                self.line("      - parallel:");
                for step in steps {
                    if step.always() {
                        self.step(of, step, 10);
                    } else {
                        self.line("          - choose:");
                        self.choice(of, step, 14);
                    }
                }
            }
            Group::One(_) | Group::Either(_) => {
                self.line("      - choose:");
                for step in group.steps() {
                    self.choice(of, step, 10);
                }
            }
        }
    }

    fn choice(&mut self, of: &Operation, step: &Step, indent: usize) {
        let pad = " ".repeat(indent);
        // Cut off, not rounded: those of one choice must not add up to more than 1.
        let share = digits((step.share() * 1e6).floor() / 1e6, 6);
        let _ = writeln!(self.yaml, "{pad}- share: {share} # measured, {} of {}", step.n, step.of);
        let _ = writeln!(self.yaml, "{pad}  steps:");
        let what = format!("How often {} {}", of.name, words(step));
        self.input(format!("/operations/{}/steps", of.name), what, share, step.of, Source::Measured);
        self.step(of, step, indent + 4);
    }

    fn step(&mut self, of: &Operation, step: &Step, indent: usize) {
        match &step.target {
            Target::Call(callee) => {
                let target = self.design.operation_name(callee).to_owned();
                let read = is_read(&callee.1, callee.0.kind() == NodeKind::Backend);
                let id = self.id(of, &target);
                let (intent, needs) = if read { ("read", "answer") } else { ("write", "success") };
                let pad = " ".repeat(indent);
                let _ = writeln!(self.yaml, "{pad}- id: {id}");
                let _ = writeln!(self.yaml, "{pad}  do: {target}");
                let _ = writeln!(self.yaml, "{pad}  intent: {intent} # assumed from its name");
                let _ = writeln!(self.yaml, "{pad}  needs: {needs} # assumed");
                self.assumed_meaning(&id, intent, needs, &target);
                if step.count > 1 {
                    let _ = writeln!(self.yaml, "{pad}  count: {} # measured", step.count);
                }
                self.way(step, &id, &pad);
                self.care(step, &id, &pad);
            }
            Target::Publish(topic) => {
                let Some(channel) = self.design.channel_of(topic) else { return };
                let pad = " ".repeat(indent);
                for consumer in &channel.consumers {
                    let target = self.design.operation_name(consumer).to_owned();
                    let id = self.id(of, &target);
                    let _ = writeln!(self.yaml, "{pad}- id: {id}");
                    let _ = writeln!(self.yaml, "{pad}  do: {target}");
                    let _ = writeln!(self.yaml, "{pad}  intent: notify # an event today, on {}", channel.name);
                    let _ = writeln!(self.yaml, "{pad}  needs: nothing");
                    self.events.push((id.clone(), channel.name.clone()));
                    self.ask(
                        format!("/steps/{id}/within"),
                        format!("How late may {target} take effect after {}?", of.name),
                    );
                }
            }
        }
    }

    fn assumed_meaning(&mut self, id: &str, intent: &str, needs: &str, target: &str) {
        let value = format!("{intent}, {needs}");
        self.input(format!("/steps/{id}/needs"), format!("What is needed of {target}"), value, 0, Source::Assumed);
        if intent == "write" {
            self.ask(
                format!("/steps/{id}/needs"),
                format!(
                    "Must {target} have succeeded before anything else may go on, or may it take effect later? Success is taken to be needed."
                ),
            );
        }
    }

    /// The way there and back.
    fn way(&mut self, step: &Step, id: &str, pad: &str) {
        if step.network.mean() < 1e3 {
            return;
        }
        let (dist, n) = (step.network.dist(), step.network.n());
        let _ = writeln!(self.yaml, "{pad}  network: {dist} # measured, n = {n}");
        self.input(format!("/steps/{id}/network"), format!("One way of {id}"), dist, n, Source::Measured);
    }

    /// Time-outs and retries.
    fn care(&mut self, step: &Step, id: &str, pad: &str) {
        if let Some((after, n)) = step.timeout {
            // A little above the failures that were seen, which already last that long.
            let text = duration(after * 1.02);
            let _ =
                writeln!(self.yaml, "{pad}  timeout: {text} # measured: {n} calls gave up after {}", duration(after));
            self.input(format!("/steps/{id}/timeout"), format!("Time-out of {id}"), text, n, Source::Measured);
        }
        if step.attempts > 1 {
            let backoff = step.backoff.unwrap_or(0.0);
            let (attempts, wait) = (step.attempts, if backoff < 1e3 { "0ms".to_owned() } else { duration(backoff) });
            let _ = writeln!(
                self.yaml,
                "{pad}  retry: {{ attempts: {attempts}, backoff: {wait}, factor: 1, jitter: none }} # measured: {attempts} tries at most were seen"
            );
            let what = format!("Tries of {id}");
            self.input(format!("/steps/{id}/retry"), what, attempts.to_string(), step.n, Source::Measured);
        }
        if step.fallback {
            let _ = writeln!(self.yaml, "{pad}  fallback: true # measured: the caller survived its failures");
        }
    }

    fn id(&mut self, of: &Operation, target: &str) -> String {
        let caller = of.name.split('.').next().unwrap_or_default();
        let base = slug(&format!("{caller} {target}"));
        let id =
            (1..).map(|n| if n == 1 { base.clone() } else { format!("{base}-{n}") }).find(|i| !self.ids.contains(i));
        let id = id.unwrap_or(base);
        self.ids.insert(id.clone());
        id
    }

    fn channels(&mut self) {
        if self.design.channels.is_empty() {
            return;
        }
        self.line("\nchannels:");
        for channel in &self.design.channels {
            self.channel(channel);
        }
    }

    fn channel(&mut self, c: &Channel) {
        let base = format!("/channels/{}", c.name);
        self.line(&format!("  {}:", quoted(&c.name)));
        if c.publish.mean() >= 1e3 {
            let dist = c.publish.dist();
            self.line(&format!("    publish: {dist} # measured, n = {}", c.publish.n()));
            let what = format!("Publishing on {}", c.name);
            self.input(format!("{base}/publish"), what, dist, c.publish.n(), Source::Measured);
        }
        if c.deliver.mean() >= 1e3 {
            let dist = c.deliver.dist();
            let n = c.deliver.n();
            self.line(&format!("    deliver: {dist} # measured: the quicker quarter, where nothing waited, n = {n}"));
            let what = format!("Handing over on {}", c.name);
            self.input(format!("{base}/deliver"), what, dist, n, Source::Measured);
        }
        let deliveries = c.most_deliveries.max(DELIVERIES);
        let most = c.most_deliveries;
        self.line(&format!("    max_deliver: {deliveries} # assumed: {most} at most were seen"));
        self.input(
            format!("{base}/max_deliver"),
            format!("Deliveries of a message on {}", c.name),
            deliveries.to_string(),
            0,
            Source::Assumed,
        );
        if c.batch > 1 {
            self.line(&format!("    batch: {} # measured: the largest seen", c.batch));
        }
    }

    fn variants(&mut self) {
        self.line("\nvariants:");
        let mut groups = String::new();
        for (step, channel) in &self.events {
            let _ = writeln!(groups, "      {step}: {}", quoted(channel));
        }
        if groups.is_empty() {
            self.line("  observed: {} # every step a call, as seen");
            return;
        }
        self.line("  observed: # as seen");
        self.line("    events:");
        self.yaml.push_str(&groups);
        self.line("  api-led: {}");
    }

    fn sources(&mut self) {
        self.line("\nsources:");
        let mut written = std::collections::BTreeSet::new();
        for input in &self.inputs {
            if written.insert(&input.path) {
                let _ = writeln!(self.yaml, "  {}: {}", quoted(&input.path), input.source.as_str());
            }
        }
    }
}

fn words(step: &Step) -> String {
    match &step.target {
        Target::Call(asked) => format!("calls {} {}", asked.0.name(), asked.1),
        Target::Publish(topic) => format!("publishes {}", topic.name()),
    }
}
