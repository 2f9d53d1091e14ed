//! Section 4: uploading blobs.

use reqwest::Response;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{
    canaries,
    fixture::{Fixture, eventually, files_below, header, refused, sha256},
};

// registry C1 C2 C3
#[tokio::test]
async fn a_session_begins_empty() {
    let registry = Fixture::new().await;
    for path in ["/v2/n/blobs/uploads/", "/v2/n/blobs/uploads"] {
        let response = registry.send("POST", path).await;
        assert_eq!(response.status(), 202);
        let id = header(&response, "docker-upload-uuid");
        let location = header(&response, "location");
        assert_eq!(location, format!("/v2/n/blobs/uploads/{id}"));
        assert_eq!(
            (header(&response, "range").as_str(), header(&response, "content-length").as_str()),
            ("0-0", "0")
        );
        for query in ["", "?digest=ignored"] {
            let status = registry.send("GET", &format!("{location}{query}")).await;
            assert_eq!((status.status().as_u16(), header(&status, "range").as_str()), (204, "0-0"));
            assert_eq!(
                (header(&status, "location"), header(&status, "docker-upload-uuid")),
                (location.clone(), id.clone())
            );
        }
        let patched = registry.request("PATCH", &format!("{location}/")).body("x").send().await.unwrap();
        assert_eq!(patched.status(), 202);
    }
}

// registry C4 C7 C8 C11
#[tokio::test]
async fn chunks_add_up_to_the_blob() {
    let registry = Fixture::new().await;
    let bytes = vec![7u8; 3072];
    let digest = sha256(&bytes);
    for range in ["0-1023", "bytes 0-1023/*", "bytes=0-1023"] {
        let location = registry.begin("n").await;
        let patch = async |range: &str, part: &[u8]| {
            registry
                .request("PATCH", &location)
                .header("content-range", range)
                .body(part.to_vec())
                .send()
                .await
                .unwrap()
        };
        let first = patch(range, &bytes[..1024]).await;
        assert_eq!((first.status().as_u16(), header(&first, "range").as_str()), (202, "0-1023"));
        let second = patch("1024-2047", &bytes[1024..2048]).await;
        assert_eq!((second.status().as_u16(), header(&second, "range").as_str()), (202, "0-2047"));
        let status = registry.send("GET", &location).await;
        assert_eq!((status.status().as_u16(), header(&status, "range").as_str()), (204, "0-2047"));
        let id = header(&status, "docker-upload-uuid");
        assert_eq!(
            (format!("/v2/n/blobs/uploads/{id}"), header(&status, "location")),
            (location.clone(), location.clone())
        );
        assert!(!id.is_empty());
        let put = registry.request("PUT", &format!("{location}?digest={digest}"));
        let done =
            put.header("content-range", "2048-3071").body(bytes[2048..].to_vec()).send().await.unwrap();
        assert_eq!(done.status(), 201);
        assert_eq!(header(&done, "location"), format!("/v2/n/blobs/{digest}"));
        assert_eq!(header(&done, "docker-content-digest"), digest);
    }
}

// registry C9 C10
#[tokio::test]
async fn a_chunk_out_of_order_is_refused_and_the_session_kept() {
    let registry = Fixture::new().await;
    let bytes = vec![9u8; 2048];
    let location = registry.begin("n").await;
    let send = async |method: &str, query: &str, range: &str| {
        let request = registry.request(method, &format!("{location}{query}")).header("content-range", range);
        request.body(bytes[..1024].to_vec()).send().await.unwrap()
    };
    assert_eq!(send("PATCH", "", "0-1023").await.status(), 202);
    let digest = sha256(&bytes);
    let query = format!("?digest={digest}");
    for (method, query, range) in [
        ("PATCH", "", "4096-5119"),
        ("PATCH", "", "0-1023"),
        ("PUT", query.as_str(), "4096-5119"),
        ("PATCH", "", "junk"),
        ("PATCH", "", "1024-2047\u{e9}"),
    ] {
        let response = send(method, query, range).await;
        assert_eq!(header(&response, "location"), location);
        assert_eq!(header(&response, "range"), "0-1023");
        refused(response, 416, "BLOB_UPLOAD_INVALID").await;
    }
    // Of two nobody knows which one is meant.
    let twice = registry.request("PATCH", &location).header("content-range", "1024-2047");
    let twice = twice.header("content-range", "0-1023").body(bytes[1024..].to_vec()).send().await.unwrap();
    refused(twice, 416, "BLOB_UPLOAD_INVALID").await;
    assert_eq!(send("PUT", &query, "1024-2047").await.status(), 201);
}

