//! What the resolver asks while a batch is written: answered by the running transaction.

use flowglass_model::{Nanos, SpanFacts, SpanId, TraceId};
use flowglass_store::{StoreError, Tx, UnmatchedPublication};
use flowglass_topology::{FactSource, MessageSighting, Unmatched};

/// The resolver's questions, answered by the running transaction.
pub(crate) struct TxSource<'a, 'tx>(pub(crate) &'a mut Tx<'tx>);

fn sighting(m: flowglass_store::MessageRef) -> MessageSighting {
    MessageSighting {
        system: m.system,
        destination: m.destination,
        event_id: m.event_id,
        time: m.time,
        hop: m.hop,
        source: m.source,
    }
}

impl FactSource for TxSource<'_, '_> {
    type Error = StoreError;

    fn trace_facts(&mut self, trace: TraceId) -> Result<Vec<SpanFacts>, StoreError> {
        self.0.trace_facts(trace)
    }

    fn traces_linking_to(&mut self, trace: TraceId, span: SpanId) -> Result<Vec<TraceId>, StoreError> {
        self.0.traces_linking_to(trace, span)
    }

    fn messages_with_context(&mut self, trace: TraceId, span: SpanId) -> Result<Vec<MessageSighting>, StoreError> {
        Ok(self.0.messages_with_context(trace, span)?.into_iter().map(sighting).collect())
    }

    fn traces_with_message(&mut self, topic_body: &str, message_id: &str) -> Result<Vec<TraceId>, StoreError> {
        self.0.traces_with_message(topic_body, message_id)
    }

    fn messages_with_id(
        &mut self,
        system: &str,
        destination: &str,
        event_id: &str,
    ) -> Result<Vec<MessageSighting>, StoreError> {
        Ok(self.0.messages_with_id(system, destination, event_id)?.into_iter().map(sighting).collect())
    }

    fn closed_until(&mut self, trace: TraceId) -> Result<Option<Nanos>, StoreError> {
        self.0.closed_until(trace)
    }

    fn unmatched(&mut self, key: &str) -> Result<Option<Unmatched>, StoreError> {
        Ok(self.0.unmatched(key)?.map(|u| Unmatched { count: u.count, source: u.source, topic: u.topic, at: u.at }))
    }

    fn set_unmatched(&mut self, key: &str, value: Option<&Unmatched>) -> Result<(), StoreError> {
        let value = value.map(|u| UnmatchedPublication {
            count: u.count,
            source: u.source.clone(),
            topic: u.topic.clone(),
            at: u.at,
        });
        self.0.set_unmatched(key, value.as_ref())
    }
}
