//! The places of a listener, and who gives theirs up.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// What is known of a connection. In this order they give up their places; within each, those from other machines first, then
/// the one that has been so longest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Standing {
    /// Nothing was asked for yet.
    Silent,
    /// Something was asked for and answered.
    Idle,
    /// So many requests are under way.
    Busy(u32),
}

#[derive(Debug)]
struct Entry {
    standing: Standing,
    /// Known by a secret: stays whatever happens.
    known: bool,
    near: bool,
    /// Grows with every change of standing.
    since: u64,
    /// Told to go.
    going: bool,
    leave: CancellationToken,
}

impl Entry {
    fn may_go(&self) -> bool {
        !self.known && !self.going && !matches!(self.standing, Standing::Busy(_))
    }
}

#[derive(Debug, Default)]
struct Table {
    entries: BTreeMap<u64, Entry>,
    next: u64,
    /// How many were told to go.
    gone: u64,
}

impl Table {
    fn tick(&mut self) -> u64 {
        self.next += 1;
        self.next
    }
}

/// The places of a listener. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Places(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    most: usize,
    table: Mutex<Table>,
    changed: Notify,
}

impl Inner {
    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Places {
    /// So many places, at least one.
    pub fn new(most: usize) -> Places {
        Places(Arc::new(Inner { most: most.max(1), table: Mutex::default(), changed: Notify::new() }))
    }

    /// A place for a connection; `near` when it comes from this machine. With all taken, the one that has been silent longest
    /// is told to go; while all have requests under way, this waits.
    pub async fn take(&self, near: bool) -> Place {
        loop {
            let changed = self.0.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if let Some(place) = self.try_take(near) {
                return place;
            }
            changed.await;
        }
    }

    /// A place beyond the bound, for somebody whom the system had let in before the listener was closed.
    pub fn take_anyway(&self, near: bool) -> Place {
        self.enter(&mut self.0.table(), near)
    }

    fn try_take(&self, near: bool) -> Option<Place> {
        let mut table = self.0.table();
        if table.entries.len() < self.0.most {
            return Some(self.enter(&mut table, near));
        }
        if table.entries.values().any(|entry| entry.going) {
            return None;
        }
        let order = |entry: &&mut Entry| (entry.standing, entry.near, entry.since);
        let goes = table.entries.values_mut().filter(|entry| entry.may_go()).min_by_key(order)?;
        goes.going = true;
        goes.leave.cancel();
        table.gone += 1;
        None
    }

    fn enter(&self, table: &mut Table, near: bool) -> Place {
        let (number, since) = (table.tick(), table.tick());
        let leave = CancellationToken::new();
        let entry = Entry { standing: Standing::Silent, known: false, near, since, going: false, leave: leave.clone() };
        table.entries.insert(number, entry);
        Place { visitor: Visitor { inner: self.0.clone(), number }, leave }
    }

    /// Connections that have a place.
    pub fn taken(&self) -> usize {
        self.0.table().entries.len()
    }

    /// Connections that were told to go to make room.
    pub fn gone(&self) -> u64 {
        self.0.table().gone
    }
}

/// The place of one connection; given back when dropped.
#[derive(Debug)]
pub struct Place {
    visitor: Visitor,
    leave: CancellationToken,
}

impl Place {
    /// Waits until it has to make room.
    pub async fn told_to_leave(&self) {
        self.leave.cancelled().await;
    }

    /// Whether anything was asked for yet.
    pub fn has_asked(&self) -> bool {
        let table = self.visitor.inner.table();
        table.entries.get(&self.visitor.number).is_some_and(|entry| entry.standing != Standing::Silent)
    }

