//! Ports for programs that cannot say themselves which one they were given.

use std::{
    net::TcpListener,
    sync::atomic::{AtomicU16, Ordering},
};

/// Below the range from which the kernel takes the ports of outgoing connections, and off the ports of Kubernetes: what
/// the kernel gives for port 0 may be an outgoing connection's, of a test beside this one, before it is bound again.
const FIRST: u16 = 20_000;
const COUNT: u16 = 8_000;

/// A port that nobody has, and that no other call in this process gives.
pub fn free() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let begin = (std::process::id().wrapping_mul(131) % u32::from(COUNT)) as u16;
    (0..COUNT)
        .map(|_| FIRST + (begin + NEXT.fetch_add(1, Ordering::Relaxed) % COUNT) % COUNT)
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .unwrap()
}
