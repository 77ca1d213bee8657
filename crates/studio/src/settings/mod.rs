//! The settings file: commented TOML that people keep in git and the window edits in place.

mod merge;
mod rules;
mod template;
mod write;

use std::path::{Path, PathBuf};

use flowglass_model::Config;
use toml_edit::DocumentMut;

pub(crate) use rules::Change;

/// How often an edit is tried anew when somebody else writes the file at the same moment.
const TRIES: usize = 5;

/// Why settings could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The file cannot be read or written.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is not valid.
    #[error("{path}: {message}")]
    Invalid {
        /// The file.
        path: PathBuf,
        /// Line, column and why, in the parser's words.
        message: String,
    },
    /// Somebody else keeps writing the file.
    #[error("{path} is being changed by somebody else just now; nothing was written, try again")]
    Busy {
        /// The file.
        path: PathBuf,
    },
}

/// Reads a text of settings. Errors begin with line and column.
pub fn parse(text: &str) -> Result<Config, String> {
    let config: Config = toml::from_str(text).map_err(|e: toml::de::Error| match e.span() {
        Some(span) => format!("{}: {}", place(text, span.start), e.message()),
        None => e.message().to_owned(),
    })?;
    let of_rules = config.rules.problem().map(|p| (span_of(text, "rules", &p.path), p.message));
    let of_retention = || {
        let (name, message) = config.retention.problem()?;
        Some((span_of(text, "retention", &[name.to_owned()]), message))
    };
    match of_rules.or_else(of_retention) {
        Some((Some(at), message)) => Err(format!("{}: {message}", place(text, at))),
        Some((None, message)) => Err(message),
        None => Ok(config),
    }
}

/// Where a value below a section stands, bytes; the nearest part of its path that can be found.
fn span_of(text: &str, section: &str, path: &[String]) -> Option<usize> {
    let document = toml_edit::Document::parse(text).ok()?;
    let mut item = document.get(section)?;
    let mut span = item.span();
    for part in path {
        let next = match part.parse::<usize>() {
            Ok(number) => item.get(number),
            Err(_) => item.get(part.as_str()),
        };
        let Some(next) = next else { break };
        span = next.span().or(span);
        item = next;
    }
    span.map(|s| s.start)
}

/// `line 3, column 7`, counted from 1, of a byte of a text.
fn place(text: &str, at: usize) -> String {
    let before = text.get(..at.min(text.len())).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    format!("line {line}, column {column}")
}

/// Where the settings of a workspace are kept unless it names another file: beside it, with `.toml` for an ending.
pub(crate) fn default_path(workspace: &Path) -> PathBuf {
    workspace.with_extension("toml")
}

/// Reads a settings file. `Ok(None)` when it is not there.
pub(crate) fn read(path: &Path) -> Result<Option<(String, Config)>, SettingsError> {
    let Some(text) = text_of(path)? else { return Ok(None) };
    let config = parse(&text).map_err(|message| SettingsError::Invalid { path: path.to_owned(), message })?;
    Ok(Some((text, config)))
}

fn text_of(path: &Path) -> Result<Option<String>, SettingsError> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(SettingsError::Io { path: path.to_owned(), source }),
    }
}

/// Changes a settings file in place: what the change does not touch, comments included, stays as it is. The change sees what
/// the file says now, not what was read from it before. The file is made from a commented template if it is missing, and
/// replaced as a whole, so that a crash leaves the old or the new one.
pub(crate) fn edit(path: &Path, change: impl Fn(&mut DocumentMut, &Config)) -> Result<(String, Config), SettingsError> {
    let io = |source| SettingsError::Io { path: path.to_owned(), source };
    let invalid = |message| SettingsError::Invalid { path: path.to_owned(), message };
    // A link stays a link: what it points to is written.
    let target = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    for _ in 0..TRIES {
        let found = text_of(&target)?;
        let old = found.clone().unwrap_or_else(|| template::TEMPLATE.to_owned());
        let config = parse(&old).map_err(invalid)?;
        let mut document: DocumentMut = old.parse().map_err(|e: toml_edit::TomlError| invalid(e.to_string()))?;
        change(&mut document, &config);
        let text = document.to_string();
        let config = parse(&text).map_err(invalid)?;
        let partial = target.with_extension("toml.part");
        std::fs::write(&partial, &text).map_err(io)?;
        if let Ok(known) = std::fs::metadata(&target) {
            std::fs::set_permissions(&partial, known.permissions()).map_err(io)?;
        }
        if text_of(&target)? != found {
            continue;
        }
        std::fs::rename(&partial, &target).map_err(io)?;
        return Ok((text, config));
    }
    Err(SettingsError::Busy { path: path.to_owned() })
}

#[cfg(test)]
mod tests;
