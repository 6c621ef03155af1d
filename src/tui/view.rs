//! What is to be seen: a title, the list or one session, a note, the keys. Drawn from the board and the cursor alone.

use analyzer::shown;
use analyzer::time::Timestamp;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Paragraph};

use super::board::Board;
use super::cursor::{Cursor, Order};
use super::figures::cut;
use super::list::{Columns, Piece, Role, number, row};
use super::{detail, list};

/// Columns that a title needs.
const TITLE: usize = 30;

const HELP: [&str; 16] = [
    "up, down, k, j    select a session, or scroll it",
    "PgUp, PgDn        a page; Home, End, g, G",
    "Enter             the session in full",
    "Esc, Backspace    back to the list",
    "s                 newest, or failed ones on top",
    "q, Ctrl-C         end, as Ctrl-C ends it elsewhere",
    "",
    "phases            ━ passed  > now  x failed  | left",
    "client RTT        round trips on the client's leg:",
    "server RTT        and the server's; the lowest bar is",
    "                  steady, the number is the latest",
    "B up, B down      bytes from client, from server",
    "again             segments that were sent again",
    "",
    "Recordings and summary are as without --tui.",
    "Any key closes this.",
];

/// How it looks.
#[derive(Debug, Clone, Copy)]
pub struct Looks {
    /// Whether there is colour (NO_COLOR).
    pub is_coloured: bool,
}

impl Looks {
    fn style(self, role: Role) -> Style {
        let style = match role {
            Role::Plain | Role::Going | Role::Good => Style::new(),
            Role::Soft => Style::new().add_modifier(Modifier::DIM),
            Role::Title | Role::Bad => Style::new().add_modifier(Modifier::BOLD),
        };
        let colour = match role {
            Role::Plain | Role::Soft | Role::Title => None,
            Role::Going => Some(Color::Cyan),
            Role::Good => Some(Color::Green),
            Role::Bad => Some(Color::Red),
        };
        match colour.filter(|_| self.is_coloured) {
            Some(colour) => style.fg(colour),
            None => style,
        }
    }

    fn line(self, pieces: Vec<Piece>) -> Line<'static> {
        let spans: Vec<Span<'static>> =
            pieces.into_iter().map(|(role, text)| Span::styled(text, self.style(role))).collect();
        Line::from(spans)
    }
}

/// Draws all of it. How many sessions, or lines, a page has.
pub fn draw(
    frame: &mut Frame<'_>,
    title: &str,
    board: &Board,
    cursor: &mut Cursor,
    now: Timestamp,
    looks: Looks,
) -> usize {
    let note = u16::from(board.note.is_some());
    let [head, body, notes, foot] =
        Layout::vertical([Constraint::Length(1), Constraint::Min(1), Constraint::Length(note), Constraint::Length(1)])
            .areas(frame.area());
    self::head(frame, head, title, board, looks);
    let opened = cursor.open.and_then(|_| cursor.selected(board));
    let (page, place) = match opened {
        Some(_) => session(frame, body, board, cursor, now, looks),
        None => (sessions(frame, body, board, cursor, now, looks), String::new()),
    };
    if let Some(note) = &board.note {
        let says = cut(&format!("note: {}", shown::line(note)), notes.width.into());
        frame.render_widget(Paragraph::new(looks.line(vec![(Role::Title, says)])), notes);
    }
    keys(frame, foot, cursor, &place);
    if cursor.helps {
        help(frame);
    }
    page
}

fn head(frame: &mut Frame<'_>, area: Rect, title: &str, board: &Board, looks: Looks) {
    let counts = format!("{} open, {} over, {} failed ", board.open(), board.over, board.failed);
    let width = usize::from(area.width);
    let room = width.saturating_sub(counts.len() + 1);
    // A few letters of a name say nothing.
    let title = if room < TITLE { " rdpscope".to_owned() } else { format!(" rdpscope  {}", shown::line(title)) };
    let title = cut(&title, room);
    let says = format!("{title:<room$} {counts}");
    let style = looks.style(Role::Title).add_modifier(Modifier::REVERSED);
    frame.render_widget(Paragraph::new(cut(&says, width)).style(style), area);
}

