//! Section 15: requests that mean harm. Of each kind: the status is right, bytes behind it are no second request, and
//! others are served.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{canaries, fixture::Fixture};

mod chunks;
mod crowd;
mod encodings;
mod fields;
mod framing;
mod halves;
mod second;
mod sizes;
mod targets;

/// What an attacker would have answered behind a request that ends earlier than it seems.
const SMUGGLED: &str = "DELETE /v2/smuggled/manifests/t HTTP/1.1\r\nhost: x\r\n\r\n";
/// Longer than the server waits for anything here.
const PATIENCE: Duration = Duration::from_secs(60);

/// What comes back for these bytes until the connection is closed.
async fn sent(registry: &Fixture, bytes: impl AsRef<[u8]>) -> String {
    String::from_utf8_lossy(&exchange(registry, bytes.as_ref(), false).await).into_owned()
}

/// The same for bytes after which nothing comes, which the server is told.
async fn sent_all(registry: &Fixture, bytes: impl AsRef<[u8]>) -> String {
    String::from_utf8_lossy(&exchange(registry, bytes.as_ref(), true).await).into_owned()
}

async fn exchange(registry: &Fixture, bytes: &[u8], all: bool) -> Vec<u8> {
    let (mut reading, mut writing) = TcpStream::connect(registry.address).await.unwrap().into_split();
    let write = async {
        // It may be closed before everything is written.
        let _ = writing.write_all(bytes).await;
        if all {
            let _ = writing.shutdown().await;
        }
    };
    let mut answer = Vec::new();
    let both = async { tokio::join!(write, reading.read_to_end(&mut answer)) };
    tokio::time::timeout(PATIENCE, both).await.expect("the connection was left open").1.ok();
    canaries::told(&answer);
    answer
}

/// Statuses of all that was answered.
fn statuses(answers: &str) -> Vec<u16> {
    answers.split("HTTP/1.").skip(1).map(|answer| answer[2..5].parse().unwrap()).collect()
}

/// Another client, on a connection of its own, is served.
async fn serves_others(registry: &Fixture) {
    assert_eq!(registry.status("GET", "/v2/").await, 200);
}

/// Each request is answered with this status and nothing else, and its connection is closed.
async fn answered_once(registry: &Fixture, requests: &[(String, u16)]) {
    for (request, status) in requests {
        let shown: String = request.chars().take(200).collect();
        let answers = sent(registry, format!("{request}{SMUGGLED}")).await;
        assert_eq!(statuses(&answers), [*status], "{shown:?}: {answers}");
        serves_others(registry).await;
    }
}
