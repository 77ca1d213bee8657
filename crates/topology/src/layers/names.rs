//! Layers from names: whole tokens, never substrings (`sys` also stands inside names that merely are "a system").

use flowglass_model::{Layer, LayerPattern, LayerSource, NodeId, NodeKind};

use super::{Classified, is_api};

/// The name patterns used when the configuration names none. Of several that match, the one with most tokens counts, then the
/// one that ends last in the name.
pub fn default_patterns() -> Vec<LayerPattern> {
    let table: [(Layer, &[&str]); 3] = [
        (
            Layer::Experience,
            &["-exp-api", "-experience-api", "xapi", "eapi", "exp", "experience-", "-experience", "bff"],
        ),
        (Layer::Process, &["-prc-api", "-proc-api", "-process-api", "papi", "prc", "proc", "process-", "-process"]),
        (Layer::System, &["-sys-api", "-system-api", "sapi", "sys", "system-", "-system"]),
    ];
    table
        .iter()
        .flat_map(|(layer, patterns)| patterns.iter().map(|p| LayerPattern { pattern: (*p).to_owned(), layer: *layer }))
        .collect()
}

/// Splits at `- _ . /`, blanks and camelCase; lower case.
fn tokens(name: &str) -> Vec<String> {
    let chars: Vec<char> = name.chars().collect();
    let mut out = vec![String::new()];
    for (i, c) in chars.iter().enumerate() {
        if matches!(c, '-' | '_' | '.' | '/' | ' ') {
            out.push(String::new());
            continue;
        }
        let after_lower = i > 0 && (chars[i - 1].is_lowercase() || chars[i - 1].is_numeric());
        let before_lower = i > 0 && chars[i - 1].is_uppercase() && chars.get(i + 1).is_some_and(|n| n.is_lowercase());
        if c.is_uppercase() && (after_lower || before_lower) {
            out.push(String::new());
        }
        if let Some(last) = out.last_mut() {
            last.extend(c.to_lowercase());
        }
    }
    out.retain(|t| !t.is_empty());
    out
}

/// Where a pattern ends in a name (number of tokens up to its end), and how many tokens it has.
fn matches(pattern: &str, name: &[String]) -> Option<(usize, usize)> {
    let wanted = tokens(pattern);
    if wanted.is_empty() || wanted.len() > name.len() {
        return None;
    }
    let (at_end, at_start) = (pattern.starts_with('-'), pattern.ends_with('-'));
    let last = name.len() - wanted.len();
    let at = (0..=last)
        .rev()
        .filter(|i| (!at_end || *i == last) && (!at_start || *i == 0))
        .find(|i| name[*i..*i + wanted.len()] == wanted[..])?;
    Some((wanted.len(), at + wanted.len()))
}

fn sentence(pattern: &str) -> String {
    match (pattern.starts_with('-'), pattern.ends_with('-')) {
        (true, _) => format!("its name ends in {pattern}"),
        (_, true) => format!("its name starts with {pattern}"),
        _ => format!("its name contains {pattern}"),
    }
}

/// Whether a layer pattern fits the name of a participant, whatever other patterns say.
pub fn layer_pattern_matches(pattern: &str, id: &NodeId) -> bool {
    is_api(id.kind()) && matches(pattern, &tokens(telling(id))).is_some()
}

/// The part of a name that tells a layer: of a host only the first label is a name somebody gave with layers in mind.
fn telling(id: &NodeId) -> &str {
    match id.kind() {
        NodeKind::External => id.name().split('.').next().unwrap_or_default(),
        _ => id.name(),
    }
}

/// The layer a name tells. Own patterns are tried in order and replace the built-in ones.
pub(super) fn by_name(id: &NodeId, own: &[LayerPattern], builtin: &[LayerPattern]) -> Option<Classified> {
    if !is_api(id.kind()) {
        return None;
    }
    let external = id.kind() == NodeKind::External;
    let name = tokens(telling(id));
    let found = if own.is_empty() {
        builtin
            .iter()
            .filter(|p| !external || p.pattern.ends_with("api"))
            .filter_map(|p| Some((matches(&p.pattern, &name)?, p)))
            .max_by_key(|(rank, _)| *rank)
            .map(|(_, p)| p)
    } else {
        own.iter().find(|p| matches(&p.pattern, &name).is_some())
    };
    let found = found?;
    Some(Classified { layer: found.layer, reason: sentence(&found.pattern), source: LayerSource::Name })
}
