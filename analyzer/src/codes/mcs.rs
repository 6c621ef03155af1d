//! ITU-T T.125: MCS.

use super::{Code, Notation, Table, code};

/// MCS Disconnect Provider Ultimatum reason.
pub static DISCONNECT: Table = Table {
    key: "mcs-reason",
    title: "MCS Disconnect Provider Ultimatum reason",
    words: &["mcs-reason", "mcs", "dpu"],
    notation: Notation::Decimal,
    note: "some servers end any refusal with \"user requested\": before activation it is no logoff",
    source: "ITU-T T.125, 7",
    codes: DISCONNECT_CODES,
};

#[rustfmt::skip]
const DISCONNECT_CODES: &[Code] = &[
    code(0, "rn-domain-disconnected", "", &[]),
    code(1, "rn-provider-initiated", "admin/server", &["SES-ADMIN"]),
    code(2, "rn-token-purged", "", &[]),
    code(3, "rn-user-requested", "", &["SES-ADMIN"]),
    code(4, "rn-channel-purged", "", &[]),
];

/// MCS Connect Response result.
pub static CONNECT: Table = Table {
    key: "mcs-result",
    title: "MCS Connect Response result",
    words: &["mcs-result"],
    notation: Notation::Decimal,
    note: "0 is success",
    source: "ITU-T T.125, 7",
    codes: CONNECT_CODES,
};

#[rustfmt::skip]
const CONNECT_CODES: &[Code] = &[
    code(0, "rt-successful", "", &[]),
    code(1, "rt-domain-merging", "", &["MCS-REJECT"]),
    code(2, "rt-domain-not-hierarchical", "", &["MCS-REJECT"]),
    code(3, "rt-no-such-channel", "", &["MCS-REJECT"]),
    code(4, "rt-no-such-domain", "", &["MCS-REJECT"]),
    code(5, "rt-no-such-user", "", &["MCS-REJECT"]),
    code(6, "rt-not-admitted", "", &["MCS-REJECT"]),
    code(7, "rt-other-user-id", "", &["MCS-REJECT"]),
    code(8, "rt-parameters-unacceptable", "", &["MCS-REJECT"]),
    code(9, "rt-token-not-available", "", &["MCS-REJECT"]),
    code(10, "rt-token-not-possessed", "", &["MCS-REJECT"]),
    code(11, "rt-too-many-channels", "", &["MCS-REJECT"]),
    code(12, "rt-too-many-tokens", "", &["MCS-REJECT"]),
    code(13, "rt-too-many-users", "", &["MCS-REJECT"]),
    code(14, "rt-unspecified-failure", "", &["MCS-REJECT"]),
    code(15, "rt-user-rejected", "", &["MCS-REJECT"]),
];
