//! Shapes that several requests share.

use super::dto;

dto! {
    /// A time range `[since, until)`; null is open. Milliseconds since the epoch.
    #[derive(Default, Copy)]
    pub struct Range {
        /// First instant in the range.
        pub since_at: Option<f64>,
        /// First instant after the range.
        pub until_at: Option<f64>,
    }

    /// Where the nearest data outside a range lies.
    #[derive(Default, Copy)]
    pub struct Nearest {
        /// Last data before the range.
        pub before_at: Option<f64>,
        /// First data after the range.
        pub after_at: Option<f64>,
    }

    /// Counts and times over a range.
    #[derive(Default, Copy)]
    pub struct Figures {
        /// Occurrences.
        pub count: u64,
        /// Failed ones.
        pub errors: u64,
        /// Per second over the part of the range that has data; null where the range is unknown.
        pub rate: Option<f64>,
        /// Median.
        pub p50_ms: Option<f64>,
        /// 95th percentile.
        pub p95_ms: Option<f64>,
    }

    /// One bar of a timeline.
    #[derive(Copy)]
    pub struct Bucket {
        /// Its start.
        pub start_at: f64,
        /// Occurrences in it.
        pub count: u64,
        /// Failed ones.
        pub errors: u64,
        /// 95th percentile.
        pub p95_ms: Option<f64>,
    }

    /// A key and a value, shown as text. `redacted`: hidden by a rule, may be revealed; `removed`: a credential replaced at the door.
    pub struct Attribute {
        /// Name.
        pub key: String,
        /// Value as text (JSON for lists and maps).
        pub value: String,
        /// Hidden on display by a redaction rule; ask again with `reveal` to see it.
        pub redacted: bool,
        /// Replaced at the door; the value was never kept.
        pub removed: bool,
    }

    /// A business key.
    pub struct BusinessKey {
        /// `orderId`.
        pub name: String,
        /// `ORD-104482`.
        pub value: String,
    }

    /// What went wrong, for programs (`code`) and for people (`message`). The UI never matches on the message.
    pub struct ApiError {
        /// `not-found`, `bad-request`, `held`, `unavailable`, `read-only`, `internal`.
        pub code: String,
        /// A sentence with what to do.
        pub message: String,
    }

    /// No arguments, or nothing to answer.
    #[derive(Default, Copy)]
    pub struct Nothing {}
}

/// Milliseconds of an instant in nanoseconds.
pub fn to_ms(nanos: i64) -> f64 {
    nanos as f64 / 1e6
}

/// Nanoseconds of an instant in milliseconds.
pub fn to_nanos(ms: f64) -> i64 {
    (ms * 1e6) as i64
}
