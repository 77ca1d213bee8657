//! The settings file: commented TOML that people keep in git and the window edits in place.

use std::path::{Path, PathBuf};

use flowglass_model::{Config, Layer, LayerPattern};
use toml_edit::{ArrayOfTables, DocumentMut, Item, Table, value};

/// What a new settings file looks like.
const TEMPLATE: &str = r##"# Flowglass settings of one workspace. Edit here or in the window: comments stay. Keep it in git if you like.
# Names are node ids ("service:shop/order-prc-api@prod") or plain names ("order-prc-api"); "*" at the end matches any rest.

# Layers chosen by hand: backend, system, event, process, experience or consumer.
[layers]

# Business domains, by node id or name.
[domains]

# Layers by name, tried in order before the built-in patterns are given up. As soon as one stands here, only these count.
# [[layer_patterns]]
# pattern = "-exp-api"
# layer = "experience"

# Two names of one participant.
# [[aliases]]
# from = "external:payments.internal"
# to = "payments-sys-api"

# Who runs what.
# [[owners]]
# match_name = "payments-*"
# owner = "Team Payments"
# contact = "#payments"
# runbook = "https://wiki.example/payments"

# Fields hidden on display and export (credentials are never kept at all).
# [[redaction]]
# key = "iban"
"##;

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
        /// Where and why, in the parser's words.
        message: String,
    },
}

/// Reads a text of settings. Errors name line and column.
pub fn parse(text: &str) -> Result<Config, String> {
    toml::from_str(text).map_err(|e| e.to_string().trim().replace('\n', " "))
}

/// Where the settings of a workspace are kept unless it names another file: beside it, with `.toml` for an ending.
pub(crate) fn default_path(workspace: &Path) -> PathBuf {
    workspace.with_extension("toml")
}

/// Reads a settings file. `Ok(None)` when it is not there.
pub(crate) fn read(path: &Path) -> Result<Option<(String, Config)>, SettingsError> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(SettingsError::Io { path: path.to_owned(), source }),
    };
    let config = parse(&text).map_err(|message| SettingsError::Invalid { path: path.to_owned(), message })?;
    Ok(Some((text, config)))
}

/// Changes a settings file in place: what the change does not touch, comments included, stays as it is. The file is made from
/// a commented template if it is missing, and replaced as a whole, so that a crash leaves the old or the new one.
pub(crate) fn edit(path: &Path, change: impl FnOnce(&mut DocumentMut)) -> Result<(String, Config), SettingsError> {
    let io = |source| SettingsError::Io { path: path.to_owned(), source };
    let invalid = |message| SettingsError::Invalid { path: path.to_owned(), message };
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => TEMPLATE.to_owned(),
        Err(e) => return Err(io(e)),
    };
    let mut document: DocumentMut = text.parse().map_err(|e: toml_edit::TomlError| invalid(e.to_string()))?;
    change(&mut document);
    let text = document.to_string();
    let config = parse(&text).map_err(invalid)?;
    let partial = path.with_extension("toml.part");
    std::fs::write(&partial, &text).map_err(io)?;
    std::fs::rename(&partial, path).map_err(io)?;
    Ok((text, config))
}

/// Sets (or with `None` clears) the layer of a node id or name.
pub(crate) fn set_layer(document: &mut DocumentMut, id: &str, layer: Option<Layer>) {
    let layers = document.entry("layers").or_insert_with(|| Item::Table(Table::new()));
    let Some(layers) = layers.as_table_like_mut() else { return };
    match layer {
        Some(layer) => {
            layers.insert(id, value(layer.as_str()));
        }
        None => {
            layers.remove(id);
        }
    }
}

/// Replaces the layer patterns; an empty list brings the built-in ones back.
pub(crate) fn set_patterns(document: &mut DocumentMut, patterns: &[LayerPattern]) {
    let tables = patterns.iter().map(|p| {
        let mut table = Table::new();
        table.insert("pattern", value(&p.pattern));
        table.insert("layer", value(p.layer.as_str()));
        table
    });
    replace_tables(document, "layer_patterns", tables.collect());
}

/// Replaces the names of fields hidden on display.
pub(crate) fn set_redaction(document: &mut DocumentMut, keys: &[String]) {
    let tables = keys.iter().map(|k| {
        let mut table = Table::new();
        table.insert("key", value(k));
        table
    });
    replace_tables(document, "redaction", tables.collect());
}

fn replace_tables(document: &mut DocumentMut, key: &str, tables: Vec<Table>) {
    if tables.is_empty() {
        document.remove(key);
        return;
    }
    let mut array = ArrayOfTables::new();
    for table in tables {
        array.push(table);
    }
    document.insert(key, Item::ArrayOfTables(array));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_is_valid_and_empty() {
        assert_eq!(parse(TEMPLATE), Ok(Config::default()));
    }

    #[test]
    fn editing_keeps_comments_and_order() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("shop.toml");
        std::fs::write(&path, "# ours\n[layers]\n# the old one\n\"a-service\" = \"system\"\n").unwrap();
        let (text, config) = edit(&path, |d| set_layer(d, "service:shop/b", Some(Layer::Process))).unwrap();
        assert!(text.starts_with("# ours\n[layers]\n# the old one\n\"a-service\" = \"system\"\n"), "{text}");
        assert_eq!(config.layers["service:shop/b"], Layer::Process);
        let (_, config) = edit(&path, |d| set_layer(d, "service:shop/b", None)).unwrap();
        assert_eq!(config.layers.len(), 1);
        let patterns = vec![LayerPattern { pattern: "-gw".into(), layer: Layer::Experience }];
        let (_, config) = edit(&path, |d| set_patterns(d, &patterns)).unwrap();
        assert_eq!(config.layer_patterns, patterns);
        let (text, _) = edit(&path, |d| set_patterns(d, &[])).unwrap();
        assert!(text.contains("# the old one"), "{text}");
    }

    #[test]
    fn a_broken_file_is_named_and_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("shop.toml");
        std::fs::write(&path, "[layers]\na = \"nowhere\"\n").unwrap();
        let error = read(&path).unwrap_err().to_string();
        assert!(error.contains("shop.toml") && error.contains("line 2"), "{error}");
        assert!(edit(&path, |d| set_layer(d, "b", Some(Layer::System))).is_err());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "[layers]\na = \"nowhere\"\n");
        assert!(read(&dir.path().join("none.toml")).unwrap().is_none());
    }
}
