//! Header fields: too many, too long, or written so that two readers differ.

use super::{answered_once, sent, sent_all, serves_others, statuses};
use crate::fixture::Fixture;

fn get(fields: &str) -> String {
    format!("GET /v2/ HTTP/1.1\r\nhost: x\r\n{fields}\r\n\r\n")
}

// registry J5, and RFC 9112 section 5
#[tokio::test]
async fn fields_that_two_readers_take_for_different_ones_are_refused() {
    let registry = Fixture::new().await;
    let fields = [
        "x-folded: a\r\n b",
        "x-folded: a\r\n\tb",
        " x-first: a",
        "x-space : a",
        "x-tab\t: a",
        "x-no-colon",
        ": no name",
        "x-nul: a\0b",
        "x-nul\0: a",
        "x-return: a\rb",
        "x-escape: \u{1b}[2J",
        "x-(name): a",
    ];
    let requests: Vec<_> = fields.iter().map(|fields| (get(fields), 400)).collect();
    answered_once(&registry, &requests).await;
}

// registry J1
#[tokio::test]
async fn floods_of_fields_are_refused() {
    let registry = Fixture::new().await;
    let many = |count: usize, length: usize| {
        let field = |i| format!("x-{i}: {}\r\n", "a".repeat(length));
        get((0..count).map(field).collect::<String>().trim_end())
    };
    for flood in [
        many(101, 1),
        many(500, 1),
        many(100_000, 1),
        many(4, 10_000),
        many(1_000, 10_000),
        get(&format!("{}: a", "x".repeat(60_000))),
        get(&format!("{}: a", "x".repeat(70_000))),
        get(&format!("cookie: {}", "a".repeat(10_000_000))),
    ] {
        // It may be closed in the middle of it, and then the answer may be lost.
        let answers = statuses(&sent_all(&registry, &flood).await);
        assert!(matches!(answers[..], [] | [431]), "{} bytes: {answers:?}", flood.len());
        serves_others(&registry).await;
    }
    let answers = sent_all(&registry, many(90, 10)).await;
    assert_eq!(statuses(&answers), [200], "{answers}");
    assert_eq!(statuses(&sent_all(&registry, many(3, 10_000)).await), [200]);
}

// registry J1 LM2: header after header, on many connections at once
#[tokio::test]
async fn a_flood_from_many_connections_keeps_nobody_out() {
    let registry = Fixture::new().await;
    let flood = get(&format!("x: {}", "a".repeat(1_000_000)));
    let floods = (0..50).map(|_| sent_all(&registry, &flood));
    let (answers, ()) = tokio::join!(futures::future::join_all(floods), serves_others(&registry));
    assert!(answers.iter().all(|answer| matches!(statuses(answer)[..], [] | [431])));
}

// RFC 9112 section 2.2: a line may end in a line feed alone, and it ends the line for everything behind it, too
#[tokio::test]
async fn line_feeds_alone_end_lines() {
    let registry = Fixture::new().await;
    let request = "GET /v2/ HTTP/1.1\nhost: x\nconnection: close\n\n";
    assert_eq!(statuses(&sent(&registry, format!("{request}{request}")).await), [200]);
}
