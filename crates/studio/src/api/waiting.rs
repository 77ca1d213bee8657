//! What waits for a consumer.

use super::{BusinessKey, dto};

dto! {
    /// Asks what waits now.
    #[derive(Default)]
    pub struct WaitingRequest {
        /// Only this journey (any trace id of it).
        #[serde(default)]
        pub journey: Option<String>,
        /// Rows wanted, at most 500; 0 means 100.
        #[serde(default)]
        pub limit: u32,
    }

    /// A message that a consumer has yet to handle.
    pub struct WaitingRow {
        /// Row of the event.
        pub event_row: i64,
        /// Event id.
        pub event_id: Option<String>,
        /// Journey it belongs to, where known.
        pub journey: Option<String>,
        /// Business keys of the message, what people ask for first in front.
        pub keys: Vec<BusinessKey>,
        /// Subject, topic or queue.
        pub destination: String,
        /// Stream it waits in.
        pub stream: String,
        /// Consumer (durable) it waits for.
        pub consumer: String,
        /// Node id of the service behind the consumer, where known.
        pub participant: Option<String>,
        /// Its name, else the consumer's.
        pub participant_name: String,
        /// Since when.
        pub since_at: f64,
        /// How long, up to `now_at`.
        pub waited_ms: f64,
        /// What such messages usually wait: 99th percentile of this consumer.
        pub usual_ms: Option<f64>,
        /// How much longer than usual it waits by now; negative when it is not overdue, null when nothing usual is known.
        pub overdue_ms: Option<f64>,
        /// Deliveries so far.
        pub delivered: u32,
        /// What the consumer said of the last one: `nak`, `progress`; null: nothing.
        pub said: Option<String>,
        /// At most so many messages are before it.
        pub before: u64,
        /// Messages per second the consumer took lately.
        pub pace: Option<f64>,
        /// How long until its turn at this pace.
        pub eta_ms: Option<f64>,
        /// When it is expected to be delivered again.
        pub redelivery_at: Option<f64>,
        /// All of that in one sentence.
        pub sentence: String,
    }

    /// What waits now.
    pub struct WaitingPage {
        /// Longest overdue first.
        pub rows: Vec<WaitingRow>,
        /// All of them; `rows` may be fewer.
        pub total: u64,
        /// The instant it is judged by: the clock, or the end of the data when nothing came for a day (a recording).
        pub now_at: f64,
    }
}
