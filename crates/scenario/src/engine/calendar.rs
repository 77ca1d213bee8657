//! What happens when: a 4-ary heap of events, and a ring for each constant delay.
//!
//! Order is (time, class, creation). Timers of one constant delay expire in the order in which they were started, so a ring holds
//! them, and those that were stopped meanwhile never cost the heap anything.

use std::collections::VecDeque;

use crate::model::Time;

/// What an event is. The class comes first in the order of events at one instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Kind {
    // Class 0: a state changes.
    Measure,
    Finish,
    OutageBegin,
    OutageEnd,
    BreakdownBegin,
    BreakdownEnd,
    BrokerBegin,
    BrokerEnd,
    BrokerBreakdownBegin,
    BrokerBreakdownEnd,
    // Class 1: work is done.
    WorkDone,
    SharedDone,
    // Class 2: something arrives.
    CallArrives,
    Replied,
    RootReplied,
    Confirmed,
    Relayed,
    Delivered,
    Again,
    ThinkDone,
    Redeliver,
    // Class 3: somebody asks.
    Arrival,
    // Class 4: time is up.
    Timeout,
    Patience,
    AckExpired,
    TooOld,
    // Class 5: sampling.
    Sample,
}

/// All kinds by number, the last one repeated.
const KINDS: [Kind; 32] = {
    use Kind::*;
    [
        Measure,
        Finish,
        OutageBegin,
        OutageEnd,
        BreakdownBegin,
        BreakdownEnd,
        BrokerBegin,
        BrokerEnd,
        BrokerBreakdownBegin,
        BrokerBreakdownEnd,
        WorkDone,
        SharedDone,
        CallArrives,
        Replied,
        RootReplied,
        Confirmed,
        Relayed,
        Delivered,
        Again,
        ThinkDone,
        Redeliver,
        Arrival,
        Timeout,
        Patience,
        AckExpired,
        TooOld,
        Sample,
        Sample,
        Sample,
        Sample,
        Sample,
        Sample,
    ]
};

impl Kind {
    const fn class(self) -> u64 {
        use Kind::*;
        match self {
            Measure | Finish | OutageBegin | OutageEnd | BreakdownBegin | BreakdownEnd | BrokerBegin | BrokerEnd
            | BrokerBreakdownBegin | BrokerBreakdownEnd => 0,
            WorkDone | SharedDone => 1,
            CallArrives | Replied | RootReplied | Confirmed | Relayed | Delivered | Again | ThinkDone | Redeliver => 2,
            Arrival => 3,
            Timeout | Patience | AckExpired | TooOld => 4,
            Sample => 5,
        }
    }
}

/// An event with its two arguments. Small, so that a full calendar stays near.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Event {
    pub(crate) time: Time,
    /// Class, number of its creation, and kind, the most significant first.
    order: u64,
    pub(crate) a: u32,
    /// Second argument, mostly a generation.
    pub(crate) b: u32,
}

impl Event {
    /// One comparison orders two events.
    #[inline]
    fn key(&self) -> u128 {
        u128::from(self.time) << 64 | u128::from(self.order)
    }

    #[inline]
    pub(crate) fn kind(&self) -> Kind {
        KINDS[(self.order % 32) as usize]
    }
}

/// All that is to happen.
#[derive(Debug)]
pub(crate) struct Calendar {
    heap: Vec<Event>,
    /// The top was taken: what comes next mostly takes its place, which saves half of the way.
    open_top: bool,
    rings: Vec<(Time, VecDeque<Event>)>,
    /// Nothing in the rings is earlier.
    earliest_ring: Time,
    created: u64,
}

const ARITY: usize = 4;
/// Of more distinct delays than these, the heap finds the next one sooner than a look at each ring.
const MOST_RINGS: usize = 16;

impl Calendar {
    pub(crate) fn new(delays: &[Time]) -> Calendar {
        Calendar {
            heap: Vec::with_capacity(1024),
            open_top: false,
            rings: delays.iter().map(|d| (*d, VecDeque::new())).collect(),
            earliest_ring: Time::MAX,
            created: 0,
        }
    }

    #[inline]
    fn event(&mut self, time: Time, kind: Kind, a: u32, b: u32) -> Event {
        self.created += 1;
        Event { time, order: kind.class() << 60 | self.created << 5 | kind as u64, a, b }
    }

    /// Puts an event in.
    #[inline]
    pub(crate) fn at(&mut self, time: Time, kind: Kind, a: u32, b: u32) {
        let event = self.event(time, kind, a, b);
        if std::mem::take(&mut self.open_top) {
            return self.sink(event);
        }
        self.heap.push(event);
        self.rise(self.heap.len() - 1, event);
    }

