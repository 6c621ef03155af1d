//! Causes in name resolution: no packet goes to the server before it.

use super::Tool::{Events, Probe, Proxy};
use super::{Cause, Confidence, Layer, Visibility};

/// All of them.
pub(super) static CAUSES: &[Cause] = &[
    Cause {
        id: "DNS-NX",
        layer: Layer::Resolution,
        name: "the name does not resolve",
        visibility: Visibility::Rule,
        evidence: "the relay's own lookup ends with an error and no SYN is ever sent; a packet capture shows the \
                   NXDOMAIN, or nothing at all",
        sign: "no SYN at all; the resolver answers NXDOMAIN or not",
        looks_like: &["DNS-SLOW", "NLA-SMARTCARD", "SES-CONSOLE"],
        confidence: Confidence::Certain,
        tools: &[Probe, Proxy],
        check: "on the client: Resolve-DnsName NAME (or nslookup NAME); compare with and without the VPN",
        fix: "correct the DNS record, the search suffix or the VPN's resolver; to test, connect by address",
        cannot_tell: &["whether the record is missing or the resolver is the wrong one"],
        spec: "RFC 1035 4.1.1 (RCODE 3)",
        mstsc: &["0x104"],
    },
    Cause {
        id: "DNS-WRONG",
        layer: Layer::Resolution,
        name: "the name resolves to the wrong machine",
        visibility: Visibility::Hidden {
            among: &["TLS-NAME"],
            settles: "three names, one liar: the name asked for, the certificate's, and Resolve-DnsName's answer beside the server's own ipconfig",
        },
        evidence: "the address answers, and the certificate's names (or those in the NTLM challenge, which is \
                   sealed) are another machine's; or the SYN to a stale address is refused or lost",
        sign: "name asked, certificate's name and NTLM's target name disagree",
        looks_like: &["TLS-NAME", "TCP-DROP", "TCP-REFUSED", "TLS-CHANGED"],
        confidence: Confidence::Possible,
        tools: &[Probe, Proxy],
        check: "on the client: Resolve-DnsName NAME, compare with ipconfig on the server itself; ipconfig \
                /displaydns, and is there a line in C:\\Windows\\System32\\drivers\\etc\\hosts?",
        fix: "ipconfig /flushdns on the client; correct the stale DNS or DHCP record, and switch on scavenging of \
              the zone",
        cannot_tell: &["the name that the user meant, where a relay or an address stands in between"],
        spec: "RFC 1035 3.2.1 (TTL); [MS-NLMP] 2.2.2.1 (names in the challenge)",
        mstsc: &["0x204", "0x907"],
    },
    Cause {
        id: "DNS-AAAA",
        layer: Layer::Resolution,
        name: "the first address is dead, a later one answers",
        visibility: Visibility::Rule,
        evidence: "SYNs to the first address go unanswered until its timer runs out, then a SYN to another address \
                   of the same name is answered at once",
        sign: "one click, SYNs to two address families, the first unanswered",
        looks_like: &["TCP-DROP"],
        confidence: Confidence::Likely,
        tools: &[Probe, Proxy],
        check: "on the client: Test-NetConnection to each address of the name, IPv6 and IPv4",
        fix: "repair the route to that address or remove it from DNS",
        cannot_tell: &["why the address is dead"],
        spec: "RFC 8305 (Happy Eyeballs); RFC 6724 (order of addresses)",
        mstsc: &["0x204", "0x108"],
    },
    Cause {
        id: "DNS-SLOW",
        layer: Layer::Resolution,
        name: "the resolver is slow",
        visibility: Visibility::Rule,
        evidence: "the relay's lookup takes seconds, or the client leaves before it ends; in packets the same \
                   question is asked again after 1, 2, 4 s",
        sign: "the time goes before the first SYN",
        looks_like: &["DNS-NX", "TCP-DROP"],
        confidence: Confidence::Certain,
        tools: &[Proxy, Probe],
        check: "on the client: Measure-Command { Resolve-DnsName NAME }; look at the order of DNS servers",
        fix: "put a resolver that answers first",
        cannot_tell: &["which of several resolvers did not answer"],
        spec: "RFC 1035 4.2.1; RFC 1123 6.1.3.3 (asking again)",
        mstsc: &["0x104"],
    },
    Cause {
        id: "RDP-FILE",
        layer: Layer::Resolution,
        name: "mstsc warns of the .rdp file: it is not signed, or was changed behind its signature",
        visibility: Visibility::Hidden {
            among: &["DNS-NX"],
            settles: "on the client: the text of the dialog (\"Caution: Unknown remote connection\"); is there a signature:s: line in the file, and was a line named in signscope:s: edited?",
        },
        evidence: "nothing: the question comes before the first packet, and whoever cancels sends none; since the updates of 2026-04-14 (CVE-2026-26151) every .rdp file is asked about, and its redirections are off until they are allowed",
        sign: "no packet at all, or a session without the drives, clipboard and printers that the file asks for",
        looks_like: &["DNS-NX", "PRX-PROBE"],
        confidence: Confidence::Possible,
        tools: &[Events],
        check: "on the client: open the file with an editor; rdpsign /sha256 THUMBPRINT /l FILE.rdp says whether it could be signed; start mstsc with a typed name in place of the file: does it connect?",
        fix: "sign the file again behind every change: rdpsign /sha256 THUMBPRINT FILE.rdp, and trust the publisher by policy 'Specify SHA1 thumbprints of certificates representing trusted .rdp publishers'; or leave the file as it is and change the name's address (hosts) instead",
        cannot_tell: &["what the user answered"],
        spec: "CVE-2026-26151 (updates of 2026-04-14); Microsoft Learn: rdpsign",
        mstsc: &[],
    },
];
