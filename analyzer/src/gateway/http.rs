//! HTTP/1.1 (RFC 9112): one side's heads and bodies, one behind the other. The only room that names `httparse`.

use super::Hole;
use super::head::{self, Fields};
use crate::event::{HttpRequest, HttpResponse, Transport};

/// A head may have so many bytes: tickets of large accounts stand in it.
const MAX_HEAD: usize = 128 << 10;
/// Its first line, and a chunk's.
const MAX_LINE: usize = 8 << 10;
/// Fields of a head.
const MAX_FIELDS: usize = 128;

/// What one side sends.
#[derive(Debug, Default)]
pub(super) struct Half {
    state: State,
    /// The head or line that is not complete.
    kept: Vec<u8>,
    /// Where the next byte stands.
    offset: u64,
}

#[derive(Debug, Default, Clone, Copy)]
enum State {
    #[default]
    Head,
    Body(Body),
    Lost,
}

/// How a body ends, RFC 9112 6.3.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Body {
    /// After so many bytes.
    Length(u64),
    /// In chunks, 7.1: a line with the size of one comes.
    Chunks,
    /// In a chunk, so far from its end.
    Chunk(u64),
    /// The line end behind a chunk.
    ChunkEnd,
    /// Fields behind the last chunk.
    Trailer,
    /// With the connection.
    Rest,
}

/// A step of one side.
#[derive(Debug)]
pub(super) enum Piece<'a> {
    /// A head is complete; it began at this offset.
    Head(u64, Vec<u8>),
    /// Part of a body.
    Body(&'a [u8]),
    /// The body is complete.
    End,
    /// Bytes that nobody can tell the place of.
    Dropped(u64),
    /// This is no HTTP.
    Trouble(u64, String),
}

/// A response's head, and how its body ends.
pub(super) struct Answer {
    pub(super) response: HttpResponse,
    pub(super) body: Body,
}