fn sessions(
    frame: &mut Frame<'_>,
    area: Rect,
    board: &Board,
    cursor: &mut Cursor,
    now: Timestamp,
    looks: Looks,
) -> usize {
    let width = usize::from(area.width);
    let list = cursor.list(board);
    let page = usize::from(area.height.saturating_sub(1)) / 2;
    if list.is_empty() {
        let says = ["", "  No session yet. Sessions appear as clients connect."];
        frame.render_widget(Paragraph::new(says.map(|line| Line::from(cut(line, width))).to_vec()), area);
        return page;
    }
    let selected = cursor.selected(board);
    let at = list.iter().position(|place| Some(*place) == selected).unwrap_or(0);
    cursor.top = cursor.top.clamp((at + 1).saturating_sub(page.max(1)), at).min(list.len().saturating_sub(page));
    let columns = Columns::within(width);
    let mut lines = vec![looks.line(vec![(Role::Soft, format!("  {}", columns.head()))])];
    for place in list.iter().skip(cursor.top).take(page) {
        let Some(session) = board.session(*place) else { continue };
        let [figures, says] = row(&columns, session, now, Some(*place) == selected, width);
        lines.extend([looks.line(figures), looks.line(says)]);
    }
    let below = list.len().saturating_sub(cursor.top + page);
    let forgotten = board.forgotten;
    if below == 0 && forgotten > 0 {
        lines.push(looks.line(vec![(Role::Soft, format!("  and {forgotten} earlier ones that are not kept"))]));
    }
    frame.render_widget(Paragraph::new(lines), area);
    page
}

/// The session that is open: its lines from where it is scrolled to. What a page has, and where it is.
fn session(
    frame: &mut Frame<'_>,
    area: Rect,
    board: &Board,
    cursor: &mut Cursor,
    now: Timestamp,
    looks: Looks,
) -> (usize, String) {
    let page = usize::from(area.height.saturating_sub(1));
    let Some(session) = cursor.selected(board).and_then(|place| board.session(place)) else {
        return (page, String::new());
    };
    let width = usize::from(area.width);
    let lines = detail::lines(session, now, width);
    let first = cursor.open.unwrap_or(0).min(lines.len().saturating_sub(page));
    cursor.open = Some(first);
    let (role, says) = list::standing(session, now);
    let title = format!("#{} {}  ", number(session), session.which.client);
    let says = cut(&shown::line(&says), width.saturating_sub(title.len()));
    let mut shown = vec![looks.line(vec![(Role::Title, title), (role, says)])];
    let (last, count) = ((first + page).min(lines.len()), lines.len());
    shown.extend(lines.into_iter().skip(first).take(page).map(Line::from));
    frame.render_widget(Paragraph::new(shown), area);
    (page, format!("{}-{last} of {count}", first + 1))
}

fn keys(frame: &mut Frame<'_>, area: Rect, cursor: &Cursor, place: &str) {
    let order = match cursor.order {
        Order::Newest => Order::Failed.name(),
        Order::Failed => Order::Newest.name(),
    };
    let says = match cursor.open {
        Some(_) => format!(" q end  Esc back  ? help  up/down PgUp/PgDn scroll  {place}"),
        None => format!(" q end  Enter open  ? help  up/down select  s {order}"),
    };
    let width = usize::from(area.width);
    let line = format!("{:<width$}", cut(&says, width));
    frame.render_widget(Paragraph::new(line).style(Style::new().add_modifier(Modifier::REVERSED)), area);
}

fn help(frame: &mut Frame<'_>) {
    let area = frame.area();
    let wide = HELP.iter().map(|line| line.chars().count()).max().unwrap_or(0) + 4;
    let (width, height) = ((wide as u16).min(area.width), (HELP.len() as u16 + 2).min(area.height));
    let within = Rect { x: (area.width - width) / 2, y: (area.height - height) / 2, width, height };
    let lines: Vec<Line<'_>> = HELP.iter().map(|line| Line::from(format!(" {line}"))).collect();
    frame.render_widget(Clear, within);
    frame.render_widget(Paragraph::new(lines).block(Block::bordered().title(" keys ")), within);
}
