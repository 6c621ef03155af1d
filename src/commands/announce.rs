//! What `rdpscope proxy` says at its start, and `rdpscope replay` of what is done on purpose: where it listens, how a client gets there, and what differs by that.

use std::net::SocketAddr;

use analyzer::report::text;
use proxy::entrance::Entrance;
use proxy::impair::Asked;
use proxy::record;

use super::{intercept, talk};
use crate::cli::Proxy;
use proxy::named::Named;

/// Says it.
pub fn proxy(args: &Proxy, listener: SocketAddr, impair: Option<&Asked>) {
    let target = args.target();
    let (name, port) = (&target.name, args.target().port_or_usual(args.gateway));
    let what = if args.gateway { "the RD Gateway " } else { "" };
    let mut out = match args.entrance() {
        Entrance::Asked => format!("rdpscope listening on {listener}, to {what}{name}:{port}\n\n"),
        _ => format!("rdpscope listening on {listener}, to {what}where each client was going\n\n"),
    };
    if args.entrance() != Entrance::Asked {
        brought(&mut out, args, listener);
    } else if args.gateway {
        to_gateway(&mut out, args, listener)
    } else {
        to_server(&mut out, args, listener)
    }
    if !args.allow.is_empty() {
        let networks: Vec<String> = args.allow.iter().map(ToString::to_string).collect();
        text::para(&mut out, "  ", &format!("Clients may come from {} and from this machine.", networks.join(", ")));
    } else if !listener.ip().is_loopback() {
        let says =
            "this listener is not loopback: anybody who reaches it reaches the server. --allow CIDR says who may";
        text::para(&mut out, "  warning: ", says);
    }
    headers(&mut out, args, listener);
    if let Some(says) = intercept::announcement(args) {
        text::para(&mut out, "  ", &says);
    }
    impaired(&mut out, impair);
    if let Some(log) = &args.keylog {
        let hold = if args.records() { "; recordings hold the secrets of their sessions" } else { "" };
        let says = format!("TLS is opened with what is written to this file from now on{hold}.");
        text::para(&mut out, "  keys: ", &format!("{}: {says}", log.named()));
    }
    let kept = args.keep.map_or("", |_| " The oldest there are deleted where they take more than --keep.");
    let recorded = if args.records() {
        format!("Recordings go to {}.{kept}", args.out.named())
    } else {
        "Nothing is recorded: what is printed here is all that stays.".to_owned()
    };
    text::para(&mut out, "  ", &format!("{recorded} Ctrl-C ends."));
    if let Some(who) = record::who_else_writes(&args.out).filter(|_| args.records()) {
        text::para(&mut out, "  warning: ", &format!("the folder {}: {who}", args.out.named()));
    }
    talk(&out);
}

/// What the PROXY protocol is used for.
fn headers(out: &mut String, args: &Proxy, listener: SocketAddr) {
    if args.accept_proxy {
        let says = "Clients are expected to come by a balancer that sends a PROXY header first, which names them.";
        text::para(out, "  ", says);
    }
    if args.accept_proxy && args.allow.is_empty() && !listener.ip().is_loopback() {
        let says = "whoever reaches this listener can claim any address by a PROXY header: --allow the balancer alone";
        text::para(out, "  warning: ", says);
    }
    if args.send_proxy.is_some() {
        let says = "The server is sent a PROXY header first: one that does not expect it ends the connection.";
        text::para(out, "  ", says);
    }
}

/// What is done on purpose.
pub fn impaired(out: &mut String, asked: Option<&Asked>) {
    if let Some(asked) = asked {
        let all: Vec<String> = asked.specs.iter().map(|spec| format!("'{spec}'")).collect();
        let says = format!("every session, on purpose: {} (seed {})", all.join(", "), asked.seed);
        text::para(out, "  IMPAIRED: ", &says);
    }
}

/// Clients know nothing of this; a rule brings them.
fn brought(out: &mut String, args: &Proxy, listener: SocketAddr) {
    let flag = if args.transparent { "--transparent" } else { "--redirect" };
    let says =
        format!("rules of nftables must bring clients here: rdpscope proxy {flag} --listen {listener} --print-rules");
    text::para(out, "  ", &says);
    if let Some(to) = &args.to {
        text::para(out, "  ", &format!("Certificates are judged against the name {}.", to.name));
    }
}

fn to_server(out: &mut String, args: &Proxy, listener: SocketAddr) {
    let target = args.target();
    let (name, port) = (&target.name, args.target().port_or_usual(false));
    *out += &format!("  xfreerdp /v:{listener}, or in mstsc: {listener}\n");
    if args.target().ip().is_none() {
        let recipe = format!(
            "To keep the name {name} (Kerberos, Credential Guard and name checks then behave as in a direct \
             connection), add the line '127.0.0.2 {name}' to the client's hosts file, run rdpscope on the client \
             with --to {name}:{port} --connect-to IP --listen 127.0.0.2:{port}, and connect to {name} as always."
        );
        text::para(out, "  mstsc: ", &recipe);
    }
    other_name(out, args, listener);
}

/// A client keeps the host that it connects to, and comes here in the gateway's place.
fn to_gateway(out: &mut String, args: &Proxy, listener: SocketAddr) {
    let target = args.target();
    let (name, port) = (&target.name, args.target().port_or_usual(true));
    let says = format!(
        "/v:HOST /g:{listener} and whatever else it takes: HOST is the computer behind the gateway. Where the gateway takes \
         other credentials than HOST: /gu: and /gp: besides. FreeRDP 3: /gateway:g:{listener}"
    );
    text::para(out, "  xfreerdp: ", &says);
    let recipe = format!(
        "Show Options, Advanced, Settings, and there {listener} as the gateway's name; in a .rdp file: \
         gatewayhostname:s:{listener}"
    );
    text::para(out, "  mstsc: ", &recipe);
    if args.target().ip().is_none() {
        let recipe = format!(
            "it lets nobody click past a certificate of another name. To keep the name {name}, add the line \
             '127.0.0.2 {name}' to the client's hosts file, run rdpscope on the client with --gateway --to \
             {name}:{port} --connect-to IP --listen 127.0.0.2:443 (without a port mstsc takes 443), and connect as always."
        );
        text::para(out, "  mstsc: ", &recipe);
    }
    let inside = "The connection to HOST is made by the gateway and stays inside of the client's connections to it. A client \
                  that may go past the gateway (\"bypass for local addresses\") does not come by here.";
    text::para(out, "  ", inside);
    other_name(out, args, listener);
}

fn other_name(out: &mut String, args: &Proxy, listener: SocketAddr) {
    let target = args.target();
    let name = &target.name;
    let differs = format!(
        "A client that comes by {listener} uses another name than {name}: Kerberos, Credential Guard and name checks \
         then differ from a direct connection."
    );
    if *name != listener.ip().to_string() {
        text::para(out, "  warning: ", &differs);
    }
}