impl Half {
    /// The next step that `data` completes; what it takes is taken from there.
    pub(super) fn next<'a>(&mut self, data: &mut &'a [u8]) -> Option<Piece<'a>> {
        match self.state {
            State::Head => self.head(data),
            State::Body(Body::Length(0)) => self.end(),
            State::Body(Body::Length(left)) => self.part(left, Body::Length, data),
            State::Body(Body::Rest) => self.part(u64::MAX, |_| Body::Rest, data),
            State::Body(Body::Chunk(0)) => self.become_body(Body::ChunkEnd, data),
            State::Body(Body::Chunk(left)) => self.part(left, Body::Chunk, data),
            State::Body(step @ (Body::Chunks | Body::ChunkEnd | Body::Trailer)) => self.line(step, data),
            State::Lost if data.is_empty() => None,
            State::Lost => Some(Piece::Dropped(self.take(data, usize::MAX).len() as u64)),
        }
    }

    /// What follows the head that was just told.
    pub(super) fn body(&mut self, body: Body) {
        self.state = State::Body(body);
    }

    /// Whether a new message begins with the next byte.
    pub(super) fn is_between(&self) -> bool {
        matches!(self.state, State::Head) && self.kept.is_empty()
    }

    /// Whether nothing was ever read.
    pub(super) fn is_new(&self) -> bool {
        self.offset == 0 && self.is_between()
    }

    /// Nobody knows any more where a message begins.
    pub(super) fn lose(&mut self) {
        self.state = State::Lost;
        self.kept.clear();
    }

    /// A message begins here: the other side shows it. Whether that was not known.
    pub(super) fn find(&mut self) -> bool {
        let was_lost = matches!(self.state, State::Lost);
        if was_lost {
            self.state = State::Head;
        }
        was_lost
    }

    /// What came of a head that is none, as something else is agreed on.
    pub(super) fn into_rest(self) -> Vec<u8> {
        self.kept
    }

    /// `len` bytes are not here.
    pub(super) fn missing(&mut self, len: u64) -> Hole {
        let at = self.offset;
        self.offset += len;
        let (left, body): (u64, fn(u64) -> Body) = match self.state {
            State::Body(Body::Length(left)) => (left, Body::Length),
            State::Body(Body::Chunk(left)) => (left, Body::Chunk),
            State::Body(Body::Rest) => (u64::MAX, |_| Body::Rest),
            State::Lost => return Hole { inside: 0, beyond: len, lost: None },
            State::Head | State::Body(Body::Chunks | Body::ChunkEnd | Body::Trailer) => {
                self.lose();
                return Hole { inside: 0, beyond: len, lost: Some(at) };
            }
        };
        if len <= left {
            self.state = State::Body(body(left - len));
            return Hole { inside: len, beyond: 0, lost: None };
        }
        self.lose();
        Hole { inside: left, beyond: len - left, lost: Some(at + left) }
    }

    fn take<'a>(&mut self, data: &mut &'a [u8], len: usize) -> &'a [u8] {
        let (taken, rest) = data.split_at(len.min(data.len()));
        *data = rest;
        self.offset += taken.len() as u64;
        taken
    }

    fn part<'a>(&mut self, left: u64, then: fn(u64) -> Body, data: &mut &'a [u8]) -> Option<Piece<'a>> {
        let taken = self.take(data, usize::try_from(left).unwrap_or(usize::MAX));
        self.state = State::Body(then(left - taken.len() as u64));
        (!taken.is_empty()).then_some(Piece::Body(taken))
    }

    fn end<'a>(&mut self) -> Option<Piece<'a>> {
        self.state = State::Head;
        Some(Piece::End)
    }

    fn become_body<'a>(&mut self, body: Body, data: &mut &'a [u8]) -> Option<Piece<'a>> {
        self.state = State::Body(body);
        self.next(data)
    }

    fn trouble<'a>(&mut self, at: u64, says: impl Into<String>) -> Option<Piece<'a>> {
        self.lose();
        Some(Piece::Trouble(at, says.into()))
    }

    /// Keeps what belongs to the line that is read, no more than `limit` and one more; whether it is complete.
    fn keep_line(&mut self, limit: usize, data: &mut &[u8]) -> bool {
        let end = data.iter().position(|byte| *byte == b'\n').map_or(usize::MAX, |at| at + 1);
        let taken = self.take(data, end.min(limit + 1 - self.kept.len().min(limit)));
        self.kept.extend_from_slice(taken);
        taken.ends_with(b"\n")
    }

    /// How long what is read of a head may become.
    fn limit(&self) -> usize {
        if self.kept.contains(&b'\n') { MAX_HEAD } else { MAX_LINE }
    }

    fn head<'a>(&mut self, data: &mut &'a [u8]) -> Option<Piece<'a>> {
        while let Some(first) = data.first() {
            if self.kept.is_empty() && !(first.is_ascii_alphanumeric() || b"\r\n_-".contains(first)) {
                return self.trouble(self.offset, format!("expected the head of a message, found {first:02x}"));
            }
            let limit = self.limit();
            let (is_first, is_line) = (limit == MAX_LINE, self.keep_line(limit, data));
            let begin = self.offset - self.kept.len() as u64;
            if self.kept.len() > limit {
                return self.trouble(begin, "expected a head, found no end of it");
            }
            match (is_line, &self.kept[..]) {
                // Empty lines before a head are passed over, RFC 9112 2.2.
                (true, b"\r\n" | b"\n") => self.kept.clear(),
                (true, line) if is_first && !line.windows(5).any(|five| five == b"HTTP/") => {
                    return self.trouble(begin, "expected the head of a message, found a line without HTTP");
                }
                (true, head) if head.ends_with(b"\n\r\n") || head.ends_with(b"\n\n") => {
                    return Some(Piece::Head(begin, std::mem::take(&mut self.kept)));
                }
                (true | false, _) => {}
            }
        }
        None
    }

    /// A line of the chunked coding; of a trailer, all that are here.
    fn line<'a>(&mut self, step: Body, data: &mut &'a [u8]) -> Option<Piece<'a>> {
        let (begin, line) = loop {
            let is_line = self.keep_line(MAX_LINE, data);
            let begin = self.offset - self.kept.len() as u64;
            if self.kept.len() > MAX_LINE {
                return self.trouble(begin, "expected a line between chunks, found no end of it");
            }
            if !is_line {
                return None;
            }
            let line = std::mem::take(&mut self.kept);
            if step != Body::Trailer || line.trim_ascii().is_empty() {
                break (begin, line);
            }
        };
        match (step, line.trim_ascii()) {
            (Body::Trailer, _) => self.end(),
            (Body::ChunkEnd, b"") => self.become_body(Body::Chunks, data),
            (Body::ChunkEnd, _) => self.trouble(begin, "expected the end of a chunk, found more"),
            (_, line) => match size(line) {
                Some(0) => self.become_body(Body::Trailer, data),
                Some(size) => self.become_body(Body::Chunk(size), data),
                None => self.trouble(begin, "expected the size of a chunk, found none"),
            },
        }
    }
}

/// chunk-size, RFC 9112 7.1; what stands behind a semicolon is an extension.
fn size(line: &[u8]) -> Option<u64> {
    let digits = line.split(|byte| *byte == b';').next()?.trim_ascii();
    let is_number = !digits.is_empty() && digits.iter().all(u8::is_ascii_hexdigit);
    u64::from_str_radix(std::str::from_utf8(digits).ok().filter(|_| is_number)?, 16).ok()
}

