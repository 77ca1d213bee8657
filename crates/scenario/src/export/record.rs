//! The decision record: Markdown after MADR 4 (Markdown Architectural Decision Records), and a page with the pictures.

use super::document::{self, Block};
use super::figures;
use super::picture::{self, Line};
use crate::decide::{Interaction, Style, Verdict};
use crate::model::{Scenario, Source};
use crate::outcome::{Outcome, Workload};
use crate::study::{Study, Sweep, ms, percent};

/// What a record is made of.
#[derive(Debug, Clone, Copy)]
pub struct Record<'a> {
    /// The scenario.
    pub scenario: &'a Scenario,
    /// The verdict with its studies.
    pub study: &'a Study,
    /// A simulation of its variants, where there is one.
    pub outcome: Option<&'a Outcome>,
    /// Date, `2026-11-30`; left out where nobody gives one.
    pub date: Option<&'a str>,
}

/// The record as Markdown, with the front matter of MADR (`status`, `date`) and of EventCatalog (`decisionMakers`, `appliesTo`).
pub fn markdown(record: &Record<'_>) -> String {
    let mut text = String::from("---\nstatus: proposed\n");
    if let Some(date) = record.date {
        text.push_str(&format!("date: {date}\n"));
    }
    text.push_str("decisionMakers: []\nappliesTo:\n");
    for name in record.scenario.design.participants.keys() {
        // A JSON string is a YAML string, whatever the name holds.
        text.push_str(&format!("  - {}\n", serde_json::Value::String(name.clone())));
    }
    text.push_str("---\n\n");
    text.push_str(&document::markdown(&record.blocks()));
    text
}

/// The record as a page by itself.
pub fn html(record: &Record<'_>) -> String {
    document::html(&record.title(), &record.blocks())
}

