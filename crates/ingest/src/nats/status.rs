//! What people see of a connection.

use std::collections::VecDeque;

use flowglass_model::Nanos;
use serde::Serialize;

use super::NatsConsumer;

/// Gaps and problems remembered per connection.
const REMEMBERED: usize = 20;

/// State of a connection.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum NatsState {
    /// Not connected yet.
    #[default]
    Starting,
    /// Trying; it has never been connected.
    Connecting {
        /// Attempts so far.
        attempts: u32,
        /// Why the last one failed.
        reason: String,
    },
    /// Connected.
    Connected {
        /// Since when.
        since: Nanos,
    },
    /// The connection was lost; trying again.
    Lost {
        /// When something was last heard of the server.
        since: Nanos,
        /// Why, as far as known.
        reason: String,
    },
}

/// The server of a connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NatsServer {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Whether the account can use JetStream.
    pub jetstream: bool,
}

/// A time without connection. What was published then on core subjects was not seen; streams are read again from where they
/// were known to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct NatsGap {
    /// When something was last heard.
    pub from: Nanos,
    /// When the connection stood again.
    pub to: Nanos,
}

/// Counters since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct NatsCounts {
    /// Publications seen live.
    pub publications: u64,
    /// Deliveries to consumers.
    pub deliveries: u64,
    /// Acknowledgements of all kinds.
    pub acknowledgements: u64,
    /// Advisories.
    pub advisories: u64,
    /// Messages read from streams.
    pub backfilled: u64,
    /// Messages lost because they came faster than they could be stored.
    pub dropped: u64,
    /// Items the store refused for good.
    pub refused: u64,
    /// Credential values replaced.
    pub redacted: u64,
}

/// A stream.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct NatsStream {
    /// Name.
    pub name: String,
    /// Subjects it stores.
    pub subjects: Vec<String>,
    /// Messages in it.
    pub messages: u64,
    /// First sequence it holds.
    pub first_sequence: u64,
    /// Last sequence given.
    pub last_sequence: u64,
    /// `limits`, `interest` or `workqueue`: the last two forget what was acknowledged.
    pub retention: String,
    /// Whether Direct Get may be used; else messages are read one by one from the stream's leader.
    pub allow_direct: bool,
    /// Whether it is a copy (mirror) of another stream.
    pub mirror: bool,
    /// Up to which sequence it has been read; `None` when it is not read.
    pub backfilled_to: Option<u64>,
    /// Up to which sequence everything was seen, live or by reading: reading can resume behind it.
    pub covered_to: Option<u64>,
    /// Why it is not read, or what is missing.
    pub note: Option<String>,
    /// What its consumers have still to do; `None` when they may not be listed.
    pub consumers: Option<Vec<NatsConsumer>>,
}

/// All that people see of a connection.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct NatsStatus {
    /// What people call it.
    pub name: String,
    /// Where it is.
    pub url: String,
    /// State.
    pub state: NatsState,
    /// The server, once connected.
    pub server: Option<NatsServer>,
    /// Counters.
    pub counts: NatsCounts,
    /// The last gaps, oldest first.
    pub gaps: VecDeque<NatsGap>,
    /// Streams, sorted by name.
    pub streams: Vec<NatsStream>,
    /// What did not work (permissions, secrets), in words, oldest first, each once.
    pub problems: VecDeque<String>,
}

impl NatsStatus {
    /// Notes a problem once.
    pub(super) fn problem(&mut self, words: String) {
        if self.problems.contains(&words) {
            return;
        }
        tracing::warn!(connection = %self.name, "{words}");
        if self.problems.len() == REMEMBERED {
            self.problems.pop_front();
        }
        self.problems.push_back(words);
    }

    /// Notes a gap.
    pub(super) fn gap(&mut self, gap: NatsGap) {
        if self.gaps.len() == REMEMBERED {
            self.gaps.pop_front();
        }
        self.gaps.push_back(gap);
    }
}
