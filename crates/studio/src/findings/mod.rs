//! The rules held against a workspace.
//!
//! A range is judged by reading it: chunk by chunk, publication by publication, so that it can be watched and stopped. What is
//! read is bounded by the range; what is kept is bounded by the landscape, not by the data.

mod evaluate;
mod json;
mod judged;
mod junit;
pub(crate) mod life;
mod markdown;
mod sarif;

use flowglass_model::{RulesConfig, Severity};
use flowglass_rules::{Checked, Finding};

pub use evaluate::{Progress, evaluate};
pub(crate) use judged::{Judged, Judgement, Of};
pub(crate) use markdown::plain as plain_markdown;

/// A form of a list of findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FindingsFormat {
    /// The contract's list.
    Json,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// JUnit XML, for test reports.
    Junit,
    /// For people.
    Markdown,
}

/// A list of findings with what a form of it needs to know.
pub struct FindingsList<'a> {
    /// Worst first.
    pub findings: Vec<&'a Finding>,
    /// How much was looked at.
    pub checked: Checked,
    /// The rules in force: what passed stands in test reports too.
    pub rules: &'a RulesConfig,
    /// The workspace's file name.
    pub workspace: &'a str,
    /// From which severity on a finding fails a check.
    pub fails: Severity,
}

impl FindingsList<'_> {
    /// The list in a form; ends without a line break.
    pub fn render(&self, format: FindingsFormat) -> String {
        match format {
            FindingsFormat::Json => json::list(self),
            FindingsFormat::Sarif => sarif::log(self),
            FindingsFormat::Junit => junit::report(self),
            FindingsFormat::Markdown => markdown::report(self),
        }
    }

    /// Whether a finding fails a check: a waived one never does.
    fn is_failure(&self, finding: &Finding) -> bool {
        finding.waiver.is_none() && finding.severity >= self.fails
    }

    /// Findings that fail the check.
    pub fn failures(&self) -> usize {
        self.findings.iter().filter(|f| self.is_failure(f)).count()
    }
}

/// What was seen and why it matters, in one paragraph.
pub(crate) fn explanation(finding: &Finding) -> String {
    let doubt = finding.doubt.as_deref().map(|d| format!(" {d}")).unwrap_or_default();
    format!("{} {}{doubt}", finding.saw, finding.why)
}