// registry C13 C15 C27
#[tokio::test]
async fn a_missing_or_malformed_digest_keeps_the_session() {
    let registry = Fixture::new().await;
    let location = registry.begin("n").await;
    assert_eq!(registry.request("PATCH", &location).body("abc").send().await.unwrap().status(), 202);
    for query in
        ["", "?digest=blake3:00", "?digest=md5:d41d8cd98f00b204e9800998ecf8427e", "?digest=sha256:zz"]
    {
        for body in ["", "def"] {
            let put = registry.request("PUT", &format!("{location}{query}")).body(body);
            refused(put.send().await.unwrap(), 400, "DIGEST_INVALID").await;
            let status = registry.send("GET", &location).await;
            assert_eq!(
                (status.status().as_u16(), header(&status, "range").as_str()),
                (204, "0-2"),
                "{query}"
            );
        }
    }
    let escaped = sha256(b"abc").replace(':', "%3A");
    for query in [format!("digest={escaped}"), format!("a=1&digest={escaped}&b=2")] {
        let location = registry.begin("n").await;
        assert_eq!(registry.request("PATCH", &location).body("abc").send().await.unwrap().status(), 202);
        let put = registry.send("PUT", &format!("{location}?{query}")).await;
        assert_eq!(
            (put.status().as_u16(), header(&put, "docker-content-digest")),
            (201, sha256(b"abc")),
            "{query}"
        );
    }
}

// registry C14
#[tokio::test]
async fn bytes_that_are_not_the_digest_are_never_stored() {
    let registry = Fixture::new().await;
    let (wanted, real) = (sha256(b"wanted"), sha256(b"real"));
    let post = registry.request("POST", &format!("/v2/n/blobs/uploads/?digest={wanted}")).body("real");
    refused(post.send().await.unwrap(), 400, "DIGEST_INVALID").await;
    for (patch, put) in [("", "real"), ("real", ""), ("re", "al")] {
        let location = registry.begin("n").await;
        if !patch.is_empty() {
            registry.request("PATCH", &location).body(patch).send().await.unwrap();
        }
        let put = registry.request("PUT", &format!("{location}?digest={wanted}")).body(put);
        refused(put.send().await.unwrap(), 400, "DIGEST_INVALID").await;
        assert_eq!(registry.status("GET", &location).await, 404);
    }
    for digest in [wanted, real] {
        assert_eq!(registry.status("HEAD", &format!("/v2/n/blobs/{digest}")).await, 404);
    }
    assert_eq!(files_below(&registry.store()), Vec::<String>::new());
}

// registry C17
#[tokio::test]
async fn a_blob_is_pushed_in_one_request() {
    let registry = Fixture::new().await;
    let bytes: Vec<u8> = (0..5_000_000u32).map(|i| (i * 31 % 251) as u8).collect();
    let digest = registry.push_blob("n", &bytes).await;
    assert_eq!(registry.send("GET", &format!("/v2/n/blobs/{digest}")).await.bytes().await.unwrap(), bytes);
}

