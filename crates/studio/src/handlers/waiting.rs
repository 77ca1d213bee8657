use std::collections::BTreeMap;

use flowglass_model::{Nanos, NodeId};
use flowglass_store::Waiting;

use super::events::group_services;
use super::journeys::by_meaning;
use super::trace_id;
use crate::api::{ApiError, BusinessKey, WaitingPage, WaitingRequest, WaitingRow, to_ms};
use crate::time::clock_time;
use crate::{Studio, words};

/// See [`WaitingPage`].
pub(crate) async fn waiting(studio: &Studio, request: WaitingRequest) -> Result<WaitingPage, ApiError> {
    let only = request.journey.as_deref().map(trace_id).transpose()?;
    let clock = studio.now();
    let limit = if request.limit == 0 { 100 } else { request.limit.min(500) as usize };
    let page = studio.ask(move |workspace| {
        let now = workspace.as_of(clock)?;
        let stored = workspace.read(|r| r.waiting())?;
        let services = group_services(workspace)?;
        let mut total = stored.total;
        let mut rows = Vec::new();
        for waiting in stored.rows {
            let journeys = workspace.journeys_of_message(&waiting.message)?;
            if only.is_some_and(|id| !journeys.contains(&id)) {
                continue;
            }
            let journey = journeys.first().map(|id| id.to_string());
            rows.push(row(waiting, journey, &services, now));
        }
        if only.is_some() {
            total = rows.len() as u64;
        }
        // Nothing usual known: what waits longest comes first.
        rows.sort_by(|a, b| {
            let overdue = |r: &WaitingRow| r.overdue_ms.unwrap_or(r.waited_ms);
            overdue(b)
                .total_cmp(&overdue(a))
                .then_with(|| a.event_row.cmp(&b.event_row))
                .then(a.consumer.cmp(&b.consumer))
        });
        rows.truncate(limit);
        Ok(WaitingPage { rows, total, now_at: to_ms(now) })
    });
    Ok(page.await?)
}

fn row(
    waiting: Waiting,
    journey: Option<String>,
    services: &BTreeMap<(String, String), NodeId>,
    now: Nanos,
) -> WaitingRow {
    let m = waiting.message;
    let waited = now.saturating_sub(waiting.since).max(0);
    let participant = services.get(&(m.topic().body().to_owned(), waiting.consumer.clone()));
    let eta = waiting.pace.filter(|p| *p > 0.0 && waiting.delivered == 0).map(|p| waiting.before as f64 / p * 1e3);
    let keys: Vec<BusinessKey> =
        by_meaning(m.keys).into_iter().map(|(name, value)| BusinessKey { name, value }).collect();
    let mut row = WaitingRow {
        event_row: waiting.row,
        event_id: m.event_id,
        journey,
        keys,
        destination: m.destination,
        stream: waiting.stream,
        participant_name: participant.map_or(waiting.consumer.clone(), |p| p.name().to_owned()),
        participant: participant.map(|p| p.to_string()),
        consumer: waiting.consumer,
        since_at: to_ms(waiting.since),
        waited_ms: waited as f64 / 1e6,
        usual_ms: waiting.usual.map(|n| n as f64 / 1e6),
        overdue_ms: waiting.usual.map(|n| (waited.saturating_sub(n)) as f64 / 1e6),
        delivered: waiting.delivered,
        said: waiting.acknowledgement.map(|a| words::acknowledgement(a).to_owned()),
        before: waiting.before,
        pace: waiting.pace,
        eta_ms: eta,
        redelivery_at: waiting.redelivery.map(to_ms),
        sentence: String::new(),
    };
    row.sentence = sentence(&row, waiting.since, waiting.redelivery.filter(|at| *at > now));
    row
}

/// `order 4711 waits in ORDERS for payment-service since 14:10:02 UTC, at most 1,896 before it, about 22 min at this pace`.
fn sentence(row: &WaitingRow, since: Nanos, redelivery: Option<Nanos>) -> String {
    let what = row.keys.first().map_or_else(|| row.destination.clone(), |k| words::named_key(&k.name, &k.value));
    let mut out = format!("{what} waits in {} for {} since {}", row.stream, row.participant_name, clock_time(since));
    if row.delivered > 0 {
        let said = row.said.as_deref().unwrap_or("no answer");
        out.push_str(&format!(", delivered {} (last: {said})", words::times(u64::from(row.delivered))));
    } else {
        out.push_str(&match row.before {
            0 => ", next in line".to_owned(),
            n => format!(", at most {} before it", words::grouped(n)),
        });
    }
    if let Some(eta) = row.eta_ms.filter(|eta| *eta >= 1_000.0) {
        out.push_str(&format!(", about {} at this pace", words::rough_duration(eta)));
    }
    if let Some(at) = redelivery {
        out.push_str(&format!(", next redelivery about {}", clock_time(at)));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_says_where_since_when_and_how_long() {
        let mut row = WaitingRow {
            event_row: 1,
            event_id: None,
            journey: None,
            keys: vec![BusinessKey { name: "orderId".into(), value: "4711".into() }],
            destination: "orders.placed".into(),
            stream: "ORDERS".into(),
            consumer: "payment".into(),
            participant: None,
            participant_name: "payment-service".into(),
            since_at: 0.0,
            waited_ms: 0.0,
            usual_ms: None,
            overdue_ms: None,
            delivered: 0,
            said: None,
            before: 1_896,
            pace: Some(1.44),
            eta_ms: Some(1_316_667.0),
            redelivery_at: None,
            sentence: String::new(),
        };
        let at = 1_773_151_802_000_000_000;
        assert_eq!(
            sentence(&row, at, None),
            "order 4711 waits in ORDERS for payment-service since 14:10:02 UTC, at most 1,896 before it, about 22 min at \
             this pace"
        );
        row.delivered = 2;
        row.said = Some("nak".into());
        row.eta_ms = None;
        assert_eq!(
            sentence(&row, at, Some(at + 60_000_000_000)),
            "order 4711 waits in ORDERS for payment-service since 14:10:02 UTC, delivered twice (last: nak), next \
             redelivery about 14:11:02 UTC"
        );
    }
}
