//! Where traces, their joins and their events are read: from a workspace, or in the transaction that writes it.

use std::sync::Arc;

use flowglass_model::{SpanFacts, SpanId, TraceId, TraceJoin};
use flowglass_store::{Carried, EventRow, Reader, StoreError, Tx};
use flowglass_topology::Resolver;

use crate::tx_source::TxSource;

/// Joins of a trace: those in which it is the child, those in which it is the parent.
pub(crate) type Joins = (Vec<TraceJoin>, Vec<TraceJoin>);

/// Where traces and their joins are read.
pub(crate) trait Source {
    /// Why they could not be.
    type Error;
    /// Joins of a trace.
    fn joins_of(&mut self, trace: TraceId) -> Result<Joins, Self::Error>;
    /// Spans of a trace.
    fn spans(&mut self, trace: TraceId) -> Result<Vec<Arc<SpanFacts>>, Self::Error>;
    /// Events whose hop or origin lies in one of these traces.
    fn events_of_traces(&mut self, traces: &[TraceId]) -> Result<Vec<EventRow>, Self::Error>;
    /// Events whose hop or origin is one of these spans.
    fn events_of_spans(&mut self, spans: &[(TraceId, SpanId)]) -> Result<Vec<EventRow>, Self::Error>;
    /// Events with one of these destinations and ids.
    fn events_with_ids(&mut self, ids: &[(String, String)]) -> Result<Vec<EventRow>, Self::Error>;
    /// Whether anything carries an id that joins without a context.
    fn carries_any(&mut self) -> Result<bool, Self::Error>;
    /// At most `most` traces with a span that carries an id.
    fn traces_carrying(&mut self, id: Carried<'_>, most: usize) -> Result<Vec<TraceId>, Self::Error>;
    /// How many publications carry an id, counted up to `most`.
    fn count_carrying(&mut self, id: Carried<'_>, most: usize) -> Result<usize, Self::Error>;
    /// In how many traces publications were sent that carry an id, counted up to `most`.
    fn count_traces_sending(&mut self, id: Carried<'_>, most: usize) -> Result<usize, Self::Error>;
    /// At most `most` events that carry an id.
    fn events_carrying(&mut self, id: Carried<'_>, most: usize) -> Result<Vec<EventRow>, Self::Error>;
    /// Up to three events with this id, wherever they were published.
    fn events_called(&mut self, id: &str) -> Result<Vec<EventRow>, Self::Error>;
    /// Events by row.
    fn events_at(&mut self, rows: &[i64]) -> Result<Vec<EventRow>, Self::Error>;
    /// Traces with a span of a message: topic without environment, and message id.
    fn traces_with_message(&mut self, topic: &str, id: &str) -> Result<Vec<TraceId>, Self::Error>;
}

impl Source for &Reader {
    type Error = StoreError;

    fn joins_of(&mut self, trace: TraceId) -> Result<Joins, StoreError> {
        Reader::joins_of(self, trace)
    }

    fn spans(&mut self, trace: TraceId) -> Result<Vec<Arc<SpanFacts>>, StoreError> {
        Ok(self.trace_facts(trace)?.into_iter().map(Arc::new).collect())
    }

    fn events_of_traces(&mut self, traces: &[TraceId]) -> Result<Vec<EventRow>, StoreError> {
        Reader::events_of_traces(self, traces)
    }

    fn events_of_spans(&mut self, spans: &[(TraceId, SpanId)]) -> Result<Vec<EventRow>, StoreError> {
        Reader::events_of_spans(self, spans)
    }

    fn events_with_ids(&mut self, ids: &[(String, String)]) -> Result<Vec<EventRow>, StoreError> {
        Reader::events_with_ids(self, ids)
    }

    fn carries_any(&mut self) -> Result<bool, StoreError> {
        Reader::carries_any(self)
    }

    fn traces_carrying(&mut self, id: Carried<'_>, most: usize) -> Result<Vec<TraceId>, StoreError> {
        Reader::traces_carrying(self, id, most)
    }

    fn count_carrying(&mut self, id: Carried<'_>, most: usize) -> Result<usize, StoreError> {
        Reader::count_carrying(self, id, most)
    }

    fn count_traces_sending(&mut self, id: Carried<'_>, most: usize) -> Result<usize, StoreError> {
        Reader::count_traces_sending(self, id, most)
    }

    fn events_carrying(&mut self, id: Carried<'_>, most: usize) -> Result<Vec<EventRow>, StoreError> {
        Reader::events_carrying(self, id, most)
    }

    fn events_called(&mut self, id: &str) -> Result<Vec<EventRow>, StoreError> {
        Reader::events_called(self, id)
    }

    fn events_at(&mut self, rows: &[i64]) -> Result<Vec<EventRow>, StoreError> {
        Reader::events_at(self, rows)
    }

    fn traces_with_message(&mut self, topic: &str, id: &str) -> Result<Vec<TraceId>, StoreError> {
        Reader::traces_with_message(self, topic, id)
    }
}

/// The running transaction, with the resolver's memory of spans.
pub(crate) struct Writing<'a, 'tx> {
    /// Keeps the facts of young traces.
    pub(crate) resolver: &'a mut Resolver,
    /// The transaction.
    pub(crate) tx: &'a mut Tx<'tx>,
}

impl Source for Writing<'_, '_> {
    type Error = StoreError;

    fn joins_of(&mut self, trace: TraceId) -> Result<Joins, StoreError> {
        self.tx.joins_of(trace)
    }

    fn spans(&mut self, trace: TraceId) -> Result<Vec<Arc<SpanFacts>>, StoreError> {
        Ok(self.resolver.facts(trace, &mut TxSource(self.tx))?.to_vec())
    }

    fn events_of_traces(&mut self, traces: &[TraceId]) -> Result<Vec<EventRow>, StoreError> {
        self.tx.events_of_traces(traces)
    }

    fn events_of_spans(&mut self, spans: &[(TraceId, SpanId)]) -> Result<Vec<EventRow>, StoreError> {
        self.tx.events_of_spans(spans)
    }

    fn events_with_ids(&mut self, ids: &[(String, String)]) -> Result<Vec<EventRow>, StoreError> {
        self.tx.events_with_ids(ids)
    }

    fn carries_any(&mut self) -> Result<bool, StoreError> {
        Ok(self.tx.carries_any())
    }

    fn traces_carrying(&mut self, id: Carried<'_>, most: usize) -> Result<Vec<TraceId>, StoreError> {
        self.tx.traces_carrying(id, most)
    }

    fn count_carrying(&mut self, id: Carried<'_>, most: usize) -> Result<usize, StoreError> {
        self.tx.count_carrying(id, most)
    }

    fn count_traces_sending(&mut self, id: Carried<'_>, most: usize) -> Result<usize, StoreError> {
        self.tx.count_traces_sending(id, most)
    }

    fn events_carrying(&mut self, id: Carried<'_>, most: usize) -> Result<Vec<EventRow>, StoreError> {
        self.tx.events_carrying(id, most)
    }

    fn events_called(&mut self, id: &str) -> Result<Vec<EventRow>, StoreError> {
        self.tx.events_called(id)
    }

    fn events_at(&mut self, rows: &[i64]) -> Result<Vec<EventRow>, StoreError> {
        self.tx.events_at(rows)
    }

    fn traces_with_message(&mut self, topic: &str, id: &str) -> Result<Vec<TraceId>, StoreError> {
        self.tx.traces_with_message(topic, id)
    }
}