// registry C19 C20 C21
#[tokio::test]
async fn blobs_are_mounted_from_repositories_that_have_them() {
    let registry = Fixture::new().await;
    let digest = registry.push_blob("m", b"shared").await;
    registry.push_blob("other", b"something else").await;
    let post = async |query: String| registry.send("POST", &format!("/v2/n/blobs/uploads/?{query}")).await;
    for from in ["&from=never", "&from=BAD..NAME", "&from=n", "&from=other"] {
        let response = post(format!("mount={digest}{from}")).await;
        assert_eq!(response.status(), 202, "{from}");
        let session = format!("/v2/n/blobs/uploads/{}", header(&response, "docker-upload-uuid"));
        assert_eq!(
            ["location", "range", "content-length"].map(|name| header(&response, name)),
            [session.clone(), "0-0".into(), "0".into()]
        );
        assert_eq!(registry.status("GET", &session).await, 204);
    }
    let missing = sha256(b"nowhere");
    assert_eq!(post(format!("mount={missing}")).await.status(), 202);
    let mounted = post(format!("mount={digest}&from=m")).await;
    assert_eq!(mounted.status(), 201);
    assert_eq!(header(&mounted, "location"), format!("/v2/n/blobs/{digest}"));
    assert_eq!(header(&mounted, "docker-content-digest"), digest);
    assert_eq!(registry.send("GET", &format!("/v2/n/blobs/{digest}")).await.text().await.unwrap(), "shared");
}

// registry C21
#[tokio::test]
async fn a_blob_is_mounted_from_wherever_it_is() {
    let registry = Fixture::new().await;
    let digest = registry.push_blob("deep/down/m", b"shared").await;
    let path = format!("/v2/n/blobs/uploads/?mount={digest}");
    for _ in 0..2 {
        let mounted = registry.send("POST", &path).await;
        assert_eq!(mounted.status(), 201);
        assert_eq!(header(&mounted, "location"), format!("/v2/n/blobs/{digest}"));
    }
    for name in ["deep/down/m", "n"] {
        assert_eq!(registry.status("DELETE", &format!("/v2/{name}/blobs/{digest}")).await, 202);
    }
    assert_eq!(registry.status("POST", &path).await, 202);
}

// registry C22, as far as content goes away here
#[tokio::test]
async fn what_was_mounted_stays_whoever_deletes_it_elsewhere_meanwhile() {
    let registry = Fixture::with("storage: {inmemory: {}, delete: {enabled: true}}").await;
    for round in 0..300 {
        let digest = registry.push_blob("m", b"shared").await;
        let (name, blob) = (format!("n{round}"), format!("/v2/m/blobs/{digest}"));
        let from = if round % 2 == 0 { "&from=m" } else { "" };
        let path = format!("/v2/{name}/blobs/uploads/?mount={digest}{from}");
        let (mounted, deleted) =
            tokio::join!(registry.status("POST", &path), registry.status("DELETE", &blob));
        assert_eq!(deleted, 202);
        let there = registry.send("GET", &format!("/v2/{name}/blobs/{digest}")).await;
        match mounted.as_u16() {
            201 => assert_eq!(there.text().await.unwrap(), "shared"),
            202 => drop(refused(there, 404, "BLOB_UNKNOWN").await),
            other => panic!("{other}"),
        }
    }
}

// registry C6
#[tokio::test]
async fn a_stream_of_unknown_length_is_appended() {
    let registry = Fixture::new().await;
    let location = registry.begin("n").await;
    let parts = || futures::stream::iter(["stream", "ed"].map(Ok::<_, std::io::Error>));
    for range in ["0-7", "0-15"] {
        let patch = registry.request("PATCH", &location).body(reqwest::Body::wrap_stream(parts()));
        let response = patch.send().await.unwrap();
        assert_eq!((response.status().as_u16(), header(&response, "range").as_str()), (202, range));
        assert_eq!(header(&response, "location"), location);
    }
    let digest = sha256(b"streamedstreamed");
    assert_eq!(registry.status("PUT", &format!("{location}?digest={digest}")).await, 201);
    // registry C14, as a stream
    let location = registry.begin("n").await;
    registry.request("PATCH", &location).body(reqwest::Body::wrap_stream(parts())).send().await.unwrap();
    let wanted = sha256(b"other");
    let put = registry.send("PUT", &format!("{location}?digest={wanted}")).await;
    refused(put, 400, "DIGEST_INVALID").await;
    refused(registry.send("GET", &location).await, 404, "BLOB_UPLOAD_UNKNOWN").await;
    for digest in [wanted, sha256(b"streamed")] {
        assert_eq!(registry.status("HEAD", &format!("/v2/n/blobs/{digest}")).await, 404);
    }
}

