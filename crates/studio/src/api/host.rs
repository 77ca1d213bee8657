//! The host: workspaces, preferences, diagnostics, about.

use super::dto;

dto! {
    /// A workspace file.
    pub struct WorkspaceEntry {
        /// File.
        pub path: String,
        /// Short name.
        pub name: String,
        /// Size on disk; null when it is not there any more.
        pub bytes: Option<u64>,
        /// Last change of the file.
        pub changed_at: Option<f64>,
        /// First data, where known without opening it.
        pub oldest_at: Option<f64>,
        /// Last data, where known without opening it.
        pub newest_at: Option<f64>,
        /// Whether it is the one shown.
        pub current: bool,
    }

    /// Workspaces.
    pub struct Workspaces {
        /// Most recently used first.
        pub recent: Vec<WorkspaceEntry>,
        /// Where new ones go.
        pub folder: String,
    }

    /// A view of the open workspace.
    pub struct LastView {
        /// Its address, `#/journeys?range=15m`; null when none was ever shown.
        pub hash: Option<String>,
    }

    /// Opens another workspace in place of this one.
    pub struct OpenWorkspaceRequest {
        /// File; a plain name means one in the default folder.
        pub path: String,
        /// Make it; it must not be there yet. False: it must be there.
        pub create: bool,
    }

    /// Keeps a workspace or case file that was handed over beside the others, and opens it in place of this one.
    pub struct OpenCaseRequest {
        /// Name of the file.
        pub name: String,
        /// Contents, base64.
        pub base64: String,
    }

    /// Takes a workspace off the list of recent ones; the file stays.
    pub struct ForgetWorkspaceRequest {
        /// File.
        pub path: String,
    }

    /// What the program does for its user, kept for all workspaces.
    #[derive(Copy)]
    pub struct Preferences {
        /// Say when a new kind of failure or a dead letter appears.
        pub notify: bool,
        /// When the window is closed: null asks while data arrives (and else ends), true goes on in the tray, false ends.
        pub keep_receiving: Option<bool>,
    }

    /// Asks for the file for bug reports.
    pub struct DiagnosticsRequest {
        /// Screen, browser and drawing figures in words, as the window knows them; goes into the file as it is, without secrets.
        pub screen: Option<String>,
    }

    /// A file for people to save.
    pub struct FileContents {
        /// Suggested name.
        pub name: String,
        /// Media type.
        pub media_type: String,
        /// Contents, base64.
        pub base64: String,
    }

    /// A part of the program.
    pub struct Component {
        /// Package.
        pub name: String,
        /// Version.
        pub version: String,
        /// Licence, SPDX.
        pub licence: String,
        /// `rust` or `javascript`.
        pub kind: String,
    }

    /// Versions and licences.
    pub struct About {
        /// Product version.
        pub version: String,
        /// Version of SQLite.
        pub sqlite: String,
        /// Its own licence, SPDX.
        pub licence: String,
        /// What it is made of.
        pub components: Vec<Component>,
    }

    /// Asks for a picture or text of the map.
    pub struct MapExportRequest {
        /// `svg` or `mermaid`.
        pub format: String,
        /// `dark` or `light`.
        pub theme: String,
        /// Time range.
        pub range: super::Range,
        /// Only this environment.
        pub environment: Option<String>,
        /// Heading; empty takes the workspace's name.
        pub title: String,
        /// Only these participants; empty is all.
        pub nodes: Vec<String>,
        /// Time range in words, as the window shows it.
        pub range_words: String,
        /// Domains folded, as in [`TopologyRequest`](super::TopologyRequest).
        #[serde(default)]
        pub folded: Option<Vec<String>>,
        /// Participants that are not folded away all the same.
        #[serde(default)]
        pub keep: Vec<String>,
    }

    /// Something new went wrong.
    pub struct Alert {
        /// Unique in this run.
        pub id: u32,
        /// `failure` or `dead-letter`.
        pub kind: String,
        /// When.
        pub at: f64,
        /// `New kind of failure in payments-sys-api`; several at once in words.
        pub title: String,
        /// The failure in a sentence, where known.
        pub detail: Option<String>,
        /// Journey to open.
        pub journey: Option<String>,
        /// Event to open.
        pub event_row: Option<i64>,
    }
}
