//! Publishing dead letters again.

use super::{Attribute, dto};

dto! {
    /// Asks what would be published for dead letters. Nothing is sent.
    pub struct RedrivePlanRequest {
        /// Rows of events.
        pub rows: Vec<i64>,
        /// Connection; null lets the workspace choose the one that knows the stream.
        pub connection: Option<String>,
        /// Subjects given by hand, by row.
        #[serde(default)]
        pub subjects: Vec<RowSubject>,
    }

    /// A subject for a row.
    pub struct RowSubject {
        /// Row of the event.
        pub row: i64,
        /// Where to publish it.
        pub subject: String,
    }

    /// A connection that messages could be published over.
    pub struct RedriveConnection {
        /// Identity.
        pub id: String,
        /// Address.
        pub url: String,
        /// Nothing may be published over it.
        pub read_only: bool,
    }

    /// One message, exactly as it would be sent.
    pub struct RedriveMessage {
        /// Row of the dead letter.
        pub row: i64,
        /// Where it is from: `DLQ 17`, or the event id.
        pub from: String,
        /// Subject; empty when it has to be given.
        pub subject: String,
        /// Stream that takes the subject; null when none does.
        pub stream: Option<String>,
        /// What is sent: the original as its stream keeps it, as stored here, or what the dead letter holds.
        pub what: String,
        /// Headers, in order; hidden values masked here only.
        pub headers: Vec<Attribute>,
        /// Payload as text; hidden values masked here only.
        pub payload: Option<String>,
        /// Payload in hex, first 4 KiB, when it is binary.
        pub payload_hex: Option<String>,
        /// Payload bytes.
        pub bytes: u64,
        /// Why it cannot be sent.
        pub problem: Option<String>,
        /// It was sent before: when.
        pub sent_at: Option<f64>,
    }

    /// What would be sent where.
    pub struct RedrivePlan {
        /// Connections there are.
        pub connections: Vec<RedriveConnection>,
        /// The one chosen.
        pub connection: String,
        /// Messages, in the order in which they go out.
        pub messages: Vec<RedriveMessage>,
        /// Says that this was shown: the same text must come with [`RedriveRequest`].
        pub fingerprint: String,
    }

    /// Publishes what a plan showed.
    pub struct RedriveRequest {
        /// Rows of events.
        pub rows: Vec<i64>,
        /// Connection of the plan.
        pub connection: String,
        /// Subjects given by hand, by row.
        #[serde(default)]
        pub subjects: Vec<RowSubject>,
        /// Fingerprint of the plan.
        pub fingerprint: String,
    }

    /// A message that was published again.
    pub struct RedriveView {
        /// When.
        pub at: f64,
        /// Over which connection.
        pub connection: String,
        /// The dead letter.
        pub from: String,
        /// Where to.
        pub subject: String,
        /// Payload bytes.
        pub bytes: u64,
        /// In words.
        pub outcome: String,
        /// Whether it went out.
        pub sent: bool,
    }

    /// What was published again, newest first.
    pub struct Redrives {
        /// All that the workspace remembers.
        pub rows: Vec<RedriveView>,
    }

    /// Allows or forbids publishing over a connection.
    pub struct NatsWritableRequest {
        /// Connection.
        pub id: String,
        /// Whether messages may be published.
        pub writable: bool,
    }

    /// Asks for an event in a form to send it again.
    pub struct EventCopyRequest {
        /// Row.
        pub row: i64,
        /// `nats`, `curl`, `cloudevent`.
        pub form: String,
        /// Leave what redaction rules hide as it is stored.
        #[serde(default)]
        pub unredacted: bool,
    }

    /// A text to copy.
    pub struct CopyText {
        /// The text.
        pub text: String,
        /// What people should know: values hidden, payload incomplete.
        pub note: Option<String>,
    }
}
