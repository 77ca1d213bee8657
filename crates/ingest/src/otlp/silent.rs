//! Connections that brought nothing, and why: what people look at when nothing arrives.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};

use flowglass_model::Nanos;

use super::request::Port;

/// How many are remembered.
const REMEMBERED: usize = 50;

/// A connection that brought nothing. Connections from one machine with the same request and reason are one entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SilentConnection {
    /// When the last of them failed or ended.
    pub time: Nanos,
    /// Where it came in.
    pub listener: Port,
    /// The other end of the last of them.
    pub peer: SocketAddr,
    /// The program there, where the system tells: `curl (process 812)`.
    pub program: Option<String>,
    /// What was asked for, if anything: `POST /v1/trace`.
    pub what: Option<String>,
    /// Why nothing came of it, in words.
    pub reason: String,
    /// What to change at the sender.
    pub advice: String,
    /// How many connections.
    pub times: u64,
}

impl SilentConnection {
    fn like(&self, other: &SilentConnection) -> bool {
        self.listener == other.listener
            && self.peer.ip() == other.peer.ip()
            && self.what == other.what
            && self.reason == other.reason
    }
}

/// The last 50 different ones.
#[derive(Debug, Default)]
pub struct SilentConnections(Mutex<Ring>);

#[derive(Debug, Default)]
struct Ring {
    entries: VecDeque<(u64, SilentConnection)>,
    next: u64,
}

impl SilentConnections {
    /// Remembers one, in place of what `before` names. Answers the number to name it by.
    pub(super) fn note(&self, before: Option<u64>, mut entry: SilentConnection) -> u64 {
        let mut ring = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(number) = before {
            ring.take_back(number);
        }
        if let Some(at) = ring.entries.iter().position(|(_, known)| known.like(&entry))
            && let Some((number, known)) = ring.entries.remove(at)
        {
            entry.times += known.times;
            entry.program = entry.program.or(known.program);
            ring.entries.push_back((number, entry));
            return number;
        }
        if ring.entries.len() == REMEMBERED {
            ring.entries.pop_front();
        }
        ring.next += 1;
        let number = ring.next;
        ring.entries.push_back((number, entry));
        number
    }

    /// Forgets one connection, because it brought something after all.
    pub(super) fn forget(&self, number: u64) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take_back(number);
    }

    /// All that are remembered, newest first.
    pub fn list(&self) -> Vec<SilentConnection> {
        let ring = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ring.entries.iter().rev().map(|(_, entry)| entry.clone()).collect()
    }
}

impl Ring {
    fn take_back(&mut self, number: u64) {
        let Some(at) = self.entries.iter().position(|(n, _)| *n == number) else { return };
        match self.entries.get_mut(at) {
            Some((_, entry)) if entry.times > 1 => entry.times -= 1,
            _ => drop(self.entries.remove(at)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(port: u16, reason: &str) -> SilentConnection {
        SilentConnection {
            time: 1,
            listener: Port::Http,
            peer: SocketAddr::from(([127, 0, 0, 1], port)),
            program: None,
            what: None,
            reason: reason.to_owned(),
            advice: String::new(),
            times: 1,
        }
    }

    #[test]
    fn equal_ones_are_counted_and_fifty_different_ones_kept() {
        let silent = SilentConnections::default();
        for i in 0..60 {
            silent.note(None, entry(i, &format!("reason {i}")));
            silent.note(None, entry(i + 1000, &format!("reason {i}")));
        }
        let list = silent.list();
        assert_eq!((list.len(), list[0].reason.as_str(), list[0].times), (50, "reason 59", 2));
        assert_eq!(list[0].peer.port(), 1059);
    }

    #[test]
    fn one_that_brought_something_after_all_is_forgotten() {
        let silent = SilentConnections::default();
        let first = silent.note(None, entry(1, "wrong path"));
        let second = silent.note(None, entry(2, "wrong path"));
        assert_eq!((first, silent.list()[0].times), (second, 2));
        silent.forget(second);
        assert_eq!(silent.list()[0].times, 1);
        // Another reason on the same connection takes the place of the first.
        silent.note(Some(first), entry(1, "wrong type"));
        assert_eq!(silent.list().iter().map(|e| e.reason.as_str()).collect::<Vec<_>>(), ["wrong type"]);
    }
}
