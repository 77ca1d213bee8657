//! One subject, topic or queue in detail.

use super::{DestinationRow, EventRow, Range, dto};

dto! {
    /// Asks for a destination in detail.
    pub struct SubjectRequest {
        /// `SYSTEM/NAME`.
        pub id: String,
        /// Range.
        #[serde(default)]
        pub range: Range,
    }

    /// Somebody who publishes to it.
    pub struct PublisherRow {
        /// Node id.
        pub participant: String,
        /// Name.
        pub name: String,
        /// Publications in range.
        pub count: u64,
        /// Failed ones.
        pub errors: u64,
    }

    /// A type of event.
    pub struct TypeRow {
        /// CloudEvents type; empty when there is none.
        pub event_type: String,
        /// Messages looked at.
        pub count: u32,
        /// The last one.
        pub last_at: f64,
    }

    /// What a consumer has still to do, as the broker tells.
    pub struct BacklogRow {
        /// Consumer.
        pub name: String,
        /// Not delivered to it yet: its lag.
        pub pending: u64,
        /// Delivered and not acknowledged yet.
        pub unacknowledged: u64,
        /// Of these, delivered more than once.
        pub redelivered: u64,
        /// Requests for messages that wait (pull consumers).
        pub waiting: u64,
        /// Whether the broker pushes.
        pub push: bool,
        /// What people should know: nobody reads, deliveries used up soon.
        pub note: Option<String>,
    }

    /// The stream that keeps it, as the broker tells.
    pub struct SubjectStream {
        /// Name.
        pub name: String,
        /// Messages in it, all subjects together.
        pub messages: u64,
        /// `limits`, `interest`, `workqueue`.
        pub retention: String,
        /// Its consumers that read this subject; null when they may not be listed.
        pub consumers: Option<Vec<BacklogRow>>,
    }

    /// A field of its payloads.
    pub struct FieldRow {
        /// `lines[].sku`.
        pub path: String,
        /// `string`, `number`, …
        pub types: Vec<String>,
        /// Share of the JSON payloads that have it, 0 to 1.
        pub share: f64,
        /// First message that has it.
        pub first_at: f64,
        /// Last message that has it.
        pub last_at: f64,
    }

    /// Payloads of one shape.
    pub struct ShapeRow {
        /// First of them.
        pub first_at: f64,
        /// Last of them.
        pub last_at: f64,
        /// How many.
        pub count: u32,
        /// Fields the shape before has not.
        pub added: Vec<String>,
        /// Fields only the shape before has.
        pub removed: Vec<String>,
        /// Fields of another type than before.
        pub changed: Vec<String>,
    }

    /// A message in trouble, with the journey and failure behind it.
    pub struct TroubleRow {
        /// The message.
        pub event: EventRow,
        /// First failure of its journey, in one sentence.
        pub failure: Option<String>,
        /// What the dead letter itself says.
        pub reason: Option<String>,
    }

    /// A destination in detail.
    pub struct SubjectDetail {
        /// Its row.
        pub row: DestinationRow,
        /// Who publishes.
        pub publishers: Vec<PublisherRow>,
        /// Types of its messages.
        pub types: Vec<TypeRow>,
        /// Median payload, bytes.
        pub size_p50: Option<f64>,
        /// 95th percentile.
        pub size_p95: Option<f64>,
        /// Largest payload.
        pub size_max: Option<f64>,
        /// The last message.
        pub last: Option<EventRow>,
        /// The stream behind it, when a connection tells.
        pub stream: Option<SubjectStream>,
        /// Messages looked at for types, sizes and shape: the newest of the range.
        pub sampled: u32,
        /// Of these, JSON.
        pub json: u32,
        /// Fields of the payloads.
        pub fields: Vec<FieldRow>,
        /// Shapes of the payloads, oldest first.
        pub shapes: Vec<ShapeRow>,
        /// Dead letters, newest first, at most 100.
        pub dead: Vec<TroubleRow>,
        /// All dead letters.
        pub dead_total: u64,
        /// Messages that nobody was seen reading, newest first, at most 100.
        pub unread: Vec<TroubleRow>,
        /// All of these.
        pub unread_total: u64,
    }
}
