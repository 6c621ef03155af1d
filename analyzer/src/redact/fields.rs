//! What redaction does with each field of each message, as a list: for people, and for the test that walks all of them.
//!
//! A field that has no entry here fails that test.

use Fate::{Blanked, LeftIn, LeftOut, Replaced};

/// What becomes of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// Something else of the same length stands there, the same for the same.
    Replaced,
    /// Zeros stand there.
    Blanked,
    /// It is not in the file.
    LeftOut,
    /// It is as it was.
    LeftIn,
}

impl Fate {
    /// As it stands in the document.
    pub fn name(self) -> &'static str {
        match self {
            Replaced => "replaced",
            Blanked => "blanked",
            LeftOut => "left out",
            LeftIn => "left in",
        }
    }
}

/// The fields of one message, by what becomes of them.
#[derive(Debug)]
pub struct Message {
    /// Its name.
    pub name: &'static str,
    /// Where it is specified.
    pub spec: &'static str,
    /// Its fields, in their order.
    pub fields: &'static [(&'static str, Fate)],
}

/// Extensions of a ClientHello that are left in: they say what is offered, and name nobody (IANA, TLS ExtensionType Values).
pub(super) const NAMELESS: &[(u16, &str)] = &[
    (1, "max_fragment_length"),
    (5, "status_request"),
    (10, "supported_groups"),
    (11, "ec_point_formats"),
    (13, "signature_algorithms"),
    (15, "heartbeat"),
    (16, "application_layer_protocol_negotiation"),
    (17, "status_request_v2"),
    (18, "signed_certificate_timestamp"),
    (19, "client_certificate_type"),
    (20, "server_certificate_type"),
    (21, "padding"),
    (22, "encrypt_then_mac"),
    (23, "extended_master_secret"),
    (27, "compress_certificate"),
    (28, "record_size_limit"),
    (42, "early_data"),
    (43, "supported_versions"),
    (45, "psk_key_exchange_modes"),
    (49, "post_handshake_auth"),
    (50, "signature_algorithms_cert"),
    (51, "key_share"),
    (13172, "next_protocol_negotiation"),
    (17513, "application_settings (old)"),
    (17613, "application_settings"),
    (65281, "renegotiation_info"),
];

