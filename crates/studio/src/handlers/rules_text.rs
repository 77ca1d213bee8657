//! The rules' part of the settings: read, checked as one types, replaced; exceptions added and taken back.

use flowglass_model::{Day, NodeId, Rule};
use flowglass_rules::rule_text;
use toml_edit::{ArrayOfTables, DocumentMut, Item, Table, value};

use super::bad_request;
use crate::Studio;
use crate::api::*;
use crate::settings;

/// What stands in the window where the settings have no rules yet.
const EXAMPLE: &str = r##"# Severities: off, info, warning or error.
# [rules.severity]
# cacheable-read = "off"

# From where on something is an offence.
# [rules.thresholds]
# chatty_calls = 5
# consumer_lag_s = 30.0

# Own rules. `from` and `to` are filters of the map: layer, domain, owner, service, kind, env, subject.
# [[rules.forbidden]]
# name = "web-stays-out-of-crm"
# from = "layer:experience"
# to = "domain:CRM"
# because = "Customer data leaves CRM through customer-prc-api only."

# Whoever matches `from` depends on nothing but `to` (several rows of one name are one rule).
# [[rules.allowed]]
# name = "payments-alone"
# from = "service:payments-*"
# to = "kind:backend"
# severity = "warning"

# What is lived with.
# [[rules.exceptions]]
# rule = "layer-bypass"
# subject = "web-orders-exp-api → inventory-sys-api"
# reason = "Until stock is served by fulfilment-prc-api (ARCH-12)."
# expires = "2027-03-31"
"##;

/// See [`RulesText`].
pub(crate) async fn rules_text(studio: &Studio, _: Nothing) -> Result<RulesText, ApiError> {
    let settings = studio.workspace().settings();
    let document: DocumentMut = settings.text.parse().unwrap_or_default();
    let mut own = DocumentMut::new();
    if let Some(rules) = document.get("rules") {
        own.insert("rules", rules.clone());
    }
    let text = own.to_string();
    let config = &settings.config.rules;
    let info = |rule: &Rule| {
        let usual = rule.default_severity();
        let severity = config.severity.get(rule).map_or(Some(usual), |choice| choice.severity());
        RuleInfo {
            id: rule.as_str().into(),
            title: rule_text(*rule).title.into(),
            area: rule_text(*rule).area.into(),
            usual: usual.as_str().into(),
            severity: severity.map(|s| s.as_str().into()),
        }
    };
    Ok(RulesText {
        text: if text.trim().is_empty() { EXAMPLE.to_owned() } else { text.trim_start().to_owned() },
        path: settings.path.display().to_string(),
        rules: Rule::ALL.iter().map(info).collect(),
    })
}

/// See [`EditRulesRequest`].
pub(crate) async fn edit_rules(studio: &Studio, request: EditRulesRequest) -> Result<RulesCheck, ApiError> {
    if let Some(problem) = problem(&request.text) {
        return Ok(RulesCheck { problem: Some(problem) });
    }
    if request.save {
        let text = request.text;
        studio.edit_settings(move |document, _| replace(document, &text)).await?;
    }
    Ok(RulesCheck { problem: None })
}

/// What is wrong with a text of rules.
fn problem(text: &str) -> Option<String> {
    let document: DocumentMut = match text.parse() {
        Ok(document) => document,
        // The parser's words are those of the settings: with line and column.
        Err(_) => return settings::parse(text).err(),
    };
    if let Some((other, _)) = document.iter().find(|(key, _)| *key != "rules") {
        return Some(format!("`{other}` is no part of the rules; tables here begin with `rules.`"));
    }
    settings::parse(text).err()
}

/// Puts the rules of a text in place of those of the document.
fn replace(document: &mut DocumentMut, text: &str) {
    let Ok(mut own) = text.parse::<DocumentMut>() else { return };
    document.remove("rules");
    let Some(mut rules) = own.remove("rules") else { return };
    unplace(&mut rules);
    document.insert("rules", rules);
}

/// Forgets where tables stood in another document: here they stand at the end, in their order.
fn unplace(item: &mut Item) {
    match item {
        Item::Table(table) => {
            table.set_position(None);
            table.iter_mut().for_each(|(_, item)| unplace(item));
        }
        Item::ArrayOfTables(tables) => tables.iter_mut().for_each(|table| {
            table.set_position(None);
            table.iter_mut().for_each(|(_, item)| unplace(item));
        }),
        _ => {}
    }
}

