//! Messages that a consumer has yet to handle, as far as stream, deliveries and acknowledgements tell.

use std::collections::{BTreeMap, BTreeSet};

use flowglass_model::{Acknowledgement, DeliveryKey, Message, Nanos};
use rusqlite::{Connection, OptionalExtension, params};

use crate::delivery_rows::{GAVE_UP, settlement_of};
use crate::fault::Inner;
use crate::message_rows::{COLUMNS, message_at};
use crate::{Reader, Result};

/// Deliveries of a consumer, the newest ones, that are looked through and that pace and usual times are learnt from.
const RECENT: usize = 2_000;
/// Messages of a consumer told at most; all are counted.
const TOLD: usize = 500;

/// A message that waits for a consumer.
#[derive(Debug, Clone, PartialEq)]
pub struct Waiting {
    /// The event's row.
    pub row: i64,
    /// Its publication, headers and payload left out.
    pub message: Message,
    /// Stream it waits in.
    pub stream: String,
    /// The consumer (durable) it waits for.
    pub consumer: String,
    /// Since when: its publication, or its last delivery.
    pub since: Nanos,
    /// Deliveries so far; 0 when it was never delivered.
    pub delivered: u32,
    /// What the consumer said of the last delivery.
    pub acknowledgement: Option<Acknowledgement>,
    /// Messages before it that the consumer has not had either: at most so many, since some may be deleted or filtered out.
    pub before: u64,
    /// Messages per second that the consumer got lately, redeliveries left out.
    pub pace: Option<f64>,
    /// When the next redelivery is due, going by the gaps between earlier redeliveries of this consumer.
    pub redelivery: Option<Nanos>,
    /// What this consumer's messages usually take from publication to delivery: 99th percentile, nanoseconds.
    pub usual: Option<i64>,
}

/// What waits, and how much it is.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct WaitingPage {
    /// At most 500 per consumer, by consumer, then place in the stream.
    pub rows: Vec<Waiting>,
    /// All of them.
    pub total: u64,
}

impl Reader {
    /// Messages that consumers have not handled: stored behind the last one delivered, or delivered and neither acknowledged
    /// nor given up. Known for consumers whose deliveries were seen; those that never acknowledge wait for nothing once a
    /// message was delivered.
    pub fn waiting(&self) -> Result<WaitingPage> {
        self.ask(|db| page(db.conn))
    }

    /// The same of one event.
    pub fn waiting_of(&self, row: i64) -> Result<Vec<Waiting>> {
        self.ask(|db| Ok(page(db.conn)?.rows.into_iter().filter(|w| w.row == row).collect()))
    }
}

/// A consumer's newest deliveries and what they say about it.
struct Consumer {
    stream: String,
    name: String,
    /// Newest first.
    recent: Vec<Seen>,
}

struct Seen {
    consumer_sequence: u64,
    destination: Option<String>,
    stream_sequence: u64,
    delivered: u32,
    time: Nanos,
}

fn page(conn: &Connection) -> Inner<WaitingPage> {
    let mut page = WaitingPage::default();
    for consumer in consumers(conn)? {
        let before = page.rows.len();
        if consumer.settles(conn)? {
            consumer.unsettled(conn, &mut page)?;
        }
        consumer.undelivered(conn, &mut page)?;
        if page.rows.len() == before {
            continue;
        }
        let learnt = consumer.learnt(conn)?;
        for row in &mut page.rows[before..] {
            (row.pace, row.usual) = (learnt.pace, learnt.usual);
            row.redelivery = learnt.gap.filter(|_| row.delivered > 0).map(|gap| row.since.saturating_add(gap));
        }
    }
    Ok(page)
}

