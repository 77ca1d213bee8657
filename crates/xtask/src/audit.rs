//! Known faults in what the UI ships: `npm audit`.

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::run::{command, root};

/// What a registry said.
#[derive(Debug, PartialEq)]
enum Said {
    /// Nothing to mend, of high severity.
    Nothing,
    /// These packages.
    Faults(Vec<String>),
    /// No answer that says anything; why.
    NoAnswer(String),
}

/// Checks what the UI is built of, as far as the registry answers. What only builds and tests it does not ship.
///
/// # Errors
/// A package with a known fault of high or critical severity.
pub(crate) fn npm() -> Result<()> {
    let mut npm = command("npm", ["audit", "--omit=dev", "--json", "--fetch-retries=1", "--fetch-timeout=20000"]);
    let output = npm.current_dir(root().join("ui")).output().context("npm cannot be started")?;
    match said(&output.stdout) {
        Said::Nothing => Ok(()),
        Said::Faults(faults) => bail!("known faults of high severity: {}", faults.join(", ")),
        Said::NoAnswer(why) => {
            eprintln!("cargo xtask: the registry of npm does not answer ({why}): its advisories were NOT checked");
            Ok(())
        }
    }
}

/// Reads the report (npm audit, `auditReportVersion` 2).
fn said(report: &[u8]) -> Said {
    let report: Value = match serde_json::from_slice(report) {
        Ok(report) => report,
        Err(error) => return Said::NoAnswer(format!("its answer is no report: {error}")),
    };
    let Some(faults) = report["vulnerabilities"].as_object() else {
        let why = report["message"].as_str().or_else(|| report["error"]["summary"].as_str());
        return Said::NoAnswer(why.unwrap_or("its answer has no list").to_owned());
    };
    let severe = faults.iter().filter(|(_, fault)| matches!(fault["severity"].as_str(), Some("high" | "critical")));
    let severe: Vec<String> = severe.map(|(name, _)| name.clone()).collect();
    if severe.is_empty() { Said::Nothing } else { Said::Faults(severe) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_answer_counts() {
        let fault = |severity: &str| format!(r#"{{"vulnerabilities":{{"a":{{"severity":"{severity}"}}}}}}"#);
        assert_eq!(said(br#"{"auditReportVersion":2,"vulnerabilities":{}}"#), Said::Nothing);
        assert_eq!(said(fault("moderate").as_bytes()), Said::Nothing);
        assert_eq!(said(fault("high").as_bytes()), Said::Faults(vec!["a".into()]));
        assert_eq!(said(fault("critical").as_bytes()), Said::Faults(vec!["a".into()]));
        let refused = r#"{"message":"request to https://registry.npmjs.org failed","error":{"summary":""}}"#;
        assert!(matches!(said(refused.as_bytes()), Said::NoAnswer(why) if why.contains("failed")));
        assert!(matches!(said(b""), Said::NoAnswer(_)));
    }
}
