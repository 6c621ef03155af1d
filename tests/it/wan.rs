//! The network in user space does what it says: each fault once, with plain sockets and tcpdump.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::process::Command;
use std::thread::{self, JoinHandle, sleep};
use std::time::{Duration, Instant};

use analyzer::observation::Side;

use crate::support::process::{Folder, Outcome, program, with_peers};
use crate::support::tcpdump::Tcpdump;
use crate::support::wan::{
    Act, BOTH, CLIENT, End, Fault, From, INTERFACE, PLAIN, Path, SERVER, SERVER_ADDRESS, Then, Wan,
};

const PORT: u16 = 3389;
/// Long enough for a packet that comes at all.
const LIMIT: Duration = Duration::from_secs(4);
const SOON: Duration = Duration::from_millis(700);

/// How a stream was read to its end: bytes, and what ended it.
type Heard = (usize, Option<ErrorKind>);

/// Reads so long as something comes. `None` is a FIN.
fn hear(stream: &mut TcpStream, limit: Duration) -> Heard {
    stream.set_read_timeout(Some(limit)).expect("timeout");
    let (mut heard, mut buffer) = (0, vec![0; 1 << 16]);
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return (heard, None),
            Ok(len) => heard += len,
            Err(error) => return (heard, Some(error.kind())),
        }
    }
}

/// Serves one connection on the server's side.
fn serve<T: Send + 'static>(wan: &Wan, talk: impl FnOnce(TcpStream) -> T + Send + 'static) -> JoinHandle<T> {
    let (listens, listening) = std::sync::mpsc::channel();
    let server = wan.inside(Side::Server, move || {
        let listener = TcpListener::bind((SERVER_ADDRESS, PORT)).expect("bind");
        listens.send(()).expect("somebody waits");
        talk(listener.accept().expect("accept").0)
    });
    listening.recv().expect("listens");
    server
}

/// Connects on the client's side.
fn call<T: Send + 'static>(wan: &Wan, talk: impl FnOnce(TcpStream) -> T + Send + 'static) -> JoinHandle<T> {
    wan.inside(Side::Client, || talk(TcpStream::connect((SERVER_ADDRESS, PORT)).expect("connect")))
}

fn join<T>(thread: JoinHandle<T>) -> T {
    thread.join().expect("no panic")
}

/// The client asks with ten bytes and hears what comes; the server reads them and answers with so many bytes.
fn ask(wan: &Wan, answer: usize, patience: Duration) -> (Heard, usize) {
    let server = serve(wan, move |mut stream| {
        stream.set_read_timeout(Some(LIMIT)).expect("timeout");
        let mut request = [0; 10];
        let read = stream.read(&mut request).unwrap_or(0);
        if read > 0 {
            let _cut_off = stream.write_all(&vec![7; answer]);
        }
        // Longer than the client's patience: it is not the server that ends it.
        hear(&mut stream, LIMIT);
        read
    });
    let client = call(wan, move |mut stream| {
        stream.write_all(&[1; 10]).expect("write");
        hear(&mut stream, patience)
    });
    (join(client), join(server))
}

fn check(name: &str, path: Path, body: impl FnOnce(&Wan) -> Outcome<()>) {
    with_peers(name, || body(&Wan::new(path)?));
}

const fn with(faults: &'static [Fault]) -> Path {
    Path { faults, ..PLAIN }
}