// registry C23 C24
#[tokio::test]
async fn a_cancelled_session_is_unknown() {
    let registry = Fixture::new().await;
    let location = registry.begin("n").await;
    assert_eq!(registry.status("DELETE", &location).await, 204);
    let digest = sha256(b"");
    let unknown = "/v2/n/blobs/uploads/00000000-0000-4000-8000-000000000000".to_owned();
    let finished = registry.begin("n").await;
    assert_eq!(registry.status("PUT", &format!("{finished}?digest={digest}")).await, 201);
    for location in [location, finished, unknown, "/v2/n/blobs/uploads/junk".to_owned()] {
        for (method, query) in
            [("GET", ""), ("PATCH", ""), ("PUT", &*format!("?digest={digest}")), ("DELETE", "")]
        {
            let response = registry.send(method, &format!("{location}{query}")).await;
            refused(response, 404, "BLOB_UPLOAD_UNKNOWN").await;
        }
    }
}

// registry C29
#[tokio::test]
async fn two_clients_may_push_the_same_blob_at_once() {
    let registry = Fixture::new().await;
    let blobs: Vec<Vec<u8>> = (0..100u8).map(|round| vec![round; 100_000]).collect();
    for bytes in &blobs {
        let digest = sha256(bytes);
        let in_two_steps = async {
            let location = registry.begin("n").await;
            let put = registry.request("PUT", &format!("{location}?digest={digest}"));
            assert_eq!(put.body(bytes.clone()).send().await.unwrap().status(), 201);
        };
        tokio::join!(registry.push_blob("n", bytes), in_two_steps);
        let blob = registry.send("GET", &format!("/v2/n/blobs/{digest}")).await;
        assert!(blob.bytes().await.unwrap() == *bytes);
    }
    // Each blob and its link: no session and no temporary file is left.
    assert_eq!(files_below(&registry.store()).len(), 2 * blobs.len());
}

// registry C30
#[tokio::test]
async fn a_broken_patch_can_be_continued() {
    const SENT: usize = 5_700_000;
    let registry = Fixture::new().await;
    let bytes: Vec<u8> = (0..8u32 << 20).map(|i| (i % 241) as u8).collect();
    for range in ["", "content-range: 0-8388607\r\n"] {
        let location = registry.begin("n").await;
        let mut socket = TcpStream::connect(registry.address).await.unwrap();
        let head =
            format!("PATCH {location} HTTP/1.1\r\nhost: x\r\n{range}content-length: {}\r\n\r\n", bytes.len());
        socket.write_all(head.as_bytes()).await.unwrap();
        socket.write_all(&bytes[..SENT]).await.unwrap();
        drop(socket);
        let end = async || {
            let range = header(&registry.send("GET", &location).await, "range");
            range.trim_start_matches("0-").parse::<usize>().unwrap()
        };
        // What arrived before the cut is kept to the last byte.
        eventually(async || end().await == SENT - 1).await;
        let range = format!("{SENT}-{}", bytes.len() - 1);
        let patch = registry.request("PATCH", &location).header("content-range", range);
        assert_eq!(patch.body(bytes[SENT..].to_vec()).send().await.unwrap().status(), 202);
        assert_eq!(registry.status("PUT", &format!("{location}?digest={}", sha256(&bytes))).await, 201);
    }
}

