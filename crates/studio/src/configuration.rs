//! The settings in force: edited in place, read again when somebody else edits the file.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use flowglass_ingest::KeyNames;
use flowglass_model::Config;

use crate::Studio;
use crate::api::Update;
use crate::control::Control;
use crate::settings::{self, Change, SettingsError};
use crate::studio::lock;
use crate::workspace::{META_CONFIG_COPY, Settings, WorkspaceError};

/// Versions of the settings a window may still show when it sends a change.
const VERSIONS_KEPT: usize = 32;

/// What a studio knows of its settings besides those in force.
pub(crate) struct Configuration {
    /// The business keys that sources look for.
    pub(crate) keys: KeyNames,
    /// One edit at a time.
    editing: tokio::sync::Mutex<()>,
    versions: Mutex<VecDeque<(u32, Arc<Config>)>>,
}

impl Configuration {
    /// Starts with the settings a workspace was opened with.
    pub(crate) fn new(config: Arc<Config>) -> Configuration {
        Configuration {
            keys: KeyNames::new(&config.business_keys),
            editing: tokio::sync::Mutex::default(),
            versions: Mutex::new(VecDeque::from([(1, config)])),
        }
    }

    /// The number of the version in force.
    pub(crate) fn revision(&self) -> u32 {
        lock(&self.versions).back().map_or(0, |(revision, _)| *revision)
    }

    /// A version by its number, else the one in force.
    fn version(&self, revision: Option<u32>) -> Arc<Config> {
        let versions = lock(&self.versions);
        let asked = versions.iter().find(|(r, _)| Some(*r) == revision);
        asked.or(versions.back()).map(|(_, config)| config.clone()).unwrap_or_default()
    }

    fn put_in_force(&self, config: &Arc<Config>) {
        self.keys.set(&config.business_keys);
        let mut versions = lock(&self.versions);
        let revision = versions.back().map_or(0, |(revision, _)| *revision) + 1;
        versions.push_back((revision, config.clone()));
        if versions.len() > VERSIONS_KEPT {
            versions.pop_front();
        }
    }
}

impl Studio {
    /// How a source of this name is taken in: with the business keys of the settings, also those named later.
    pub(crate) fn normalise(&self, source: &str) -> flowglass_ingest::Options {
        flowglass_ingest::Options {
            business_keys: self.0.configuration.keys.clone(),
            ..flowglass_ingest::Options::named(source)
        }
    }

    /// Does a change, made on a version that a window shows, to what the settings file says now, and puts the result in force.
    pub(crate) async fn change_settings(&self, revision: Option<u32>, change: Change) -> Result<(), WorkspaceError> {
        let base = self.0.configuration.version(revision);
        self.edit_settings(move |document, now| change.apply(document, &base, now)).await
    }

    /// Changes the settings file in place and puts the result in force. The edit may be done more than once, each time on what
    /// the file says then.
    pub(crate) async fn edit_settings(
        &self,
        edit: impl Fn(&mut toml_edit::DocumentMut, &Config) + Send + 'static,
    ) -> Result<(), WorkspaceError> {
        let _one_at_a_time = self.0.configuration.editing.lock().await;
        let path = self.0.workspace.settings().path;
        let edited = tokio::task::spawn_blocking(move || {
            let (text, config) = settings::edit(&path, edit)?;
            Ok::<_, SettingsError>(Settings { path, text, config: Arc::new(config), problem: None })
        });
        let settings = match edited.await {
            Ok(settings) => settings?,
            Err(panic) => std::panic::resume_unwind(panic.into_panic()),
        };
        self.put_in_force(settings).await;
        Ok(())
    }

    /// Reads the settings file again if somebody changed it: a bad one leaves the last good version in force and says what is
    /// wrong with it. Returns whether anything changed.
    pub(crate) async fn reload_settings(&self) -> bool {
        let _one_at_a_time = self.0.configuration.editing.lock().await;
        let old = self.0.workspace.settings();
        let path = old.path.clone();
        let Ok(read) = tokio::task::spawn_blocking(move || settings::read(&path)).await else { return false };
        let new = match read {
            Ok(Some((text, _))) if text == old.text && old.problem.is_none() => return false,
            Ok(Some((text, config))) => {
                Settings { path: old.path.clone(), text, config: Arc::new(config), problem: None }
            }
            Ok(None) => return false,
            Err(error) if old.problem.as_deref() == Some(&error.to_string()) => return false,
            Err(error) => Settings { problem: Some(error.to_string()), ..old },
        };
        self.put_in_force(new).await;
        true
    }

    async fn put_in_force(&self, settings: Settings) {
        let good = settings.problem.is_none();
        if good {
            self.0.configuration.put_in_force(&settings.config);
            if settings.config.joins != self.0.workspace.settings().config.joins {
                self.tell(Control::Joins(settings.config.joins.clone())).await;
            }
            if settings.config.retention != self.0.workspace.settings().config.retention {
                self.tell(Control::Keep(settings.config.retention.clone())).await;
            }
        }
        self.0.workspace.set_settings(settings);
        if good {
            self.keep_settings_copy().await;
        }
        self.publish(Update::Settings {});
    }

    /// Keeps a copy of the settings in the workspace: what counts when the file cannot be read next time.
    pub(crate) async fn keep_settings_copy(&self) {
        let settings = self.0.workspace.settings();
        if settings.problem.is_some() {
            return;
        }
        if let Err(error) = self.note(META_CONFIG_COPY, settings.text).await {
            tracing::warn!(%error, "the workspace could not keep a copy of its settings");
        }
    }
}
