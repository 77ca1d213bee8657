//! Headers of NATS messages.

use async_nats::HeaderMap;

/// Headers the broker puts on a message that was read from a stream (NATS ADR-31); they are no part of the message.
const OF_DIRECT_GET: [&str; 6] =
    ["nats-stream", "nats-sequence", "nats-subject", "nats-time-stamp", "nats-last-sequence", "nats-num-pending"];

/// Name and value of all headers, sorted by name: the client library does not keep their order.
pub(super) fn list(headers: Option<&HeaderMap>) -> Vec<(String, String)> {
    let Some(headers) = headers else { return Vec::new() };
    let mut list: Vec<(String, String)> = headers
        .iter()
        .flat_map(|(name, values)| values.iter().map(move |v| (name.to_string(), v.as_str().to_owned())))
        .collect();
    list.sort();
    list
}

/// Takes the broker's own headers out of a message that was read with Direct Get.
pub(super) fn without_direct_get(headers: &mut Vec<(String, String)>) {
    headers.retain(|(k, _)| !OF_DIRECT_GET.contains(&k.to_ascii_lowercase().as_str()));
}

/// Headers from their bytes on the wire (`NATS/1.0` and one line each), as message get returns them; sorted by name.
pub fn parse(raw: &[u8]) -> Vec<(String, String)> {
    let text = String::from_utf8_lossy(raw);
    let mut list: Vec<(String, String)> = text
        .split("\r\n")
        .skip(1)
        .filter_map(|line| line.split_once(':'))
        .map(|(k, v)| (k.trim().to_owned(), v.trim().to_owned()))
        .collect();
    list.sort();
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn from_bytes() {
        let list = parse(b"NATS/1.0\r\nNats-Sequence: 3\r\ntraceparent: a:b\r\nA:1\r\n\r\n");
        assert_eq!(
            list,
            [("A".into(), "1".into()), ("Nats-Sequence".into(), "3".into()), ("traceparent".into(), "a:b".into())]
        );
        let mut list = list;
        without_direct_get(&mut list);
        assert_eq!(list.len(), 2);
    }
}