// registry C35
#[tokio::test]
async fn a_body_that_ends_early_is_never_acknowledged() {
    let registry = Fixture::new().await;
    let part = "x".repeat(600);
    let digest = sha256(part.as_bytes());
    let (patched, put) = (registry.begin("n").await, registry.begin("n").await);
    for request in [
        format!("PATCH {patched}"),
        format!("PUT {put}?digest={digest}"),
        format!("POST /v2/n/blobs/uploads/?digest={digest}"),
        "PUT /v2/n/manifests/t".to_owned(),
    ] {
        let mut socket = TcpStream::connect(registry.address).await.unwrap();
        let head = format!("{request} HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n{part}");
        socket.write_all(head.as_bytes()).await.unwrap();
        // The end of what it sends; it still listens.
        socket.shutdown().await.unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).await.unwrap();
        canaries::told(&answer);
        assert!(!answer.contains("HTTP/1.1 2"), "{request}: {answer}");
    }
    for session in [patched, put] {
        let kept = registry.send("GET", &session).await;
        assert_eq!((kept.status().as_u16(), header(&kept, "range").as_str()), (204, "0-599"));
    }
    assert_eq!(registry.status("HEAD", &format!("/v2/n/blobs/{digest}")).await, 404);
    assert_eq!(registry.status("HEAD", "/v2/n/manifests/t").await, 404);
}

// registry LM1
#[tokio::test]
async fn a_blob_over_the_limit_is_refused() {
    let registry = Fixture::with("limits: {maxblobsize: 1000}").await;
    let big = vec![0u8; 1001];
    let post = registry.request("POST", &format!("/v2/n/blobs/uploads/?digest={}", sha256(&big)));
    refused(post.body(big.clone()).send().await.unwrap(), 413, "SIZE_INVALID").await;
    let location = registry.begin("n").await;
    registry.request("PATCH", &location).body(big[..600].to_vec()).send().await.unwrap();
    let over = registry.request("PATCH", &location).body(big[..600].to_vec()).send().await.unwrap();
    refused(over, 413, "SIZE_INVALID").await;
}

// registry C31
#[tokio::test]
async fn an_upload_goes_on_at_another_replica() {
    let one = Fixture::new().await;
    let two =
        Fixture::with(&format!("storage: {{filesystem: {{rootdirectory: '{}'}}}}", one.store().display()))
            .await;
    let location = one.begin("n").await;
    for (replica, part) in [(&two, "ab"), (&one, "cd"), (&two, "ef")] {
        assert_eq!(replica.request("PATCH", &location).body(part).send().await.unwrap().status(), 202);
    }
    assert_eq!(header(&one.send("GET", &location).await, "range"), "0-5");
    let digest = sha256(b"abcdef");
    assert_eq!(two.status("PUT", &format!("{location}?digest={digest}")).await, 201);
    assert_eq!(one.send("GET", &format!("/v2/n/blobs/{digest}")).await.text().await.unwrap(), "abcdef");
}

// registry C29
#[tokio::test]
async fn writers_on_one_session_never_commit_mixed_bytes() {
    let registry = Fixture::new().await;
    for round in 0..10u8 {
        let location = registry.begin("n").await;
        let patch = |byte: u8| {
            let body = vec![byte; 1_200_000];
            registry.request("PATCH", &location).body(body).send()
        };
        let (one, two) = tokio::join!(patch(round), patch(100 + round));
        let statuses = [one.unwrap().status().as_u16(), two.unwrap().status().as_u16()];
        assert!(statuses.iter().all(|s| [202, 416].contains(s)), "{statuses:?}");
        for byte in [round, 100 + round] {
            let digest = sha256(&vec![byte; 1_200_000]);
            registry.status("PUT", &format!("{location}?digest={digest}")).await;
            let blob = registry.send("GET", &format!("/v2/n/blobs/{digest}")).await;
            if blob.status() == 200 {
                assert_eq!(sha256(&blob.bytes().await.unwrap()), digest);
            }
        }
    }
}

