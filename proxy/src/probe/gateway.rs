//! What is asked of an RD Gateway: TLS as of any server, but from the first byte on, then HTTP in it, without credentials.

use std::net::SocketAddr;

use analyzer::event::Protocols;
use analyzer::observation::Side;
use analyzer::probe as questions;
use analyzer::probe::Asked;
use analyzer::probe::gateway::{Answer, Heard, Question, Reader};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};

use super::Asking;
use super::talk::Talk;
use crate::clock;
use crate::tls::{Ciphers, Client, ClientStream, Trust, Versions};
use crate::wire::http;

/// Nobody's head is longer, bytes.
const MOST: usize = 64 << 10;

impl Asking {
    /// Everything.
    pub(super) async fn of_gateway(&mut self) {
        let Some(server) = self.reach().await else { return };
        let none = Protocols::default();
        self.tls(server, none).await;
        if self.conversations.iter().any(|c| questions::server_hello(&c.session.timeline).is_some()) {
            for asked in Question::ALL {
                self.question(server, asked).await;
            }
        }
        self.rounds(server, Some(none)).await;
    }

    async fn question(&mut self, server: SocketAddr, asked: Question) {
        if !self.has_time(asked.name()) {
            return;
        }
        let (mut talk, stands) = self.open(server, Protocols::default()).await;
        if stands {
            let (heard, took) = self.ask(&mut talk, asked).await;
            self.answers.push(Answer { asked, heard, took });
        }
        self.keep(Asked::Http(asked), talk);
    }

    /// Asks, and listens until there is an answer. How long that took, from the request on.
    async fn ask(&mut self, talk: &mut Talk, asked: Question) -> (Heard, std::time::Duration) {
        let (name, patience) = (self.config.target.name.clone(), self.config.timeout);
        let began = clock::now();
        let mut stream = match secured(talk, &name, patience).await {
            Ok(stream) => stream,
            Err(why) => return (Heard::NoTls(why), clock::now().since(began)),
        };
        let began = clock::now();
        let request = http::request(asked, &self.host(), self.conversations.len() as u32);
        let heard = answer(&mut stream, &request, Instant::now() + patience).await;
        (heard, clock::now().since(began))
    }

    /// RFC 9110 7.2.
    fn host(&self) -> String {
        let (name, port) = (&self.config.target.name, self.config.target.port);
        let name = if name.contains(':') { format!("[{name}]") } else { name.clone() };
        if port == 443 { name } else { format!("{name}:{port}") }
    }
}

/// TLS, whatever the certificate: that is judged elsewhere.
async fn secured<'a>(
    talk: &'a mut Talk,
    name: &str,
    patience: std::time::Duration,
) -> Result<ClientStream<&'a mut TcpStream>, String> {
    let client = Client::new(Trust::Anything, Versions::Both, Ciphers::All).map_err(|error| error.to_string())?;
    let stream = talk.stream().ok_or("the connection is gone")?;
    match timeout(patience, client.connect(name, stream)).await {
        Ok(connected) => connected.map_err(|error| error.to_string()),
        Err(_) => Err("no answer in time".to_owned()),
    }
}

async fn answer(stream: &mut ClientStream<&mut TcpStream>, request: &[u8], deadline: Instant) -> Heard {
    let mut reader = Reader::default();
    reader.push(Side::Client, request);
    let said = async {
        stream.write_all(request).await?;
        stream.flush().await
    };
    match timeout_at(deadline, said).await {
        // What was said before the end can still be read.
        Ok(_) => {}
        Err(_) => return Heard::Silence,
    }
    let (mut buffer, mut len) = (vec![0; 4 << 10], 0);
    while len < MOST {
        let n = match timeout_at(deadline, stream.read(&mut buffer)).await {
            Ok(Ok(0) | Err(_)) if len == 0 => return Heard::End,
            Ok(Ok(0) | Err(_)) => return Heard::Unreadable,
            Ok(Ok(n)) => n,
            Err(_) if len == 0 => return Heard::Silence,
            Err(_) => return Heard::Unreadable,
        };
        len += n;
        reader.push(Side::Server, &buffer[..n]);
        if let Some(heard) = reader.heard() {
            return heard;
        }
    }
    Heard::Unreadable
}
