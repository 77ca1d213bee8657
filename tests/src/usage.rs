//! What running programs use, as Linux tells it under `/proc`.

use std::collections::BTreeMap;

/// Proportional set size of a process, MB: what it shares is divided among those who share it. Nothing when it has ended.
#[must_use]
pub fn pss(pid: u32) -> Option<f64> {
    rollup(pid, "Pss:")
}

/// Anonymous memory of a process, MB: what it asked for and wrote to. Pages of files that it has mapped (its own program, libraries,
/// the shared memory of a workspace) are not in it: the system takes those back when it needs them. Nothing when it has ended.
#[must_use]
pub fn anonymous(pid: u32) -> Option<f64> {
    rollup(pid, "Anonymous:")
}

fn rollup(pid: u32, field: &str) -> Option<f64> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
    let line = text.lines().find(|line| line.starts_with(field))?;
    Some(line.split_whitespace().nth(1)?.parse::<f64>().ok()? / 1024.0)
}

/// Processes whose name begins with `program` and whose command holds `marker`, and all that came of them: numbers and names.
#[must_use]
pub fn family(marker: &str, program: &str) -> BTreeMap<u32, String> {
    let mut parents = BTreeMap::new();
    for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        let stat = std::fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        let Some((head, tail)) = stat.rsplit_once(") ") else { continue };
        let name = head.split_once('(').map_or("", |(_, name)| name).to_owned();
        let parent = tail.split(' ').nth(1).and_then(|p| p.parse::<u32>().ok()).unwrap_or_default();
        let command = std::fs::read_to_string(entry.path().join("cmdline")).unwrap_or_default();
        parents.insert(pid, (parent, name, command.contains(marker)));
    }
    let belongs = |pid: u32| {
        let mut at = pid;
        while let Some((parent, name, marked)) = parents.get(&at) {
            if *marked && name.starts_with(program) {
                return true;
            }
            at = *parent;
        }
        false
    };
    parents.iter().filter(|(pid, _)| belongs(**pid)).map(|(pid, (_, name, _))| (*pid, name.clone())).collect()
}

/// Open handles (files, sockets, pipes) of a process. Nothing when it has ended.
#[must_use]
pub fn handles(pid: u32) -> Option<u64> {
    Some(std::fs::read_dir(format!("/proc/{pid}/fd")).ok()?.count() as u64)
}

/// Whether the command of a process holds a text.
#[must_use]
pub fn command_holds(pid: u32, text: &str) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/cmdline")).is_ok_and(|command| command.contains(text))
}