// registry C9 C35
#[tokio::test]
async fn a_stream_that_is_not_what_its_range_says_leaves_the_session_as_it_was() {
    let registry = Fixture::new().await;
    let location = registry.begin("n").await;
    assert_eq!(registry.request("PATCH", &location).body("abc").send().await.unwrap().status(), 202);
    let query = format!("{location}?digest={}", sha256(b"abcdefghij"));
    for (method, path) in [("PATCH", &location), ("PUT", &query)] {
        for range in ["3-7", "3-3", "3-20"] {
            let stream = futures::stream::iter(["def", "ghij"].map(Ok::<_, std::io::Error>));
            let request = registry.request(method, path).header("content-range", range);
            let answer = request.body(reqwest::Body::wrap_stream(stream)).send().await.unwrap();
            refused(answer, 400, "SIZE_INVALID").await;
            let status = registry.send("GET", &location).await;
            assert_eq!(
                (status.status().as_u16(), header(&status, "range").as_str()),
                (204, "0-2"),
                "{range}"
            );
        }
    }
    let empty = registry.begin("n").await;
    let most = registry.request("PATCH", &empty).header("content-range", format!("0-{}", u64::MAX));
    refused(most.body("x").send().await.unwrap(), 400, "SIZE_INVALID").await;
    let stream = futures::stream::iter(["def", "ghij"].map(Ok::<_, std::io::Error>));
    let patch = registry.request("PATCH", &location).header("content-range", "3-9");
    assert_eq!(patch.body(reqwest::Body::wrap_stream(stream)).send().await.unwrap().status(), 202);
    assert_eq!(registry.status("PUT", &query).await, 201);
}

/// Sends bytes that do not say how many they are.
async fn stream(
    registry: &Fixture,
    (method, path): (&str, &str),
    range: [usize; 2],
    bytes: &[u8],
) -> Response {
    let parts: Vec<_> = bytes.chunks(70_000).map(|part| Ok::<_, std::io::Error>(part.to_vec())).collect();
    let request =
        registry.request(method, path).header("content-range", format!("{}-{}", range[0], range[1]));
    request.body(reqwest::Body::wrap_stream(futures::stream::iter(parts))).send().await.unwrap()
}

/// Chunks that are longer than a piece of any store, of which only the end shows how long they are. Of what they leave
/// one blob must be all.
pub async fn long_streams(registry: &Fixture) {
    let bytes: Vec<u8> = (0..12_000_011u32).map(|i| (i % 239) as u8).collect();
    let location = registry.begin("n").await;
    assert_eq!(registry.request("PATCH", &location).body("abc").send().await.unwrap().status(), 202);
    let blob = [b"abc", &bytes[..]].concat();
    let put = format!("{location}?digest={}", sha256(&blob));
    let (size, half) = (bytes.len(), 6_000_000);
    for to in [("PATCH", location.as_str()), ("PUT", put.as_str())] {
        // Two bytes too many, one missing, and most missing.
        for last in [size, size + 3, 3 * size / 2] {
            refused(stream(registry, to, [3, last], &bytes).await, 400, "SIZE_INVALID").await;
            let kept = registry.send("GET", &location).await;
            let kept = (kept.status().as_u16(), header(&kept, "range"));
            assert_eq!(kept, (204, "0-2".to_owned()), "{to:?} {last}");
        }
    }
    // In two chunks, of which one is sent with the end.
    let patched = stream(registry, ("PATCH", &location), [3, half + 2], &bytes[..half]).await;
    assert_eq!((patched.status().as_u16(), header(&patched, "range")), (202, format!("0-{}", half + 2)));
    let done = stream(registry, ("PUT", &put), [half + 3, size + 2], &bytes[half..]).await;
    assert_eq!(done.status(), 201);
    let got = registry.send("GET", &format!("/v2/n/blobs/{}", sha256(&blob))).await;
    assert!(got.bytes().await.unwrap() == blob);
    over_the_limit(registry, &bytes).await;
}

/// A stream that is too long only together with what is there already ends the upload.
async fn over_the_limit(registry: &Fixture, bytes: &[u8]) {
    let (large, size) = (registry.begin("n").await, bytes.len());
    assert_eq!(registry.request("PATCH", &large).body(bytes.to_vec()).send().await.unwrap().status(), 202);
    let over = stream(registry, ("PATCH", &large), [size, 2 * size - 1], bytes).await;
    assert_eq!(refused(over, 413, "SIZE_INVALID").await["errors"][0]["detail"]["limit"], 16_000_000);
    refused(registry.send("GET", &large).await, 404, "BLOB_UPLOAD_UNKNOWN").await;
}

