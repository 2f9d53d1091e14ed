//! Section 16, OB6: a leak is found wherever it is, also where a test does not look.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use crate::{
    canaries::{self, Kept, Planted},
    client::Watch,
    faults::{PLACE, REASON, Shaky},
    fixture::Fixture,
    hooked::{Call, Hook},
};

/// A server that gives this answer to everybody; its address.
async fn saying(body: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let answer = answer.clone();
            tokio::spawn(async move {
                assert_ne!(socket.read(&mut [0; 4096]).await.unwrap(), 0);
                socket.write_all(answer.as_bytes()).await.unwrap();
                // Until the client has gone, so that it has read this.
                socket.read_to_end(&mut Vec::new()).await
            });
        }
    });
    format!("http://{address}")
}

/// Whether somebody who asks this server, and does not read what it says, finds a leak.
async fn finds(server: &str, path: &str) -> bool {
    let client = reqwest::Client::builder().no_proxy().watched();
    let asking = client.get(format!("{server}{path}")).send();
    tokio::spawn(asking).await.is_err_and(|error| error.is_panic())
}

// registry OB6
#[tokio::test]
async fn a_body_that_no_test_reads_is_searched_to_its_end() {
    let secret = "canary-of-an-unread-body";
    canaries::shown(secret);
    for before in [0, 5_000, canaries::LONGEST_TEXT, 700_000] {
        let padding = " ".repeat(before);
        assert!(finds(&saying(format!("{padding}{secret}")).await, "/").await, "after {before} bytes");
        assert!(!finds(&saying(padding).await, "/").await);
    }
}

// registry OB6 A8 A9
#[tokio::test]
async fn a_token_is_a_secret_as_soon_as_it_is_issued() {
    let token = "canary-that-is-issued";
    let server = saying(format!(r#"{{"token":"{token}","access_token":"{token}","expires_in":300}}"#)).await;
    assert!(!finds(&server, "/token").await, "the answer that issues it has it");
    assert!(finds(&server, "/v2/").await);
    canaries::shown("canary-beside-a-token");
    assert!(
        finds(&saying(r#"{"token":"x","note":"canary-beside-a-token"}"#.to_owned()).await, "/token").await
    );
}

// registry OB6 A9
#[tokio::test]
async fn what_a_form_shows_is_a_secret() {
    let server = saying("{}".to_owned()).await;
    let client = reqwest::Client::builder().no_proxy().watched();
    let form = "grant_type=password&username=canary-user-name&password=canary%2Bof%20a+form&refresh_token=canary-to-refresh";
    client.request(reqwest::Method::POST, format!("{server}/token")).body(form).send().await.unwrap();
    for (text, secret) in
        [("canary+of a form", true), ("canary-to-refresh", true), ("canary-user-name", false)]
    {
        assert_eq!(std::panic::catch_unwind(|| canaries::logged(text)).is_err(), secret, "{text}");
    }
}

// registry OB6 OB8
#[tokio::test]
async fn an_audit_log_is_searched_line_by_line() {
    let registry = Fixture::new().await;
    Planted::default().keep("canary-in-an-audit-log", Kept::FromAll);
    let far = format!("{}\n", "x".repeat(1_000)).repeat(300);
    for (line, found) in [("nothing", false), ("canary-in-an-audit-log", true)] {
        std::fs::write(registry.folder.path().join("audit"), format!("{far}{line}\n")).unwrap();
        let looked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| registry.audit()));
        assert_eq!(looked.is_err(), found, "{line}");
    }
}

#[derive(Default)]
struct Idle;

impl Hook for Idle {
    fn before<'a>(&'a self, _: Call, _: &'a str) -> registry_server::storage::backend::Answer<'a, ()> {
        Box::pin(std::future::ready(Ok(())))
    }
}

// registry OB6 ST9
#[tokio::test]
async fn what_a_failing_store_says_is_not_for_clients() {
    let _registry: Shaky<Idle> = Shaky::over(|registry| registry).await;
    for text in [PLACE, REASON] {
        assert!(finds(&saying(format!(r#"{{"detail":"{text}"}}"#)).await, "/").await, "{text}");
        canaries::logged(text);
    }
}
