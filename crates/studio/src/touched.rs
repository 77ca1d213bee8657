//! Which spans a batch adds, joins or tells more about, and the journeys to be told anew for it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use flowglass_model::{Batch, JoinsConfig, Layer, Message, MessageContext, NodeId, Role, SpanFacts, SpanId, TraceId};
use flowglass_store::{StoreError, Tx};
use flowglass_topology::Resolver;

use crate::stitch::{self, Web, Writing};
use crate::tx_source::TxSource;

/// Spans by trace that a batch adds, joins or tells more about.
pub(crate) type Touched = BTreeMap<TraceId, BTreeSet<SpanId>>;

/// Writes the summaries of all journeys that a batch touched anew.
pub(crate) fn update_journeys(
    resolver: &mut Resolver,
    tx: &mut Tx<'_>,
    touched: &Touched,
    joining: &Arc<JoinsConfig>,
) -> Result<(), StoreError> {
    let mut web = Web::new(Writing { resolver, tx }, Arc::clone(joining));
    let (mut roots, mut gone) = (BTreeSet::new(), Vec::new());
    let beside = web.beside(&touched.keys().copied().collect())?;
    let beside = beside.into_iter().map(|trace| web.all_of(trace).map(|spans| (trace, spans)));
    let beside: Touched = beside.collect::<Result<_, _>>()?;
    for (trace, changed) in touched.iter().chain(&beside) {
        let concerned = web.concerned(*trace, changed)?;
        if !concerned.contains(trace) {
            gone.push(*trace);
        }
        roots.extend(concerned);
    }
    let no_layers = |_: &NodeId| Layer::Process;
    let (mut journeys, mut pairs) = (Vec::with_capacity(roots.len()), Vec::with_capacity(roots.len()));
    for root in roots {
        let members = web.members(root)?;
        if members.spans.is_empty() {
            gone.push(root); // Messages that name a trace of which no span has come: no journey yet.
            continue;
        }
        let rows = web.events(&members)?;
        journeys.push(members.tell(root, &rows, &no_layers, flowglass_journey::summarise));
        pairs.extend(members.traces.iter().map(|t| (root, *t)));
    }
    drop(web);
    tx.delete_journeys(&gone)?;
    tx.put_journeys(&journeys, &pairs)
}

/// Notes a span.
pub(crate) fn touch(touched: &mut Touched, trace: TraceId, span: SpanId) {
    touched.entry(trace).or_default().insert(span);
}

/// What a message says about where it belongs.
pub(crate) struct Told<'a> {
    /// Where it was sent last.
    pub(crate) hop: Option<MessageContext>,
    /// Where it began.
    pub(crate) origin: Option<MessageContext>,
    /// Its own id.
    pub(crate) event_id: Option<&'a str>,
}

/// A message touches what it names: the spans of its contexts, else those that name its id.
pub(crate) fn touch_message(
    resolver: &mut Resolver,
    tx: &mut Tx<'_>,
    topic: &str,
    told: &Told<'_>,
    touched: &mut Touched,
) -> Result<(), StoreError> {
    for context in [told.hop, told.origin].into_iter().flatten() {
        touch(touched, context.trace_id, context.span_id);
    }
    let Some(id) = told.event_id else { return Ok(()) };
    for trace in tx.traces_with_message(topic, id)? {
        let facts = resolver.facts(trace, &mut TxSource(tx))?;
        let naming: Vec<&Arc<SpanFacts>> = facts.iter().filter(|f| stitch::names(f, topic, id)).collect();
        touched.entry(trace).or_default().extend(naming.iter().map(|f| f.span_id));
        naming.iter().try_for_each(|f| place(tx, f))?;
    }
    Ok(())
}

/// A span that handled a message may tell where the broker stored it, which live copies of messages do not.
pub(crate) fn place(tx: &mut Tx<'_>, span: &SpanFacts) -> Result<(), StoreError> {
    let Role::Process { topic, message_id: Some(id), sequence: Some((Some(stream), sequence)), .. } = &span.role else {
        return Ok(());
    };
    tx.place_message((topic.system().unwrap_or_default(), topic.name(), id), stream, *sequence)
}

/// Deliveries, acknowledgements and notices touch what their message touches.
pub(crate) fn touch_delivered(
    resolver: &mut Resolver,
    tx: &mut Tx<'_>,
    batches: &[Batch],
    touched: &mut Touched,
) -> Result<(), StoreError> {
    let (mut places, mut ids) = (BTreeSet::new(), BTreeSet::new());
    for batch in batches {
        places.extend(batch.deliveries.iter().map(|d| (d.key.stream.as_str(), d.stream_sequence)));
        places.extend(batch.settlements.iter().map(|s| (s.key.stream.as_str(), s.stream_sequence)));
        places.extend(batch.advisories.iter().filter_map(|a| Some((a.stream.as_deref()?, a.stream_sequence?))));
        let with_id = batch.deliveries.iter();
        ids.extend(
            with_id.filter_map(|d| Some((d.system.as_str(), d.destination.as_deref()?, d.event_id.as_deref()?))),
        );
    }
    let mut messages = Vec::new();
    for (stream, sequence) in places {
        messages.extend(tx.messages_at(stream, sequence)?);
    }
    for (system, destination, id) in ids {
        messages.extend(tx.messages_with_id(system, destination, id)?);
    }
    for m in messages {
        let topic = NodeId::topic(&m.system, &m.destination, None);
        let told = Told { hop: m.hop, origin: None, event_id: m.event_id.as_deref() };
        touch_message(resolver, tx, topic.body(), &told, touched)?;
    }
    Ok(())
}

/// Messages also touch the traces with their correlation id, of their cause and of what they caused.
pub(crate) fn touch_carried(
    web: &mut Web<Writing<'_, '_>>,
    messages: &[&Message],
    touched: &mut Touched,
) -> Result<(), StoreError> {
    for message in messages {
        for trace in web.around_event(message, messages.len())? {
            touched.entry(trace).or_default();
        }
    }
    Ok(())
}
