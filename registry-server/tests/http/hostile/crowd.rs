//! More connections than there may be.

use std::{net::SocketAddr, time::Duration};

use tokio::time::timeout;

use crate::{authority::Authority, connections::Connection, fixture::Fixture};

/// Two may come in here. The third waits until they leave.
async fn the_third_waits(address: SocketAddr) {
    let asks = async |connection: &mut Connection| {
        let (head, _) = connection.ask("GET /livez", "", false).await;
        assert!(head.starts_with("http/1.1 "), "{head}");
    };
    let mut inside = [Connection::open(address).await, Connection::open(address).await];
    for one in &mut inside {
        asks(one).await;
    }
    let mut outside = Connection::open(address).await;
    let waiting = asks(&mut outside);
    tokio::pin!(waiting);
    assert!(timeout(Duration::from_millis(200), &mut waiting).await.is_err());
    for one in &mut inside {
        asks(one).await;
    }
    drop(inside);
    waiting.await;
}

// registry LM2: memory is bounded by the number of connections; who is in goes on, and who waits comes in when one leaves
#[tokio::test]
async fn who_finds_no_place_waits_and_nobody_else_does() {
    let registry = Fixture::with("http: {maxconnections: 2, debug: {addr: '127.0.0.1:0'}}").await;
    the_third_waits(registry.address).await;
    the_third_waits(registry.admin.unwrap()).await;
    let folder = tempfile::tempdir().unwrap();
    Authority::new().server(folder.path());
    let at = folder.path().display();
    let text = format!(
        "http: {{maxconnections: 2, tls: {{certificate: '{at}/crt', key: '{at}/key'}},\n\
         redirect: {{addr: '127.0.0.1:0', port: 443}}}}\n"
    );
    the_third_waits(Fixture::with(&text).await.redirect.unwrap()).await;
}
