//! Passing accepted requests on, as a studio does it: remembered, replaced, seen.

use std::net::SocketAddr;
use std::sync::Mutex;

use flowglass_ingest::forward::{Forward, ForwardSlot, ForwardState, Limits, Protocol, Target, TargetError};
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::api::{ForwardView, Update};
use crate::studio::lock;
use crate::workspace::Workspace;

/// Workspace note: the address set in the window; empty is none.
pub(crate) const META_FORWARD: &str = "forward";

/// Whom requests are passed on to.
pub(crate) struct Forwarding {
    slot: ForwardSlot,
    running: Mutex<Option<CancellationToken>>,
    tasks: TaskTracker,
    updates: broadcast::Sender<Update>,
}

impl Forwarding {
    /// Nobody yet; receivers look into `slot`.
    pub(crate) fn new(slot: ForwardSlot, updates: broadcast::Sender<Update>) -> Forwarding {
        Forwarding { slot, running: Mutex::default(), tasks: TaskTracker::new(), updates }
    }

    /// Passes on to another receiver from now on, or to none.
    pub(crate) fn set(&self, target: Option<Target>) -> Result<(), String> {
        let next = target.map(|target| {
            let stop = CancellationToken::new();
            let started = Forward::start(target, Limits::default(), stop.clone());
            started.map(|(forward, work)| (forward, work, stop)).map_err(|e| format!("it cannot be forwarded to: {e}"))
        });
        let next = next.transpose()?;
        if let Some(before) = lock(&self.running).take() {
            before.cancel();
        }
        let Some((forward, work, stop)) = next else {
            self.slot.set(None);
            return Ok(());
        };
        let (mut changes, updates, watched) = (forward.changes(), self.updates.clone(), stop.clone());
        self.slot.set(Some(forward));
        *lock(&self.running) = Some(stop);
        self.tasks.spawn(work);
        self.tasks.spawn(async move {
            let mut failing = false;
            loop {
                tokio::select! {
                    () = watched.cancelled() => return,
                    changed = changes.changed() => if changed.is_err() { return },
                }
                let now = *changes.borrow_and_update() == ForwardState::Failing;
                if std::mem::replace(&mut failing, now) != now {
                    // Nobody listening is fine.
                    let _ = updates.send(Update::Sources {});
                }
            }
        });
        Ok(())
    }

    /// Ends passing on, with a moment for what waits.
    pub(crate) async fn finish(&self) {
        if let Some(stop) = lock(&self.running).take() {
            stop.cancel();
        }
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// What keeps requests from being passed on.
    pub(crate) fn problem(&self) -> Option<String> {
        let status = self.slot.get()?.status();
        let failing = status.state == ForwardState::Failing;
        status.problem.filter(|_| failing).map(|p| format!("Not everything is passed on to {}: {p}.", status.url))
    }

    /// As the window shows it.
    pub(crate) fn view(&self) -> Option<ForwardView> {
        let status = self.slot.get()?.status();
        Some(ForwardView {
            url: status.url,
            protocol: match status.protocol {
                Protocol::Grpc => "grpc".into(),
                Protocol::Http => "http".into(),
            },
            state: match status.state {
                ForwardState::Idle => "idle".into(),
                ForwardState::Sending => "sending".into(),
                ForwardState::Failing => "failing".into(),
            },
            sent: status.sent,
            lost: status.lost,
            waiting: status.waiting,
            problem: status.problem,
            note: status.note,
        })
    }
}

/// Reads an address to forward to that is none of these listeners.
pub(crate) async fn target(url: &str, listeners: &[SocketAddr]) -> Result<Target, TargetError> {
    let target = Target::parse(url)?;
    target.check_not(listeners).await?;
    Ok(target)
}

/// The address that the workspace remembers.
pub(crate) fn remembered(workspace: &Workspace) -> Option<String> {
    workspace.read(|r| r.meta(META_FORWARD)).ok().flatten().filter(|url| !url.is_empty())
}