    /// Its visitor, for the requests that come.
    pub fn visitor(&self) -> Visitor {
        self.visitor.clone()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.visitor.inner.table().entries.remove(&self.visitor.number);
        self.visitor.inner.changed.notify_waiters();
    }
}

/// Who has a place, as requests know it. Cheap to clone; it does not hold the place.
#[derive(Debug, Clone)]
pub struct Visitor {
    inner: Arc<Inner>,
    number: u64,
}

impl Visitor {
    /// A request is under way until what comes back is dropped.
    pub fn busy(&self) -> Busy {
        self.change(|standing| match standing {
            Standing::Busy(n) => Standing::Busy(n.saturating_add(1)),
            _ => Standing::Busy(1),
        });
        Busy(self.clone())
    }

    /// It showed a secret: it never has to make room.
    pub fn is_known(&self) {
        if let Some(entry) = self.inner.table().entries.get_mut(&self.number) {
            entry.known = true;
        }
    }

    fn change(&self, to: impl FnOnce(Standing) -> Standing) {
        let mut table = self.inner.table();
        let since = table.tick();
        if let Some(entry) = table.entries.get_mut(&self.number) {
            (entry.standing, entry.since) = (to(entry.standing), since);
        }
    }
}

/// A request under way.
#[derive(Debug)]
pub struct Busy(Visitor);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.change(|standing| match standing {
            Standing::Busy(n) if n > 1 => Standing::Busy(n - 1),
            _ => Standing::Idle,
        });
        // Somebody may wait for one that could go.
        self.0.inner.changed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_lite::poll_now;

    /// Whether a future is ready without waiting.
    mod futures_lite {
        use std::future::Future;
        use std::pin::pin;
        use std::task::{Context, Poll, Waker};

        pub(super) fn poll_now<F: Future>(future: F) -> Option<F::Output> {
            match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(value) => Some(value),
                Poll::Pending => None,
            }
        }
    }

    fn taken(places: &Places) -> Place {
        poll_now(places.take(true)).expect("there is a place")
    }

    fn told(place: &Place) -> bool {
        poll_now(place.told_to_leave()).is_some()
    }

    #[test]
    fn the_longest_silent_goes_first_and_only_one_at_a_time() {
        let places = Places::new(3);
        let (first, second, third) = (taken(&places), taken(&places), taken(&places));
        assert!(poll_now(places.take(true)).is_none() && poll_now(places.take(true)).is_none());
        assert_eq!((told(&first), told(&second), told(&third), places.gone()), (true, false, false, 1));
        drop(first);
        let fourth = taken(&places);
        assert!(poll_now(places.take(true)).is_none());
        assert_eq!((told(&second), told(&third), told(&fourth)), (true, false, false));
    }

    #[test]
    fn who_asked_stays_longer_and_who_is_being_answered_stays() {
        let places = Places::new(3);
        let (asked, busy, silent) = (taken(&places), taken(&places), taken(&places));
        assert!(!asked.has_asked());
        drop(asked.visitor().busy());
        let answer = busy.visitor().busy();
        assert!(asked.has_asked() && busy.has_asked());
        assert!(poll_now(places.take(true)).is_none());
        assert!(told(&silent) && !told(&asked));
        drop(silent);
        let third = taken(&places).visitor().busy();
        // Its connection ended meanwhile; the request is simply forgotten.
        drop(third);
        let _third = taken(&places);
        let _keeps = _third.visitor().busy();
        assert!(poll_now(places.take(true)).is_none());
        assert!(told(&asked));
        drop(asked);
        let last = taken(&places);
        last.visitor().is_known();
        assert!(poll_now(places.take(true)).is_none());
        assert!(!told(&busy) && !told(&last), "all of them stay: who comes waits");
        drop(answer);
        assert!(poll_now(places.take(true)).is_none());
        assert!(told(&busy), "it has its answer now");
    }

    #[test]
    fn other_machines_make_room_first() {
        let places = Places::new(2);
        let near = taken(&places);
        let far = poll_now(places.take(false)).unwrap();
        assert!(poll_now(places.take(false)).is_none());
        assert!(told(&far) && !told(&near));
    }
}
