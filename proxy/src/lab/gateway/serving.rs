//! What a gateway says in HTTP: who is let in, and over which transport.

use std::io::{self, ErrorKind};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::sync::mpsc;
use tokio::time::sleep;

use super::carrier::{Framing, Inward, Outward, Source};
use super::http::{self, Head};
use super::log::{Did, Log, Stop};
use super::ntlm::{self, Kind};
use super::script::{ACCOUNT, Answer, Scheme, Step};
use super::server::Host;
use super::sums::{base64, nonce, unbase64, websocket_accept};
use super::tunnel;
use crate::lab::session::say;

/// Packets that one half of a tunnel may be ahead of the other.
const AHEAD: usize = 16;

/// What a gateway of 2019 sends as its seed, over and over.
const SEED: [u8; 2] = [0xab, 0xcd];

/// What a gateway knows of who is at the other end of a connection.
#[derive(Debug, Default)]
struct Guest {
    /// The challenge that waits for its answer.
    challenge: Option<[u8; 8]>,
    /// NTLM lets in a connection, not a request.
    is_known: bool,
}

/// What becomes of a request.
enum Door {
    Open,
    /// 401 with the challenge.
    Challenge(Vec<u8>),
    Shut,
}

/// Serves requests until there is a tunnel, and then the tunnel, to its end.
pub(super) async fn serve<S>(io: &mut S, host: &Host, log: &mut Log) -> Result<(), Stop>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut guest = Guest::default();
    while let Some(head) = request(io).await? {
        if let Some(step) = step_of(&head) {
            log.reach(step)?;
        }
        sleep(Duration::from_millis(host.script.thinks_ms)).await;
        match door(&head, &mut guest, host) {
            Door::Challenge(answer) => {
                say(io, answer).await?;
                log.reach(Step::Challenge)?;
            }
            Door::Shut => {
                log.note(Did::TurnedAway, None);
                say(io, turned_away(host)).await?;
            }
            Door::Open if is_ours(&head) => match head.method() {
                "RDG_OUT_DATA" => return out_data(io, &head, host, log).await,
                "RDG_IN_DATA" if head.says("Transfer-Encoding", "chunked") => return in_data(io, &head, host).await,
                "RDG_IN_DATA" => say(io, accepted(&["Content-Length: 0".into()])).await?,
                _ => say(io, empty("405 Method Not Allowed")).await?,
            },
            // Nobody's gateway fails because there is no KDC proxy in it.
            Door::Open if head.target().starts_with(http::KDC) => say(io, empty("503 Service Unavailable")).await?,
            Door::Open => say(io, empty("404 Not Found")).await?,
        }
        if is_endless(&head) {
            break;
        }
    }
    Ok(())
}

/// The next request, with its body behind it. `None` where the client is at its end.
async fn request<S: AsyncRead + Unpin>(io: &mut S) -> io::Result<Option<Head>> {
    let head = match http::head(io).await {
        Ok(head) => head,
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    };
    if !is_endless(&head) {
        http::skip_body(io, &head).await?;
    }
    Ok(Some(head))
}

/// The body of a channel of RPC is the channel: nothing is read of it, and nothing behind it.
fn is_endless(head: &Head) -> bool {
    head.length() > http::BODY
}

/// The response of a script.
pub(super) fn answer(answer: Answer) -> Vec<u8> {
    let fields: Vec<String> = answer.fields.iter().map(|field| (*field).to_owned()).collect();
    http::response(
        answer.status,
        &[&["Server: Microsoft-IIS/10.0".into(), "Content-Length: 0".into()], &fields[..]].concat(),
    )
}

/// Gives the same answer to this request and all to come.
pub(super) async fn answer_all<S>(io: &mut S, given: Answer) -> Result<(), Stop>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    say(io, answer(given)).await?;
    while request(io).await?.is_some_and(|head| !is_endless(&head)) {
        say(io, answer(given)).await?;
    }
    Ok(())
}

fn step_of(head: &Head) -> Option<Step> {
    match head.method() {
        "RDG_OUT_DATA" => Some(Step::Request),
        "RDG_IN_DATA" => Some(Step::InRequest),
        "RPC_IN_DATA" | "RPC_OUT_DATA" => Some(Step::RpcRequest),
        _ => None,
    }
}

fn is_ours(head: &Head) -> bool {
    head.target().trim_end_matches('/').eq_ignore_ascii_case(http::GATEWAY.trim_end_matches('/'))
}

fn accepted(fields: &[String]) -> Vec<u8> {
    http::response("200 OK", &[&["Server: Microsoft-IIS/10.0".into()], fields].concat())
}

fn empty(status: &str) -> Vec<u8> {
    http::response(status, &["Server: Microsoft-IIS/10.0".into(), "Content-Length: 0".into()])
}

fn turned_away(host: &Host) -> Vec<u8> {
    let offers = host.script.offers.iter().map(|scheme| match scheme {
        Scheme::Basic => "WWW-Authenticate: Basic realm=\"rdp.lab.test\"".to_owned(),
        Scheme::Ntlm | Scheme::Negotiate => format!("WWW-Authenticate: {}", scheme.name()),
    });
    let fields = ["Server: Microsoft-IIS/10.0".into(), "Content-Length: 0".into()].into_iter().chain(offers);
    http::response("401 Unauthorized", &fields.collect::<Vec<String>>())
}

