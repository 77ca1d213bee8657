//! Two journeys side by side, and a journey as messages between participants.

use super::{JourneyRow, dto};

dto! {
    /// Asks for two journeys, aligned.
    pub struct CompareRequest {
        /// The one to compare with; without it a usual one that went well and began the same way.
        #[serde(default)]
        pub left: Option<String>,
        /// The one in question.
        pub right: String,
    }

    /// A step on one side.
    pub struct SideView {
        /// `uid` of the item in its journey.
        pub uid: String,
        /// Since the journey's start.
        pub offset_ms: f64,
        /// Duration.
        pub duration_ms: f64,
        /// What it took itself, children taken off.
        pub own_ms: f64,
        /// `ok`, `error`, `unset`.
        pub status: String,
        /// Short word: HTTP status, `timeout`, `nak`.
        pub badge: Option<String>,
    }

    /// A step of both, or of one of them.
    pub struct AlignedView {
        /// `same`, `slower`, `faster`, `failed`, `recovered`, `missing`, `added`.
        pub change: String,
        /// Depth in the tree.
        pub depth: u32,
        /// Node id of the participant.
        pub participant: String,
        /// Its name.
        pub participant_name: String,
        /// Its layer.
        pub layer: String,
        /// Operation or subject.
        pub name: String,
        /// `server`, `client`, `producer`, `consumer`, `internal`, `event`.
        pub role: String,
        /// In the journey to compare with.
        pub left: Option<SideView>,
        /// In the journey in question.
        pub right: Option<SideView>,
    }

    /// Steps that differ in one way.
    pub struct ChangeCount {
        /// As in [`AlignedView`].
        pub change: String,
        /// Steps.
        pub count: u32,
    }

    /// Two journeys, aligned.
    pub struct Comparison {
        /// The journey to compare with.
        pub left: JourneyRow,
        /// The journey in question.
        pub right: JourneyRow,
        /// How the first was chosen, in words, when it was not named.
        pub chosen: Option<String>,
        /// How many steps differ, in which way.
        pub changes: Vec<ChangeCount>,
        /// The differences that matter most, each a sentence.
        pub findings: Vec<String>,
        /// Steps: parents before children.
        pub rows: Vec<AlignedView>,
    }

    /// Asks for a journey as messages between participants.
    pub struct SequenceRequest {
        /// Journey or trace id.
        pub id: String,
    }

    /// A participant of the diagram.
    pub struct Lifeline {
        /// Node id.
        pub id: String,
        /// Name.
        pub name: String,
        /// Layer.
        pub layer: String,
        /// The card that stands for it on the map; null when it is on none.
        pub node: Option<String>,
    }

    /// A message between participants.
    pub struct SequenceStep {
        /// `call`, `reply`, `publish`, `deliver`, `local`.
        pub kind: String,
        /// Position of the lifeline it leaves; null where that was not received.
        pub from: Option<u32>,
        /// Position of the lifeline it reaches.
        pub to: u32,
        /// Since the journey's start.
        pub offset_ms: f64,
        /// How long the answer took, for calls and deliveries.
        pub duration_ms: f64,
        /// `uid` of the item.
        pub uid: String,
        /// Operation or subject.
        pub name: String,
        /// `ok`, `error`, `unset`.
        pub status: String,
        /// Short word: HTTP status, `timeout`, `nak`.
        pub badge: Option<String>,
        /// Delivery number.
        pub delivery: Option<u32>,
        /// Retry number.
        pub retry: Option<u32>,
        /// The interaction of the map that it took; null when there is none.
        pub edge: Option<String>,
    }

    /// A journey as messages between participants.
    pub struct SequenceView {
        /// Participants, core systems first as on the map.
        pub lifelines: Vec<Lifeline>,
        /// In the order in which they happened.
        pub steps: Vec<SequenceStep>,
    }
}