impl Record<'_> {
    fn chosen(&self) -> crate::model::Variant {
        super::recommended(self.scenario, &self.study.decision.recommended_variant)
    }

    fn title(&self) -> String {
        let name = super::title(self.scenario);
        let style = match self.study.decision.verdict {
            Verdict::ApiLed => "API-led",
            Verdict::EventDriven => "event-driven",
            Verdict::Hybrid => "a hybrid of calls and events",
        };
        format!("{name}: {style}")
    }

    fn blocks(&self) -> Vec<Block> {
        let mut all = vec![Block::Heading(1, self.title())];
        self.context(&mut all);
        self.drivers(&mut all);
        self.options(&mut all);
        self.outcome(&mut all);
        self.consequences(&mut all);
        self.confirmation(&mut all);
        self.pros_and_cons(&mut all);
        self.more(&mut all);
        all
    }

    fn context(&self, all: &mut Vec<Block>) {
        let design = &self.scenario.design;
        all.push(Block::Heading(2, "Context and Problem Statement".into()));
        let steps = self.study.decision.interactions.len();
        all.push(Block::Text(format!(
            "{} participants ask each other in {steps} steps. For each step: should it be a synchronous call or an event?",
            design.participants.len()
        )));
        let load = crate::study::Input::Load.value(self.scenario).unwrap_or(0.0);
        let names: Vec<String> = design.workloads.iter().map(|w| format!("{} asks for {}", w.name, w.to)).collect();
        all.push(Block::Text(format!("{load:.1} requests a second: {}.", names.join(", "))));
        let outages: Vec<String> = design
            .participants
            .iter()
            .flat_map(|(name, p)| {
                p.outages.iter().map(move |o| format!("{name} is away for {} s", o.lasts as f64 / 1e9))
            })
            .collect();
        if !outages.is_empty() {
            all.push(Block::Text(format!("Considered outages: {}.", outages.join(", "))));
        }
    }

    fn drivers(&self, all: &mut Vec<Block>) {
        all.push(Block::Heading(2, "Decision Drivers".into()));
        let targets = self.scenario.targets;
        let mut wanted = Vec::new();
        wanted.extend(targets.response_p95.map(|t| format!("95 % of answers within {}", ms(Some(t as f64 / 1e6)))));
        wanted.extend(
            targets.settled_p95.map(|t| format!("95 % of requests settled within {}", ms(Some(t as f64 / 1e6)))),
        );
        wanted.extend(targets.success.map(|t| format!("{} succeed", percent(t))));
        if wanted.is_empty() {
            wanted.push("no target was declared".into());
        }
        all.push(Block::List(wanted));
        let rows = self.study.decision.interactions.iter().map(|it| {
            vec![it.name.clone(), drivers_of(it), it.evidence.to_owned(), format!("{:.0} %", it.coverage * 100.0)]
        });
        let head = ["step", "gates and criteria that count", "evidence", "known"].map(str::to_owned).to_vec();
        all.push(Block::Table(head, rows.collect()));
    }

    fn options(&self, all: &mut Vec<Block>) {
        all.push(Block::Heading(2, "Considered Options".into()));
        let mut options: Vec<String> = self
            .scenario
            .variants
            .iter()
            .map(|v| match v.events.is_empty() {
                true => format!("{}: every step a call", v.name),
                false => format!("{}: {} as events", v.name, v.events.keys().cloned().collect::<Vec<_>>().join(", ")),
            })
            .collect();
        if let Some(search) = &self.study.search {
            options.push(format!(
                "{} assignments of the steps that may be either, {} of them simulated{}",
                search.assignments,
                search.simulated,
                if search.exhaustive { "" } else { " on a walk from the verdict of the criteria" }
            ));
        }
        all.push(Block::List(options));
    }

    fn outcome(&self, all: &mut Vec<Block>) {
        let decision = &self.study.decision;
        all.push(Block::Heading(2, "Decision Outcome".into()));
        let recommended = &decision.recommended_variant;
        let shape = decision.shape.map(|s| format!(" Its shape: {s}.")).unwrap_or_default();
        let events: Vec<String> =
            recommended.events.iter().map(|(step, channel)| format!("{step} on {channel}")).collect();
        let what = if events.is_empty() {
            "every step is a call".to_owned()
        } else {
            format!("events are {}", events.join(", "))
        };
        all.push(Block::Text(format!("Chosen option: {}; {what}.{shape}", recommended.name)));
        if let Some(search) = &self.study.search {
            all.push(Block::Text(search.reason.clone()));
        }
        all.push(Block::Text(format!("For it: {}.", decision.reason_for)));
        all.push(Block::Text(format!("Against it: {}.", decision.reason_against)));
        all.push(Block::Text(format!("Strength of the evidence: {}.", decision.evidence)));
        let rows = decision.interactions.iter().map(|it| {
            let style = if it.style == Style::EventDriven { "event" } else { "call" };
            vec![it.name.clone(), style.to_owned(), it.reason_for.clone(), it.reason_against.clone()]
        });
        let head = ["step", "style", "for", "against"].map(str::to_owned).to_vec();
        all.push(Block::Table(head, rows.collect()));
    }

    fn consequences(&self, all: &mut Vec<Block>) {
        all.push(Block::Heading(3, "Consequences".into()));
        let mut list = Vec::new();
        if let Some(search) = &self.study.search {
            list.extend(search.given_up.iter().map(|g| format!("Bad, because others offer: {g}")));
        }
        for it in &self.study.decision.interactions {
            list.extend(it.contradiction.iter().map(|c| format!("To be settled: {}: {c}", it.name)));
            list.extend(it.conditions.iter().map(|c| format!("Condition of {}: {c}", it.name)));
        }
        if list.is_empty() {
            list.push("Every caller waits for what it asks; nothing new has to be run".into());
        }
        all.push(Block::List(list));
    }

    fn confirmation(&self, all: &mut Vec<Block>) {
        let flips = self
            .study
            .decision
            .interactions
            .iter()
            .flat_map(|it| it.fragile.iter().map(move |f| format!("{}: {f}", it.name)));
        let turns = self.study.break_evens.iter().map(|b| b.sentence.clone());
        let mut list: Vec<String> = flips.chain(turns).collect();
        list.extend(self.study.decision.questions.iter().take(5).map(|q| match &q.step {
            Some(step) => format!("Open question on {step}: {}", q.text),
            None => format!("Open question: {}", q.text),
        }));
        if list.is_empty() {
            return;
        }
        all.push(Block::Heading(3, "Confirmation".into()));
        all.push(Block::Text("The verdict holds as long as none of these turns it over:".into()));
        all.push(Block::List(list));
    }

    fn pros_and_cons(&self, all: &mut Vec<Block>) {
        all.push(Block::Heading(2, "Pros and Cons of the Options".into()));
        let names: Vec<String> = self.scenario.variants.iter().map(|v| v.name.clone()).collect();
        let head: Vec<String> =
            ["aspect".to_owned(), "measure".to_owned()].into_iter().chain(names.iter().cloned()).collect();
        let rows = self.study.comparison.iter().map(|row| {
            let cells = names.iter().map(|n| row.variants.get(n).map_or(String::new(), |c| c.text.clone()));
            [row.aspect.to_owned(), row.measure.to_owned()].into_iter().chain(cells).collect()
        });
        all.push(Block::Table(head, rows.collect()));
        if let Some(outcome) = self.outcome {
            all.push(simulated(outcome));
            let fates =
                outcome.variants.iter().map(|(name, v)| (name.to_owned(), figures::fates(v))).collect::<Vec<_>>();
            let says =
                "How requests end, of all arrivals; false successes are answered well though an effect never came.";
            all.push(Block::Picture(picture::shares("How requests end", &fates), says.into()));
            figures::outages(outcome, all);
            all.extend(figures::forest(self.scenario, outcome));
        }
        if let Some(sweep) = &self.study.sweep {
            self.sweep(sweep, all);
        }
        if let Some(tornado) = &self.study.tornado {
            all.push(Block::Heading(3, "What the difference hangs on".into()));
            all.extend(figures::tornado(tornado));
            let head = ["input", "today", "from", "to", "p95 response moves by", "source"].map(str::to_owned).to_vec();
            let rows = tornado.bars.iter().take(figures::MOST_BARS).map(|bar| {
                let moves = bar.low.1.response_p95_ms.zip(bar.high.1.response_p95_ms);
                let moves = moves.map_or("no end at one side".to_owned(), |(low, high)| ms(Some((high - low).abs())));
                let label = if bar.flips { format!("{} (turns it over)", bar.label) } else { bar.label.clone() };
                vec![label, bar.today.clone(), bar.low.0.clone(), bar.high.0.clone(), moves, bar.source.to_owned()]
            });
            all.push(Block::Table(head, rows.collect()));
        }
    }

    fn sweep(&self, sweep: &Sweep, all: &mut Vec<Block>) {
        let line = |of: fn(&crate::study::Setting) -> Option<f64>| {
            let of_variant = |name: &str| {
                let points = sweep.points.iter().filter_map(|p| Some((p.value, of(p.variants.get(name)?)?)));
                Line { name: name.to_owned(), points: points.collect() }
            };
            self.scenario.variants.iter().map(|v| of_variant(&v.name)).collect::<Vec<_>>()
        };
        let target = |t: Option<u64>| t.map(|t| t as f64 / 1e6);
        let (response, settled) = (line(|s| s.response_p95_ms.value), line(|s| s.settled_p95_ms.value));
        let today = [(sweep.today, "today")];
        let says = "95th percentile of the response over the load; a line ends where its backlog grows without end.";
        let picture = picture::lines(
            "p95 response, ms",
            sweep.unit,
            &response,
            target(self.scenario.targets.response_p95),
            &today,
        );
        all.push(Block::Picture(picture, says.into()));
        let says = "95th percentile until everything is done, over the same load.";
        let picture =
            picture::lines("p95 settled, ms", sweep.unit, &settled, target(self.scenario.targets.settled_p95), &today);
        all.push(Block::Picture(picture, says.into()));
    }

    fn more(&self, all: &mut Vec<Block>) {
        all.push(Block::Heading(2, "More Information".into()));
        let mut list = vec![
            "Gates and criteria are those of Flowglass, each with its source (Azure and AWS guidance, Hohpe)."
                .to_owned(),
        ];
        if let Some(o) = self.outcome {
            list.push(format!(
                "Simulated: seed {}, {} replications of {} s after a warm-up of {} s, {} events; intervals are 95 % (Student).",
                o.seed,
                o.replications,
                self.scenario.run.duration as f64 / 1e9,
                o.warm_up_s,
                o.simulated_events
            ));
        }
        if let Some(search) = &self.study.search {
            list.push(format!(
                "Searched: {} replications of {:.0} s for each of {} assignments, {} events, common random numbers.",
                search.replications, search.window_s, search.simulated, search.simulated_events
            ));
        }
        let of = |wanted: Source| self.scenario.sources.iter().filter(move |(_, s)| **s == wanted).count();
        list.push(match (of(Source::Measured), of(Source::Declared)) {
            (0, 0) => "No input is marked as measured or declared: the file has no `sources`.".to_owned(),
            (measured, declared) => format!("Inputs marked measured: {measured}, declared: {declared}."),
        });
        list.extend(self.scenario.warnings.iter().cloned());
        all.push(Block::List(list));
        if !self.scenario.assumed.is_empty() {
            all.push(Block::Heading(3, "Assumptions".into()));
            all.push(Block::Text("Nobody measured or declared these:".into()));
            all.push(Block::List(self.scenario.assumed.clone()));
        }
        all.push(Block::Heading(3, "The chosen variant as a diagram".into()));
        all.push(Block::Code("mermaid", super::mermaid(self.scenario, &self.chosen())));
    }
}

