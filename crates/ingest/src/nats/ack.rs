//! Acknowledgement subjects and what consumers say on them.

use flowglass_model::{Acknowledgement, Delivery, DeliveryKey, Nanos, Settlement};

/// What the reply subject of a delivery says.
///
/// `$JS.ACK.<stream>.<consumer>.<delivered>.<stream seq>.<consumer seq>.<time>.<pending>` (9 tokens), or with domain and
/// account hash behind `ACK` (11 or more, NATS ADR-15).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AckSubject {
    /// Identity of the delivery.
    pub key: DeliveryKey,
    /// Which delivery of the message, from 1.
    pub delivered: u32,
    /// Sequence in the stream.
    pub stream_sequence: u64,
    /// When the stream stored the message.
    pub stored: Nanos,
}

impl AckSubject {
    /// Reads a subject; `None` when it is no acknowledgement subject.
    pub fn parse(subject: &str) -> Option<AckSubject> {
        let rest = subject.strip_prefix("$JS.ACK.")?;
        let tokens: Vec<&str> = rest.split('.').collect();
        let tokens = match tokens.len() {
            7 => &tokens[..],
            9.. => &tokens[2..9],
            _ => return None,
        };
        let number = |i: usize| tokens[i].parse::<u64>().ok();
        Some(AckSubject {
            key: DeliveryKey {
                stream: tokens[0].to_owned(),
                consumer: tokens[1].to_owned(),
                consumer_sequence: number(4)?,
            },
            delivered: u32::try_from(number(2)?).unwrap_or(u32::MAX),
            stream_sequence: number(3)?,
            stored: tokens[5].parse().ok()?,
        })
    }

    /// The delivery it marks.
    pub fn delivery(self, destination: Option<String>, time: Nanos, event_id: Option<String>) -> Delivery {
        Delivery {
            system: "nats".to_owned(),
            key: self.key,
            destination,
            stream_sequence: self.stream_sequence,
            delivered: self.delivered,
            time,
            event_id,
        }
    }

    /// The acknowledgement it carries.
    pub fn settlement(self, acknowledgement: Acknowledgement, time: Nanos) -> Settlement {
        Settlement {
            key: self.key,
            stream_sequence: self.stream_sequence,
            delivered: self.delivered,
            time,
            acknowledgement,
        }
    }
}

/// What the payload of an acknowledgement says; `None` when it is none that the server knows. `+NXT` acknowledges and asks for
/// the next message.
pub fn acknowledgement(payload: &[u8]) -> Option<Acknowledgement> {
    let verb = payload.split(|b| b.is_ascii_whitespace() || *b == b'{').next().unwrap_or_default();
    Some(match verb {
        b"" if payload.is_empty() => Acknowledgement::Ack,
        b"+ACK" | b"+OK" | b"+NXT" => Acknowledgement::Ack,
        b"-NAK" => Acknowledgement::Nak,
        b"+TERM" => Acknowledgement::Term,
        b"+WPI" => Acknowledgement::Progress,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_of_both_versions() {
        let v1 = AckSubject::parse("$JS.ACK.ORDERS.pay.2.17.20.1795424056430802201.3").unwrap();
        assert_eq!((v1.key.stream.as_str(), v1.key.consumer.as_str(), v1.key.consumer_sequence), ("ORDERS", "pay", 20));
        assert_eq!((v1.delivered, v1.stream_sequence, v1.stored), (2, 17, 1_795_424_056_430_802_201));
        for v2 in [
            "$JS.ACK.hub.ACCHASH.ORDERS.pay.2.17.20.1795424056430802201.3",
            "$JS.ACK._.ACCHASH.ORDERS.pay.2.17.20.1795424056430802201.3.rnd",
        ] {
            assert_eq!(AckSubject::parse(v2).as_ref(), Some(&v1), "{v2}");
        }
        for bad in ["$JS.ACK", "$JS.ACK.ORDERS.pay.2.17.20.1.3.4", "$JS.ACK.O.c.x.1.1.1.1", "orders.placed"] {
            assert_eq!(AckSubject::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn verbs() {
        use Acknowledgement::*;
        for (payload, want) in [
            ("", Some(Ack)),
            ("+ACK", Some(Ack)),
            ("-NAK", Some(Nak)),
            ("-NAK {\"delay\": 300000000}", Some(Nak)),
            ("-NAK{\"delay\":1}", Some(Nak)),
            ("+TERM", Some(Term)),
            ("+TERM poison", Some(Term)),
            ("+WPI", Some(Progress)),
            ("+NXT {\"batch\":1}", Some(Ack)),
            ("hello", None),
            (" ", None),
        ] {
            assert_eq!(acknowledgement(payload.as_bytes()), want, "{payload}");
        }
    }
}
