//! What `rdpscope proxy --intercept` asks for, and what is said of it at the start.

use std::path::Path;
use std::sync::Arc;

use anyhow::{anyhow, bail};
use proxy::authority::Authority;
use proxy::intercept::{Intercept, With, read_credential};

use super::ca;
use crate::cli::{InterceptBy, Proxy};
use proxy::named::Named;

/// How to stand inside TLS, where that is asked for.
pub fn asked(args: &Proxy) -> anyhow::Result<Option<Arc<Intercept>>> {
    let with = match (args.intercept, &args.cert, &args.key) {
        (None, _, _) => return Ok(None),
        (Some(InterceptBy::ServerKey), Some(certificate), Some(key)) if args.ca.is_none() => {
            With::ServerKey(read_credential(certificate, key).map_err(|says| anyhow!(says))?)
        }
        (Some(InterceptBy::ServerKey), _, _) => bail!("--intercept server-key expects --cert and --key, and no --ca"),
        (Some(InterceptBy::Ca), None, None) => {
            With::Authority(Box::new(Authority::open(&ca::folder(args.ca.clone())?)?))
        }
        (Some(InterceptBy::Ca), _, _) => {
            bail!("--intercept ca makes its certificates itself: expected no --cert, --key")
        }
    };
    Ok(Some(Arc::new(Intercept::new(with, &args.target().name))))
}

/// Says so.
pub fn announcement(args: &Proxy) -> Option<String> {
    let shown = |path: &Option<_>| path.as_deref().map_or_else(String::new, |path: &Path| path.named());
    match args.intercept? {
        InterceptBy::ServerKey => Some(format!(
            "INTERCEPTING: TLS ends here. Clients are shown the certificate {}, for which this program has the key. \
             Recordings hold the secrets that open them: whoever has one can read the session, passwords included.",
            shown(&args.cert)
        )),
        InterceptBy::Ca if args.gateway => Some(
            "INTERCEPTING: TLS with the gateway ends here. Clients are shown a certificate made for each connection; they \
             trust it where they trust the authority (rdpscope ca export). Channel binding breaks by that: NTLM and \
             Kerberos bind what they prove over HTTP to the certificate (RFC 5929, tls-server-end-point), and a gateway \
             that checks answers 401, which then says nothing of the password. Recordings hold the secrets that open \
             them: whoever has one can read what passes, passwords included. TLS of the session inside the tunnel stays \
             sealed without --keylog."
                .to_owned(),
        ),
        InterceptBy::Ca => Some(
            "INTERCEPTING: TLS ends here where a session selects plain TLS. Clients are shown a certificate made for \
             it; they trust it where they trust the authority (rdpscope ca export). Any certificate of the server is \
             accepted, and judged in the report. Recordings hold the secrets that open them: whoever has one can read \
             the session, passwords included."
                .to_owned(),
        ),
    }
}
