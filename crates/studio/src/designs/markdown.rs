//! Deviations for people.

use std::fmt::Write as _;

use flowglass_design::{Deviation, DeviationKind, Evidence};

use super::DriftList;
use crate::findings::plain_markdown as plain;

/// Pieces of evidence shown with a deviation.
const SHOWN: usize = 3;

/// What a kind is called.
pub(crate) fn title(kind: DeviationKind) -> &'static str {
    match kind {
        DeviationKind::OtherStyle => "Other style than designed",
        DeviationKind::NotDesigned => "Seen, not designed",
        DeviationKind::UndocumentedSubject => "Undocumented subject",
        DeviationKind::UndocumentedOperation => "Undocumented operation",
        DeviationKind::UnknownConsumer => "Consumer unknown to the design",
        DeviationKind::BrokenSchema => "Payload breaks its schema",
        DeviationKind::NotSeen => "Designed, not seen",
    }
}

pub(super) fn report(list: &DriftList<'_>) -> String {
    let drift = list.drift;
    let (kept, open): (Vec<&Deviation>, Vec<&Deviation>) = drift.deviations.iter().partition(|d| d.kept.is_some());
    let mut out = format!("# Drift from the design {}\n\n", plain(list.design));
    let _ = writeln!(
        out,
        "{} of {} observed participants and subjects are in the design. {} deviations are open, {} are kept.\n",
        drift.matched.0,
        drift.matched.1,
        open.len(),
        kept.len()
    );
    if !drift.silent.is_empty() {
        let _ = writeln!(out, "Not judged, because the design says nothing about them: {}.\n", drift.silent.join(", "));
    }
    for note in list.notes {
        let _ = writeln!(out, "- {}", plain(note));
    }
    for kind in DeviationKind::ALL {
        let of_kind: Vec<&&Deviation> = open.iter().filter(|d| d.kind == kind).collect();
        if of_kind.is_empty() {
            continue;
        }
        let _ = writeln!(out, "## {}\n", title(kind));
        for d in of_kind {
            deviation(&mut out, d);
        }
        out.push('\n');
    }
    if !kept.is_empty() {
        out.push_str("## Kept\n\n");
        for d in kept {
            let reason = d.kept.as_deref().unwrap_or_default();
            let _ = writeln!(out, "- {} ({}): {}", plain(&d.subject), title(d.kind), plain(reason));
        }
    }
    out.trim_end().to_owned()
}

fn deviation(out: &mut String, d: &Deviation) {
    let _ = write!(out, "- **{}** {}", plain(&d.subject), plain(&d.saw));
    if d.count > 0 {
        let _ = write!(out, " Seen {} times.", d.count);
    }
    let how: Vec<String> =
        d.matches.iter().map(|m| format!("{} is {} ({})", m.observed.name(), m.designed, m.how.words())).collect();
    if !how.is_empty() {
        let _ = write!(out, " Matched: {}.", plain(&how.join("; ")));
    }
    out.push('\n');
    for evidence in d.evidence.iter().take(SHOWN) {
        let _ = match evidence {
            Evidence::Span { trace, span, .. } => writeln!(out, "  - trace `{trace}`, span `{span}`"),
            Evidence::Event { id, .. } => writeln!(out, "  - event `{}`", id.replace('`', "'")),
        };
    }
}