/// Who has a token of their own (`RDG-Auth-Scheme: PAA`) shows it in the tunnel, and is let in here.
fn door(head: &Head, guest: &mut Guest, host: &Host) -> Door {
    let asks_kdc = head.target().starts_with(http::KDC);
    if host.script.offers.is_empty() || guest.is_known || head.says("RDG-Auth-Scheme", "paa") || asks_kdc {
        return Door::Open;
    }
    let shown =
        host.script.offers.iter().find_map(|scheme| Some((*scheme, head.scheme("Authorization", scheme.name())?)));
    match shown {
        Some((Scheme::Basic, token)) => {
            let expected = format!("{}:{}", ACCOUNT.user, ACCOUNT.password);
            if unbase64(token) == expected.as_bytes() && host.script.lets_in { Door::Open } else { Door::Shut }
        }
        Some((scheme @ (Scheme::Ntlm | Scheme::Negotiate), token)) => rounds(scheme, &unbase64(token), guest, host),
        None => Door::Shut,
    }
}

fn rounds(scheme: Scheme, message: &[u8], guest: &mut Guest, host: &Host) -> Door {
    match (ntlm::kind(message), guest.challenge.take()) {
        (Some(Kind::Negotiate), _) => {
            let nonce = nonce();
            guest.challenge = Some(nonce);
            let token = base64(&ntlm::challenge(nonce));
            let fields = [
                "Server: Microsoft-IIS/10.0".into(),
                "Content-Length: 0".into(),
                format!("WWW-Authenticate: {} {token}", scheme.name()),
            ];
            Door::Challenge(http::response("401 Unauthorized", &fields))
        }
        (Some(Kind::Authenticate), Some(nonce)) if ntlm::proves(message, nonce, ACCOUNT) && host.script.lets_in => {
            guest.is_known = true;
            Door::Open
        }
        (Some(Kind::Authenticate) | None, _) => Door::Shut,
    }
}

/// RDG_OUT_DATA, let in: a WebSocket, or the first half of two.
async fn out_data<S>(io: &mut S, head: &Head, host: &Host, log: &mut Log) -> Result<(), Stop>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    log.reach(Step::LetIn)?;
    let key = head.field("Sec-WebSocket-Key").filter(|_| head.says("Upgrade", "websocket") && host.script.websocket);
    match key {
        Some(key) => {
            let fields = [
                "Upgrade: websocket".into(),
                "Connection: Upgrade".into(),
                format!("Sec-WebSocket-Accept: {}", websocket_accept(key)),
            ];
            say(io, http::response("101 Switching Protocols", &fields)).await?;
            log.reach(Step::Accepted)?;
            let (from, to) = tokio::io::split(io);
            let source = Source::Own(Inward::new(from, Framing::WebSocket));
            tunnel::run(source, Outward::server(to, Framing::WebSocket), host, log).await
        }
        None => halves(io, head, host, log).await,
    }
}

/// The server's half of two: what the client says comes from the other one.
async fn halves<S>(io: &mut S, head: &Head, host: &Host, log: &mut Log) -> Result<(), Stop>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let id = head.field("RDG-Connection-Id").unwrap_or_default().to_owned();
    let (sender, receiver) = mpsc::channel(AHEAD);
    host.halves().insert(id.clone(), sender);
    let seed: Vec<u8> = SEED.iter().copied().cycle().take(host.script.seed).collect();
    let answer = accepted(&["Content-Type: application/octet-stream".into()]);
    let served = async {
        say(io, [answer, seed].concat()).await?;
        log.reach(Step::Accepted)?;
        let (mut from, to) = tokio::io::split(io);
        let outward = Outward::server(to, Framing::Bare);
        tokio::select! {
            ended = tunnel::run(Source::<&[u8]>::Other(receiver), outward, host, log) => ended,
            () = gone(&mut from) => Ok(()),
        }
    };
    let served = served.await;
    host.halves().remove(&id);
    served
}

/// Reads to the end and forgets.
async fn gone<R: AsyncRead + Unpin>(io: &mut R) {
    let mut scrap = [0; 512];
    while matches!(io.read(&mut scrap).await, Ok(n) if n > 0) {}
}

/// The client's half of two.
async fn in_data<S: AsyncRead + Unpin>(io: &mut S, head: &Head, host: &Host) -> Result<(), Stop> {
    let id = head.field("RDG-Connection-Id").unwrap_or_default();
    let other = host.halves().remove(id).filter(|_| host.script.affinity);
    let Some(other) = other else {
        return Err(io::Error::new(ErrorKind::NotFound, "the other half of the tunnel is not here").into());
    };
    let mut inward = Inward::new(io, Framing::Chunked);
    loop {
        let packet = tokio::select! {
            packet = inward.packet() => packet?,
            () = other.closed() => return Ok(()),
        };
        let Some(packet) = packet else { return Ok(()) };
        if other.send(packet).await.is_err() {
            return Ok(());
        }
    }
}
