//! What proxies say about the way of a request: believed of proxies that are known, and of nobody else.

use std::net::{IpAddr, SocketAddr};

use http::HeaderMap;

use crate::settings::Networks;

const FOR: &str = "x-forwarded-for";
const HOST: &str = "x-forwarded-host";
const PROTO: &str = "x-forwarded-proto";

/// Where the request comes from. Each proxy adds at the end of the list whom it has seen, so that the last one who is no
/// proxy of ours is the client; what stands before that is the client's word.
pub fn client(peer: IpAddr, headers: &HeaderMap, proxies: &Networks) -> IpAddr {
    let mut client = peer;
    let lines = headers.get_all(FOR).iter().map(|line| line.to_str().unwrap_or_default());
    let hops: Vec<&str> = lines.flat_map(|line| line.split(',')).collect();
    for hop in hops.iter().rev() {
        if !proxies.contain(client) {
            break;
        }
        match address(hop.trim()) {
            Some(address) => client = address,
            None => break,
        }
    }
    client
}

/// The host that the client asked, if a proxy says it.
pub fn host<'a>(peer: IpAddr, headers: &'a HeaderMap, proxies: &Networks) -> Option<&'a str> {
    first(peer, headers, proxies, HOST)
}

/// Whether the client came by TLS to a proxy that says so.
pub fn secure(peer: IpAddr, headers: &HeaderMap, proxies: &Networks) -> bool {
    first(peer, headers, proxies, PROTO).is_some_and(|word| word.eq_ignore_ascii_case("https"))
}

/// Of several proxies, the first word is that of the one nearest to the client.
fn first<'a>(peer: IpAddr, headers: &'a HeaderMap, proxies: &Networks, name: &str) -> Option<&'a str> {
    let said = headers.get(name).filter(|_| proxies.contain(peer))?;
    Some(said.to_str().ok()?.split(',').next()?.trim())
}

/// An address, as proxies write it: perhaps with a port, and of IPv6 perhaps in brackets.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let found = bare.parse().ok().or_else(|| Some(text.parse::<SocketAddr>().ok()?.ip()));
    found.map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(peer: &str, trusted: &[&str], lines: &[&str]) -> String {
        let trusted = trusted.iter().map(|text| text.parse().unwrap()).collect();
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(FOR, line.parse().unwrap());
        }
        client(peer.parse().unwrap(), &headers, &Networks::new(trusted)).to_string()
    }

    // registry TL8 AU8
    #[test]
    fn a_client_is_whom_the_outermost_known_proxy_has_seen() {
        let ours = &["10.0.0.0/8", "fd00::/8"][..];
        for (peer, trusted, lines, expected) in [
            ("10.0.0.1", ours, &["192.0.2.1"][..], "192.0.2.1"),
            ("10.0.0.1", ours, &["203.0.113.9, 192.0.2.1"], "192.0.2.1"),
            ("10.0.0.1", ours, &["203.0.113.9, 192.0.2.1, 10.0.0.2"], "192.0.2.1"),
            ("10.0.0.1", ours, &["203.0.113.9", "192.0.2.1", "10.0.0.2"], "192.0.2.1"),
            ("10.0.0.1", ours, &["10.9.9.9,10.0.0.2"], "10.9.9.9"),
            ("10.0.0.1", ours, &["192.0.2.1:4711"], "192.0.2.1"),
            ("fd00::1", ours, &["[2001:db8::1]:4711"], "2001:db8::1"),
            ("fd00::1", ours, &["[2001:db8::1]"], "2001:db8::1"),
            ("fd00::1", ours, &["2001:db8::1"], "2001:db8::1"),
            ("10.0.0.1", ours, &["::ffff:192.0.2.1"], "192.0.2.1"),
            // Nobody that is known says it.
            ("192.0.2.7", ours, &["10.0.0.1"], "192.0.2.7"),
            ("10.0.0.1", &[], &["192.0.2.1"], "10.0.0.1"),
            // Nothing is said, or nothing that means something.
            ("10.0.0.1", ours, &[], "10.0.0.1"),
            ("10.0.0.1", ours, &[""], "10.0.0.1"),
            ("10.0.0.1", ours, &["192.0.2.1, unknown"], "10.0.0.1"),
            ("10.0.0.1", ours, &["192.0.2.1, unknown, 10.0.0.2"], "10.0.0.2"),
        ] {
            assert_eq!(seen(peer, trusted, lines), expected, "{peer} {lines:?}");
        }
    }
}
