//! Each way to end a connection, directly and through the relay: the same bytes, the same kind of end. And what the
//! relay says it saw.

use std::io::ErrorKind;
use std::time::Duration;

use analyzer::observation::{Ending, Leg, Observation, Opening, Seen};
use proxy::listen::{Config, Server, Target};
use proxy::tap::{Limits, Note, tap};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::sleep;

use crate::support::{
    End, Got, Rig, acknowledged, anywhere, connect, fate, late_error, pattern, read, read_all, reset, same, write,
    write_until_full,
};

const FRONT: [&str; 2] = ["dialing", "opened"];
const BACK: [&str; 3] = ["target", "dialing", "opened"];

/// A leg's story begins as any other, and goes on like this.
fn assert_story(story: &(Vec<String>, Vec<String>), front: &[&str], back: &[&str]) {
    assert_eq!(story.0, [&FRONT, front].concat(), "front");
    assert_eq!(story.1, [&BACK, back].concat(), "back");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fin_stays_fin() {
    let story = same(
        async |mut client| {
            write(&mut client, b"request").await;
            let got = read_all(&mut client).await;
            client.shutdown().await.expect("shutdown");
            got
        },
        async |mut server| {
            read(&mut server, 7).await;
            write(&mut server, b"answer").await;
            server.shutdown().await.expect("shutdown");
            read_all(&mut server).await
        },
    )
    .await;
    let lines = ["client bytes 7", "server bytes 6", "server fin", "client fin"];
    assert_story(&story, &lines, &lines);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rst_stays_rst_from_the_server() {
    let story = same(
        async |mut client| {
            write(&mut client, b"request").await;
            read_all(&mut client).await
        },
        async |mut server| {
            read(&mut server, 7).await;
            reset(server);
        },
    )
    .await;
    let lines = ["client bytes 7", "server reset"];
    assert_story(&story, &lines, &lines);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rst_stays_rst_from_the_client() {
    let story = same(
        async |mut client| {
            read(&mut client, 6).await;
            reset(client);
        },
        async |mut server| {
            write(&mut server, b"banner").await;
            read_all(&mut server).await
        },
    )
    .await;
    let lines = ["server bytes 6", "client reset"];
    assert_story(&story, &lines, &lines);
}

/// The reset may come before the relay has learnt that it is connected. It is no refusal all the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rst_right_after_accept_is_no_refusal() {
    let listener = TcpListener::bind(anywhere()).await.expect("bind");
    let rig = Rig::to(listener.local_addr().expect("address")).await;
    for session in 1..=50 {
        let mut client = connect(rig.addr, None).await;
        let server = listener.accept().await.expect("accept").0;
        if session % 2 == 0 {
            server.try_write(b"no").expect("write");
        }
        reset(server);
        let got = read_all(&mut client).await;
        let expected: &[&str] = if session % 2 == 0 { &["server bytes 2", "server reset"] } else { &["server reset"] };
        assert_story(&rig.story(session).await, expected, expected);
        assert_eq!((got.bytes.len(), got.end), (expected.len() * 2 - 2, End::Reset));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn half_close_stays_half_close() {
    let story = same(
        async |mut client| {
            write(&mut client, b"request").await;
            client.shutdown().await.expect("shutdown");
            read_all(&mut client).await
        },
        async |mut server| {
            let got = read_all(&mut server).await;
            write(&mut server, &pattern(1 << 20)).await;
            server.shutdown().await.expect("shutdown");
            got
        },
    )
    .await;
    let lines = ["client bytes 7", "client fin", "server bytes 1048576", "server fin"];
    assert_story(&story, &lines, &lines);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rst_after_fin_reaches_the_other_side() {
    let story = same(
        async |mut client| (read_all(&mut client).await, late_error(&client).await),
        async |mut server| {
            write(&mut server, b"last words").await;
            server.shutdown().await.expect("shutdown");
            acknowledged(&server).await;
            sleep(Duration::from_millis(50)).await;
            reset(server);
        },
    )
    .await;
    let lines = ["server bytes 10", "server fin", "server reset"];
    assert_story(&story, &lines, &lines);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rst_with_a_slow_reader_loses_nothing() {
    let story = same(
        async |mut client| {
            sleep(Duration::from_millis(300)).await;
            let got = read_all(&mut client).await;
            assert_eq!(got, Got { bytes: pattern(200_000), end: End::Reset });
            got
        },
        async |mut server| {
            write(&mut server, &pattern(200_000)).await;
            acknowledged(&server).await;
            reset(server);
        },
    )
    .await;
    let lines = ["server bytes 200000", "server reset"];
    assert_story(&story, &lines, &lines);
}

/// The client's write is pending in the relay, whose write to the server is, too; the server resets.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rst_while_a_write_to_it_is_pending() {
    let (front, back) = same(
        async |mut client| {
            write_until_full(&mut client).await;
            read_all(&mut client).await
        },
        async |server| {
            sleep(Duration::from_millis(1500)).await;
            reset(server);
        },
    )
    .await;
    assert_eq!(front.last().map(String::as_str), Some("server reset"));
    let [.., lost, end] = &back[..] else { panic!("{back:?}") };
    assert!(lost.starts_with("client discarded "), "{back:?}");
    assert_eq!(end, "server reset");
}

/// The server's bytes are stuck in the relay, as the client does not read; the client resets.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rst_of_a_client_that_does_not_read() {
    let (front, back) = same(
        async |client| {
            sleep(Duration::from_millis(1500)).await;
            reset(client);
        },
        async |mut server| {
            write_until_full(&mut server).await;
            read_all(&mut server).await
        },
    )
    .await;
    let [.., lost, end] = &front[..] else { panic!("{front:?}") };
    assert!(lost.starts_with("server discarded "), "{front:?}");
    assert_eq!(end, "client reset");
    assert_eq!(back.last().map(String::as_str), Some("client reset"));
}

/// The server's bytes are stuck in the relay and the server resets: after the bound the client is reset, too, and what
/// it was not given is counted.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rst_behind_bytes_that_nobody_reads_is_forwarded_all_the_same() {
    let listener = TcpListener::bind(anywhere()).await.expect("bind");
    let rig = Rig::to(listener.local_addr().expect("address")).await;
    let mut client = connect(rig.addr, None).await;
    let mut server = listener.accept().await.expect("accept").0;
    let written = write_until_full(&mut server).await;
    reset(server);
    let (front, back) = rig.story(1).await;
    let got = read_all(&mut client).await;
    assert_eq!(got.end, End::Reset);
    assert!((got.bytes.len() as u64) < written);
    let chunks = pattern(64 << 10);
    assert!(got.bytes.iter().zip(chunks.iter().cycle()).all(|(got, sent)| got == sent));
    let [.., lost, end] = &front[..] else { panic!("{front:?}") };
    assert!(lost.starts_with("server discarded "), "{front:?}");
    assert_eq!(end, "server reset");
    assert_eq!(back.last().map(String::as_str), Some("server reset"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_megabytes_both_ways_at_once() {
    const LEN: usize = 20 << 20;
    async fn both_ways(mut stream: TcpStream) -> Got {
        let sent = pattern(LEN);
        let (mut reader, mut writer) = stream.split();
        let mut bytes = Vec::new();
        let (read, written) = tokio::join!(reader.read_to_end(&mut bytes), async {
            writer.write_all(&sent).await?;
            writer.shutdown().await
        });
        written.expect("write");
        read.expect("read");
        assert!(bytes == sent, "other bytes came than were sent");
        Got { bytes, end: End::Eof }
    }
    let (front, back) = same(both_ways, both_ways).await;
    for leg in [front, back] {
        for side in ["client", "server"] {
            let prefix = format!("{side} bytes ");
            let lengths = leg.iter().filter_map(|line| line.strip_prefix(&prefix));
            assert_eq!(lengths.map(|len| len.parse::<usize>().expect("length")).sum::<usize>(), LEN);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_sessions_at_once() {
    let listener = TcpListener::bind(anywhere()).await.expect("bind");
    let rig = Rig::to(listener.local_addr().expect("address")).await;
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let got = read_all(&mut stream).await;
                write(&mut stream, &got.bytes).await;
            });
        }
    });
    let addr = rig.addr;
    let clients: Vec<_> = (0..100)
        .map(|n| {
            tokio::spawn(async move {
                let mut client = connect(addr, None).await;
                let sent = pattern(1000 + n * 100);
                write(&mut client, &sent).await;
                client.shutdown().await.expect("shutdown");
                assert_eq!(read_all(&mut client).await, Got { bytes: sent, end: End::Eof });
            })
        })
        .collect();
    for client in clients {
        client.await.expect("client");
    }
    for session in 1..=100 {
        let (front, back) = rig.story(session).await;
        assert_eq!(front.len(), 6, "{front:?}");
        assert_eq!(back.len(), 7, "{back:?}");
    }
}

/// A port that nobody listens on.
async fn closed_port() -> std::net::SocketAddr {
    TcpListener::bind(anywhere()).await.expect("bind").local_addr().expect("address")
}

/// A listener whose queue is full answers no SYN any more. It does so as long as what is returned lives.
#[cfg(target_os = "linux")]
async fn black_hole() -> (std::net::SocketAddr, TcpListener, Vec<TcpStream>) {
    let socket = TcpSocket::new_v4().expect("socket");
    socket.bind(anywhere()).expect("bind");
    let listener = socket.listen(1).expect("listen");
    let addr = listener.local_addr().expect("address");
    let mut queue = Vec::new();
    while let Ok(stream) = tokio::time::timeout(Duration::from_millis(300), TcpStream::connect(addr)).await {
        queue.push(stream.expect("connect"));
    }
    (addr, listener, queue)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_refuses_resets_the_client() {
    let rig = Rig::to(closed_port().await).await;
    assert_eq!(fate(rig.addr).await, End::Reset);
    let (front, back) = rig.story(1).await;
    assert_eq!(front, ["dialing", "opened", "server reset"]);
    assert_eq!(back, ["target", "dialing", "server refused"]);
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_does_not_answer_resets_the_client() {
    let (addr, ..) = &black_hole().await;
    let rig = Rig::with(*addr, |config| config.connect_timeout = Duration::from_millis(200)).await;
    assert_eq!(fate(rig.addr).await, End::Reset);
    let (front, back) = rig.story(1).await;
    assert_eq!(front, ["dialing", "opened", "server reset"]);
    assert_eq!(back, ["target", "dialing", "nobody timeout"]);
}

#[cfg(target_os = "linux")]
fn is_dialing(note: &Note) -> bool {
    matches!(note, Note::Seen(Observation { flow, seen: Seen::Opening(Opening::Dialing { .. }), .. })
        if flow.leg == Leg::Back)
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_resets_while_the_server_is_dialed() {
    let (addr, ..) = &black_hole().await;
    let rig = Rig::to(*addr).await;
    let mut client = connect(rig.addr, None).await;
    write(&mut client, b"request").await;
    rig.until(|note| matches!(note, Note::Seen(Observation { seen: Seen::Bytes { .. }, .. }))).await;
    reset(client);
    let (front, back) = rig.story(1).await;
    assert_eq!(front, ["dialing", "opened", "client bytes 7", "client reset"]);
    assert_eq!(back, ["target", "dialing", "client reset"]);
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_closes_while_the_server_is_dialed() {
    let (addr, ..) = &black_hole().await;
    let rig = Rig::to(*addr).await;
    let client = connect(rig.addr, None).await;
    rig.until(is_dialing).await;
    drop(client);
    let (front, back) = rig.story(1).await;
    assert_eq!(front, ["dialing", "opened", "client fin", "server reset"]);
    assert_eq!(back, ["target", "dialing", "client fin"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_address_of_a_name_is_tried() {
    let listener = TcpListener::bind(anywhere()).await.expect("bind");
    let port = listener.local_addr().expect("address").port();
    let name = |config: &mut Config| config.target = Target { name: "localhost".into(), port };
    let rig = Rig::with(listener.local_addr().expect("address"), name).await;
    let client = connect(rig.addr, None).await;
    drop(listener.accept().await.expect("accept"));
    drop(client);
    let (_, back) = rig.story(1).await;
    assert_eq!(back[..2], ["target", "resolving"]);
    assert!(back[2].starts_with("resolved ") && back[2].ends_with(" fine"), "{back:?}");
    assert!(back.contains(&"opened".to_string()), "{back:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_target_that_leads_back_is_refused() {
    let addr = closed_port().await;
    let (feed, _intake) = tap(Limits::default());
    let target = Target { name: "localhost".into(), port: addr.port() };
    let error = Server::bind(Config::new(addr, target, feed)).await.expect_err("a loop");
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(error.to_string().contains(&format!("localhost:{}", addr.port())), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relay_that_ends_resets_both_sides() {
    let listener = TcpListener::bind(anywhere()).await.expect("bind");
    let mut rig = Rig::to(listener.local_addr().expect("address")).await;
    let mut client = connect(rig.addr, None).await;
    let mut server = listener.accept().await.expect("accept").0;
    write(&mut client, b"request").await;
    read(&mut server, 7).await;
    rig.shut_down().await;
    assert_eq!((read_all(&mut client).await.end, read_all(&mut server).await.end), (End::Reset, End::Reset));
    let story = rig.story(1).await;
    assert_story(&story, &["client bytes 7", "server reset"], &["client bytes 7", "client reset"]);
}

/// Samples are there at the end of each leg, with what the system tells.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_leg_ends_with_a_path_sample() {
    let listener = TcpListener::bind(anywhere()).await.expect("bind");
    let rig = Rig::to(listener.local_addr().expect("address")).await;
    let mut client = connect(rig.addr, None).await;
    let mut server = listener.accept().await.expect("accept").0;
    write(&mut client, &pattern(5000)).await;
    read(&mut server, 5000).await;
    reset(server);
    read_all(&mut client).await;
    rig.story(1).await;
    for leg in [Leg::Front, Leg::Back] {
        let paths = rig.paths(1, leg);
        let (path, then) = paths.last().expect("a sample");
        assert!(matches!(then, Some(Seen::Closed { how: Ending::Reset, .. })), "{then:?}");
        assert!(path.min_rtt_us.is_some() && path.snd_mss.is_some(), "{path:?}");
        let carried = if leg == Leg::Front { path.bytes_received } else { path.bytes_acked };
        assert!(carried >= Some(5000), "{path:?}");
    }
}
