//! A fatal alert inside TLS is said again as it was: a server's, and that of a client which refuses a certificate.

use proxy::lab::wire::connection_confirm;
use proxy::tls::{Agreed, End};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;

const ACCESS_DENIED: u8 = 49;

/// A server that answers what its client says first inside TLS with an alert. Gives its secrets.
async fn answers_with_an_alert(listener: TcpListener, version: u16, suite: u16) -> Keyring {
    let mut stream = listener.accept().await.expect("accept").0;
    let request = &mut [0; 1024];
    let _read = stream.read(request).await.expect("a request");
    stream.write_all(&connection_confirm(Some(1))).await.expect("a confirm");
    let credential = unknown(NAME).expect("a certificate").credential;
    let mut tls = End::server(&credential, &Agreed::recorded(version, suite, None).expect("known")).expect("TLS");
    let mut keys = Keyring::default();
    let mut plain = Vec::new();
    while plain.is_empty() {
        take(&mut stream, &mut tls, &mut plain).await;
        keys.read(&tls.secrets().unwrap_or_default());
        stream.write_all(&tls.give()).await.expect("its client listens");
    }
    stream.write_all(&tls.fail(ACCESS_DENIED)).await.expect("its client listens");
    keys
}

async fn take(stream: &mut TcpStream, tls: &mut End, plain: &mut Vec<u8>) {
    let mut data = vec![0; 16 << 10];
    let len = stream.read(&mut data).await.expect("its client speaks");
    assert_ne!(len, 0, "its client stays");
    tls.take(&data[..len], plain).expect("TLS goes on");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_says_its_fatal_alert_inside_tls_again() {
    for (name, version, suite) in [("healthy-tls12", 0x0303, 0xc02f), ("healthy-tls13", 0x0304, 0x1301)] {
        let listener = TcpListener::bind(anywhere()).await.expect("bind");
        let proxy = Recorded::to(NAME, listener.local_addr().expect("address")).await;
        let server = tokio::spawn(answers_with_an_alert(listener, version, suite));
        let scenario = Scenario::named(name).expect("a scenario");
        assert_eq!(scenario.connect(proxy.addr).await.alert, Some(ACCESS_DENIED), "{name}: recorded");
        let keys = Arc::new(server.await.expect("it ends"));
        let (sessions, _folder) = proxy.finish().await;
        let recording = PathBuf::from(sessions[0].file.clone().expect("recorded"));
        let replayed = serve(&recording, &keys, Pace::AsFastAsPossible).await;
        let met = scenario.connect(replayed.addr).await;
        let played = replayed.task.await.expect("it ends");
        let told = replayed.told.lock().expect("told").join("; ");
        assert_eq!((met.alert, played.departures), (Some(ACCESS_DENIED), 0), "{name}: {played:?}; {told}");
        assert!(script(&recording, &keys, Side::Server).expect("a script").notices.is_empty());
    }
}

/// In TLS 1.3 the recorded alert is sealed with keys of that connection; without secrets its number is not known, and said so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_refuses_the_certificate_again() {
    let scenario = Scenario::named("client-alert-48-tls13").expect("a scenario");
    let secrets = LabSecrets::default();
    let server = scenario.serve_with_keys(anywhere(), None, secrets.keys()).await.expect("serve");
    let (recording, _folder) = recorded_against(scenario, server.addr).await;
    let known = [(secrets.keyring(), "UnknownCA", 0), (Arc::default(), "CertificateUnknown", 1)];
    for (so_far, (keys, error, notices)) in (2..).zip(known) {
        let script = script(&recording, &keys, Side::Client).expect("a script");
        let sealed = script.notices.iter().filter(|says| says.contains("the alert of the client is sealed"));
        assert_eq!(sealed.count(), notices, "{:?}", script.notices);
        let means = means(Pace::AsFastAsPossible);
        let (tell, told) = notes();
        let played = play(&script, &means, connect(server.addr, None).await, &tell).await;
        assert_eq!(played.departures, 0, "{played:?}: {:?}", told.lock().expect("told"));
        server.finished(so_far).await;
        let told = server.conversations().pop().and_then(|one| one.error).unwrap_or_default();
        assert!(told.contains(error), "{error}: {told}");
    }
    server.stop().await;
}
