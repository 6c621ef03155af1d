//! Stories of the board, and what is to be seen of it: golden captures, told again, on screens of several sizes.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Duration;

use analyzer::attempt::Diagnosed;
use analyzer::capture::file::ReadError;
use analyzer::session::Session;
use analyzer::time::Timestamp;
use proxy::watch::Live;
use proxy::watch::retell::{Next, Recording, retell};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::style::{Color, Modifier};

use super::board::{Board, State};
use super::cursor::{Cursor, Key, Order};
use super::view::{self, Looks};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).into()
}

/// Tells a golden capture to the board as session `number`, as far as so many things that were recorded. When the last of
/// them was.
fn tell(board: &mut Board, name: &str, number: u32, things: usize) -> Timestamp {
    let file = File::open(folder().join(format!("captures/{name}.pcapng"))).expect("a golden capture");
    let recording = Recording { name: format!("{name}.pcapng"), session: number, layers: Session::default() };
    let (mut at, mut told) = (Timestamp::default(), 0);
    let mut next = |next: Next| {
        if let Next::At(time) = next {
            (at, told) = (time, told + 1);
        }
        if told > things { Err(ReadError::Empty) } else { Ok(()) }
    };
    let _stopped = retell(file, recording, &mut next, &mut |live| board.push(&live));
    at
}

fn whole(board: &mut Board, name: &str, number: u32) -> Timestamp {
    tell(board, name, number, usize::MAX)
}

/// Four sessions: one that goes on, a good one, two that failed.
fn four() -> (Board, Timestamp) {
    let mut board = Board::default();
    whole(&mut board, "healthy-tls12", 1);
    whole(&mut board, "reset-after-client-hello", 2);
    whole(&mut board, "hybrid-required", 3);
    let at = tell(&mut board, "silence-after-client-hello", 4, 26);
    (board, at + Duration::from_millis(1500))
}

const PLAIN: Looks = Looks { is_coloured: false };

fn drawn(board: &Board, cursor: &mut Cursor, now: Timestamp, (width, height): (u16, u16), looks: Looks) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("a terminal in memory");
    let draw = |frame: &mut ratatui::Frame<'_>| {
        view::draw(frame, "127.0.0.1:3390 -> server.example:3389", board, cursor, now, looks);
    };
    terminal.draw(draw).expect("drawn");
    terminal.backend().buffer().clone()
}

fn text(buffer: &Buffer) -> String {
    let row = |y: u16| (0..buffer.area.width).map(|x| buffer[(x, y)].symbol()).collect::<String>();
    (0..buffer.area.height).map(|y| row(y).trim_end().to_owned() + "\n").collect()
}

/// What is to be seen is what the expectation file says.
fn check(name: &str, board: &Board, cursor: &mut Cursor, now: Timestamp, size: (u16, u16)) {
    let text = text(&drawn(board, cursor, now, size, PLAIN));
    let path = folder().join(format!("tests/it/expect/tui-{name}.txt"));
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        fs::write(&path, &text).expect("write");
    }
    let expected = fs::read_to_string(&path).unwrap_or_default().replace("\r\n", "\n");
    assert!(text == expected, "{} expects something else (UPDATE_EXPECT=1 rewrites it):\n{text}", path.display());
}

#[test]
fn a_session_runs_and_is_over() {
    let mut board = Board::default();
    tell(&mut board, "reset-after-client-hello", 7, 12);
    let session = board.session((7, 0)).expect("it goes on");
    assert!(matches!(session.state, State::Running(_)) && !session.is_bad());
    assert_eq!((board.open(), board.over, board.failed), (1, 0, 0));
    whole(&mut board, "reset-after-client-hello", 7);
    assert!(board.session((7, 0)).expect("it is kept").is_bad());
    assert_eq!((board.open(), board.over, board.failed), (0, 1, 1));
}

#[test]
fn what_joined_another_session_is_no_row_any_more() {
    let mut board = Board::default();
    tell(&mut board, "healthy-tls12", 3, 12);
    board.push(&Live::Over { session: 2 });
    assert_eq!(board.open(), 1, "it is of another recording");
    board.push(&Live::Over { session: 3 });
    assert_eq!((board.open(), board.over, board.sessions().count()), (0, 0, 0));
}

