//! Settings: what the file says, and editing it from the window.

use super::dto;

dto! {
    /// Layer of a participant, by hand.
    pub struct LayerRule {
        /// Node id or name.
        pub match_name: String,
        /// `backend`, `system`, `event`, `process`, `experience`, `consumer`.
        pub layer: String,
    }

    /// Layer by name pattern.
    pub struct PatternView {
        /// Pattern.
        pub pattern: String,
        /// Layer.
        pub layer: String,
    }

    /// A domain rule.
    pub struct DomainRule {
        /// Node id or name; `*` at the end matches any rest.
        pub match_name: String,
        /// Domain.
        pub domain: String,
    }

    /// Two names of one participant.
    pub struct AliasRule {
        /// As seen.
        pub from: String,
        /// As shown.
        pub to: String,
    }

    /// Who runs a participant.
    pub struct OwnerRule {
        /// Node id or name; `*` at the end matches any rest.
        pub match_name: String,
        /// Team or person.
        pub owner: String,
        /// How to reach them.
        pub contact: Option<String>,
        /// What to do when it fails.
        pub runbook: Option<String>,
    }

    /// A noise pattern in use.
    pub struct NoiseRule {
        /// Pattern.
        pub pattern: String,
        /// Requests it folds, of all that are kept; what several fold counts for the first.
        pub requests: u64,
    }

    /// Settings as the window edits them.
    pub struct SettingsView {
        /// Number of this version; goes with every change.
        pub revision: u32,
        /// The TOML file.
        pub path: String,
        /// Whether it is there; if not, the first change makes it.
        pub exists: bool,
        /// Its text.
        pub text: String,
        /// Why it cannot be read (the last good version is in use).
        pub problem: Option<String>,
        /// Layers set by hand.
        pub layers: Vec<LayerRule>,
        /// Patterns in use (from the file, or the built-in ones).
        pub patterns: Vec<PatternView>,
        /// Whether the patterns are the built-in ones.
        pub patterns_built_in: bool,
        /// Domains.
        pub domains: Vec<DomainRule>,
        /// Aliases.
        pub aliases: Vec<AliasRule>,
        /// Owners.
        pub owners: Vec<OwnerRule>,
        /// Business keys named in the file.
        pub business_keys: Vec<String>,
        /// Business keys that are always looked for.
        pub built_in_keys: Vec<String>,
        /// Noise patterns in use, with what they fold.
        pub noise: Vec<NoiseRule>,
        /// Whether the noise patterns are the built-in ones.
        pub noise_built_in: bool,
        /// The built-in ones.
        pub default_noise: Vec<String>,
        /// Names of fields hidden on display.
        pub redaction: Vec<String>,
        /// Whether these are the built-in ones.
        pub redaction_built_in: bool,
        /// Links to the same moment elsewhere.
        pub links: Vec<LinkRule>,
        /// How protobuf payloads are read.
        pub protobuf: Vec<ProtobufView>,
        /// Jaeger and Tempo.
        pub trace_stores: Vec<TraceStoreRule>,
        /// What was decided about joins.
        pub joins: Vec<super::JoinDecision>,
        /// What is kept.
        pub retention: super::RetentionRule,
    }

    /// A link to the same moment elsewhere.
    pub struct LinkRule {
        /// What people call it.
        pub name: String,
        /// Web address with `{trace}`, `{service}`, `{key}`, `{from}`, `{to}` and their like.
        pub url: String,
    }

    /// How protobuf payloads of some subjects are read.
    pub struct ProtobufView {
        /// Subjects, as NATS matches them.
        pub subject: String,
        /// Full name of the message.
        pub message: String,
        /// File of the descriptor set, from the folder of the settings file.
        pub descriptors: String,
        /// Why it cannot be used.
        #[serde(default)]
        pub problem: Option<String>,
    }

    /// Where traces can be asked for.
    pub struct TraceStoreRule {
        /// What people call it.
        pub name: String,
        /// Address of its query API.
        pub url: String,
        /// `jaeger` or `tempo`.
        pub kind: String,
    }

    /// Sets or clears the layer of a participant.
    pub struct SetLayerRequest {
        /// Node id.
        pub id: String,
        /// Layer; null goes back to declared, name or place.
        pub layer: Option<String>,
    }

    /// Changes what is said of some participants; absent parts stay, `""` clears.
    pub struct SetParticipantsRequest {
        /// Node ids.
        pub ids: Vec<String>,
        /// Layer.
        pub layer: Option<String>,
        /// Domain.
        pub domain: Option<String>,
        /// Owner.
        pub owner: Option<String>,
    }

    /// Replaces lists of the settings; absent lists stay. Only what differs from the version shown is changed in the file: rules
    /// that somebody else wrote meanwhile stay.
    #[derive(Default)]
    #[serde(default)]
    pub struct EditSettingsRequest {
        /// The version the lists were made from.
        #[ts(optional)]
        pub revision: Option<u32>,
        /// Layers set by hand.
        #[ts(optional)]
        pub layers: Option<Vec<LayerRule>>,
        /// Layers by name; an empty list brings the built-in ones back.
        #[ts(optional)]
        pub patterns: Option<Vec<PatternView>>,
        /// Domains.
        #[ts(optional)]
        pub domains: Option<Vec<DomainRule>>,
        /// Aliases.
        #[ts(optional)]
        pub aliases: Option<Vec<AliasRule>>,
        /// Owners.
        #[ts(optional)]
        pub owners: Option<Vec<OwnerRule>>,
        /// Names of fields that carry business keys, besides the built-in ones.
        #[ts(optional)]
        pub business_keys: Option<Vec<String>>,
        /// Operations that are noise, as patterns with `*`; an empty list means that nothing is.
        #[ts(optional)]
        pub noise: Option<Vec<String>>,
        /// Names of fields hidden on display; an empty list brings the built-in ones back.
        #[ts(optional)]
        pub redaction: Option<Vec<String>>,
        /// Links to the same moment elsewhere.
        #[ts(optional)]
        pub links: Option<Vec<LinkRule>>,
        /// How protobuf payloads are read.
        #[ts(optional)]
        pub protobuf: Option<Vec<ProtobufView>>,
        /// Jaeger and Tempo.
        #[ts(optional)]
        pub trace_stores: Option<Vec<TraceStoreRule>>,
        /// What is kept.
        #[ts(optional)]
        pub retention: Option<super::RetentionRule>,
    }

    /// Asks what rules mean for what was seen so far.
    pub struct RuleMatchesRequest {
        /// What the patterns are: `participant` (names, `*` at the end), `layer` (layer patterns), `noise`.
        pub kind: String,
        /// Patterns.
        pub patterns: Vec<String>,
    }

    /// What a rule means now.
    pub struct RuleMatch {
        /// Its pattern.
        pub pattern: String,
        /// Participants, or operations for noise.
        pub count: u32,
        /// Their names, the first few.
        pub names: Vec<String>,
        /// Requests of these operations (noise only).
        pub requests: u64,
    }

    /// What rules mean, in the order asked.
    pub struct RuleMatches {
        /// One per pattern.
        pub matches: Vec<RuleMatch>,
    }
}
