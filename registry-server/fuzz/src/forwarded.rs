//! What proxies say: believed of those that are known, and of nobody else.

use std::net::{IpAddr, Ipv4Addr};

use http::{HeaderMap, HeaderValue};
use registry_server::{http::forwarded, settings::Networks};

const PROXY: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));
const STRANGER: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));

/// Takes each line for one more of the headers that proxies set.
pub fn check(bytes: &[u8]) {
    let mut headers = HeaderMap::new();
    for (number, line) in bytes.split(|byte| *byte == b'\n').take(64).enumerate() {
        let name = ["x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"][number % 3];
        if let Ok(value) = HeaderValue::from_bytes(line) {
            headers.append(name, value);
        }
    }
    let known = Networks::new(vec!["10.0.0.0/8".parse().expect("a network")]);
    assert_eq!(forwarded::client(STRANGER, &headers, &known), STRANGER);
    assert_eq!(forwarded::host(STRANGER, &headers, &known), None);
    assert!(!forwarded::secure(STRANGER, &headers, &known));
    let client = forwarded::client(PROXY, &headers, &known);
    assert!(matches!(client, IpAddr::V4(_)) || client == client.to_canonical());
    assert!(forwarded::host(PROXY, &headers, &known).is_none_or(|host| !host.contains(',')));
    forwarded::secure(PROXY, &headers, &known);
}
