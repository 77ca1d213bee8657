//! CloudEvents 1.0 in binary and structured mode, for NATS messages and HTTP requests alike
//! (in both, binary mode puts the attributes into `ce-` headers).

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value, json};

use crate::landscape::Mode;
use crate::telemetry::Carrier;

/// An event with its context attributes.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// `id`.
    pub id: String,
    /// `source`.
    pub source: String,
    /// `type`.
    pub event_type: String,
    /// `subject`: the business object it is about.
    pub subject: String,
    /// `time`, RFC 3339.
    pub time: String,
    /// `correlationid`: the same through all events one cause has.
    pub correlation: String,
    /// `causationid`: the event that caused this one.
    pub causation: Option<String>,
    /// The payload.
    pub data: Value,
}

/// A message as it travels.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// Headers in the order they are written.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Event {
    /// The message that carries the event, with the trace context of its sender.
    #[must_use]
    pub fn encode(&self, mode: Mode, trace: &Carrier, request_id: &str) -> Message {
        let mut headers: Vec<(String, String)> = ["traceparent", "tracestate"]
            .into_iter()
            .filter_map(|name| Some((name.to_owned(), trace.get(name).filter(|value| !value.is_empty())?.clone())))
            .collect();
        headers.push(("X-Request-Id".to_owned(), request_id.to_owned()));
        match mode {
            Mode::Binary => {
                headers.push(("Content-Type".to_owned(), "application/json".to_owned()));
                headers.extend(self.attributes().into_iter().map(|(name, value)| (format!("ce-{name}"), value)));
                Message { headers, body: self.data.to_string().into_bytes() }
            }
            Mode::Structured => {
                let kind = "application/cloudevents+json; charset=utf-8";
                headers.push(("Content-Type".to_owned(), kind.to_owned()));
                let mut document: Map<String, Value> =
                    self.attributes().into_iter().map(|(name, value)| (name.to_owned(), json!(value))).collect();
                document.insert("datacontenttype".to_owned(), json!("application/json"));
                document.insert("data".to_owned(), self.data.clone());
                Message { headers, body: Value::Object(document).to_string().into_bytes() }
            }
        }
    }

    fn attributes(&self) -> Vec<(&'static str, String)> {
        let mut all = vec![
            ("specversion", "1.0".to_owned()),
            ("id", self.id.clone()),
            ("source", self.source.clone()),
            ("type", self.event_type.clone()),
            ("subject", self.subject.clone()),
            ("time", self.time.clone()),
            ("correlationid", self.correlation.clone()),
        ];
        all.extend(self.causation.clone().map(|id| ("causationid", id)));
        all
    }
}

impl Message {
    /// A header's value, by name without regard to case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The event in the message; none if it is not a CloudEvent.
    #[must_use]
    pub fn decode(&self) -> Option<Event> {
        let body: Value = serde_json::from_slice(&self.body).ok()?;
        let structured = self.header("content-type").is_some_and(|kind| kind.starts_with("application/cloudevents"));
        let read = |name: &str| -> Option<String> {
            if structured {
                body[name].as_str().map(str::to_owned)
            } else {
                self.header(&format!("ce-{name}")).map(str::to_owned)
            }
        };
        Some(Event {
            id: read("id")?,
            source: read("source")?,
            event_type: read("type")?,
            subject: read("subject").unwrap_or_default(),
            time: read("time").unwrap_or_default(),
            correlation: read("correlationid").unwrap_or_default(),
            causation: read("causationid"),
            data: if structured { body["data"].clone() } else { body },
        })
    }

    /// The trace context headers.
    #[must_use]
    pub fn trace(&self) -> Carrier {
        ["traceparent", "tracestate"]
            .into_iter()
            .filter_map(|name| Some((name.to_owned(), self.header(name)?.to_owned())))
            .collect()
    }
}

/// Year, month, day in UTC (Howard Hinnant's days-to-civil algorithm, for dates from 1970 on).
fn civil(days: u64) -> (u64, u64, u64) {
    let z = days + 719_468;
    let era = z / 146_097;
    let day_of_era = z % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year_of_era + era * 400 + u64::from(month <= 2), month, day_of_year - (153 * shifted + 2) / 5 + 1)
}

/// `time` as RFC 3339 in UTC with milliseconds.
#[must_use]
pub fn rfc3339(time: SystemTime) -> String {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    let (year, month, day) = civil(since.as_secs() / 86_400);
    let second = since.as_secs() % 86_400;
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{:03}Z",
        second / 3_600,
        second / 60 % 60,
        second % 60,
        since.subsec_millis()
    )
}

/// `time` as the ERP writes dates: day/month/year, which is not RFC 3339.
#[must_use]
pub fn erp_date(time: SystemTime) -> String {
    let days = time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs() / 86_400;
    let (year, month, day) = civil(days);
    format!("{day:02}/{month:02}/{year:04}")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn event() -> Event {
        Event {
            id: "e-1".into(),
            source: "/retail/order-prc-api".into(),
            event_type: "com.retail.order.placed.v1".into(),
            subject: "ORD-1".into(),
            time: "2026-01-01T00:00:00.000Z".into(),
            correlation: "ORD-1".into(),
            causation: Some("e-0".into()),
            data: json!({"orderId": "ORD-1", "amount": 12.5}),
        }
    }

    #[test]
    fn an_event_survives_both_modes() {
        let trace = Carrier::from([("traceparent".to_owned(), "00-aa-bb-01".to_owned())]);
        for mode in [Mode::Binary, Mode::Structured] {
            let message = event().encode(mode, &trace, "req-1");
            assert_eq!(message.decode(), Some(event()), "{mode:?}");
            assert_eq!(message.trace(), trace);
            assert_eq!(message.header("x-request-id"), Some("req-1"));
            assert_eq!(message.header("ce-id").is_some(), mode == Mode::Binary);
        }
    }

    #[test]
    fn dates_are_right() {
        let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
        assert_eq!(rfc3339(at(0)), "1970-01-01T00:00:00.000Z");
        assert_eq!(rfc3339(at(951_827_696)), "2000-02-29T12:34:56.000Z");
        assert_eq!(rfc3339(at(1_772_323_199)), "2026-02-28T23:59:59.000Z");
        assert_eq!(erp_date(at(1_772_323_200)), "01/03/2026");
    }
}
