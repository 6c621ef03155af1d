//! How a client asks for a channel, and says who it is, as often as it is asked and has an answer.

use tokio::io::{AsyncRead, AsyncWrite};

use super::client::GatewayReport;
use super::http::{self, Head};
use super::ntlm;
use super::script::{GatewayClient, Scheme};
use super::sums::{base64, nonce, unbase64};
use crate::lab::client::Stop;
use crate::lab::session::say;

/// Asks until the answer is another than 401. A client that has no more to say of itself leaves.
pub(super) async fn ask<S>(
    io: &mut S,
    method: &str,
    path: &str,
    fields: &[String],
    script: GatewayClient,
    report: &mut GatewayReport,
) -> Result<Head, Stop>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut fields = fields.to_vec();
    if script.cookie.is_some() {
        fields.push("RDG-Auth-Scheme: PAA".into());
    }
    let mut asks = Asks { script, tries: script.tries };
    let mut shown = if script.at_once { asks.begin() } else { None };
    report.phase = "gateway-http";
    loop {
        let fields = [&fields[..], &shown.iter().map(|token| format!("Authorization: {token}")).collect::<Vec<_>>()];
        say(io, http::request(method, path, &fields.concat())).await?;
        let answer = script.within(http::head(io)).await?;
        report.statuses.push(answer.status());
        if answer.status() != 401 {
            return Ok(answer);
        }
        script.within(http::skip_body(io, &answer)).await?;
        shown = asks.next(&answer, shown.is_some());
        if shown.is_none() {
            return Err(Stop::Dislikes(answer.line().to_owned()));
        }
        report.phase = "gateway-auth";
    }
}

/// What a client may still say of itself.
struct Asks {
    script: GatewayClient,
    tries: u32,
}

impl Asks {
    /// The first thing that a client says, where it has one more try.
    fn begin(&mut self) -> Option<String> {
        self.tries = self.tries.checked_sub(1)?;
        let scheme = self.script.scheme?;
        let token = match scheme {
            Scheme::Ntlm | Scheme::Negotiate => ntlm::negotiate(),
            Scheme::Basic => format!("{}:{}", self.script.account.user, self.script.account.password).into_bytes(),
        };
        Some(format!("{} {}", scheme.name(), base64(&token)))
    }

    /// What it says to a 401.
    fn next(&mut self, answer: &Head, has_shown: bool) -> Option<String> {
        let scheme = self.script.scheme?;
        let token = unbase64(answer.scheme("WWW-Authenticate", scheme.name())?);
        match (scheme, token.is_empty() || !has_shown) {
            (Scheme::Ntlm | Scheme::Negotiate, false) => {
                let proof = ntlm::authenticate(self.script.account, &token, nonce());
                Some(format!("{} {}", scheme.name(), base64(&proof)))
            }
            (Scheme::Ntlm | Scheme::Negotiate | Scheme::Basic, _) => self.begin(),
        }
    }
}