fn consumers(conn: &Connection) -> Inner<Vec<Consumer>> {
    // A loose index scan: one step per consumer, not per delivery.
    let mut next = conn.prepare_cached(
        "SELECT stream, consumer FROM delivery WHERE (stream, consumer) > (?1, ?2) ORDER BY stream, consumer LIMIT 1",
    )?;
    let mut recent = conn.prepare_cached(
        "SELECT consumer_sequence, destination, stream_sequence, delivered, time FROM delivery
         WHERE stream = ?1 AND consumer = ?2 ORDER BY consumer_sequence DESC LIMIT ?3",
    )?;
    let mut out = Vec::new();
    let mut at = (String::new(), String::new());
    loop {
        let found = next.query_row([&at.0, &at.1], |r| Ok((r.get(0)?, r.get(1)?))).optional()?;
        let Some(found) = found else { return Ok(out) };
        at = found;
        let rows = recent.query_map(params![at.0, at.1, RECENT as i64], |r| {
            Ok(Seen {
                consumer_sequence: r.get::<_, i64>(0)? as u64,
                destination: r.get(1)?,
                stream_sequence: r.get::<_, i64>(2)? as u64,
                delivered: r.get(3)?,
                time: r.get(4)?,
            })
        })?;
        let recent = rows.collect::<Result<_, _>>()?;
        out.push(Consumer { stream: at.0.clone(), name: at.1.clone(), recent });
    }
}

/// What a consumer's newest deliveries teach.
struct Learnt {
    pace: Option<f64>,
    /// Median time from one delivery of a message to the next.
    gap: Option<i64>,
    usual: Option<i64>,
}

fn quantile(mut values: Vec<i64>, q: f64) -> Option<i64> {
    values.sort_unstable();
    values.get(((values.len() as f64 * q) as usize).min(values.len().saturating_sub(1))).copied()
}

impl Consumer {
    fn key(&self, seen: &Seen) -> DeliveryKey {
        DeliveryKey {
            stream: self.stream.clone(),
            consumer: self.name.clone(),
            consumer_sequence: seen.consumer_sequence,
        }
    }

    /// Whether it ever acknowledged anything.
    fn settles(&self, conn: &Connection) -> Inner<bool> {
        let mut any = conn.prepare_cached("SELECT 1 FROM settlement WHERE stream = ?1 AND consumer = ?2 LIMIT 1")?;
        Ok(any.exists([&self.stream, &self.name])?)
    }

    fn learnt(&self, conn: &Connection) -> Inner<Learnt> {
        let first: Vec<&Seen> = self.recent.iter().filter(|s| s.delivered <= 1).collect();
        let span = first.first().zip(first.last()).map(|(new, old)| new.time.saturating_sub(old.time));
        let pace = span.filter(|n| *n > 0).map(|n| (first.len() - 1) as f64 / (n as f64 / 1e9));
        let mut by_message: BTreeMap<u64, Vec<(u32, Nanos)>> = BTreeMap::new();
        for s in &self.recent {
            by_message.entry(s.stream_sequence).or_default().push((s.delivered, s.time));
        }
        let mut gaps = Vec::new();
        for deliveries in by_message.values_mut() {
            deliveries.sort_unstable();
            gaps.extend(deliveries.windows(2).filter(|w| w[1].0 == w[0].0 + 1).map(|w| w[1].1.saturating_sub(w[0].1)));
        }
        let mut published =
            conn.prepare_cached("SELECT time FROM message WHERE stream = ?1 AND sequence = ?2 LIMIT 1")?;
        let mut lags = Vec::new();
        for s in first.iter().take(TOLD) {
            let at = published.query_row(params![self.stream, s.stream_sequence as i64], |r| r.get::<_, i64>(0));
            lags.extend(at.optional()?.map(|at| s.time.saturating_sub(at)));
        }
        Ok(Learnt { pace, gap: quantile(gaps, 0.5), usual: quantile(lags, 0.99) })
    }