/// Everything that a recording can hold.
#[rustfmt::skip]
pub const MESSAGES: &[Message] = &[
    Message { name: "recording", spec: "pcapng", fields: &[
        ("times, sizes, frame numbers", LeftIn), ("ends of connections", LeftIn), ("samples of TCP_INFO", LeftIn),
        ("name of the target", Replaced), ("addresses and ports", Replaced),
        ("loopback addresses, ports below 1024, 3389 and 3391", LeftIn),
        ("what the resolver said", Replaced), ("what the relay did inside TLS, and on purpose", LeftIn),
        ("comments for people", LeftOut), ("command line and host", LeftOut), ("secrets of TLS", LeftOut),
    ] },
    Message { name: "PROXY header, version 1", spec: "PROXY protocol 2.1", fields: &[
        ("signature and family", LeftIn), ("source and destination", Replaced), ("anything behind UNKNOWN", Blanked),
    ] },
    Message { name: "PROXY header, version 2", spec: "PROXY protocol 2.2", fields: &[
        ("signature, command, family, length", LeftIn), ("source and destination", Replaced), ("TLVs", Blanked),
    ] },
    Message { name: "X.224 Connection Request", spec: "[MS-RDPBCGR] 2.2.1.1", fields: &[
        ("TPKT and X.224 header", LeftIn), ("cookie or routing token", Replaced), ("RDP_NEG_REQ", LeftIn),
        ("RDP_NEG_CORRELATION_INFO", LeftIn),
    ] },
    Message { name: "X.224 Connection Confirm", spec: "[MS-RDPBCGR] 2.2.1.2", fields: &[
        ("TPKT and X.224 header", LeftIn), ("RDP_NEG_RSP or RDP_NEG_FAILURE", LeftIn),
    ] },
    Message { name: "first words that are no RDP", spec: "-", fields: &[("first word", LeftIn), ("rest", Blanked)] },
    Message { name: "TLS record", spec: "RFC 8446 5.1", fields: &[
        ("type, version, length", LeftIn), ("alert in clear", LeftIn), ("ChangeCipherSpec", LeftIn),
        ("sealed content", Blanked),
    ] },
    Message { name: "TLS ClientHello", spec: "RFC 8446 4.1.2", fields: &[
        ("message header", LeftIn), ("version", LeftIn), ("random", LeftIn), ("session id", Replaced),
        ("cipher suites", LeftIn), ("compression methods", LeftIn), ("server_name", Replaced), ("session_ticket", Blanked),
        ("pre_shared_key: identities and binders", Blanked), ("pre_shared_key: ages", LeftIn),
        ("extensions that say what is offered", LeftIn), ("any other extension: number and length", LeftIn),
        ("any other extension: content", Blanked),
    ] },
    Message { name: "TLS ClientHello in the format of SSL 2.0", spec: "RFC 5246 E.2", fields: &[
        ("header, version and lengths", LeftIn), ("cipher specs", LeftIn), ("session id", Replaced), ("challenge", LeftIn),
    ] },
    Message { name: "TLS ServerHello", spec: "RFC 8446 4.1.3", fields: &[
        ("message header", LeftIn), ("version", LeftIn), ("random", LeftIn), ("session id", Replaced),
        ("cipher suite", LeftIn), ("compression method", LeftIn), ("session_ticket", Blanked), ("other extensions", LeftIn),
    ] },
    Message { name: "TLS Certificate", spec: "RFC 5246 7.4.2; RFC 5280 4.1", fields: &[
        ("lengths and shape", LeftIn), ("subject and issuer", Replaced), ("country", LeftIn),
        ("names of products that inspect TLS", LeftIn), ("alternative names", Replaced), ("serial number", Replaced),
        ("public key", Replaced), ("key identifiers", Replaced), ("signature", Replaced), ("validity", LeftIn),
        ("algorithms and key size", LeftIn), ("usages", LeftIn), ("other extensions: content", Replaced),
    ] },
    Message { name: "other TLS handshake messages", spec: "RFC 5246 7.4", fields: &[
        ("message header", LeftIn), ("content", Blanked),
    ] },
    Message { name: "inside of TLS", spec: "[MS-CSSP], [MS-NLMP], [MS-KILE], [MS-RDPBCGR], [MS-TSGU], [MS-RPCH], [MS-KKDCP]", fields: &[
        ("CredSSP, SPNEGO, NTLM with its target info (AV pairs), Kerberos", Blanked), ("RDP: MCS, GCC and all behind it", Blanked),
        ("HTTP, WebSocket, TSGU, RPC and KDC proxy of a gateway", Blanked),
    ] },
    Message { name: "HTTP head in clear", spec: "RFC 9112 2.1", fields: &[
        ("method, version, status", LeftIn), ("target and reason", Replaced), ("names of fields", LeftIn),
        ("values that say how to go on", LeftIn), ("scheme of authentication", LeftIn), ("other values", Replaced),
        ("content", Blanked),
    ] },
    Message { name: "MCS Connect-Initial without TLS", spec: "[MS-RDPBCGR] 2.2.1.3", fields: &[
        ("headers of MCS and GCC", LeftIn), ("clientName", Blanked), ("imeFileName", Blanked),
        ("clientDigProductId", Blanked), ("other settings, channel names", LeftIn),
    ] },
    Message { name: "MCS Connect-Response without TLS", spec: "[MS-RDPBCGR] 2.2.1.4", fields: &[
        ("headers of MCS and GCC", LeftIn), ("encryption method and level, lengths", LeftIn),
        ("server random and certificate", Blanked), ("other settings", LeftIn),
    ] },
    Message { name: "other MCS PDUs without TLS", spec: "[MS-RDPBCGR] 2.2.1.5 to 2.2.1.9", fields: &[("PDU", LeftIn)] },
    Message { name: "Client Info without TLS", spec: "[MS-RDPBCGR] 2.2.1.11", fields: &[
        ("headers, flags, lengths", LeftIn), ("domain, user, password, shell, folder, address", Blanked),
    ] },
    Message { name: "licensing without TLS", spec: "[MS-RDPELE] 2.2.2", fields: &[
        ("headers", LeftIn), ("error code and state", LeftIn), ("any other content", Blanked),
    ] },
    Message { name: "share PDUs without TLS", spec: "[MS-RDPBCGR] 2.2.8.1.1.1", fields: &[
        ("headers", LeftIn), ("capability sets, states, error info", LeftIn), ("any other content", Blanked),
    ] },
    Message { name: "channel data and fast-path without TLS", spec: "[MS-RDPBCGR] 2.2.6.1, 2.2.9.1.2", fields: &[
        ("headers", LeftIn), ("content", Blanked),
    ] },
];

/// The list for people: `docs/redaction.md`.
pub fn document() -> String {
    let mut text = "# What `rdpscope redact` does with each field\n\nMade from the list in `analyzer/src/redact/fields.rs`, which a test \
                    holds against what is done.\n\nReplaced: something else of the same length, the same for the same. Blanked: \
                    zeros. Left out: not in the file.\nLeft in: as it was.\n"
        .to_owned();
    for message in MESSAGES {
        text += &format!("\n## {}\n\n{}\n\n| field | |\n|---|---|\n", message.name, message.spec);
        for (field, fate) in message.fields {
            text += &format!("| {field} | {} |\n", fate.name());
        }
    }
    let names: Vec<String> = NAMELESS.iter().map(|(number, name)| format!("{name} ({number})")).collect();
    text + &format!("\n## Extensions of a ClientHello that are left in\n\n{}, and GREASE.\n", names.join(", "))
}

/// What is left in, a line each.
pub fn left_in() -> impl Iterator<Item = String> {
    MESSAGES.iter().filter_map(|message| {
        let kept = message.fields.iter().filter(|(_, fate)| *fate == LeftIn);
        let kept: Vec<&str> = kept.map(|(field, _)| *field).collect();
        (!kept.is_empty()).then(|| format!("{}: {}", message.name, kept.join("; ")))
    })
}

#[cfg(test)]
mod tests;