// registry C9 C35
#[tokio::test]
async fn a_long_stream_counts_as_a_whole_or_not_at_all() {
    let registry = Fixture::with("limits: {maxblobsize: 16000000}").await;
    long_streams(&registry).await;
    // Nothing is left beside.
    assert_eq!(files_below(&registry.store()).len(), 2);
}

// registry C5
#[tokio::test]
async fn asking_an_upload_with_a_digest_is_asking_it() {
    let registry = Fixture::new().await;
    let location = registry.begin("n").await;
    let bytes = vec![1; 1024];
    assert_eq!(registry.request("PATCH", &location).body(bytes.clone()).send().await.unwrap().status(), 202);
    for digest in [sha256(&bytes), sha256(b"other"), "junk".to_owned()] {
        let status = registry.send("GET", &format!("{location}?digest={digest}")).await;
        assert_eq!((status.status().as_u16(), header(&status, "range").as_str()), (204, "0-1023"));
        assert_eq!(header(&status, "location"), location);
    }
    assert_eq!(registry.status("HEAD", &format!("/v2/n/blobs/{}", sha256(&bytes))).await, 404);
}

// registry C2
#[tokio::test]
async fn a_slash_at_the_end_of_an_upload_makes_no_difference() {
    let registry = Fixture::new().await;
    let (digest, location) = (sha256(b"abc"), registry.begin("n").await);
    let patch = registry.request("PATCH", &format!("{location}/")).body("abc").send().await.unwrap();
    assert_eq!((patch.status().as_u16(), header(&patch, "range").as_str()), (202, "0-2"));
    assert_eq!(registry.status("GET", &format!("{location}/")).await, 204);
    assert_eq!(registry.status("PUT", &format!("{location}/?digest={digest}")).await, 201);
    let begun = registry.send("POST", "/v2/n/blobs/uploads").await;
    assert_eq!(begun.status(), 202);
    let location = header(&begun, "location");
    assert_eq!(registry.status("DELETE", &format!("{location}/")).await, 204);
    assert_eq!(registry.status("GET", &location).await, 404);
}

// registry C17
#[tokio::test]
async fn the_answer_to_a_whole_blob_says_where_it_is() {
    let registry = Fixture::new().await;
    let digest = sha256(b"stream");
    for chunked in [false, true] {
        let post = registry.request("POST", &format!("/v2/n/blobs/uploads/?digest={digest}"));
        let parts = futures::stream::iter(["str", "eam"].map(Ok::<_, std::io::Error>));
        let post = if chunked { post.body(reqwest::Body::wrap_stream(parts)) } else { post.body("stream") };
        let answer = post.send().await.unwrap();
        assert_eq!(answer.status(), 201);
        assert_eq!(header(&answer, "location"), format!("/v2/n/blobs/{digest}"));
        assert_eq!(header(&answer, "docker-content-digest"), digest);
    }
}

// registry LM1
#[tokio::test]
async fn a_stream_over_the_limit_ends_its_upload() {
    let registry = Fixture::with("limits: {maxblobsize: 6}").await;
    let parts = |last: &'static str| {
        reqwest::Body::wrap_stream(futures::stream::iter(["abc", last].map(Ok::<_, std::io::Error>)))
    };
    let digest = sha256(b"abcdefg");
    let post = registry.request("POST", &format!("/v2/n/blobs/uploads/?digest={digest}")).body(parts("defg"));
    refused(post.send().await.unwrap(), 413, "SIZE_INVALID").await;
    for (method, query) in [("PATCH", String::new()), ("PUT", format!("?digest={digest}"))] {
        let location = registry.begin("n").await;
        let request = registry.request(method, &format!("{location}{query}")).body(parts("defg"));
        refused(request.send().await.unwrap(), 413, "SIZE_INVALID").await;
        assert_eq!(registry.status("GET", &location).await, 404, "{method}");
    }
    let location = registry.begin("n").await;
    let request = registry.request("PUT", &format!("{location}?digest={}", sha256(b"abcdef")));
    assert_eq!(request.body(parts("def")).send().await.unwrap().status(), 201);
}
