//! How many sessions this process has files for, and as whom it opens them.

/// Of a session: two sockets and its recording.
const OF_A_SESSION: usize = 3;
/// Of the program: the listener, the runtime's own, key log, report, resolver.
const OF_THE_PROGRAM: usize = 32;

/// How many sessions may go on at once, so that each has what it needs. The limit of this process is raised to what the system
/// allows it first.
#[cfg(unix)]
pub fn sessions() -> usize {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    // Where it may not be raised it stays.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
    getrlimit(Resource::Nofile).current.map_or(usize::MAX, |files| of(usize::try_from(files).unwrap_or(usize::MAX)))
}

/// Windows has no such limit.
#[cfg(not(unix))]
pub fn sessions() -> usize {
    usize::MAX
}

/// As whom this process makes files.
#[cfg(unix)]
pub fn user() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// With so many files.
#[cfg_attr(not(unix), allow(dead_code))]
fn of(files: usize) -> usize {
    (files.saturating_sub(OF_THE_PROGRAM) / OF_A_SESSION).max(1)
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn there_is_always_room_for_one() {
        assert_eq!([0, 31, 40, 64, 20_000].map(of), [1, 1, 2, 10, 6_656]);
    }
}