/// What tcpdump prints of what the client's side saw, meanwhile.
fn printed(wan: &Wan, work: impl FnOnce()) -> Outcome<String> {
    let folder = Folder::new()?;
    let tcpdump = Tcpdump::start(|program| wan.command(Side::Client, program), INTERFACE, folder.path())?;
    work();
    let file = tcpdump.finish()?;
    let output = Command::new(program("tcpdump")?).args(["-nv", "-r"]).arg(file).output()?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn a_way_takes_its_time_and_its_hops() {
    let path = Path { delay: Duration::from_millis(100), ..PLAIN };
    check("a_way_takes_its_time_and_its_hops", path, |wan| {
        let text = printed(wan, || {
            let server = serve(wan, |mut stream| hear(&mut stream, LIMIT));
            let began = Instant::now();
            join(call(wan, drop));
            let took = began.elapsed();
            assert!(took >= Duration::from_millis(200) && took < Duration::from_millis(400), "{took:?}");
            assert_eq!(join(server), (0, None));
        })?;
        let answer = text.lines().zip(text.lines().skip(1)).find(|(_, tcp)| tcp.contains("Flags [S.]"));
        assert!(answer.is_some_and(|(ip, _)| ip.contains("ttl 61,")), "{text}");
        assert_eq!(wan.journal().count(Act::Fin), 2);
        Ok(())
    });
}

/// So many datagrams from client to server: the numbers that arrived, in order.
fn datagrams(wan: &Wan, count: u16) -> Vec<u16> {
    let (listens, listening) = std::sync::mpsc::channel();
    let server = wan.inside(Side::Server, move || {
        let socket = UdpSocket::bind((SERVER_ADDRESS, PORT)).expect("bind");
        socket.set_read_timeout(Some(SOON)).expect("timeout");
        listens.send(()).expect("somebody waits");
        let mut number = [0; 2];
        std::iter::from_fn(move || socket.recv(&mut number).ok().map(|_| u16::from_be_bytes(number))).collect()
    });
    listening.recv().expect("listens");
    join(wan.inside(Side::Client, move || {
        let socket = UdpSocket::bind("0.0.0.0:0").expect("bind");
        for number in 0..count {
            socket.send_to(&number.to_be_bytes(), (SERVER_ADDRESS, PORT)).expect("send");
            sleep(Duration::from_micros(500));
        }
    }));
    join(server)
}

#[test]
fn packets_are_lost_doubled_and_overtaken() {
    let lossy = with(&[
        Fault::Loss { of: CLIENT, from: From::Start, share: 0.2 },
        Fault::Duplicates { of: CLIENT, share: 0.1 },
    ]);
    check("packets are lost and doubled", lossy, |wan| {
        let got = datagrams(wan, 300).len();
        let (lost, doubled) = (wan.journal().count(Act::Lost), wan.journal().count(Act::Duplicated));
        assert!((30..90).contains(&lost) && (10..50).contains(&doubled), "{lost} lost, {doubled} doubled");
        assert_eq!(got, 300 - lost + doubled);
        Ok(())
    });
    let shaken = Path { jitter: Duration::from_millis(20), ..PLAIN };
    check("jitter keeps the order", shaken, |wan| {
        let got = datagrams(wan, 100);
        assert!(got.len() == 100 && got.is_sorted(), "{got:?}");
        Ok(())
    });
    check("jitter changes the order", Path { overtaking: true, ..shaken }, |wan| {
        let got = datagrams(wan, 100);
        assert!(got.len() == 100 && !got.is_sorted() && wan.journal().count(Act::Overtaken) > 10, "{got:?}");
        Ok(())
    });
}

#[test]
fn a_slow_link_is_slow() {
    check("a_slow_link_is_slow", Path { rate: Some(500_000), ..PLAIN }, |wan| {
        let began = Instant::now();
        let ((heard, _), _) = ask(wan, 400_000, SOON);
        let took = began.elapsed() - SOON;
        assert_eq!(heard, 400_000);
        assert!(took > Duration::from_millis(750) && took < Duration::from_secs(3), "{took:?}");
        Ok(())
    });
}

#[test]
fn long_packets_vanish_or_are_told() {
    let silent = with(&[Fault::Mtu { of: SERVER, from: From::Start, bytes: 1400, told: false }]);
    check("a hole", silent, |wan| {
        assert_eq!(ask(wan, 20_000, SOON), ((0, Some(ErrorKind::WouldBlock)), 10));
        assert!(wan.journal().count(Act::TooLong) > 2);
        Ok(())
    });
    let told = with(&[Fault::Mtu { of: SERVER, from: From::Start, bytes: 1400, told: true }]);
    check("a router that tells", told, |wan| {
        assert_eq!(ask(wan, 20_000, SOON), ((20_000, Some(ErrorKind::WouldBlock)), 10));
        assert!(wan.journal().count(Act::ToldTooLong) > 0);
        Ok(())
    });
    let clamped = with(&[Fault::Mss(1360), Fault::Mtu { of: BOTH, from: From::Start, bytes: 1400, told: false }]);
    check("a clamp", clamped, |wan| {
        assert_eq!(ask(wan, 20_000, SOON).0.0, 20_000);
        assert_eq!((wan.journal().count(Act::Clamped), wan.journal().count(Act::TooLong)), (2, 0));
        Ok(())
    });
}

#[test]
fn connections_are_reset() {
    let killed = with(&[Fault::Reset { from: From::Request, to: BOTH, ttl: 64, then: Then::Killed }]);
    check("both are reset, nothing passes", killed, |wan| {
        let text = printed(wan, || {
            let server = serve(wan, |mut stream| hear(&mut stream, LIMIT));
            let client = call(wan, |mut stream| {
                stream.write_all(&[1; 10]).expect("write");
                hear(&mut stream, LIMIT)
            });
            assert_eq!(join(client), (0, Some(ErrorKind::ConnectionReset)));
            assert_eq!(join(server), (0, Some(ErrorKind::ConnectionReset)));
        })?;
        let rst = text.lines().zip(text.lines().skip(1)).find(|(_, tcp)| tcp.contains("Flags [R.]"));
        assert!(rst.is_some_and(|(ip, _)| ip.contains("ttl 64, id 0,")), "{text}");
        let journal = wan.journal();
        assert_eq!((journal.count(Act::ResetToClient), journal.count(Act::ResetToServer)), (1, 1));
        Ok(())
    });
    let added = with(&[Fault::Reset { from: From::Request, to: CLIENT, ttl: 61, then: Then::PeersTalkOn }]);
    check("the client is reset, the server has the request", added, |wan| {
        assert_eq!(ask(wan, 100, LIMIT), ((0, Some(ErrorKind::ConnectionReset)), 10));
        assert_eq!(wan.journal().count(Act::ResetToClient), 1);
        // The client's kernel knows nothing of a connection to which an answer belongs.
        assert_eq!(wan.journal().first(Act::Rst).map(|entry| entry.from), Some(Side::Client));
        Ok(())
    });
    let late = with(&[Fault::Reset { from: From::Bytes(1000), to: SERVER, ttl: 61, then: Then::PeersTalkOn }]);
    check("the server is reset behind its own data", late, |wan| {
        let server = serve(wan, |mut stream| {
            stream.write_all(&[1; 2000]).expect("write");
            hear(&mut stream, LIMIT).1
        });
        join(call(wan, |mut stream| hear(&mut stream, LIMIT)));
        assert_eq!(join(server), Some(ErrorKind::ConnectionReset));
        Ok(())
    });
}

#[test]
fn packets_vanish_one_way_and_for_a_while() {
    let one_way = with(&[Fault::Vanish { of: CLIENT, from: From::SynAck, lasts: None }]);
    check("the third ACK and all data vanish", one_way, |wan| {
        // The server's kernel never accepts: SYN-ACK stays unanswered.
        let text = printed(wan, || {
            let listener = wan.inside(Side::Server, || TcpListener::bind((SERVER_ADDRESS, PORT)).expect("bind"));
            let _held = join(listener);
            let client = call(wan, |mut stream| {
                stream.write_all(&[1; 10]).expect("write");
                hear(&mut stream, Duration::from_millis(1500))
            });
            assert_eq!(join(client), (0, Some(ErrorKind::WouldBlock)));
        })?;
        assert!(text.matches("Flags [S.]").count() > 1, "{text}");
        assert!(wan.journal().count(Act::Vanished) > 2);
        Ok(())
    });
    const SINCE: From = From::Since(Duration::from_millis(200));
    const HALF: Option<Duration> = Some(Duration::from_millis(500));
    let pause = with(&[Fault::Vanish { of: BOTH, from: SINCE, lasts: HALF }]);
    check("half a second of nothing", pause, |wan| {
        let server = serve(wan, |mut stream| hear(&mut stream, LIMIT).0);
        let client = call(wan, |mut stream| {
            sleep(Duration::from_millis(250));
            let began = Instant::now();
            stream.write_all(&[1; 10]).expect("write");
            stream.shutdown(std::net::Shutdown::Write).expect("shutdown");
            (hear(&mut stream, LIMIT), began.elapsed())
        });
        let (heard, took) = join(client);
        assert_eq!((heard, join(server)), ((0, None), 10));
        assert!(took > Duration::from_millis(450), "{took:?}");
        Ok(())
    });
}

#[test]
fn connections_are_forgotten() {
    for (then, end) in [(End::Dropped, ErrorKind::WouldBlock), (End::Reset, ErrorKind::ConnectionReset)] {
        const DROPS: Path = with(&[Fault::Idle { after: Duration::from_millis(300), then: End::Dropped }]);
        const RESETS: Path = with(&[Fault::Idle { after: Duration::from_millis(300), then: End::Reset }]);
        let path = if then == End::Dropped { DROPS } else { RESETS };
        check("connections_are_forgotten", path, |wan| {
            let server = serve(wan, |mut stream| hear(&mut stream, Duration::from_secs(2)));
            let client = call(wan, |mut stream| {
                for pause in [100, 100, 500] {
                    stream.write_all(&[1; 10]).expect("write");
                    sleep(Duration::from_millis(pause));
                }
                stream.write_all(&[1; 10]).expect("write");
                hear(&mut stream, SOON)
            });
            assert_eq!(join(client), (0, Some(end)));
            assert_eq!(join(server), (30, Some(end)));
            assert!(wan.journal().count(Act::Forgotten) > 0);
            assert_eq!(wan.journal().count(Act::ResetToClient), usize::from(then == End::Reset));
            Ok(())
        });
    }
}

#[test]
fn a_box_answers_for_a_server_that_is_not_there() {
    check("a SYN proxy", with(&[Fault::SynProxy]), |wan| {
        let client = call(wan, |mut stream| {
            stream.write_all(&[1; 10]).expect("write");
            hear(&mut stream, SOON)
        });
        assert_eq!(join(client), (0, Some(ErrorKind::WouldBlock)));
        Ok(())
    });
    check("a router", with(&[Fault::Unreachable { code: 1 }]), |wan| {
        let text = printed(wan, || {
            let client = wan.inside(Side::Client, || TcpStream::connect((SERVER_ADDRESS, PORT)));
            assert_eq!(join(client).expect_err("nobody there").kind(), ErrorKind::HostUnreachable);
        })?;
        assert!(text.contains("10.77.0.254 > 10.77.0.1: ICMP host 10.77.0.2 unreachable"), "{text}");
        Ok(())
    });
}

#[test]
fn carrying_is_cheap_and_idling_costs_nothing() {
    check("carrying_is_cheap", Path { delay: Duration::ZERO, ..PLAIN }, |wan| {
        const BYTES: usize = 100_000_000;
        let server = serve(wan, |mut stream| {
            let block = vec![7; 1 << 20];
            let mut left = BYTES;
            while left > 0 {
                left -= stream.write(&block[..left.min(1 << 20)]).expect("write");
            }
        });
        let began = Instant::now();
        assert_eq!(join(call(wan, |mut stream| hear(&mut stream, LIMIT))).0, BYTES);
        join(server);
        let (took, used) = (began.elapsed(), wan.carrier_time());
        let rate = |time: Duration| BYTES as f64 / 1e6 / time.as_secs_f64();
        println!("{:.0} MB/s on this machine now, {:.0} MB per second of a processor", rate(took), rate(used));
        // Other tests have the processors, too: what counts is what it would do with one of its own.
        assert!(rate(used) > 50.0, "{used:?} for {BYTES} bytes");
        thread::sleep(SOON);
        let idle = wan.carrier_time() - used;
        assert!(idle <= Duration::from_millis(20), "{idle:?} of a processor while nothing came");
        Ok(())
    });
}
