//! What to make of a run of a scenario: the verdict, and what it hangs on.

use super::dto;

dto! {
    /// What a verdict hangs on.
    pub struct StudyView {
        /// Styles compared aspect by aspect, with the figures of this scenario.
        pub comparison: Vec<ComparisonView>,
        /// Where it would turn over, in sentences.
        pub break_evens: Vec<BreakEvenView>,
        /// What the difference between two variants hangs on.
        pub tornado: Option<TornadoView>,
        /// Mixtures of which none is worse than another in everything; the recommended one first.
        pub mixtures: Vec<MixtureView>,
        /// How the mixtures were looked for, in a sentence.
        pub searched: String,
        /// Questions whose answers could change the verdict, most telling first.
        pub questions: Vec<QuestionView>,
    }

    /// A row of the comparison.
    pub struct ComparisonView {
        /// Communication, coupling, …
        pub aspect: String,
        /// What is measured of it.
        pub measure: String,
        /// What is said of API-led connectivity in general.
        pub api_led: String,
        /// What is said of event-driven connectivity in general.
        pub event_driven: String,
        /// This scenario's variants.
        pub cells: Vec<CellView>,
    }

    /// A variant in a row of the comparison.
    pub struct CellView {
        /// The variant.
        pub variant: String,
        /// As people read it.
        pub text: String,
    }

    /// Where something turns over.
    pub struct BreakEvenView {
        /// The input: `load`.
        pub label: String,
        /// Unit of the values.
        pub unit: String,
        /// Its value today.
        pub today: f64,
        /// It turns over between this value …
        pub low: f64,
        /// … and this one.
        pub high: f64,
        /// All of it in a sentence.
        pub sentence: String,
    }

    /// Differences between two variants, and the inputs they hang on. Differences are second less first.
    pub struct TornadoView {
        /// One variant.
        pub a: String,
        /// The other.
        pub b: String,
        /// As things are.
        pub now: VariantGap,
        /// Those first that turn the comparison over, then by how much they move it.
        pub bars: Vec<TornadoBar>,
    }

    /// What lies between two variants.
    #[derive(Copy)]
    pub struct VariantGap {
        /// Of the 95th percentile of the response time, milliseconds.
        pub response_ms: Option<f64>,
        /// Of the 95th percentile of the settled time, milliseconds.
        pub settled_ms: Option<f64>,
        /// Of the share that succeeds entirely.
        pub success: Option<f64>,
    }

    /// An input moved by a fifth.
    pub struct TornadoBar {
        /// In words.
        pub label: String,
        /// Its value today.
        pub today: String,
        /// The lower value.
        pub low_value: String,
        /// The difference there.
        pub low: VariantGap,
        /// The higher value.
        pub high_value: String,
        /// The difference there.
        pub high: VariantGap,
        /// Whether another variant does better at one of the two.
        pub flips: bool,
    }

    /// A mixture of calls and events.
    pub struct MixtureView {
        /// The variant of the file that is this one; null where none is.
        pub variant: Option<String>,
        /// Steps that are events.
        pub events: Vec<String>,
        /// 95th percentile of the response time, milliseconds; null without an end.
        pub response_ms: Option<f64>,
        /// 95th percentile of the settled time, milliseconds; null without an end.
        pub settled_ms: Option<f64>,
        /// Share answered well of which everything was done.
        pub success: f64,
        /// Load at which the first participant is full, per second.
        pub peak: Option<f64>,
        /// Channels and consumers to run.
        pub parts: u32,
        /// Whether it is the recommended one.
        pub recommended: bool,
    }

    /// A question whose answer could change the verdict.
    pub struct QuestionView {
        /// Step it is about; null is the whole scenario.
        pub step: Option<String>,
        /// Key of the file that the answer goes to, or a criterion's code.
        pub about: String,
        /// In plain words.
        pub text: String,
        /// What could be answered.
        pub answers: Vec<AnswerView>,
    }

    /// A possible answer.
    pub struct AnswerView {
        /// In plain words.
        pub text: String,
        /// What the file would say; null where the file has no place for it.
        pub value: Option<String>,
    }

    /// A judgement. It never comes without strength, reason for and reason against.
    pub struct VerdictView {
        /// `api-led`, `event-driven`, `hybrid`.
        pub style: String,
        /// In a few words: `Event-driven, pay stays a call`.
        pub title: String,
        /// What to do, in a sentence.
        pub sentence: String,
        /// Variant of the file that does it; null where none does.
        pub variant: Option<String>,
        /// Step to channel: these should be events.
        pub events: std::collections::BTreeMap<String, String>,
        /// 1 to 5.
        pub strength: u32,
        /// `Strong`, `Fair`, `Weak`.
        pub strength_word: String,
        /// What the strength rests on, in a sentence.
        pub strength_because: String,
        /// How well the scenario predicts; null where nobody has tried.
        pub validation: Option<ValidationView>,
        /// Reasons for it, most telling first.
        pub reasons: Vec<ArgumentView>,
        /// Reasons against it, most telling first.
        pub doubts: Vec<ArgumentView>,
        /// Step by step.
        pub interactions: Vec<InteractionView>,
    }

    /// How well a scenario predicted what it was not made from.
    pub struct ValidationView {
        /// `A` to `D`, the best first.
        pub grade: String,
        /// What it means, in a few words.
        pub word: String,
        /// What it rests on, in a sentence.
        pub why: String,
    }

    /// A reason.
    pub struct ArgumentView {
        /// `good`, `fact` or `doubt`.
        pub tone: String,
        /// In a few words.
        pub text: String,
        /// The figures behind it.
        pub evidence: Option<String>,
    }

    /// A step judged.
    pub struct InteractionView {
        /// Step.
        pub step: String,
        /// `api-led` or `event-driven`.
        pub style: String,
        /// Rules that decide alone.
        pub gates: Vec<CriterionView>,
        /// Weighed criteria.
        pub criteria: Vec<CriterionView>,
        /// Sum of the points; above 0 speaks for an event.
        pub score: f64,
        /// What an event needs to be safe here.
        pub conditions: Vec<String>,
        /// Why its requirements contradict each other.
        pub contradiction: Option<String>,
        /// The way around what decided.
        pub escape: Option<String>,
        /// Known criteria as a share of all.
        pub coverage: f64,
        /// `strong`, `fair`, `weak`.
        pub evidence: String,
        /// Inputs whose small change would flip it.
        pub fragile: Vec<String>,
        /// What to find out, most telling first.
        pub unknown: Vec<String>,
    }

    /// A criterion in words.
    pub struct CriterionView {
        /// `G3`, `W14`; never shown alone.
        pub code: String,
        /// What it is about.
        pub label: String,
        /// The figures behind it.
        pub text: String,
        /// −2 to +2; above 0 speaks for an event. Of a rule that decides alone: the sign only.
        pub points: f64,
    }
}
