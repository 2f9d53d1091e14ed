//! More connections than there may be.

use std::time::Duration;

use tokio::time::timeout;

use crate::{connections::Connection, fixture::Fixture};

// registry LM2: memory is bounded by the number of connections; who is in goes on, and who waits comes in when one leaves
#[tokio::test]
async fn who_finds_no_place_waits_and_nobody_else_does() {
    let registry = Fixture::with("http: {maxconnections: 2}").await;
    let asks = async |connection: &mut Connection| connection.ask("GET /v2/", "", false).await.0;
    let mut inside = [Connection::open(registry.address).await, Connection::open(registry.address).await];
    for one in &mut inside {
        assert!(asks(one).await.starts_with("http/1.1 200 "));
    }
    let mut outside = Connection::open(registry.address).await;
    let waiting = asks(&mut outside);
    tokio::pin!(waiting);
    assert!(timeout(Duration::from_millis(200), &mut waiting).await.is_err());
    for one in &mut inside {
        assert!(asks(one).await.starts_with("http/1.1 200 "));
    }
    drop(inside);
    assert!(waiting.await.starts_with("http/1.1 200 "));
}