#[test]
fn the_finished_ones_are_bounded_and_the_running_ones_stay() {
    let mut board = Board::default();
    tell(&mut board, "healthy-tls12", 1, 12);
    (2..=304).for_each(|number| _ = whole(&mut board, "refused", number));
    assert_eq!((board.over, board.failed, board.forgotten, board.sessions().count()), (303, 303, 3, 301));
    assert!(board.session((1, 0)).is_some() && board.session((2, 0)).is_none() && board.session((5, 0)).is_some());
}

#[test]
fn a_withdrawn_failure_is_none() {
    let mut board = Board::default();
    whole(&mut board, "hybrid-required", 1);
    let State::Over(failed) = &board.session((1, 0)).expect("a session").state else { panic!("it is over") };
    let mut withdrawn: Diagnosed = (**failed).clone();
    withdrawn.withdraw();
    board.push(&Live::Withdrawn { diagnosed: &withdrawn });
    assert!(board.failed == 0 && !board.session((1, 0)).expect("a session").is_bad());
    let (mut cursor, now) = (Cursor::new(), withdrawn.timeline.last);
    assert!(text(&drawn(&board, &mut cursor, now, (80, 8), PLAIN)).contains("withdrawn: failed in negotiation"));
}

#[test]
fn trouble_is_seen_at_once_and_kept_for_the_end() {
    let (mut board, now) = four();
    board.push(&Live::Missing { session: 2 });
    let seen = text(&drawn(&board, &mut Cursor::new(), now, (80, 24), PLAIN));
    assert!(seen.contains("\nnote: #2 MISSING: the recorder does not keep up"), "{seen}");
    board.note("\u{1b}[2Jnothing is to be driven".into());
    let seen = text(&drawn(&board, &mut Cursor::new(), now, (80, 24), PLAIN));
    assert!(seen.contains("note: \\u{1b}[2Jnothing") && !seen.contains('\u{1b}'), "{seen}");
    assert_eq!(board.take_notes().len(), 2);
}

#[test]
fn the_selection_stays_with_its_session_and_else_on_top() {
    let (mut board, _) = four();
    let mut cursor = Cursor::new();
    assert_eq!(cursor.selected(&board), Some((4, 0)));
    whole(&mut board, "refused", 5);
    assert_eq!(cursor.selected(&board), Some((5, 0)), "nobody had selected another");
    cursor.press(Key::Down, &board, 5);
    whole(&mut board, "refused", 6);
    assert_eq!(cursor.selected(&board), Some((4, 0)));
    cursor.press(Key::Sort, &board, 5);
    assert_eq!((cursor.order, cursor.selected(&board)), (Order::Failed, Some((4, 0))));
    assert_eq!(cursor.list(&board), [(6, 0), (5, 0), (3, 0), (2, 0), (4, 0), (1, 0)]);
    for (key, selected) in [(Key::End, 1), (Key::Up, 4), (Key::PageUp, 6), (Key::Down, 5), (Key::Home, 6)] {
        cursor.press(key, &board, 5);
        assert_eq!(cursor.selected(&board), Some((selected, 0)), "{key:?}");
    }
}

#[test]
fn keys_open_scroll_close_explain_and_end() {
    let (board, now) = four();
    let mut cursor = Cursor::new();
    assert!(!cursor.press(Key::Enter, &board, 5) && cursor.open == Some(0));
    cursor.press(Key::End, &board, 5);
    drawn(&board, &mut cursor, now, (80, 24), PLAIN);
    assert!(cursor.open.is_some_and(|line| line < 100), "no further than there are lines: {cursor:?}");
    cursor.press(Key::Help, &board, 5);
    cursor.press(Key::Escape, &board, 5);
    assert!(!cursor.helps && cursor.open.is_some(), "a key closes the help and does nothing else");
    cursor.press(Key::Escape, &board, 5);
    assert!(cursor.open.is_none() && cursor.press(Key::Quit, &board, 5));
    assert!(!Cursor::new().press(Key::Enter, &Board::default(), 5), "an empty list has nothing to open");
}

#[test]
fn the_list_and_a_session_are_seen_as_expected() {
    let (board, now) = four();
    check("list", &board, &mut Cursor::new(), now, (80, 24));
    check("list-wide", &board, &mut Cursor::new(), now, (132, 16));
    check("list-small", &board, &mut Cursor::new(), now, (40, 10));
    check("empty", &Board::default(), &mut Cursor::new(), now, (80, 8));
    let mut cursor = Cursor::new();
    cursor.press(Key::Enter, &board, 5);
    check("running", &board, &mut cursor, now, (80, 40));
    cursor.press(Key::Escape, &board, 5);
    cursor.press(Key::PageDown, &board, 2);
    cursor.press(Key::Enter, &board, 5);
    check("failed", &board, &mut cursor, now, (80, 70));
    check("failed-small", &board, &mut cursor, now, (40, 10));
    cursor.press(Key::Help, &board, 5);
    check("help", &board, &mut cursor, now, (80, 24));
}

