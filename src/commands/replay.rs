//! `rdpscope replay`: plays one side of a recorded session to a live peer.

use std::fmt::Write as _;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use analyzer::attempt::Diagnosed;
use analyzer::observation::Side;
use analyzer::reading::{Along, Known};
use analyzer::report::text::para;
use analyzer::report::verdict;
use anyhow::{Context, anyhow, bail};
use proxy::intercept::read_credential;
use proxy::replay::certificate::{self, Copied};
use proxy::replay::{Builder, Means, Pace, Played, Script, Tell, play};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::proxy::asked_to_impair;
use super::signals::stopped;
use super::{analyze, announce, talk};
use crate::cli::{Replay, Target};
use crate::input;
use analyzer::count::{counted, times};
use proxy::named::Named;

/// How long a server gets to take a connection: Windows gives a SYN 21 seconds.
const PATIENCE: Duration = Duration::from_secs(21);
/// How long a client may say nothing at all before it is left.
const SILENCE: Duration = Duration::from_secs(60);
/// How many such clients there may be at a time.
const SILENT: usize = 64;

/// By what a session is found again: of which analysis, and as which connection.
type Key = (u64, u32);

pub fn run(args: Replay) -> anyhow::Result<u8> {
    let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
    let code = runtime.block_on(replay(&args));
    // A name that is still being looked up must not be waited for.
    runtime.shutdown_background();
    code
}

async fn replay(args: &Replay) -> anyhow::Result<u8> {
    let known = analyze::known(&args.keylog, false, &args.endpoints)?;
    let sessions = list(args, &known)?;
    let (key, session) = chosen(args, &sessions)?;
    let side = if args.serve.is_some() { Side::Server } else { Side::Client };
    let script = script(args, &known, key, side)?;
    let recorded = format!("{}: {}", args.file.named(), verdict::of_session(session));
    match (args.serve, &args.to) {
        (Some(addr), None) => serve(args, addr, script, &recorded).await,
        (None, Some(server)) => connect(args, server, &script, &recorded).await,
        // The flags exclude each other, and one is asked for.
        (Some(_), Some(_)) | (None, None) => bail!("expected --serve ADDR or --to HOST"),
    }
}

/// The sessions of the file, and by what each is found again.
fn list(args: &Replay, known: &Known) -> anyhow::Result<Vec<(Key, Diagnosed)>> {
    let (mut begun, mut over) = (Vec::<Key>::new(), Vec::new());
    input::read_along(&args.file, known, &mut |along| match along {
        Along::Step { of, step } => {
            let key = (of, step.observation.flow.session);
            if !begun.contains(&key) {
                begun.push(key);
            }
        }
        Along::Over { of, session } => over.push((of, *session)),
    })?;
    // Connections of one recording are told of in the order of their beginning.
    let mut sessions = Vec::new();
    for (of, session) in over.into_iter().filter(|(_, session)| session.is_rdp()) {
        let place = begun.iter().position(|key| key.0 == of);
        sessions.extend(place.map(|place| (begun.remove(place), session)));
    }
    Ok(sessions)
}

/// The session that is meant.
fn chosen<'a>(args: &Replay, sessions: &'a [(Key, Diagnosed)]) -> anyhow::Result<(Key, &'a Diagnosed)> {
    let found = match (args.session, sessions) {
        (_, []) => bail!("{}: expected an RDP session, found none", args.file.named()),
        (None, [(key, session)]) => return Ok((*key, session)),
        (None, _) => None,
        (Some(number), _) => number.checked_sub(1).and_then(|place| sessions.get(place)),
    };
    found.map(|(key, session)| (*key, session)).ok_or_else(|| {
        let (file, count) = (args.file.named(), sessions.len());
        let mut says = format!("{file}: expected --session with a number from 1 to {count}, as the file has them\n");
        for (number, (_, session)) in (1..).zip(sessions) {
            para(&mut says, &format!("  {number:>3}  "), &verdict::of_session(session));
        }
        anyhow!("{}", says.trim_end())
    })
}

fn script(args: &Replay, known: &Known, wanted: Key, side: Side) -> anyhow::Result<Script> {
    let mut builder = Builder::new(side);
    input::read_along(&args.file, known, &mut |along| {
        if let Along::Step { of, step } = along
            && (of, step.observation.flow.session) == wanted
        {
            builder.push(&step);
        }
    })?;
    let script = builder.finish().and_then(|script| match args.without_nla {
        true => script.without_credssp(),
        false => Ok(script),
    });
    script.map_err(|says| anyhow!("{}: {says}", args.file.named()))
}

fn means(args: &Replay, script: &Script, target: String, notices: &mut Vec<String>) -> anyhow::Result<Means> {
    let pace = if args.as_fast_as_possible { Pace::AsFastAsPossible } else { Pace::Times(args.speed) };
    let given = match (&args.cert, &args.key) {
        (Some(certificate), Some(key)) => Some(read_credential(certificate, key).map_err(|says| anyhow!(says))?),
        (None, None) => None,
        (Some(_), None) | (None, Some(_)) => bail!("--cert and --key expect each other"),
    };
    let credential = match given {
        Some(given) => Some(given),
        None if script.side == Side::Server && script.has_tls() => {
            let made = match script.certificate() {
                Some(recorded) => certificate::like(recorded),
                None => certificate::unknown(script.server_name().unwrap_or("localhost")),
            };
            let Copied { credential, notices: of_it } = made.map_err(|says| anyhow!(says))?;
            notices.extend(of_it.into_iter().map(|says| format!("certificate: {says}")));
            Some(credential)
        }
        None => None,
    };
    Ok(Means { pace, credential, target, impair: asked_to_impair(&args.impaired), number: 1 })
}

