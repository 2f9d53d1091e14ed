//! What is asked for, in forms and with bytes that lead elsewhere (RFC 9112, section 3.2).

use super::{sent_all, serves_others, statuses};
use crate::fixture::{Fixture, OCI_INDEX, files_below};

fn ask(method: &str, target: &[u8]) -> Vec<u8> {
    [method.as_bytes(), b" ", target, b" HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"].concat()
}

// registry E7
#[tokio::test]
async fn forms_of_a_target_are_answered_or_refused() {
    let registry = Fixture::new().await;
    for (method, target, status) in [
        ("GET", "/v2/", 200),
        ("GET", "http://x/v2/", 200),
        ("GET", "http://elsewhere:1/v2/", 200),
        ("GET", "http://user:password@x/v2/", 200),
        ("GET", "x:443", 404),
        ("CONNECT", "x:443", 404),
        ("OPTIONS", "*", 404),
        ("GET", "*", 404),
        ("GET", "//v2/", 404),
        ("GET", "/v2//", 404),
        ("GET", "/v2/?%00", 200),
        ("GET", "v2/", 400),
        ("GET", "http:/v2/", 400),
        ("GET", "", 400),
        ("GET", "/v2/ /v2/", 400),
    ] {
        let answers = sent_all(&registry, ask(method, target.as_bytes())).await;
        assert_eq!(statuses(&answers), [status], "{method} {target}: {answers}");
        serves_others(&registry).await;
    }
}

// registry E7
#[tokio::test]
async fn bytes_that_are_no_path_are_refused() {
    let registry = Fixture::new().await;
    for target in [
        &b"/v2/a\0b/tags/list"[..],
        b"/v2/a%00b/tags/list",
        b"/v2/a%0d%0ab/tags/list",
        b"/v2/%ff%fe/tags/list",
        b"/v2/\xff\xfe/tags/list",
        b"/v2/%c0%ae%c0%ae/tags/list",
        b"/v2/a%zz/tags/list",
        b"/v2/a%/tags/list",
        b"/v2/%252e%252e/tags/list",
        b"/v2/a\x7fb/tags/list",
        b"/v2/a\\..\\b/tags/list",
        b"/v2/a/manifests/%2e%2e",
        b"/v2/a/manifests/..%2f..%2fx",
        b"/v2/a/blobs/sha256:..%2f..%2fx",
        b"/v2/a/blobs/uploads/..%2f..%2fx",
        b"/v2/..%2f..%2f..%2fetc%2fpasswd/manifests/x",
    ] {
        let answers = sent_all(&registry, ask("GET", target)).await;
        let shown = target.escape_ascii();
        assert!(matches!(statuses(&answers)[..], [400 | 404]), "{shown}: {answers}");
        assert!(answers.contains("content-type: application/json\r\n"), "{shown}: {answers}");
        serves_others(&registry).await;
    }
}

// registry E7: an encoded slash is a slash, for who may do what as well: the path is decoded once, and before all else
#[tokio::test]
async fn an_encoded_slash_is_a_slash() {
    let registry = Fixture::new().await;
    let index = r#"{"schemaVersion":2,"manifests":[]}"#;
    assert_eq!(registry.put_manifest("a%2Fb", "t", OCI_INDEX, index).await.status(), 201);
    assert_eq!(registry.status("GET", "/v2/a/b/manifests/t").await, 200);
    assert!(files_below(&registry.store()).iter().all(|file| !file.contains('%')));
}

// registry D23
#[tokio::test]
async fn very_long_targets_are_refused() {
    let registry = Fixture::new().await;
    for (length, statuses_of_it) in [(9_000, [414, 414]), (70_000, [414, 414]), (10_000_000, [414, 431])] {
        for target in ["/v2/", "/v2/n/tags/list?n=", "/v2/n/tags/list?", "http://x/v2/"] {
            let filler = if target.ends_with("list?") { "a&" } else { "a" };
            let long = format!("{target}{}", filler.repeat(length / filler.len()));
            let answers = statuses(&sent_all(&registry, ask("GET", long.as_bytes())).await);
            // Of so much the end is not read, and then the answer may be lost.
            let lost = answers.is_empty() && length > 1_000_000;
            assert!(
                lost || answers.len() == 1 && statuses_of_it.contains(&answers[0]),
                "{length} {answers:?}"
            );
            serves_others(&registry).await;
        }
    }
}
