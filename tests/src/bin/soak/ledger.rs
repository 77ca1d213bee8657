//! What an exporter says that it did, line by line: the sender's side of the account.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, bail};

/// What happened to one request, as an exporter tells it on its standard output.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Told {
    /// It is about to be sent. Said before the first byte leaves, so that a kill leaves no request unknown.
    Send(u64),
    /// It was acknowledged so many milliseconds after it was first sent.
    Stored(u64, f64),
    /// It was refused for now, with this status, and will be sent again.
    Refused(u64, u16),
    /// No answer came, and it will be sent again.
    Failed(u64),
    /// It was refused for good, and why.
    Lost(u64, String),
    /// So many requests were left out because the exporter could not keep up.
    Skipped(u64),
}

impl Told {
    /// The line that says it.
    pub(crate) fn line(&self) -> String {
        match self {
            Told::Send(n) => format!("send {n}"),
            Told::Stored(n, ms) => format!("stored {n} {ms:.1}"),
            Told::Refused(n, status) => format!("refused {n} {status}"),
            Told::Failed(n) => format!("failed {n}"),
            Told::Lost(n, why) => format!("lost {n} {}", why.replace('\n', " ")),
            Told::Skipped(n) => format!("skipped {n}"),
        }
    }

    /// Reads a line.
    ///
    /// # Errors
    /// If it is none of ours.
    pub(crate) fn read(line: &str) -> Result<Told> {
        let mut words = line.splitn(3, ' ');
        let (what, number) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let number: u64 = number.parse().with_context(|| format!("`{line}` names no request"))?;
        let rest = words.next().unwrap_or_default();
        Ok(match what {
            "send" => Told::Send(number),
            "stored" => Told::Stored(number, rest.parse().with_context(|| format!("`{line}` has no time"))?),
            "refused" => Told::Refused(number, rest.parse().with_context(|| format!("`{line}` has no status"))?),
            "failed" => Told::Failed(number),
            "lost" => Told::Lost(number, rest.to_owned()),
            "skipped" => Told::Skipped(number),
            _ => bail!("an exporter said `{line}`"),
        })
    }
}

/// The account of one exporter over all its lives.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    flying: BTreeSet<u64>,
    stored: Vec<u64>,
    next: u64,
    /// Refusals with a request to try again.
    pub(crate) refused: u64,
    /// Attempts without an answer.
    pub(crate) failed: u64,
    /// Requests left out because the exporter could not keep up.
    pub(crate) skipped: u64,
    /// What was refused for good.
    pub(crate) lost: Vec<String>,
    /// Milliseconds until each acknowledgement since these were last taken.
    pub(crate) waits: Vec<f64>,
}

impl Ledger {
    /// Enters what was told.
    ///
    /// # Errors
    /// If something was acknowledged that was never sent.
    pub(crate) fn enter(&mut self, told: Told) -> Result<()> {
        match told {
            Told::Send(n) => {
                self.flying.insert(n);
                self.next = self.next.max(n + 1);
            }
            Told::Stored(n, ms) => {
                if !self.flying.remove(&n) {
                    bail!("request {n} was acknowledged and was not on its way");
                }
                self.stored.push(n);
                self.waits.push(ms);
            }
            Told::Refused(..) => self.refused += 1,
            Told::Failed(_) => self.failed += 1,
            Told::Lost(n, why) => {
                self.flying.remove(&n);
                self.lost.push(format!("request {n}: {why}"));
            }
            Told::Skipped(n) => self.skipped += n,
        }
        Ok(())
    }

    /// Requests that were acknowledged, in that order.
    pub(crate) fn stored(&self) -> &[u64] {
        &self.stored
    }

    /// Requests that were sent and have no answer yet: after a kill these may be stored or not, and must be sent again.
    pub(crate) fn flying(&self) -> Vec<u64> {
        self.flying.iter().copied().collect()
    }

    /// The first request that was never sent.
    pub(crate) fn next(&self) -> u64 {
        self.next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_reads_as_it_was_written() {
        let all = [
            Told::Send(1),
            Told::Stored(2, 12.5),
            Told::Refused(3, 503),
            Told::Failed(4),
            Told::Lost(5, "400 bad request".to_owned()),
            Told::Skipped(6),
        ];
        for told in all {
            assert_eq!(Told::read(&told.line()).unwrap(), told);
        }
        for line in ["", "send", "send x", "stored 1", "gone 1"] {
            assert!(Told::read(line).is_err(), "{line}");
        }
    }

    #[test]
    fn a_killed_exporter_owes_what_had_no_answer() {
        let mut ledger = Ledger::default();
        for line in ["send 0", "send 1", "refused 0 503", "stored 1 20.0", "send 4", "skipped 2"] {
            ledger.enter(Told::read(line).unwrap()).unwrap();
        }
        assert_eq!((ledger.flying(), ledger.stored(), ledger.next()), (vec![0, 4], &[1][..], 5));
        assert_eq!((ledger.refused, ledger.skipped), (1, 2));
        // It is started again and sends both once more.
        for line in ["send 0", "stored 0 3.0", "send 4", "lost 4 400 no"] {
            ledger.enter(Told::read(line).unwrap()).unwrap();
        }
        assert_eq!((ledger.flying(), ledger.stored(), ledger.lost.len()), (vec![], &[1, 0][..], 1));
        assert!(ledger.enter(Told::Stored(9, 1.0)).is_err(), "nobody acknowledges what was not sent");
    }
}
