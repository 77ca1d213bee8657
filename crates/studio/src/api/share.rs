//! What leaves the workspace, and what people write about what they found.

use super::dto;

dto! {
    /// Asks for journeys as a file for others.
    pub struct JourneyExportRequest {
        /// Journeys, by the id of any trace in them.
        pub ids: Vec<String>,
        /// Ending of the form: `flowglass`, `html`, `md`, `json`, `mmd`, `csv`.
        pub format: String,
        /// Leave what redaction rules hide as it is stored.
        #[serde(default)]
        pub unredacted: bool,
    }

    /// The same moment elsewhere.
    pub struct MomentLink {
        /// `Grafana`.
        pub name: String,
        /// Web address.
        pub url: String,
    }

    /// Links of a journey, made from the templates of the settings.
    pub struct MomentLinks {
        /// In the order of the settings.
        pub links: Vec<MomentLink>,
    }

    /// What people wrote about a journey.
    pub struct NoteView {
        /// About what: `journey:ID`.
        pub about: String,
        /// What people call it in a list.
        pub title: String,
        /// The text; empty for a mere bookmark.
        pub text: String,
        /// Whether it is in the list of bookmarks.
        pub bookmarked: bool,
        /// When it was last changed.
        pub at: f64,
    }

    /// Notes and bookmarks, newest first.
    pub struct Notes {
        /// All of the workspace.
        pub notes: Vec<NoteView>,
    }

    /// Sets the note about something; one without text that is no bookmark goes.
    pub struct SetNoteRequest {
        /// About what: `journey:ID`.
        pub about: String,
        /// What to call it in a list.
        pub title: String,
        /// The text.
        pub text: String,
        /// Whether it is a bookmark.
        pub bookmarked: bool,
    }
}