async fn serve(args: &Replay, addr: SocketAddr, script: Script, recorded: &str) -> anyhow::Result<u8> {
    let mut notices = script.notices.clone();
    let means = means(args, &script, String::new(), &mut notices)?;
    let listener = TcpListener::bind(addr).await.with_context(|| format!("cannot listen on {addr}"))?;
    let addr = listener.local_addr().context("cannot listen")?;
    let mut out = format!("rdpscope replays the server on {addr}\n\n");
    para(&mut out, "  recorded: ", recorded);
    out += &format!("  xfreerdp /v:{addr}, or in mstsc: {addr}\n");
    announce(&mut out, &script, &means, &notices);
    if !addr.ip().is_loopback() {
        para(
            &mut out,
            "  warning: ",
            "this listener is not loopback: anybody who reaches it is served what was recorded",
        );
    }
    talk(&out);
    let (script, mut code) = (Arc::new(script), 0);
    tokio::select! {
        served = serve_all(&listener, args.times, &script, &means, &mut code) => served?,
        () = stopped() => {}
    }
    Ok(code)
}

/// Each client is served when it comes. One that says nothing is nobody's turn, and keeps nobody waiting.
async fn serve_all(
    listener: &TcpListener,
    times: u32,
    script: &Arc<Script>,
    means: &Means,
    code: &mut u8,
) -> anyhow::Result<()> {
    let (mut silent, mut playing) = (JoinSet::new(), JoinSet::new());
    let mut number = 0;
    while number < times || !playing.is_empty() {
        tokio::select! {
            accepted = listener.accept(), if number < times && silent.len() < SILENT => {
                let (stream, client) = accepted.context("cannot accept")?;
                silent.spawn(first_word(stream, client, script.is_awaiting()));
            }
            Some(spoke) = silent.join_next(), if number < times => {
                let Some((stream, client)) = spoke? else { continue };
                number += 1;
                talk(&format!("#{number} {client}"));
                let (script, means) = (Arc::clone(script), Means { number, ..means.clone() });
                playing.spawn(async move { (means.number, play(&script, &means, stream, &teller(means.number)).await) });
            }
            Some(played) = playing.join_next() => {
                let (number, played) = played?;
                *code = told(number, &played).max(*code);
            }
        }
    }
    Ok(())
}

/// Waits until a client speaks, or ends, where it is its turn.
async fn first_word(stream: TcpStream, client: SocketAddr, is_awaited: bool) -> Option<(TcpStream, SocketAddr)> {
    let spoke = async { if is_awaited { stream.peek(&mut [0]).await } else { Ok(0) } };
    if timeout(SILENCE, spoke).await.is_err() {
        talk(&format!("{client} says nothing for {} s, and is left", SILENCE.as_secs()));
        return None;
    }
    Some((stream, client))
}

async fn connect(args: &Replay, to: &Target, script: &Script, recorded: &str) -> anyhow::Result<u8> {
    let mut notices = script.notices.clone();
    let mut means = means(args, script, to.name.clone(), &mut notices)?;
    let (name, port) = (&to.name, to.port_or_usual(false));
    let mut out = format!("rdpscope replays the client, to {name}:{port}\n\n");
    para(&mut out, "  recorded: ", recorded);
    announce(&mut out, script, &means, &notices);
    talk(&out);
    let mut code = 0;
    for number in 1..=args.times {
        means.number = number;
        let played = async {
            let dialled = timeout(PATIENCE, TcpStream::connect((name.as_str(), port))).await;
            let dialled = dialled.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
            let stream = dialled.with_context(|| format!("cannot connect to {name}:{port}"))?;
            anyhow::Ok(play(script, &means, stream, &teller(number)).await)
        };
        let played = tokio::select! {
            played = played => played?,
            () = stopped() => return Ok(code),
        };
        code = code.max(told(number, &played));
    }
    Ok(code)
}

/// Says what happens in a play, as it happens.
fn teller(number: u32) -> Tell {
    Tell(Arc::new(move |says: &str| {
        let mut line = String::new();
        para(&mut line, &format!("#{number} "), says);
        talk(line.trim_end());
    }))
}

fn announce(out: &mut String, script: &Script, means: &Means, notices: &[String]) {
    let _infallible = writeln!(out, "  {} of the {}", counted(script.moves(), "move"), script.side);
    for notice in notices {
        para(out, "  notice: ", notice);
    }
    announce::impaired(out, means.impair.as_deref());
}

/// Says what became of it: 1 where the peer departed.
fn told(number: u32, played: &Played) -> u8 {
    let Played { played, moves, departures, ended, impaired } = played;
    let departed = match departures {
        0 if played < moves => "as recorded up to there".to_owned(),
        0 => "as recorded".to_owned(),
        many => format!("the peer departed {}", times(*many as u64)),
    };
    talk(&format!("#{number} played {played} of {}, {departed}; ended: {ended}", counted(*moves, "move")));
    for impaired in impaired {
        talk(&format!("#{number} impaired: {impaired}"));
    }
    u8::from(*departures > 0)
}