/// See [`WaiveRequest`].
pub(crate) async fn waive(studio: &Studio, request: WaiveRequest) -> Result<Nothing, ApiError> {
    let ids: Vec<NodeId> = request.subject.iter().map(|id| NodeId::from(id.as_str())).collect();
    if ids.is_empty() || ids.len() > 2 {
        return Err(bad_request("a finding has one or two participants"));
    }
    let reason = request.reason.map(|r| r.trim().to_owned());
    if reason.as_deref() == Some("") {
        return Err(bad_request("say why this is lived with"));
    }
    if let Some(day) = request.expires.as_deref().filter(|d| Day::parse(d).is_none()) {
        return Err(bad_request(format!("`{day}` is no day; write it as 2027-03-31")));
    }
    let (rule, expires) = (request.rule, request.expires);
    let subject = request.subject.join(" → ");
    studio
        .edit_settings(move |document, now| {
            let borrowed: Vec<&NodeId> = ids.iter().collect();
            let fits: Vec<usize> =
                (0..now.rules.exceptions.len()).filter(|i| now.rules.exceptions[*i].fits(&rule, &borrowed)).collect();
            let rules = document.entry("rules").or_insert_with(implicit);
            let Some(rules) = rules.as_table_mut() else { return };
            let exceptions = rules.entry("exceptions").or_insert(Item::ArrayOfTables(ArrayOfTables::new()));
            let Some(exceptions) = exceptions.as_array_of_tables_mut() else { return };
            for at in fits.into_iter().rev() {
                exceptions.remove(at);
            }
            if let Some(reason) = &reason {
                let mut row = Table::new();
                row.insert("rule", value(rule.as_str()));
                row.insert("subject", value(subject.as_str()));
                row.insert("reason", value(reason.as_str()));
                if let Some(day) = &expires {
                    row.insert("expires", value(day.as_str()));
                }
                exceptions.push(row);
            }
            if exceptions.is_empty() {
                rules.remove("exceptions");
            }
        })
        .await?;
    Ok(Nothing {})
}

/// A table that is only there for those in it.
fn implicit() -> Item {
    let mut table = Table::new();
    table.set_implicit(true);
    Item::Table(table)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_replaced_and_the_rest_stays() {
        let mut document: DocumentMut =
            "# heading\nnoise = []\n\n[layers]\na = \"system\"\n\n[rules.severity]\ncycle = \"off\"\n\n[domains]\n"
                .parse()
                .unwrap();
        replace(&mut document, "[[rules.forbidden]]\nname = \"x\"\nfrom = \"layer:system\"\nto = \"layer:process\"\n");
        let text = document.to_string();
        let config = settings::parse(&text).unwrap();
        assert_eq!(config.rules.forbidden.len(), 1, "{text}");
        assert!(config.rules.severity.is_empty() && text.starts_with("# heading"), "{text}");
        assert_eq!(config.layers.len(), 1, "{text}");
    }

    #[test]
    fn problems_are_told_with_their_place() {
        for (text, want) in [
            ("[rules.severity]\ncycel = \"off\"\n", "line 2"),
            ("[rules.severity]\ncycle = \"of\"\n", "line 2, column 9"),
            ("[layers]\na = \"system\"\n", "`layers` is no part of the rules"),
            ("[[rules.forbidden]]\nname = \"x\"\nfrom = \"layer:roof\"\nto = \"layer:system\"\n", "line 3, column 8"),
            (
                "[[rules.exceptions]]\nrule = \"cycle\"\nsubject = \"a\"\nreason = \"b\"\nexpires = \"31.3.2027\"\n",
                "line 5",
            ),
            ("[rules.thresholds]\nchatty_calls = 1\n", "line 2, column 16"),
        ] {
            let found = problem(text).unwrap_or_default();
            assert!(found.contains(want), "{found} should contain {want}");
        }
        assert_eq!(problem(EXAMPLE), None);
        let live: String = EXAMPLE
            .lines()
            .filter_map(|l| l.strip_prefix("# "))
            .filter(|l| l.contains('=') || l.starts_with('['))
            .map(|l| format!("{l}\n"))
            .collect();
        assert_eq!(problem(&live), None, "{live}");
    }
}
