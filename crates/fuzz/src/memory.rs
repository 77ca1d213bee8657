//! How much memory this process ever took.

/// The most that was resident since [`forget`], bytes; `None` where the system does not tell (proc_pid_status(5), `VmHWM`).
pub(crate) fn most() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().trim_end_matches(" kB").parse::<u64>().ok()? << 10)
}

/// Begins anew with what is resident now (proc_pid_clear_refs(5)).
pub(crate) fn forget() {
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}
