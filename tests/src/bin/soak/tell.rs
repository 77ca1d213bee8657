//! What is told: lines meanwhile, a summary at the end, the report and the table.

use std::path::Path;

use anyhow::{Context as _, Result};
use flowglass_tests::figures::{Times, load, median};

use crate::Arguments;
use crate::account::Judged;
use crate::plan::{VIEWS, Victim};
use crate::report::{Report, word};
use crate::run::Stage;
use crate::verdict::{Criterion, Sample, csv, frames, handles, memory};
use crate::watch::{QUESTIONS, Seen, locked};

/// What was run.
pub(crate) struct Ran<'a> {
    /// How it was asked for.
    pub(crate) arguments: &'a Arguments,
    /// What was sampled.
    pub(crate) samples: Vec<Sample>,
    /// Kills: seconds from the start, and who.
    pub(crate) killed: Vec<(f64, Victim)>,
    /// What the workspace keeps at most.
    pub(crate) keeps: String,
    /// How busy the machine was at the start.
    pub(crate) busy: String,
    /// Whether it was ended before its time.
    pub(crate) interrupted: bool,
}

/// One line about a sample.
pub(crate) fn line(of: &Sample) {
    let figure = |value: f64| if value.is_finite() { format!("{value:.0}") } else { "–".to_owned() };
    println!(
        "{:>5.1} min  {:>6} spans/s  program {} MB ({} anonymous), {} handles  file {} MB  questions p50 {} p99 {} ms  {} kills",
        of.at / 60.0,
        figure(of.rate),
        figure(of.program),
        figure(of.anonymous),
        figure(of.handles),
        figure(of.file),
        figure(of.answer_p50),
        figure(of.answer_p99),
        of.kills,
    );
}

/// Writes report and table, prints the summary; whether all holds.
///
/// # Errors
/// If a file cannot be written.
pub(crate) fn report(ran: &Ran<'_>, judged: Judged, stage: &Stage, seen: &Seen, out: &Path) -> Result<bool> {
    let looked = locked(&seen.frames);
    let views: Vec<(String, usize, f64)> = VIEWS
        .iter()
        .enumerate()
        .map(|(n, view)| {
            let all = together(looked.iter().filter(|(of, _)| *of == n).map(|(_, times)| times));
            (view.label.to_owned(), all.count(), all.quantile(0.95))
        })
        .collect();
    let asked = locked(&seen.answers);
    let questions: Vec<(String, usize, f64, f64)> = QUESTIONS
        .iter()
        .enumerate()
        .map(|(n, name)| {
            let mut all = Times::default();
            all.extend(asked.iter().filter(|(of, _)| *of == n).map(|(_, ms)| *ms));
            ((*name).to_owned(), all.count(), all.median(), all.quantile(0.99))
        })
        .collect();
    let mut criteria = vec![
        memory("Memory of the program grows by less than 5 %", &ran.samples, |s| s.program),
        memory("Of it, what is not pages of files", &ran.samples, |s| s.anonymous),
        memory("Memory of the page grows by less than 5 %", &ran.samples, |s| s.page),
        handles(&ran.samples),
        frames(&views, median(&locked(&seen.empty))),
    ];
    criteria.extend(judged.criteria);
    let mut facts = facts(ran, stage);
    facts.extend(judged.facts);
    let kills: Vec<(f64, String)> = ran.killed.iter().map(|(at, who)| (*at, name(*who))).collect();
    let report = Report {
        facts: &facts,
        criteria: &criteria,
        questions: &questions,
        views: &views,
        kills: &kills,
        samples: &ran.samples,
    };
    write(&out.join("soak.html"), &report.html())?;
    write(&out.join("soak.csv"), &csv(&ran.samples))?;
    summary(&facts, &criteria, &questions, &views);
    println!("\n{}; {}", report.verdict(), out.join("soak.html").display());
    Ok(criteria.iter().all(|of| of.holds))
}

fn write(path: &Path, text: &str) -> Result<()> {
    std::fs::write(path, text).with_context(|| path.display().to_string())
}

fn together<'t>(all: impl Iterator<Item = &'t Times>) -> Times {
    let mut together = Times::default();
    all.for_each(|times| together.extend(times.all().iter().copied()));
    together
}

/// Who, in words.
fn name(victim: Victim) -> String {
    match victim {
        Victim::Broker => "broker".to_owned(),
        Victim::Landscape => "landscape".to_owned(),
        Victim::Sender(n) => format!("exporter {n}"),
    }
}

fn facts(ran: &Ran<'_>, stage: &Stage) -> Vec<(String, String)> {
    let lasted = ran.samples.last().map_or(0.0, |s| s.at);
    let rates: Vec<f64> = ran.samples.iter().map(|s| s.rate).collect();
    let mean = rates.iter().sum::<f64>() / rates.len().max(1) as f64;
    let count = |of: fn(&Victim) -> bool| ran.killed.iter().filter(|(_, who)| of(who)).count();
    let ended = if ran.interrupted { format!(" of {}, interrupted", ran.arguments.minutes) } else { String::new() };
    let fact = |name: &str, value: String| (name.to_owned(), value);
    vec![
        fact("Lasted", format!("{:.1} min{ended}", lasted / 60.0)),
        fact("Seed", ran.arguments.seed.to_string()),
        fact("Offered", format!("{} spans/s", ran.arguments.spans_per_second)),
        fact("Acknowledged", format!("{mean:.0} spans/s, median {:.0}", median(&rates))),
        fact(
            "Killed",
            format!(
                "broker {}, landscape {}, exporters {} times",
                count(|v| *v == Victim::Broker),
                count(|v| *v == Victim::Landscape),
                count(|v| matches!(v, Victim::Sender(_)))
            ),
        ),
        fact("The landscape ended by itself", format!("{} times", stage.landscape_ended)),
        fact("Machine", format!("{} at the start, {} at the end", ran.busy, load())),
        fact("The workspace keeps", ran.keeps.clone()),
    ]
}

fn summary(
    facts: &[(String, String)],
    criteria: &[Criterion],
    questions: &[(String, usize, f64, f64)],
    views: &[(String, usize, f64)],
) {
    println!();
    for (name, value) in facts {
        println!("{name:<44}{value}");
    }
    println!("\n{:<44}{:>8}{:>12}{:>12}", "Questions", "times", "median ms", "99 % ms");
    for (name, count, p50, p99) in questions {
        println!("{name:<44}{count:>8}{p50:>12.1}{p99:>12.1}");
    }
    println!("\n{:<44}{:>8}{:>12}", "Views", "frames", "95 % ms");
    for (name, count, p95) in views {
        println!("{name:<44}{count:>8}{p95:>12.1}");
    }
    println!();
    for of in criteria {
        println!("{:<7}{}: {}", word(of), of.name, of.told);
    }
}
