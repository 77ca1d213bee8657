//! How many files and connections this process may have open.

/// Open files that are asked for where the system would allow even more.
const ENOUGH: u64 = 16_384;

/// How many files and connections may be open at a time. The limit of this process is raised as far as it may be without
/// asking anybody, at most to 16,384: many systems begin with 256 or 1,024.
#[cfg(unix)]
pub fn handles() -> usize {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let most = limit.maximum.unwrap_or(ENOUGH).min(ENOUGH);
    let raised = Rlimit { current: Some(most), maximum: limit.maximum };
    let now = match limit.current {
        Some(now) if now < most && setrlimit(Resource::Nofile, raised).is_ok() => most,
        Some(now) => now,
        None => ENOUGH,
    };
    usize::try_from(now).unwrap_or(usize::MAX)
}

/// How many files and connections may be open at a time.
#[cfg(not(unix))]
pub fn handles() -> usize {
    ENOUGH as usize
}