    /// Starts a timer of one of the constant delays.
    #[inline]
    pub(crate) fn after(&mut self, now: Time, delay: u32, kind: Kind, a: u32, b: u32) {
        let time = now.saturating_add(self.rings[delay as usize].0);
        if self.rings.len() > MOST_RINGS {
            return self.at(time, kind, a, b);
        }
        let event = self.event(time, kind, a, b);
        self.rings[delay as usize].1.push_back(event);
        self.earliest_ring = self.earliest_ring.min(time);
    }

    /// Takes the next event.
    #[inline]
    pub(crate) fn next(&mut self) -> Option<Event> {
        if std::mem::take(&mut self.open_top) {
            self.close_top();
        }
        match self.heap.first() {
            Some(top) if top.time < self.earliest_ring => self.take_top(),
            _ => self.merge(),
        }
    }

    #[inline]
    fn take_top(&mut self) -> Option<Event> {
        let top = self.heap.first().copied();
        self.open_top = top.is_some();
        top
    }

    /// Puts the last event into the open top.
    fn close_top(&mut self) {
        let Some(last) = self.heap.pop() else { return };
        if self.heap.is_empty() {
            return;
        }
        // The last one mostly belongs near the bottom: the gap goes there first, then the event rises.
        let mut i = 0;
        while let Some(least) = self.least_child(i) {
            self.heap[i] = self.heap[least];
            i = least;
        }
        self.rise(i, last);
    }

    /// Puts an event into the open top and lets it sink.
    fn sink(&mut self, event: Event) {
        let mut i = 0;
        while let Some(least) = self.least_child(i).filter(|least| self.heap[*least].key() < event.key()) {
            self.heap[i] = self.heap[least];
            i = least;
        }
        self.heap[i] = event;
    }

    /// Lets an event rise from a free place.
    #[inline]
    fn rise(&mut self, mut i: usize, event: Event) {
        while i > 0 {
            let parent = (i - 1) / ARITY;
            if self.heap[parent].key() <= event.key() {
                break;
            }
            self.heap[i] = self.heap[parent];
            i = parent;
        }
        self.heap[i] = event;
    }

    /// The earliest below a place. Which one it is nobody can foresee, so no branch hangs on it.
    #[inline]
    fn least_child(&self, i: usize) -> Option<usize> {
        let first = i * ARITY + 1;
        let earlier = |a: (u128, usize), b: (u128, usize)| std::hint::select_unpredictable(b.0 < a.0, b, a);
        if let Some([a, b, c, d]) = self.heap.get(first..first + ARITY) {
            let one = earlier((a.key(), first), (b.key(), first + 1));
            let other = earlier((c.key(), first + 2), (d.key(), first + 3));
            return Some(earlier(one, other).1);
        }
        let rest = self.heap.get(first..)?.iter().enumerate();
        rest.min_by_key(|(_, event)| event.key()).map(|(at, _)| first + at)
    }

    fn merge(&mut self) -> Option<Event> {
        let ring = (0..self.rings.len()).filter_map(|i| self.rings[i].1.front().map(|e| (e.key(), i))).min();
        let Some((key, ring)) = ring else {
            self.earliest_ring = Time::MAX;
            return self.take_top();
        };
        self.earliest_ring = (key >> 64) as Time;
        if self.heap.first().is_some_and(|top| top.key() < key) {
            return self.take_top();
        }
        self.rings[ring].1.pop_front()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_by_time_then_class_then_creation() {
        let mut calendar = Calendar::new(&[5]);
        calendar.at(10, Kind::Arrival, 1, 0);
        calendar.after(5, 0, Kind::Timeout, 2, 0);
        calendar.at(10, Kind::Replied, 3, 0);
        calendar.at(10, Kind::Arrival, 4, 0);
        calendar.at(3, Kind::Sample, 5, 0);
        calendar.at(10, Kind::WorkDone, 6, 0);
        let order: Vec<u32> = std::iter::from_fn(|| calendar.next()).map(|e| e.a).collect();
        assert_eq!(order, [5, 6, 3, 1, 4, 2], "a reply at the instant of its time-out wins");
    }

    #[test]
    fn kinds_are_found_by_number() {
        assert!((0..=Kind::Sample as usize).all(|i| KINDS[i] as usize == i));
    }

    #[test]
    fn a_thousand_events_come_sorted() {
        let mut calendar = Calendar::new(&[100, 7]);
        for i in 0..1000u32 {
            let time = u64::from(i.wrapping_mul(2_654_435_761) % 500);
            match i % 3 {
                0 => calendar.at(time, Kind::WorkDone, i, 0),
                1 => calendar.after(u64::from(i), 0, Kind::Timeout, i, 0),
                _ => calendar.after(u64::from(i), 1, Kind::AckExpired, i, 0),
            }
        }
        let times: Vec<Time> = std::iter::from_fn(|| calendar.next()).map(|e| e.time).collect();
        assert_eq!(times.len(), 1000);
        assert!(times.windows(2).all(|w| w[0] <= w[1]));
    }
}
