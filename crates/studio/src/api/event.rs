//! Events, subjects, deliveries.

use super::{Attribute, Nearest, Range, dto};

dto! {
    /// Asks for publications, newest first.
    #[derive(Default)]
    pub struct EventsRequest {
        /// Range.
        pub range: Range,
        /// Filter expression.
        #[serde(default)]
        pub filter: Option<String>,
        /// Rows wanted, at most 1,000.
        pub limit: u32,
        /// Only rows below this one (older).
        pub before_row: Option<i64>,
        /// Only rows above this one (newer): the live tail.
        pub after_row: Option<i64>,
    }

    /// A publication in a list.
    pub struct EventRow {
        /// Row number, grows with arrival.
        pub row: i64,
        /// When published.
        pub at: f64,
        /// Broker technology.
        pub system: String,
        /// Subject, topic or queue.
        pub destination: String,
        /// CloudEvents type.
        pub event_type: Option<String>,
        /// Event id.
        pub event_id: Option<String>,
        /// CloudEvents source.
        pub source: Option<String>,
        /// Business key or CloudEvents subject.
        pub key: Option<String>,
        /// Stream.
        pub stream: Option<String>,
        /// Sequence.
        pub sequence: Option<u64>,
        /// Payload bytes.
        pub size: u64,
        /// Publications of the same event.
        pub occurrences: u32,
        /// Deliveries seen.
        pub deliveries: u32,
        /// `acked 2/3`, `nak #1`, `redelivered`, `dead-lettered`, `no consumer`, `published`.
        pub outcome: String,
        /// `ok`, `warn`, `error`, `neutral`.
        pub outcome_level: String,
        /// Journey it belongs to.
        pub journey: Option<String>,
    }

    /// Publications.
    pub struct EventsPage {
        /// Newest first.
        pub rows: Vec<EventRow>,
        /// All that match.
        pub total: u64,
        /// Newest row in the workspace, to tail from.
        pub newest_row: i64,
        /// Where looking stopped because it would have taken too long: older events may match. To go on, ask with a range that
        /// ends here.
        pub stopped_at: Option<f64>,
        /// Where data is, when there is none.
        pub nearest: Nearest,
    }

    /// Asks for one publication.
    pub struct EventRequest {
        /// Row.
        pub row: i64,
        /// Field names to show although a rule hides them.
        pub reveal: Vec<String>,
    }

    /// One delivery.
    pub struct DeliveryView {
        /// Consumer or group; service where spans tell.
        pub consumer: String,
        /// Node id of the service, where known.
        pub participant: Option<String>,
        /// Delivery number, from 1.
        pub delivered: u32,
        /// When.
        pub at: f64,
        /// `ack`, `nak`, `term`, `progress`, `processed`, `failed`, or null while open.
        pub outcome: Option<String>,
        /// From delivery to acknowledgement, or processing time.
        pub duration_ms: Option<f64>,
        /// `broker` (seen on the wire) or `span`.
        pub evidence: String,
    }

    /// A publication in full.
    pub struct EventView {
        /// Its row.
        pub row: EventRow,
        /// CloudEvents attributes and identity.
        pub attributes: Vec<Attribute>,
        /// Headers as received.
        pub headers: Vec<Attribute>,
        /// Payload as text (pretty-printed when JSON), rules applied; null when it is binary or was not kept.
        pub payload: Option<String>,
        /// Media type.
        pub content_type: Option<String>,
        /// Payload in hex, first 4 KiB, when it is binary.
        pub payload_hex: Option<String>,
        /// What the payload was read as (`shop.OrderPlaced`), or why it could not be, for protobuf.
        pub payload_note: Option<String>,
        /// Fields hidden by rules.
        pub redacted_fields: Vec<String>,
        /// Credentials replaced at the door.
        pub removed: u32,
        /// Deliveries, oldest first.
        pub deliveries: Vec<DeliveryView>,
        /// Times of further publications of the same event.
        pub other_occurrences: Vec<f64>,
        /// Broker notices about it, in words.
        pub notices: Vec<String>,
        /// Trace of the last hop.
        pub trace_id: Option<String>,
    }

    /// A consumer of a destination.
    pub struct ConsumerRow {
        /// Consumer or group.
        pub name: String,
        /// Node id of the service, where known.
        pub participant: Option<String>,
        /// Deliveries.
        pub deliveries: u64,
        /// Of which redeliveries.
        pub redeliveries: u64,
        /// Negative acknowledgements.
        pub naks: u64,
        /// Median processing time.
        pub p50_ms: Option<f64>,
        /// 95th percentile.
        pub p95_ms: Option<f64>,
    }

    /// A destination.
    pub struct DestinationRow {
        /// `SYSTEM/NAME`.
        pub id: String,
        /// Topic's node id on the map.
        pub node: String,
        /// Technology.
        pub system: String,
        /// Name.
        pub name: String,
        /// Stream it is stored in.
        pub stream: Option<String>,
        /// Publications in range.
        pub publications: u64,
        /// Per second.
        pub rate: Option<f64>,
        /// Consumers.
        pub consumers: Vec<ConsumerRow>,
        /// Redeliveries.
        pub redeliveries: u64,
        /// Dead-lettered messages from it.
        pub dead_lettered: u64,
        /// Looks like a dead-letter destination.
        pub is_dead_letter: bool,
        /// Only seen through spans: payloads are not available.
        pub spans_only: bool,
        /// Publications over the range, 24 buckets.
        pub spark: Vec<f64>,
        /// Last publication.
        pub last_at: Option<f64>,
    }

    /// Asks for destinations.
    #[derive(Default)]
    pub struct DestinationsRequest {
        /// Range.
        pub range: Range,
    }

    /// Destinations of a range.
    pub struct Destinations {
        /// By stream, then name.
        pub rows: Vec<DestinationRow>,
        /// Broker technologies seen only through spans.
        pub spans_only_systems: Vec<String>,
        /// Events per second, newest minute.
        pub rate: Option<f64>,
        /// Where the nearest messaging lies, when there is none in the range.
        pub nearest: Nearest,
    }
}
