//! The rules in force: what settings make of them.

use flowglass_model::{DependencyRule, Nanos, NodeId, Rule, RuleException, RulesConfig, Severity, Thresholds};

use crate::finding::Waiver;
use crate::tally::Which;

/// An own rule about dependencies. `allowed` rows of one name are one rule.
pub(crate) struct Own {
    pub(crate) name: String,
    pub(crate) rows: Vec<DependencyRule>,
    pub(crate) allowed: bool,
}

/// The rules in force.
pub struct Rulebook {
    severities: Vec<(Rule, Option<Severity>)>,
    pub(crate) thresholds: Thresholds,
    pub(crate) own: Vec<Own>,
    exceptions: Vec<RuleException>,
    now: Nanos,
}

impl Rulebook {
    /// The rules that settings lay down. `now` tells which exceptions have run out.
    pub fn new(config: &RulesConfig, now: Nanos) -> Rulebook {
        let severity = |rule: &Rule| match config.severity.get(rule) {
            Some(choice) => choice.severity(),
            None => Some(rule.default_severity()),
        };
        let mut own: Vec<Own> = Vec::new();
        for row in &config.forbidden {
            own.push(Own { name: row.name.clone(), rows: vec![row.clone()], allowed: false });
        }
        for row in &config.allowed {
            match own.iter_mut().find(|o| o.allowed && o.name == row.name) {
                Some(known) => known.rows.push(row.clone()),
                None => own.push(Own { name: row.name.clone(), rows: vec![row.clone()], allowed: true }),
            }
        }
        Rulebook {
            severities: Rule::ALL.iter().map(|rule| (*rule, severity(rule))).collect(),
            thresholds: config.thresholds.clone(),
            own,
            exceptions: config.exceptions.clone(),
            now,
        }
    }

    /// How bad an offence is; `None` when the rule is off.
    pub(crate) fn severity(&self, which: Which) -> Option<Severity> {
        match which {
            Which::BuiltIn(rule) => self.severities.iter().find(|(r, _)| *r == rule).and_then(|(_, s)| *s),
            Which::Own(i) => {
                let rows = &self.own[i].rows;
                Some(rows.iter().find_map(|r| r.severity).unwrap_or(Severity::Error))
            }
        }
    }

    pub(crate) fn id(&self, which: Which) -> &str {
        match which {
            Which::BuiltIn(rule) => rule.as_str(),
            Which::Own(i) => &self.own[i].name,
        }
    }

    /// The decision to live with a finding, if there is one that still holds.
    pub(crate) fn waiver(&self, rule: &str, subject: &[&NodeId]) -> Option<Waiver> {
        let holds = |e: &&RuleException| e.fits(rule, subject) && !e.expires.is_some_and(|day| day.is_over(self.now));
        let found = self.exceptions.iter().find(holds)?;
        Some(Waiver { reason: found.reason.clone(), expires: found.expires })
    }

    /// Rules in force, own ones included.
    pub fn in_force(&self) -> usize {
        self.severities.iter().filter(|(_, s)| s.is_some()).count() + self.own.len()
    }
}
