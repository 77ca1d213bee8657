//! Which program holds a port, or is at the other end of a connection, as far as this machine tells.
//!
//! Linux tells of programs of the same user through `/proc`; elsewhere, and of other users' programs (a container's port is
//! held by a process of root), there are only guesses by the port.

use std::net::SocketAddr;

/// Who holds a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// `jaeger (process 4711)`; `None` where the system does not tell.
    pub program: Option<String>,
    /// The same in words that end no sentence, with a guess where the system does not tell.
    pub words: String,
}

impl Holder {
    /// Whoever listens on the port of `addr`.
    pub fn of(addr: SocketAddr) -> Holder {
        match listening(addr.port()) {
            Some((name, pid)) if pid == std::process::id() => {
                Holder { program: Some(format!("{name} itself")), words: format!("{name} itself") }
            }
            Some((name, pid)) => {
                let program = format!("{name} (process {pid})");
                let words = match known(&name) {
                    Some(what) => format!("{program}, {what}"),
                    None => program.clone(),
                };
                Holder { program: Some(program), words }
            }
            None => Holder { program: None, words: suspects(addr.port()) },
        }
    }
}

/// What a program of this name is, where its name alone does not say it.
fn known(name: &str) -> Option<&'static str> {
    let name = name.to_ascii_lowercase();
    let words = [
        ("docker-proxy", "which publishes a port of a container; `docker ps` shows which"),
        ("com.docker", "which publishes a port of a container; `docker ps` shows which"),
        ("rootlessport", "which publishes a port of a container; `podman ps` shows which"),
        ("otelcol", "an OpenTelemetry Collector"),
        ("alloy", "Grafana's Collector"),
        ("jaeger", "which takes OTLP too: give it another port and let Flowglass forward to it"),
        ("aspire", "the Aspire dashboard"),
        ("dotnet", "perhaps the Aspire dashboard"),
        ("otel-tui", "a terminal viewer of traces"),
        ("otel-desktop", "a viewer of traces"),
        ("flowglass", "another Flowglass"),
    ];
    words.into_iter().find(|(part, _)| name.contains(part)).map(|(_, what)| what)
}

/// Common holders of a port whose holder the system does not tell.
fn suspects(port: u16) -> String {
    let guess = match port {
        4317 | 4318 => "perhaps Jaeger, the Aspire dashboard or an OpenTelemetry Collector, often in a container",
        9411 => "perhaps Zipkin or Jaeger",
        14_250 | 14_268 | 16_686 => "perhaps Jaeger",
        18_889 | 18_890 => "perhaps the Aspire dashboard",
        8888 | 13_133 | 55_679 => "perhaps an OpenTelemetry Collector",
        _ => "perhaps one of another user or in a container",
    };
    format!("another program, {guess}")
}

/// The program at the other end of a connection, if it runs on this machine and the system tells: `curl (process 812)`.
/// Reads through the table of processes: not for every connection.
pub(super) fn peer_program(peer: SocketAddr, local: SocketAddr) -> Option<String> {
    let here = peer.ip().to_canonical().is_loopback() || peer.ip().to_canonical() == local.ip().to_canonical();
    let (name, pid) = if here { connected(peer.port(), local.port()) } else { None }?;
    (pid != std::process::id()).then(|| format!("{name} (process {pid})"))
}

#[cfg(target_os = "linux")]
use linux::{connected, listening};

#[cfg(not(target_os = "linux"))]
fn listening(_port: u16) -> Option<(String, u32)> {
    None
}

#[cfg(not(target_os = "linux"))]
fn connected(_from: u16, _to: u16) -> Option<(String, u32)> {
    None
}

#[cfg(target_os = "linux")]
mod linux {
    /// States of `/proc/net/tcp` (include/net/tcp_states.h).
    const ESTABLISHED: &str = "01";
    const LISTEN: &str = "0A";
    const CLOSE_WAIT: &str = "08";

    /// Name and id of the process that listens on a port.
    pub(super) fn listening(port: u16) -> Option<(String, u32)> {
        process_with(&sockets(|s| s.state == LISTEN && s.local == port))
    }

    /// Name and id of the process whose socket goes from one port of this machine to another.
    pub(super) fn connected(from: u16, to: u16) -> Option<(String, u32)> {
        let open = |s: &Socket<'_>| matches!(s.state, ESTABLISHED | CLOSE_WAIT) && s.local == from && s.remote == to;
        process_with(&sockets(open))
    }

    pub(super) struct Socket<'a> {
        pub(super) local: u16,
        pub(super) remote: u16,
        pub(super) state: &'a str,
        pub(super) inode: &'a str,
    }

    /// A line of `/proc/net/tcp` (proc_net_tcp(5): local address, remote address and state are the second to fourth column,
    /// the inode is the tenth).
    pub(super) fn socket(line: &str) -> Option<Socket<'_>> {
        let columns: Vec<&str> = line.split_whitespace().collect();
        let port = |address: &str| u16::from_str_radix(address.rsplit_once(':')?.1, 16).ok();
        let (local, remote) = (port(columns.get(1)?)?, port(columns.get(2)?)?);
        Some(Socket { local, remote, state: columns.get(3)?, inode: columns.get(9)? })
    }

    fn sockets(wanted: impl Fn(&Socket<'_>) -> bool) -> Vec<String> {
        let tables = ["/proc/net/tcp", "/proc/net/tcp6"].iter().filter_map(|t| std::fs::read_to_string(t).ok());
        let of_table = |table: String| {
            let found = table.lines().filter_map(socket).filter(|s| wanted(s) && s.inode != "0");
            found.map(|s| format!("socket:[{}]", s.inode)).collect::<Vec<_>>()
        };
        tables.flat_map(of_table).collect()
    }

    fn process_with(sockets: &[String]) -> Option<(String, u32)> {
        if sockets.is_empty() {
            return None;
        }
        let mut processes: Vec<u32> =
            std::fs::read_dir("/proc").ok()?.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect();
        processes.sort_unstable();
        let pid = processes.into_iter().find(|pid| holds(*pid, sockets))?;
        let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
        Some((name.trim().to_owned(), pid))
    }

    fn holds(pid: u32, sockets: &[String]) -> bool {
        let Ok(files) = std::fs::read_dir(format!("/proc/{pid}/fd")) else { return false };
        files
            .filter_map(|f| std::fs::read_link(f.ok()?.path()).ok())
            .any(|target| target.to_str().is_some_and(|t| sockets.iter().any(|s| s == t)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_told_is_guessed_by_the_port() {
        assert!(suspects(4317).contains("Jaeger") && suspects(4318).contains("Aspire"));
        assert!(suspects(1).contains("another program"));
        assert_eq!(known("otelcol-contrib"), Some("an OpenTelemetry Collector"));
        assert_eq!(known("vim"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn programs_of_this_machine_are_found() {
        let line = "  0: 0100007F:10DD 0100007F:A1B2 01 00000000:00000000 00:00000000 00000000  1000        0 4242 1 0 20 4";
        let socket = linux::socket(line).unwrap();
        assert_eq!((socket.local, socket.remote, socket.state, socket.inode), (0x10dd, 0xa1b2, "01", "4242"));
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let holder = Holder::of(listener.local_addr().unwrap());
        assert!(holder.words.ends_with("itself"), "{holder:?}");
    }
}
