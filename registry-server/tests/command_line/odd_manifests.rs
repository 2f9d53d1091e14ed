//! Section 5, D31: JSON that is made to hurt whoever reads it, and what it costs.

use std::{
    io::{Read as _, Write as _},
    path::Path,
    thread,
};

use crate::{costs::peak, running::Running};

const KIND: &str = "content-type: application/vnd.oci.image.index.v1+json";
/// KiB that reading all of it may take: 4 MiB is the longest manifest, and each connection has buffers.
const MOST: u64 = 64 << 10;
const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// An index with this field.
fn index(field: &str) -> String {
    format!(r#"{{"schemaVersion":2,"manifests":[],{field}}}"#)
}

/// An index of one child that has this size.
fn child(size: &str) -> String {
    format!(r#"{{"schemaVersion":2,"manifests":[{{"mediaType":"a/b","digest":"{DIGEST}","size":{size}}}]}}"#)
}

fn put(running: &Running, tag: &str, body: &str) -> String {
    running.ask(&format!("PUT /v2/n/manifests/{tag} HTTP/1.1\n{KIND}\n\n{body}"))
}

/// A server that has taken a manifest, and the most memory that it has had for that, in KiB.
fn warm(folder: &Path) -> (Running, u64) {
    let running = Running::start(folder, &[]);
    assert!(put(&running, "plain", &index(r#""x":1"#)).starts_with("HTTP/1.1 201 "));
    let before = peak(&running);
    (running, before)
}

// registry D31 D22
#[test]
fn odd_json_is_kept_as_it_is_or_refused_and_costs_little() {
    let folder = tempfile::tempdir().unwrap();
    let (running, before) = warm(folder.path());
    let (digits, deep) = ("9".repeat(10_000), 10_000);
    let nested =
        |open: &str, close: &str| index(&format!(r#""x":{}1{}"#, open.repeat(deep), close.repeat(deep)));
    for (what, body, status) in [
        ("nested arrays", nested("[", "]"), 400),
        ("arrays that do not end", nested("[", ""), 400),
        ("nested objects", nested(r#"{"a":"#, "}"), 400),
        ("a byte order mark", format!("\u{feff}{}", index(r#""x":1"#)), 400),
        // What nobody here knows is kept, whatever it says (D22), but clients have to be able to read it.
        ("a long number in a field that is not known", index(&format!(r#""x":{digits}"#)), 400),
        ("a long fraction in such a field", index(&format!(r#""x":0.{digits}"#)), 400),
        ("a long exponent in such a field", index(&format!(r#""x":1e{digits}"#)), 400),
        ("a number that is not so long", index(&format!(r#""x":{}"#, &digits[..1_000])), 201),
        ("the same as a text", index(&format!(r#""x":"{digits}""#)), 201),
        // Where it would have to be a number, it is none.
        ("a long number for a size", child(&digits), 400),
        ("a long number for a version", format!(r#"{{"schemaVersion":{digits},"manifests":[]}}"#), 400),
        ("a long number in an annotation", index(&format!(r#""annotations":{{"a":{digits}}}"#)), 400),
    ] {
        let answer = put(&running, "t", &body);
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{what}: {answer}");
        assert_eq!(answer.contains(r#""code":"MANIFEST_INVALID""#), status == 400, "{what}: {answer}");
        if status == 201 {
            assert!(
                running.ask("GET /v2/n/manifests/t HTTP/1.1").ends_with(&format!("\r\n\r\n{body}")),
                "{what}"
            );
        }
    }
    let took = peak(&running) - before;
    assert!(took < MOST, "{took} KiB");
}

/// Sends blanks until a gigabyte has gone, or nobody takes them; gives the answer and how many went.
fn blanks(running: &Running) -> (String, u64) {
    let (mut writing, mut answer) = (running.connect(), Vec::new());
    let mut reading = writing.try_clone().unwrap();
    write!(
        writing,
        "PUT /v2/n/manifests/t HTTP/1.1\r\nhost: x\r\n{KIND}\r\ntransfer-encoding: chunked\r\n\r\n"
    )
    .unwrap();
    let sending = thread::spawn(move || {
        let chunk = format!("100000\r\n{}\r\n", " ".repeat(1 << 20));
        let sent = (0..1 << 10).take_while(|_| writing.write_all(chunk.as_bytes()).is_ok());
        sent.count() as u64
    });
    let mut part = [0; 4096];
    // The connection may be reset once the answer is there.
    while let Ok(count @ 1..) = reading.read(&mut part) {
        answer.extend_from_slice(&part[..count]);
    }
    drop(reading);
    (String::from_utf8(answer).unwrap(), sending.join().unwrap())
}

// registry D31 D14: what does not end is refused where it becomes too long, and not read to its end
#[test]
fn a_gigabyte_of_blanks_is_refused_and_not_kept() {
    let folder = tempfile::tempdir().unwrap();
    let (running, before) = warm(folder.path());
    let (answer, sent) = blanks(&running);
    assert!(answer.starts_with("HTTP/1.1 413 ") && answer.contains("MANIFEST_INVALID"), "{answer}");
    assert!(sent < 1 << 10, "{sent} MiB were read");
    let took = peak(&running) - before;
    assert!(took < MOST, "{took} KiB");
    assert!(running.ask("GET /v2/n/manifests/plain HTTP/1.1").starts_with("HTTP/1.1 200 "));
}
