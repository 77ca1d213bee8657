//! JUnit XML: one test case for each finding, and one for each rule that nothing broke.

use std::fmt::Write as _;

use flowglass_model::Rule;
use flowglass_rules::{Evidence, Finding, rule_text};

use super::{FindingsList, explanation};

/// Pieces of evidence told with a failure.
const SHOWN: usize = 10;

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            // XML 1.0 has no way to write other control characters.
            c if c.is_control() && !matches!(c, '\n' | '\t') => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

pub(super) fn report(list: &FindingsList<'_>) -> String {
    let mut cases = String::new();
    let (mut tests, mut skipped) = (0, 0);
    for finding in &list.findings {
        tests += 1;
        skipped += usize::from(finding.waiver.is_some());
        case(&mut cases, list, finding);
    }
    let config = list.rules;
    let is_on = |rule: &Rule| config.severity.get(rule).is_none_or(|choice| choice.severity().is_some());
    let built_in = Rule::ALL.iter().filter(|r| is_on(r)).map(|r| (r.as_str(), rule_text(*r).area));
    let own = config.forbidden.iter().chain(&config.allowed).map(|r| (r.name.as_str(), "Own rules"));
    for (rule, area) in built_in.chain(own).filter(|(rule, _)| list.findings.iter().all(|f| f.rule != *rule)) {
        tests += 1;
        let _ = writeln!(cases, "  <testcase classname=\"flowglass.{}\" name=\"{rule}\"/>", escaped(area));
    }
    let failures = list.failures();
    let counts = format!("tests=\"{tests}\" failures=\"{failures}\" errors=\"0\" skipped=\"{skipped}\"");
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites {counts}>\n <testsuite name=\"flowglass findings\" {counts}>\n{cases} </testsuite>\n</testsuites>"
    )
}

fn case(out: &mut String, list: &FindingsList<'_>, f: &Finding) {
    let name = escaped(&format!("{}: {}", f.rule, f.subject_text()));
    let _ = writeln!(out, "  <testcase classname=\"flowglass.{}\" name=\"{name}\">", escaped(f.area));
    let mut told = format!("{}\n\nWhat to do: {}\n\n{} offences", explanation(f), f.advice, f.count);
    for (_, evidence) in f.evidence.iter().take(SHOWN) {
        match evidence {
            Evidence::Span { trace, span } => drop(write!(told, "\ntrace {trace} span {span}")),
            Evidence::Event { id, .. } => drop(write!(told, "\nevent {id}")),
        }
    }
    let told = escaped(&told);
    let _ = match &f.waiver {
        Some(waiver) => writeln!(out, "   <skipped message=\"{}\"/>", escaped(&waiver.reason)),
        None if list.is_failure(f) => {
            let (kind, message) = (f.severity.as_str(), escaped(&f.saw));
            writeln!(out, "   <failure type=\"{kind}\" message=\"{message}\">{told}</failure>")
        }
        None => writeln!(out, "   <system-out>{told}</system-out>"),
    };
    out.push_str("  </testcase>\n");
}
