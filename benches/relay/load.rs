//! Traffic shaped like RDP: the server and its clients, threads of this process with plain blocking sockets. They speak a
//! whole connection sequence (standard security) first, so that a recorder is in the state of an active session. Then
//! 64-byte input PDUs are echoed, or the server sends updates of 16,000 bytes.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use proxy::lab::wire;

/// A fast-path update, bytes.
const UPDATE: u16 = 16_000;
/// The server writes so much at once, bytes.
const CHUNK: usize = 256 << 10;
/// A relay that takes longer does not get there.
const PATIENCE: Duration = Duration::from_secs(30);
/// Enough for a thread that does this.
const STACK: usize = 128 << 10;

/// What the client says and what the server answers, up to the active session.
fn sequence() -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut steps = vec![
        (wire::connection_request("bench", None), wire::connection_confirm(None)),
        (wire::connect_initial(0), wire::connect_response(0)),
        ([wire::erect_domain(), wire::attach_user()].concat(), wire::attach_user_confirm()),
    ];
    steps.extend(wire::channel_joins().into_iter().zip(wire::channel_join_confirms()));
    steps.push((wire::client_info("bench"), [wire::licence_valid_client(), wire::demand_active()].concat()));
    let finalization = [vec![wire::confirm_active()], wire::client_finalization().to_vec()].concat().concat();
    steps.push((finalization, wire::server_finalization().concat()));
    steps
}

/// A fast-path input PDU of 64 bytes. Its first byte of content says what is wanted.
fn input(fill: u8) -> [u8; 64] {
    let mut pdu = [fill; 64];
    (pdu[0], pdu[1]) = (0x04, 64);
    pdu
}

/// The server.
pub fn serve() -> io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    rustix::net::listen(&listener, 4096)?;
    let addr = listener.local_addr()?;
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let talking = move || drop(talk(stream));
            thread::Builder::new().stack_size(STACK).spawn(talking).expect("a thread for a connection");
        }
    });
    Ok(addr)
}

/// Until the client ends.
fn talk(mut stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    for (asks, answers) in sequence() {
        stream.read_exact(&mut vec![0; asks.len()])?;
        stream.write_all(&answers)?;
    }
    let mut bytes = [0; 64];
    loop {
        stream.read_exact(&mut bytes)?;
        if bytes[2] == b'b' {
            let megabytes = u32::from_le_bytes([bytes[4], bytes[5], bytes[6], bytes[7]]);
            send(&mut stream, (megabytes as usize) << 20)?;
        } else {
            stream.write_all(&bytes)?;
        }
    }
}

fn send(stream: &mut TcpStream, len: usize) -> io::Result<()> {
    let update = wire::graphics(UPDATE);
    let chunk = update.repeat(CHUNK / update.len());
    (0..=len / chunk.len()).try_for_each(|_| stream.write_all(&chunk))
}

/// A client that has gone through the first `steps` of the sequence.
pub fn connect(addr: SocketAddr, steps: usize) -> io::Result<TcpStream> {
    let mut stream = TcpStream::connect(addr)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    for (asks, answers) in sequence().into_iter().take(steps) {
        stream.write_all(&asks)?;
        stream.read_exact(&mut vec![0; answers.len()])?;
    }
    Ok(stream)
}

/// A client of an active session.
pub fn active(addr: SocketAddr) -> io::Result<TcpStream> {
    connect(addr, usize::MAX)
}

/// So many 64-byte round trips, one after the other. Those before are not counted: they warm it up.
pub fn round_trips(addr: SocketAddr, count: usize) -> io::Result<Vec<Duration>> {
    let mut stream = active(addr)?;
    let mut trips = Vec::with_capacity(count);
    for round in 0..count + 50 {
        let begun = Instant::now();
        let mut bytes = input(b'e');
        stream.write_all(&bytes)?;
        stream.read_exact(&mut bytes)?;
        if round >= 50 {
            trips.push(begun.elapsed());
        }
    }
    Ok(trips)
}

/// So many set-ups, one after the other: connect, X.224 request and confirm.
pub fn set_ups(addr: SocketAddr, count: usize) -> io::Result<Vec<Duration>> {
    let set_up = |_| {
        let begun = Instant::now();
        connect(addr, 1).map(|_| begun.elapsed())
    };
    (0..count).map(set_up).collect()
}

/// So many set-ups by eight clients at once: how long all of them take.
pub fn many_set_ups(addr: SocketAddr, count: usize) -> io::Result<Duration> {
    let begun = Instant::now();
    thread::scope(|scope| {
        let clients: Vec<_> = (0..8).map(|_| scope.spawn(|| set_ups(addr, count / 8).map(drop))).collect();
        clients.into_iter().try_for_each(|client| client.join().expect("a client"))
    })?;
    Ok(begun.elapsed())
}

/// From the server to so many clients at once, so many megabytes (2^20) each: how long it takes from the first that asks to the
/// last that has all of it.
pub fn bulk(addr: SocketAddr, clients: usize, megabytes: usize) -> io::Result<Duration> {
    let start = Barrier::new(clients);
    let times = thread::scope(|scope| {
        let one = || {
            let stream = active(addr);
            start.wait();
            let begun = Instant::now();
            receive(&mut stream?, megabytes)?;
            Ok((begun, Instant::now()))
        };
        let spawn = |_| thread::Builder::new().stack_size(STACK).spawn_scoped(scope, one).expect("a thread");
        let receiving: Vec<_> = (0..clients).map(spawn).collect();
        let times = receiving.into_iter().map(|client| client.join().expect("a client"));
        times.collect::<io::Result<Vec<(Instant, Instant)>>>()
    })?;
    let begun = times.iter().map(|(begun, _)| *begun).min();
    let ended = times.iter().map(|(_, ended)| *ended).max();
    Ok(begun.zip(ended).map_or(Duration::ZERO, |(begun, ended)| ended - begun))
}

/// Asks for so much and reads it; a key is pressed every four megabytes.
fn receive(stream: &mut TcpStream, megabytes: usize) -> io::Result<()> {
    let mut ask = input(b'b');
    ask[4..8].copy_from_slice(&(megabytes as u32).to_le_bytes());
    stream.write_all(&ask)?;
    let mut buffer = vec![0; CHUNK];
    let (mut read, mut pressed) = (0, 0);
    while read < megabytes << 20 {
        match stream.read(&mut buffer)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            n => read += n,
        }
        if read >> 22 > pressed {
            pressed = read >> 22;
            stream.write_all(&input(b'k'))?;
        }
    }
    Ok(())
}

/// Clients that connect at this pace, a second, for so long: how many came through, and how many did not.
pub fn paced(addr: SocketAddr, pace: u32, length: Duration) -> (u64, u64) {
    const CLIENTS: u32 = 8;
    let one = || {
        let (begun, mut done, mut failed) = (Instant::now(), 0, 0);
        let pause = Duration::from_secs(1) * CLIENTS / pace;
        for turn in 1.. {
            match connect(addr, 1) {
                Ok(_) => done += 1,
                Err(_) => failed += 1,
            }
            if begun.elapsed() >= length {
                break;
            }
            thread::sleep((pause * turn).saturating_sub(begun.elapsed()));
        }
        (done, failed)
    };
    thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS).map(|_| scope.spawn(one)).collect();
        let sums = clients.into_iter().map(|client| client.join().expect("a client"));
        sums.fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1))
    })
}
