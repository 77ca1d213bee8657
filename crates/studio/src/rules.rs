//! Rules of the settings: what the window sends checked, and what a rule means for what was seen.

use std::collections::BTreeSet;

use flowglass_model::{
    Alias, Config, Layer, LayerPattern, LinkTemplate, NodeId, Owner, ProtobufRule, RedactionRule, SeriesKey, SeriesSum,
    TraceStore, TraceStoreKind, name_rule_fits, noise_pattern_matches,
};
use flowglass_topology::{Folding, default_patterns, layer_pattern_matches};

use crate::api::{EditSettingsRequest, RuleMatch};
use crate::display;
use crate::settings::Change;

/// Names listed for a rule; all are counted.
const NAMES_SHOWN: usize = 6;

/// A layer by its name.
pub(crate) fn layer(text: &str) -> Result<Layer, String> {
    Layer::parse(text)
        .ok_or_else(|| format!("`{text}` is no layer; it is one of {}", Layer::ALL.map(Layer::as_str).join(", ")))
}

/// A text that must say something, without blanks around it. `rule` is what people call the rule, `part` the part of it.
fn said(rule: &str, at: usize, part: &str, text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() {
        return Err(format!("{rule} {}: {part} is missing", at + 1));
    }
    Ok(text.to_owned())
}

fn optional(text: Option<String>) -> Option<String> {
    text.map(|t| t.trim().to_owned()).filter(|t| !t.is_empty())
}

/// Refuses two rows for one name: which of them counts would be a riddle.
fn once<'a>(rule: &str, names: impl Iterator<Item = &'a str>) -> Result<(), String> {
    let mut seen = BTreeSet::new();
    for name in names {
        if !seen.insert(name) {
            return Err(format!("{rule}: `{name}` is there twice; keep one of them"));
        }
    }
    Ok(())
}

/// `*` in a name that is matched from its start: only at the end.
fn name_pattern(rule: &str, at: usize, text: &str) -> Result<String, String> {
    let text = said(rule, at, "the name", text)?;
    if text.trim_end_matches('*').contains('*') {
        return Err(format!("{rule} {} (`{text}`): `*` can only stand at the end", at + 1));
    }
    Ok(text)
}

/// What a request changes. Errors name the rule.
pub(crate) fn change(request: EditSettingsRequest) -> Result<Change, String> {
    Ok(Change {
        layers: rows(
            request.layers,
            "layer",
            |at, r| {
                let name = said("layer", at, "the name", &r.match_name)?;
                Ok((name.clone(), layer(&r.layer).map_err(|e| format!("layer of `{name}`: {e}"))?))
            },
            |r| &r.0,
        )?,
        patterns: patterns(request.patterns)?,
        domains: rows(
            request.domains,
            "domain",
            |at, r| {
                let name = name_pattern("domain", at, &r.match_name)?;
                Ok((name.clone(), said(&format!("domain of `{name}`, row"), at, "the domain", &r.domain)?))
            },
            |r| &r.0,
        )?,
        aliases: rows(request.aliases, "alias", |at, r| alias(at, &r.from, &r.to), |r| &r.from)?,
        owners: rows(
            request.owners,
            "owner",
            |at, r| {
                let match_name = name_pattern("owner", at, &r.match_name)?;
                let owner = said(&format!("owner of `{match_name}`, row"), at, "the owner", &r.owner)?;
                Ok(Owner { match_name, owner, contact: optional(r.contact), runbook: optional(r.runbook) })
            },
            |r| &r.match_name,
        )?,
        business_keys: rows(
            request.business_keys,
            "business key",
            |at, r: String| {
                if !r.chars().any(char::is_alphanumeric) {
                    return Err(format!("business key {}: the name is missing", at + 1));
                }
                Ok(r.trim().to_owned())
            },
            |r| r,
        )?,
        noise: rows(
            request.noise,
            "noise",
            |at, r: String| {
                let text = said("noise", at, "the pattern", &r)?;
                if text.chars().all(|c| c == '*' || c == ' ') {
                    return Err(format!(
                        "noise {}: `{text}` would fold everything; name a part of the operation",
                        at + 1
                    ));
                }
                Ok(text)
            },
            |r| r,
        )?,
        redaction: redaction(request.redaction)?,
        links: rows(
            request.links,
            "link",
            |at, r| {
                let name = said("link", at, "the name", &r.name)?;
                let url = web_address(&format!("link `{name}`"), &r.url)?;
                Ok(LinkTemplate { name, url })
            },
            |r| &r.name,
        )?,
        protobuf: rows(
            request.protobuf,
            "protobuf rule",
            |at, r| {
                let subject = said("protobuf rule", at, "the subject", &r.subject)?;
                let message = said(&format!("protobuf rule of `{subject}`, row"), at, "the message", &r.message)?;
                let file =
                    said(&format!("protobuf rule of `{subject}`, row"), at, "the descriptor file", &r.descriptors)?;
                Ok(ProtobufRule { subject, message, descriptors: file })
            },
            |r| &r.subject,
        )?,
        trace_stores: rows(
            request.trace_stores,
            "trace store",
            |at, r| {
                let name = said("trace store", at, "the name", &r.name)?;
                let kind = match r.kind.as_str() {
                    "jaeger" => TraceStoreKind::Jaeger,
                    "tempo" => TraceStoreKind::Tempo,
                    other => return Err(format!("trace store `{name}`: `{other}` is neither jaeger nor tempo")),
                };
                let url = web_address(&format!("trace store `{name}`"), &r.url)?;
                Ok(TraceStore { name, url, kind })
            },
            |r| &r.name,
        )?,
        joins: None,
        retention: request.retention.map(crate::handlers::retention_rule).transpose()?,
    })
}