#[test]
fn no_size_is_too_small() {
    let (board, now) = four();
    for size in [(1, 1), (2, 3), (5, 2), (12, 4), (300, 3), (20, 100)] {
        for keys in [&[][..], &[Key::Enter], &[Key::Help], &[Key::End, Key::Enter, Key::End]] {
            let mut cursor = Cursor::new();
            keys.iter().for_each(|key| _ = cursor.press(*key, &board, 1));
            drawn(&board, &mut cursor, now, size, PLAIN);
        }
    }
}

#[test]
fn a_failure_stands_out_in_words_and_without_colour() {
    let (board, now) = four();
    let buffer = drawn(&board, &mut Cursor::new(), now, (80, 24), PLAIN);
    let cells = || (0..24).flat_map(|y| (0..80).map(move |x| (x, y))).map(|at| &buffer[at]);
    assert!(cells().all(|cell| cell.fg == Color::Reset && cell.bg == Color::Reset), "NO_COLOR");
    let said = text(&buffer);
    let row = said.lines().position(|line| line.contains("FAILED in tls: TLS-NOKEY")).expect("a row");
    assert!(buffer[(10, row as u16)].modifier.contains(Modifier::BOLD));
    let coloured = drawn(&board, &mut Cursor::new(), now, (80, 24), Looks { is_coloured: true });
    assert_eq!((coloured[(10, row as u16)].fg, text(&coloured)), (Color::Red, said));
}

/// In terminals of their own: the program's own test is started in them, and leaves the terminal in one way each.
#[cfg(target_os = "linux")]
mod in_a_terminal {
    use std::process::{Command, Stdio};

    use super::super::Tui;
    use super::*;

    #[test]
    #[ignore = "is started by another, in a terminal"]
    fn its_thread_panics() {
        let tui = Tui::open("a title".into(), || panic!("on the screen's thread")).expect("a terminal");
        tui.done.recv().expect_err("it is given back, and the thread is gone");
    }

    #[test]
    #[ignore = "is started by another, in a terminal"]
    fn another_thread_panics() {
        let _tui = Tui::open("a title".into(), Timestamp::default).expect("a terminal");
        panic!("on another thread");
    }

    /// Starts a test of this program in a terminal: its attributes before and after, and everything that it showed.
    fn in_terminal(test: &str) -> (String, String, String) {
        let folder = std::env::temp_dir().join(format!("rdpscope-tui-{}-{test}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        let (program, file) = (std::env::current_exe().expect("this program"), |name: &str| folder.join(name));
        let story = format!(
            "stty rows 24 cols 80; stty -g >{}; '{}' --exact tui::tests::in_a_terminal::{test} --ignored --nocapture; \
             stty -g >{}",
            file("before").display(),
            program.display(),
            file("after").display()
        );
        let mut script = Command::new("script");
        script.args(["-qefc", &story]).arg(file("seen")).stdin(Stdio::null()).stdout(Stdio::null());
        let _code = script.status().expect("script, of bsdutils");
        let read = |name| String::from_utf8_lossy(&fs::read(file(name)).expect("written")).into_owned();
        let all = (read("before"), read("after"), read("seen"));
        fs::remove_dir_all(&folder).expect("removed");
        all
    }

    #[test]
    fn a_panic_leaves_the_terminal_as_it_was_and_is_told_there() {
        for (test, says) in
            [("its_thread_panics", "on the screen's thread"), ("another_thread_panics", "on another thread")]
        {
            let (before, after, seen) = in_terminal(test);
            assert_eq!(before, after, "{test}");
            let (screen, behind) = seen.split_once("\u{1b}[?1049l").unwrap_or_else(|| panic!("{test}: {seen}"));
            assert!(screen.contains("\u{1b}[?1049h") && behind.contains("\u{1b}[?25h"), "{test}: {seen}");
            // The screen may have had the time to show it where it shows notes, and nowhere else.
            let screen = screen.replace(&format!("note: {says}"), "");
            assert!(!screen.contains(says) && behind.contains(says), "{test}: {seen}");
        }
    }
}