fn fields<'a>(headers: &[httparse::Header<'a>]) -> Fields<'a> {
    Fields(headers.iter().map(|header| (header.name, header.value)).collect())
}

/// Reads a request's head, and how its body ends.
pub(super) fn request(head: &[u8]) -> Result<(HttpRequest, Body), String> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_FIELDS];
    let mut request = httparse::Request::new(&mut headers);
    request.parse(head).map_err(|error| error.to_string())?;
    let (method, path) = (request.method.unwrap_or_default(), request.path.unwrap_or_default());
    let fields = fields(request.headers);
    let body = if fields.is_chunked() { Body::Chunks } else { Body::Length(fields.length().unwrap_or(0)) };
    Ok((head::request(method, path, 1, &fields), body))
}

/// Reads a response's head. `is_head` where HEAD was asked.
pub(super) fn response(head: &[u8], transport: Transport, is_head: bool) -> Result<Answer, String> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_FIELDS];
    let mut response = httparse::Response::new(&mut headers);
    response.parse(head).map_err(|error| error.to_string())?;
    let (status, fields) = (response.code.unwrap_or_default(), fields(response.headers));
    let body = match status {
        100..200 | 204 | 304 => Body::Length(0),
        _ if is_head => Body::Length(0),
        _ if fields.is_chunked() => Body::Chunks,
        _ => fields.length().map_or(Body::Rest, Body::Length),
    };
    Ok(Answer { response: head::response(transport, status, response.reason.unwrap_or_default(), &fields), body })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trailer_without_an_end_costs_no_stack() {
        let lines = "a\n".repeat(40_000);
        let talk = format!("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n{lines}\r\n");
        assert_eq!(steps(talk.as_bytes(), usize::MAX, true), "0:POST []");
    }

    /// Steps of one side, each a word: bodies put together.
    fn steps(bytes: &[u8], cut: usize, is_request: bool) -> String {
        let (mut half, mut words, mut body) = (Half::default(), Vec::new(), Vec::new());
        for mut data in bytes.chunks(cut) {
            while let Some(piece) = half.next(&mut data) {
                match piece {
                    Piece::Head(at, head) if is_request => {
                        let (request, end) = request(&head).expect("a head");
                        half.body(end);
                        words.push(format!("{at}:{}", request.method));
                    }
                    Piece::Head(at, head) => {
                        let answer = response(&head, Transport::Other, false).expect("a head");
                        half.body(answer.body);
                        words.push(format!("{at}:{}", answer.response.status));
                    }
                    Piece::Body(part) => body.extend_from_slice(part),
                    Piece::End => words.push(format!("[{}]", String::from_utf8_lossy(&std::mem::take(&mut body)))),
                    Piece::Dropped(_) => {}
                    Piece::Trouble(at, says) => words.push(format!("{at}:{says}")),
                }
            }
        }
        if !body.is_empty() {
            words.push(format!("[{}", String::from_utf8_lossy(&body)));
        }
        words.join(" ")
    }

    #[test]
    fn heads_and_bodies_however_cut() {
        for (is_request, bytes, expected) in [
            (true, "GET / HTTP/1.1\r\n\r\nPOST /x HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc", "0:GET [] 18:POST [abc]"),
            (
                true,
                "RDG_IN_DATA / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n",
                "0:RDG_IN_DATA [abcde] 78:GET []",
            ),
            (
                false,
                "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No\r\n\r\nHTTP/1.0 200 OK\r\n\r\nrest",
                "0:100 [] 25:204 [] 44:200 [rest",
            ),
            (
                false,
                "HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno\r\nHTTP/1.1 101 S\r\n\r\n",
                "0:401 [no] 52:101 []",
            ),
            (true, "\x16\x03\x01", "0:expected the head of a message, found 16"),
            (true, "hello\r\nworld", "0:expected the head of a message, found a line without HTTP"),
            (
                true,
                "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
                "0:POST 47:expected the size of a chunk, found none",
            ),
        ] {
            for cut in [1, 2, 7, usize::MAX] {
                assert_eq!(steps(bytes.as_bytes(), cut, is_request), expected, "{bytes} cut at {cut}");
            }
        }
    }

    #[test]
    fn a_hole_in_a_body_costs_no_more() {
        let mut half = Half::default();
        half.body(Body::Length(10));
        assert_eq!(half.missing(4), Hole { inside: 4, beyond: 0, lost: None });
        assert_eq!(half.missing(7), Hole { inside: 6, beyond: 1, lost: Some(10) });
        assert_eq!(half.missing(7), Hole { inside: 0, beyond: 7, lost: None });
        assert!(half.find() && half.is_between());
    }
}