/// An address of the web, without credentials in it; what a template fills in may stand in it.
fn web_address(rule: &str, text: &str) -> Result<String, String> {
    let text = text.trim();
    let plain = text.replace(['{', '}'], "");
    let url =
        url::Url::parse(&plain).map_err(|_| format!("{rule}: `{text}` is no web address; it begins with https://"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!("{rule}: `{text}` is no web address; it begins with https://"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(format!("{rule}: the address holds credentials; settings are no place for them"));
    }
    Ok(text.to_owned())
}

/// Checks every row, then that no two are for one name.
fn rows<I, O>(
    rows: Option<Vec<I>>,
    rule: &str,
    check: impl Fn(usize, I) -> Result<O, String>,
    key: impl Fn(&O) -> &String,
) -> Result<Option<Vec<O>>, String> {
    let Some(rows) = rows else { return Ok(None) };
    let rows = rows.into_iter().enumerate().map(|(at, row)| check(at, row)).collect::<Result<Vec<O>, _>>()?;
    once(rule, rows.iter().map(|r| key(r).as_str()))?;
    Ok(Some(rows))
}

fn patterns(asked: Option<Vec<crate::api::PatternView>>) -> Result<Option<Vec<LayerPattern>>, String> {
    let all = rows(
        asked,
        "layer pattern",
        |at, p| {
            if p.pattern.trim_matches(['-', ' ', '*']).is_empty() {
                return Err(format!("layer pattern {}: it must contain a word, such as `-exp-api`", at + 1));
            }
            let pattern = p.pattern.trim().to_owned();
            Ok(LayerPattern { layer: layer(&p.layer).map_err(|e| format!("layer pattern `{pattern}`: {e}"))?, pattern })
        },
        |p| &p.pattern,
    )?;
    Ok(all.map(|p| if p == default_patterns() { Vec::new() } else { p }))
}

fn redaction(asked: Option<Vec<String>>) -> Result<Option<Vec<RedactionRule>>, String> {
    let built_in = display::rules(&Config::default());
    let all = rows(
        asked,
        "hidden field",
        |at, r: String| {
            let key = said("hidden field", at, "the name", &r)?;
            if key.chars().all(|c| c == '*') {
                return Err(format!(
                    "hidden field {}: `{key}` would hide everything; name a part of the field",
                    at + 1
                ));
            }
            Ok(RedactionRule { key })
        },
        |r| &r.key,
    )?;
    Ok(all.map(|r| if r.iter().map(|r| &r.key).eq(&built_in) { Vec::new() } else { r }))
}

fn alias(at: usize, from: &str, to: &str) -> Result<Alias, String> {
    let from = said("alias", at, "the name as seen", from)?;
    let to = said(&format!("alias of `{from}`, row"), at, "the name to show", to)?;
    if from == to {
        return Err(format!("alias {} (`{from}`): both names are the same", at + 1));
    }
    if from.contains('*') || to.contains('*') {
        return Err(format!("alias {} (`{from}`): an alias names one participant, `*` is not possible", at + 1));
    }
    Ok(Alias { from, to })
}

/// What a pattern is matched with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Participants as they are shown.
    Participant,
    /// Participants also under the names they are seen by, before merges and aliases.
    Seen,
    /// Layer patterns.
    Layer,
    /// Operations.
    Noise,
}

impl Kind {
    pub(crate) fn parse(text: &str) -> Result<Kind, String> {
        Ok(match text {
            "participant" => Kind::Participant,
            "seen" => Kind::Seen,
            "layer" => Kind::Layer,
            "noise" => Kind::Noise,
            other => return Err(format!("`{other}` is no kind of rule; it is participant, seen, layer or noise")),
        })
    }
}

/// What each pattern means for the participants and operations of these series.
pub(crate) fn matches(kind: Kind, patterns: &[String], sums: &[SeriesSum], config: &Config) -> Vec<RuleMatch> {
    if kind == Kind::Noise {
        return patterns.iter().map(|p| noise(p, sums)).collect();
    }
    let folding = Folding::new(sums, config);
    let seen: BTreeSet<NodeId> = sums.iter().filter(|s| s.count > 0).flat_map(|s| participants(&s.key)).collect();
    let mut all: BTreeSet<NodeId> = seen.iter().filter_map(|id| folding.node(id)).collect();
    if kind == Kind::Seen {
        all.extend(seen.into_iter().filter(|id| folding.node(id).is_some()));
    }
    let one = |pattern: &String| {
        let text = pattern.trim();
        let fits = |id: &&NodeId| match kind {
            Kind::Layer => layer_pattern_matches(text, id),
            _ => name_rule_fits(text, id),
        };
        let found: Vec<&NodeId> = all.iter().filter(|id| !text.is_empty() && fits(id)).collect();
        RuleMatch {
            pattern: pattern.clone(),
            count: found.len() as u32,
            names: found.iter().take(NAMES_SHOWN).map(|id| folding.title(id).to_owned()).collect(),
            requests: 0,
        }
    };
    patterns.iter().map(one).collect()
}

fn participants(key: &SeriesKey) -> Vec<NodeId> {
    match key {
        SeriesKey::Operation { participant, .. } | SeriesKey::Group { participant, .. } => vec![participant.clone()],
        key => key.as_edge().map(|(_, s, t)| vec![s.clone(), t.clone()]).unwrap_or_default(),
    }
}

fn noise(pattern: &str, sums: &[SeriesSum]) -> RuleMatch {
    let mut out = RuleMatch { pattern: pattern.to_owned(), count: 0, names: Vec::new(), requests: 0 };
    for sum in sums.iter().filter(|s| s.count > 0) {
        let SeriesKey::Operation { participant, operation } = &sum.key else { continue };
        if pattern.trim().is_empty() || !noise_pattern_matches(pattern, participant.name(), operation) {
            continue;
        }
        out.count += 1;
        out.requests += u64::try_from(sum.count).unwrap_or(0);
        if out.names.len() < NAMES_SHOWN {
            out.names.push(format!("{operation} of {}", participant.name()));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{AliasRule, OwnerRule, PatternView};

    #[test]
    fn errors_name_the_rule() {
        let owner = |name: &str, owner: &str| OwnerRule {
            match_name: name.into(),
            owner: owner.into(),
            contact: Some(" ".into()),
            runbook: None,
        };
        let request = |edit: &dyn Fn(&mut EditSettingsRequest)| {
            let mut request = EditSettingsRequest::default();
            edit(&mut request);
            change(request)
        };
        for (want, result) in [
            ("owner 2: the name is missing", request(&|r| r.owners = Some(vec![owner("a", "A"), owner(" ", "B")]))),
            ("owner of `a`, row 1: the owner is missing", request(&|r| r.owners = Some(vec![owner("a", "")]))),
            ("owner: `a` is there twice", request(&|r| r.owners = Some(vec![owner("a", "A"), owner("a ", "B")]))),
            (
                "owner 1 (`*-api`): `*` can only stand at the end",
                request(&|r| r.owners = Some(vec![owner("*-api", "A")])),
            ),
            ("noise 1: `*` would fold everything", request(&|r| r.noise = Some(vec!["*".into()]))),
            ("business key 1", request(&|r| r.business_keys = Some(vec!["-".into()]))),
            (
                "alias 1 (`a`): both names are the same",
                request(&|r| {
                    r.aliases = Some(vec![AliasRule { from: "a".into(), to: " a".into() }]);
                }),
            ),
            (
                "layer pattern `-x`: `attic` is no layer",
                request(&|r| {
                    r.patterns = Some(vec![PatternView { pattern: "-x".into(), layer: "attic".into() }]);
                }),
            ),
        ] {
            let error = result.unwrap_err();
            assert!(error.contains(want), "{error} should contain {want}");
        }
        let good = change(EditSettingsRequest { owners: Some(vec![owner("a*", "A")]), ..Default::default() }).unwrap();
        assert_eq!(good.owners.unwrap()[0].contact, None);
        assert!(good.domains.is_none());
    }
}
