//! Who holds a port that is taken, as far as this machine tells.

use std::net::SocketAddr;

/// Words for the program that listens on the port of `addr`: its name and process id where the system tells them (Linux, same
/// user), else a guess.
pub(super) fn of(addr: SocketAddr) -> String {
    found(addr.port()).unwrap_or_else(|| "another program, perhaps Jaeger or an OpenTelemetry Collector".to_owned())
}

#[cfg(target_os = "linux")]
fn found(port: u16) -> Option<String> {
    let inodes: Vec<String> = ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .filter_map(|table| std::fs::read_to_string(table).ok())
        .flat_map(|table| table.lines().filter_map(|l| listening_inode(l, port)).collect::<Vec<_>>())
        .collect();
    let mut processes: Vec<u32> =
        std::fs::read_dir("/proc").ok()?.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect();
    processes.sort_unstable();
    let pid = processes.into_iter().find(|pid| holds(*pid, &inodes))?;
    let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
    let name = name.trim();
    Some(if pid == std::process::id() { format!("{name} itself") } else { format!("{name} (process {pid})") })
}

#[cfg(not(target_os = "linux"))]
fn found(_port: u16) -> Option<String> {
    None
}

/// The socket inode of a line of `/proc/net/tcp` that listens (state 0A) on `port` (proc_net_tcp(5): local address is the
/// second column, state the fourth, inode the tenth).
#[cfg(target_os = "linux")]
fn listening_inode(line: &str, port: u16) -> Option<String> {
    let mut columns = line.split_whitespace();
    let local = columns.nth(1)?;
    let state = columns.nth(1)?;
    let inode = columns.nth(5)?;
    let held = u16::from_str_radix(local.rsplit_once(':')?.1, 16).ok()?;
    (state == "0A" && held == port).then(|| format!("socket:[{inode}]"))
}

#[cfg(target_os = "linux")]
fn holds(pid: u32, inodes: &[String]) -> bool {
    let Ok(files) = std::fs::read_dir(format!("/proc/{pid}/fd")) else { return false };
    files
        .filter_map(|f| std::fs::read_link(f.ok()?.path()).ok())
        .any(|target| target.to_str().is_some_and(|t| inodes.iter().any(|i| i == t)))
}
