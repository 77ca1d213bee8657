//! Where senders run, and what that means for the address they use.

use std::net::SocketAddr;

use crate::api::SnippetPlace;
use crate::sources::receiver::{from_here, is_remote};

/// Where a sender runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Local,
    DockerLinux,
    DockerDesktop,
    Kind,
    Remote,
}

impl Place {
    /// In the order of the window.
    pub(crate) const ALL: [Place; 5] =
        [Place::Local, Place::DockerLinux, Place::DockerDesktop, Place::Kind, Place::Remote];

    /// `docker-desktop`.
    pub(crate) fn id(self) -> &'static str {
        match self {
            Place::Local => "local",
            Place::DockerLinux => "docker-linux",
            Place::DockerDesktop => "docker-desktop",
            Place::Kind => "kind",
            Place::Remote => "remote",
        }
    }

    fn title(self) -> &'static str {
        match self {
            Place::Local => "This machine",
            Place::DockerLinux => "Docker on Linux",
            Place::DockerDesktop => "Docker Desktop",
            Place::Kind => "kind",
            Place::Remote => "Remote cluster",
        }
    }

    /// Whether its senders come from an address that is not this machine's loopback, as far as it can be told: Docker Desktop on
    /// macOS and Windows hands connections to `host.docker.internal` on to the loopback; on Linux it may not.
    pub(super) fn is_seen_from_afar(self) -> bool {
        match self {
            Place::Local | Place::DockerLinux => false,
            Place::DockerDesktop => cfg!(target_os = "linux"),
            Place::Kind | Place::Remote => true,
        }
    }

    /// `host:port` of a listener as seen from here.
    pub(super) fn authority(self, listener: Option<SocketAddr>, port: u16, this_machine: &str) -> String {
        match self {
            Place::Local | Place::DockerLinux => {
                listener.map_or_else(|| format!("127.0.0.1:{port}"), |a| from_here(a).to_string())
            }
            Place::DockerDesktop => format!("host.docker.internal:{port}"),
            Place::Kind | Place::Remote => match listener.filter(|a| is_remote(*a) && !a.ip().is_unspecified()) {
                Some(address) => address.to_string(),
                None => format!("{this_machine}:{port}"),
            },
        }
    }

    fn note(self, open: bool) -> Option<&'static str> {
        let closed = !open && self.is_seen_from_afar();
        match self {
            Place::Local => None,
            Place::DockerLinux => Some(
                "With --network host the container uses this machine's own network, so the loopback address is right. It \
                 publishes its ports by itself then.",
            ),
            Place::DockerDesktop if closed => Some(
                "Docker Desktop on Linux may come from an address of its own: then the listener must take connections from \
                 other machines, with a token.",
            ),
            Place::DockerDesktop => Some(
                "Docker Desktop on macOS and Windows hands host.docker.internal on to this machine, loopback included: \
                 nothing has to be opened.",
            ),
            Place::Kind if closed => Some(
                "Pods come from the network of the kind nodes: the listener must take connections from other machines first, \
                 with a token.",
            ),
            Place::Kind => Some("Pods reach this machine by its address in the local network. A firewall must let them in."),
            Place::Remote if closed => {
                Some("The listener must take connections from other machines first, with a token. Nothing is encrypted: use a \
                      network you trust, or a tunnel.")
            }
            Place::Remote => {
                Some("Nothing is encrypted on the way: use a network you trust, or a tunnel. A firewall must let them in.")
            }
        }
    }
}

/// The places on offer; `open` says whether a listener takes connections from other machines.
pub(crate) fn places(open: bool) -> Vec<SnippetPlace> {
    let view = |place: Place| SnippetPlace {
        id: place.id().into(),
        title: place.title().into(),
        note: place.note(open).map(str::to_owned),
        needs_remote: place.is_seen_from_afar() && !open,
    };
    Place::ALL.into_iter().map(view).collect()
}

/// Variables and the command they are for, as a place takes them.
pub(super) fn render(place: Place, variables: &[(String, String)], command: &str) -> String {
    let lines = |before: &str, after: &str| {
        variables.iter().map(|(k, v)| format!("{before}{k}={}{after}", quoted(v))).collect::<Vec<_>>().join("\n")
    };
    match place {
        Place::Local if cfg!(windows) => {
            let set: Vec<String> = variables.iter().map(|(k, v)| format!("$env:{k} = \"{v}\"")).collect();
            format!("{}\n{command}", set.join("\n"))
        }
        Place::Local => format!("{}\n{command}", lines("export ", "")),
        Place::DockerLinux => format!("docker run --network host \\\n{}\n  my-image", lines("  -e ", " \\")),
        Place::DockerDesktop => format!("docker run \\\n{}\n  my-image", lines("  -e ", " \\")),
        Place::Kind | Place::Remote => {
            let all = lines("  ", " \\");
            format!("kubectl set env deployment/order-prc-api \\\n{}", all.trim_end_matches(" \\"))
        }
    }
}

/// A value as a shell takes it.
fn quoted(value: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:,=%@[]".contains(c);
    if value.chars().all(plain) { value.to_owned() } else { format!("\"{value}\"") }
}
