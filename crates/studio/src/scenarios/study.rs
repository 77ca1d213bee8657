//! What a verdict hangs on, as screens show it.

use flowglass_scenario::study::{Candidate, Effort, Gap, Search, Setting, Study, Sweep};

use super::results::estimate;
use super::words::capital;
use crate::api::{
    AnswerView, BreakEvenView, CellView, ComparisonView, LoadSweep, MixtureView, QuestionView, StudyView, SweepFigures,
    SweepPoint, TornadoBar, TornadoView, VariantGap,
};

/// Questions shown at most.
const QUESTIONS: usize = 6;

/// See [`StudyView`].
pub(super) fn view(study: &Study) -> StudyView {
    StudyView {
        comparison: study
            .comparison
            .iter()
            .map(|row| ComparisonView {
                aspect: capital(row.aspect),
                measure: row.measure.into(),
                api_led: row.api_led.into(),
                event_driven: row.event_driven.into(),
                cells: row
                    .variants
                    .iter()
                    .map(|(name, cell)| CellView { variant: name.into(), text: cell.text.clone() })
                    .collect(),
            })
            .collect(),
        break_evens: study
            .break_evens
            .iter()
            .map(|b| BreakEvenView {
                label: b.label.clone(),
                unit: b.unit.into(),
                today: b.today,
                low: b.low,
                high: b.high,
                sentence: capital(&b.sentence),
            })
            .collect(),
        tornado: study.tornado.as_ref().map(|t| TornadoView {
            a: t.a.clone(),
            b: t.b.clone(),
            now: gap(&t.now),
            bars: t
                .bars
                .iter()
                .map(|bar| TornadoBar {
                    label: bar.label.clone(),
                    today: bar.today.clone(),
                    low_value: bar.low.0.clone(),
                    low: gap(&bar.low.1),
                    high_value: bar.high.0.clone(),
                    high: gap(&bar.high.1),
                    flips: bar.flips,
                })
                .collect(),
        }),
        mixtures: study.search.as_ref().map(mixtures).unwrap_or_default(),
        searched: study.search.as_ref().map(searched).unwrap_or_default(),
        questions: study.decision.questions.iter().take(QUESTIONS).map(question).collect(),
    }
}

/// See [`LoadSweep`].
pub(super) fn sweep(sweep: &Sweep, effort: &Effort) -> LoadSweep {
    let figures = |(name, s): (&str, &Setting)| SweepFigures {
        name: name.to_owned(),
        response_p95: estimate(&s.response_p95_ms),
        settled_p95: estimate(&s.settled_p95_ms),
    };
    LoadSweep {
        now: sweep.today,
        points: sweep
            .points
            .iter()
            .map(|p| SweepPoint { rate: p.value, variants: p.variants.iter().map(figures).collect() })
            .collect(),
        replications: effort.replications,
    }
}

fn gap(g: &Gap) -> VariantGap {
    VariantGap { response_ms: g.response_p95_ms, settled_ms: g.settled_p95_ms, success: g.success }
}

fn mixtures(search: &Search) -> Vec<MixtureView> {
    let view = |c: &Candidate, recommended: bool| MixtureView {
        variant: c.name.clone(),
        events: c.events.keys().cloned().collect(),
        response_ms: c.response_p95_ms,
        settled_ms: c.settled_p95_ms,
        success: c.success,
        peak: c.peak_load_per_s,
        parts: (c.channels + c.consumers) as u32,
        recommended,
    };
    let others = search.front.iter().filter(|c| c.events != search.recommended.events);
    std::iter::once(view(&search.recommended, true)).chain(others.map(|c| view(c, false))).collect()
}

fn searched(s: &Search) -> String {
    let how = if s.exhaustive { "all" } else { "the most promising" };
    format!(
        "{} steps may be either; {how} {} of {} mixtures were simulated over {:.0} s, {} repetitions each.",
        s.free.len(),
        s.simulated,
        s.assignments,
        s.window_s,
        s.replications
    )
}

fn question(q: &flowglass_scenario::decide::Question) -> QuestionView {
    QuestionView {
        step: q.step.clone(),
        about: q.about.into(),
        text: q.text.clone(),
        answers: q
            .answers
            .iter()
            .map(|a| AnswerView { text: a.text.to_string(), value: a.value.map(str::to_owned) })
            .collect(),
    }
}
