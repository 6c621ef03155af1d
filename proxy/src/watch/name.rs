//! What recordings are called.

use analyzer::time::Timestamp;

/// When a session began, and its number.
pub(super) fn file_name(session: u32, at: Timestamp) -> String {
    let time: String = at.to_string().chars().filter(|c| !matches!(c, '-' | ':')).collect();
    format!("{time}-{session:05}")
}

/// The number of the session in the name of a recording: [`file_name`], read back.
pub fn session_in(name: &str) -> Option<u32> {
    let name = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let digits = |part: &str| part.chars().take_while(char::is_ascii_digit).collect::<String>();
    let parts = name.split('-').skip(1).map(digits);
    parts.filter(|digits| digits.len() >= 5).find_map(|digits| digits.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_recording_tells_its_session() {
        let name = |session| file_name(session, Timestamp::at(1_795_385_402_123_000_000)) + ".pcapng.zst";
        assert_eq!([7, 123_456].map(|session| session_in(&name(session))), [Some(7), Some(123_456)]);
        // One that goes on under another name, and folders with numbers.
        let again = "/tmp/a-12345/20261122T221002.123Z-00007-1.part2.pcapng";
        assert_eq!(session_in(again), Some(7));
        assert_eq!(
            [session_in("wire.pcapng"), session_in("reset-in-active.pcapng"), session_in("a-2.pcapng")],
            [None; 3]
        );
    }
}