/// Gates, else the criteria that count most, with codes after the words.
fn drivers_of(it: &Interaction) -> String {
    if !it.gates.is_empty() {
        return it.gates.iter().map(|g| format!("{} ({})", g.because, g.id)).collect::<Vec<_>>().join("; ");
    }
    let mut counts: Vec<_> = it.reasons.iter().filter(|r| r.points != 0.0).collect();
    counts.sort_by(|a, b| b.points.abs().total_cmp(&a.points.abs()));
    let told = counts.iter().take(4).map(|r| format!("{:+.0} {} ({})", r.points, r.evidence, r.criterion));
    let told: Vec<String> = told.collect();
    if told.is_empty() { "nothing that is known counts".to_owned() } else { told.join("; ") }
}

fn simulated(outcome: &Outcome) -> Block {
    let head = ["variant", "workload", "p95 response", "p95 settled", "succeeded", "false success"]
        .map(str::to_owned)
        .to_vec();
    let figure = |f: &crate::outcome::Figure, show: &dyn Fn(f64) -> String| match (f.value, f.ci95) {
        (Some(v), Some(half)) if half > 0.0 => format!("{} ± {}", show(v), show(half)),
        (Some(v), _) => show(v),
        (None, _) => f.why.clone().unwrap_or_else(|| "unknown".to_owned()),
    };
    let time = |v: f64| ms(Some(v));
    let row = |variant: &str, name: &str, w: &Workload| {
        vec![
            variant.to_owned(),
            name.to_owned(),
            figure(&w.response_ms.p95, &time),
            figure(&w.settled_ms.p95, &time),
            figure(&w.succeeded, &percent),
            figure(&w.false_success, &percent),
        ]
    };
    let rows = outcome.variants.iter().flat_map(|(v, o)| o.workloads.iter().map(move |(n, w)| row(v, n, w)));
    Block::Table(head, rows.collect())
}