    /// Delivered, and neither acknowledged nor given up.
    fn unsettled(&self, conn: &Connection, page: &mut WaitingPage) -> Inner<()> {
        let Some(oldest) = self.recent.last() else { return Ok(()) };
        let mut settled = conn.prepare_cached(
            "SELECT DISTINCT consumer_sequence FROM settlement WHERE stream = ?1 AND consumer = ?2
             AND consumer_sequence >= ?3 AND acknowledgement IN (1, 3)",
        )?;
        let from = oldest.consumer_sequence as i64;
        let rows = settled.query_map(params![self.stream, self.name, from], |r| r.get::<_, i64>(0))?;
        let settled: BTreeSet<u64> = rows.map(|r| r.map(|n| n as u64)).collect::<Result<_, _>>()?;
        let mut last: BTreeMap<u64, &Seen> = BTreeMap::new();
        for s in &self.recent {
            let slot = last.entry(s.stream_sequence).or_insert(s);
            if s.delivered > slot.delivered {
                *slot = s;
            }
        }
        last.retain(|_, seen| !settled.contains(&seen.consumer_sequence));
        let sql =
            format!("SELECT 1 FROM advisory WHERE stream = ?1 AND stream_sequence = ?2 AND kind IN {GAVE_UP} LIMIT 1");
        let mut gave_up = conn.prepare_cached(&sql)?;
        for (sequence, seen) in last {
            if gave_up.exists(params![self.stream, sequence as i64])? {
                continue;
            }
            let said = settlement_of(conn, &self.key(seen))?.map(|s| s.acknowledgement);
            let Some((row, message)) = self.message(conn, sequence, seen.destination.as_deref())? else { continue };
            page.total += 1;
            page.rows.push(Waiting {
                row,
                message,
                stream: self.stream.clone(),
                consumer: self.name.clone(),
                since: seen.time,
                delivered: seen.delivered,
                acknowledgement: said,
                before: 0,
                pace: None,
                redelivery: None,
                usual: None,
            });
        }
        Ok(())
    }

    /// Stored behind the last message the consumer got, on destinations it gets messages of.
    fn undelivered(&self, conn: &Connection, page: &mut WaitingPage) -> Inner<()> {
        let Some(newest) = self.recent.iter().map(|s| s.stream_sequence).max() else { return Ok(()) };
        let mut destinations: BTreeSet<String> = self.recent.iter().filter_map(|s| s.destination.clone()).collect();
        if destinations.is_empty() {
            // Only acknowledgements were seen: they tell the place in the stream, and that tells the destination.
            for s in self.recent.iter().take(TOLD) {
                destinations.extend(self.message(conn, s.stream_sequence, None)?.map(|(_, m)| m.destination));
            }
        }
        let sql =
            format!("SELECT {COLUMNS} FROM message m WHERE m.stream = ?1 AND m.sequence > ?2 ORDER BY m.sequence");
        let mut statement = conn.prepare_cached(&sql)?;
        let mut rows = statement.query(params![self.stream, newest as i64])?;
        let mut before = 0;
        while let Some(r) = rows.next()? {
            let (_, row, message) = message_at(r)?;
            if !destinations.contains(&message.destination) {
                continue;
            }
            page.total += 1;
            if before < TOLD as u64 {
                page.rows.push(Waiting {
                    row,
                    since: message.time,
                    message,
                    stream: self.stream.clone(),
                    consumer: self.name.clone(),
                    delivered: 0,
                    acknowledgement: None,
                    before,
                    pace: None,
                    redelivery: None,
                    usual: None,
                });
            }
            before += 1;
        }
        Ok(())
    }

    /// The event stored at a place in the stream.
    fn message(&self, conn: &Connection, sequence: u64, destination: Option<&str>) -> Inner<Option<(i64, Message)>> {
        let sql = format!(
            "SELECT {COLUMNS} FROM message m WHERE m.stream = ?1 AND m.sequence = ?2
             AND (?3 IS NULL OR m.destination = ?3) LIMIT 1"
        );
        let mut statement = conn.prepare_cached(&sql)?;
        let mut rows = statement.query(params![self.stream, sequence as i64, destination])?;
        let Some(r) = rows.next()? else { return Ok(None) };
        let (_, event, message) = message_at(r)?;
        Ok(Some((event, message)))
    }
}
