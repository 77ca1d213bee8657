//! One transaction of removing by rule: as deleting by hand, but figures stay and are closed.

use std::sync::Arc;

use flowglass_model::{Message, TraceId};
use flowglass_store::{Extent, StoreError};

use crate::going::{Going, all_of};
use crate::pipeline::Pipeline;
use crate::stitch::{Web, Writing};
use crate::touched::update_journeys;
use crate::tx_source::TxSource;

/// Lets journeys go by rule: their figures stay. `note` is told what goes, and says what the workspace keeps of that.
pub(crate) fn expire_journeys(
    pipeline: &mut Pipeline,
    journeys: &[TraceId],
    note: impl FnOnce(&Extent) -> (&'static str, String),
) -> Result<(), StoreError> {
    let Pipeline { writer, resolver, joining, .. } = pipeline;
    let mut tx = writer.begin()?;
    let going = Going::of(journeys, resolver, &mut tx, joining)?;
    let messages: Vec<&Message> = going.messages.iter().collect();
    let expiry = resolver.expire(&going.traces, &messages, &mut TxSource(&mut tx))?;
    let erased = tx.erase_traces(&going.traces)?;
    tx.erase_events(&going.events)?;
    let expired = resolver.expired(expiry, &mut TxSource(&mut tx))?;
    tx.close_figures(&expired.closed)?;
    tx.remove_joins(&expired.lost)?;
    tx.add_joins(&expired.gained)?;
    tx.expire_journeys(journeys)?;
    let events = going.events.len() as u64;
    let touched = going.left(erased.joins.iter().chain(&expired.lost).chain(&expired.gained));
    let touched = all_of(resolver, &mut tx, touched)?;
    update_journeys(resolver, &mut tx, &touched, joining)?;
    let (spans, logs, journeys) = (erased.spans, erased.logs, journeys.len() as u64);
    let (key, text) = note(&Extent { journeys, spans, logs, events, ..Extent::default() });
    tx.set_meta(key, &text)?;
    tx.commit()
}

/// Lets events go by rule that belong to no trace that is stored: their figures stay.
pub(crate) fn expire_events(
    pipeline: &mut Pipeline,
    events: &[i64],
    (key, text): (&'static str, String),
) -> Result<(), StoreError> {
    let Pipeline { writer, resolver, joining, .. } = pipeline;
    let mut tx = writer.begin()?;
    let mut web = Web::new(Writing { resolver, tx: &mut tx }, Arc::clone(joining));
    let around = web.around_events(events)?;
    drop(web);
    let messages = tx.publications_of(events)?;
    let expiry = resolver.expire(&[], &messages.iter().collect::<Vec<_>>(), &mut TxSource(&mut tx))?;
    tx.erase_events(events)?;
    let expired = resolver.expired(expiry, &mut TxSource(&mut tx))?;
    tx.close_figures(&expired.closed)?;
    let touched = all_of(resolver, &mut tx, around)?;
    update_journeys(resolver, &mut tx, &touched, joining)?;
    tx.set_meta(key, &text)?;
    tx.commit()
}
