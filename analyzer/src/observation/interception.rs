//! What a relay did that can stand inside TLS: where it stood there, where not, and why.

use std::fmt;

/// By what a relay stands inside TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Means {
    /// The server's own certificate and key: what the client binds its credentials to stays true.
    ServerKey,
    /// A certificate that an authority of the relay's own made for the session.
    Authority,
}

/// One step of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Interception {
    /// It was asked for.
    Asked(Means),
    /// TLS of both legs ends at the relay: from here on each leg has a connection and secrets of its own.
    Stands,
    /// TLS passes the relay untouched after all.
    Passed {
        /// Why.
        why: String,
    },
    /// The connection to the server did not come about by the relay's own ClientHello: it was closed, and made again for the
    /// client's.
    Redialed {
        /// How the one before ended.
        why: String,
    },
    /// The relay would have to dial again for the client's own ClientHello, and could not.
    Stuck {
        /// Why.
        why: String,
    },
    /// TLS of this leg could not go on at the relay, which ended both legs by it.
    Broke {
        /// Why.
        why: String,
    },
    /// What this machine's roots say of the server's chain, which the relay accepted whatever it is.
    Upstream {
        /// `None` where it could not be checked.
        trusted: Option<bool>,
        /// Why.
        says: String,
    },
    /// The server shows another public key than that of the certificate which the relay was given.
    OtherKey,
    /// The client is shown another certificate than the gateway's: what NTLM and Kerberos in HTTP bind to it
    /// (tls-server-end-point, RFC 5929 4) the gateway may refuse.
    Unbound,
}

impl Interception {
    /// Whether TLS passes untouched from here on: no secrets come of it.
    pub fn is_passing(&self) -> bool {
        match self {
            Interception::Passed { .. } | Interception::Redialed { .. } => true,
            Interception::Asked(_)
            | Interception::Stands
            | Interception::Stuck { .. }
            | Interception::Broke { .. }
            | Interception::Upstream { .. }
            | Interception::OtherKey
            | Interception::Unbound => false,
        }
    }
}

impl Means {
    /// As it stands in reports, and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Means::ServerKey => "server-key",
            Means::Authority => "ca",
        }
    }
}

impl fmt::Display for Means {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl Interception {
    /// As it stands in recordings.
    pub fn name(&self) -> &'static str {
        match self {
            Interception::Asked(_) => "asked",
            Interception::Stands => "stands",
            Interception::Passed { .. } => "passed",
            Interception::Redialed { .. } => "redialed",
            Interception::Stuck { .. } => "stuck",
            Interception::Broke { .. } => "broke",
            Interception::Upstream { .. } => "upstream",
            Interception::OtherKey => "other-key",
            Interception::Unbound => "unbound",
        }
    }

    /// What it holds besides its name, for recordings.
    pub fn fields(&self) -> Vec<(&'static str, String)> {
        match self {
            Interception::Asked(means) => vec![("means", means.name().into())],
            Interception::Stands | Interception::OtherKey | Interception::Unbound => Vec::new(),
            Interception::Passed { why }
            | Interception::Redialed { why }
            | Interception::Stuck { why }
            | Interception::Broke { why } => vec![("why", why.clone())],
            Interception::Upstream { trusted, says } => {
                let trusted = trusted.map(|trusted| ("trusted", if trusted { "yes" } else { "no" }.into()));
                trusted.into_iter().chain([("says", says.clone())]).collect()
            }
        }
    }

    /// Reads it back.
    pub fn read(name: &str, field: &dyn Fn(&str) -> Option<String>) -> Option<Interception> {
        Some(match name {
            "asked" => {
                let means = field("means")?;
                let all = [Means::ServerKey, Means::Authority];
                Interception::Asked(all.into_iter().find(|one| one.name() == means)?)
            }
            "stands" => Interception::Stands,
            "passed" => Interception::Passed { why: field("why")? },
            "redialed" => Interception::Redialed { why: field("why")? },
            "stuck" => Interception::Stuck { why: field("why")? },
            "broke" => Interception::Broke { why: field("why")? },
            "upstream" => Interception::Upstream {
                trusted: field("trusted").map(|trusted| trusted == "yes"),
                says: field("says")?,
            },
            "other-key" => Interception::OtherKey,
            "unbound" => Interception::Unbound,
            _ => return None,
        })
    }
}
