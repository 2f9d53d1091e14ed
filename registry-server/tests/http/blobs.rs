//! Section 3: reading blobs.

use crate::fixture::{
    Fixture, OCI_MANIFEST, eventually, files_below, header, image, open_below, refused, sha256, sha512,
};

fn content() -> Vec<u8> {
    (0..2048u32).map(|i| (i % 251) as u8).collect()
}

// registry B1 B18
#[tokio::test]
async fn head_and_get_describe_the_blob() {
    let registry = Fixture::new().await;
    let digest = registry.push_blob("n", &content()).await;
    let path = format!("/v2/n/blobs/{digest}");
    for method in ["HEAD", "GET"] {
        let response =
            registry.request(method, &path).header("accept-encoding", "gzip, br").send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(header(&response, "content-length"), "2048");
        assert_eq!(header(&response, "docker-content-digest"), digest);
        assert_eq!(header(&response, "accept-ranges"), "bytes");
        assert_eq!(header(&response, "etag"), format!("\"{digest}\""));
        assert_eq!(header(&response, "content-type"), "application/octet-stream");
        assert_eq!(header(&response, "content-encoding"), "");
        let body = response.bytes().await.unwrap();
        assert_eq!(body, if method == "GET" { content() } else { vec![] });
    }
    // A client would not look for a body.
    let head = registry.raw(&format!("HEAD {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")).await;
    assert!(head.starts_with("HTTP/1.1 200 ") && head.contains("content-length: 2048\r\n"), "{head}");
    assert_eq!(head.split_once("\r\n\r\n").unwrap().1, "");
}

// registry B3 B4 B5 B6 B7 B9
#[tokio::test]
async fn ranges_are_served_clamped_or_refused() {
    let registry = Fixture::new().await;
    let digest = registry.push_blob("n", &content()).await;
    let get = async |range: &str| {
        let request = registry.request("GET", &format!("/v2/n/blobs/{digest}")).header("range", range);
        let response = request.send().await.unwrap();
        assert_eq!(header(&response, "docker-content-digest"), digest);
        assert_eq!(header(&response, "accept-ranges"), "bytes");
        assert_eq!(header(&response, "etag"), format!("\"{digest}\""));
        response
    };
    for (range, first, last) in [
        ("bytes=500-1499", 500, 1499),
        ("bytes=500-", 500, 2047),
        ("bytes=-500", 1548, 2047),
        ("bytes=2000-5000", 2000, 2047),
        ("bytes=2000-99999999999999999999", 2000, 2047),
        ("bytes=-99999999999999999999", 0, 2047),
    ] {
        let response = get(range).await;
        assert_eq!(response.status(), 206, "{range}");
        assert_eq!(header(&response, "content-range"), format!("bytes {first}-{last}/2048"));
        assert_eq!(header(&response, "content-length"), (last + 1 - first).to_string(), "{range}");
        assert_eq!(response.bytes().await.unwrap(), content()[first..=last]);
    }
    let beyond = "bytes=99999999999999999999-";
    for range in ["bytes=500-0", "bytes=5000-10000", "bytes=2048-", "bytes=-0", beyond] {
        let response = get(range).await;
        assert_eq!(response.status(), 416, "{range}");
        assert_eq!(header(&response, "content-range"), "bytes */2048");
        assert!(response.bytes().await.unwrap().is_empty());
    }
    let many: Vec<String> = (0..200).map(|i| format!("{i}-{i}")).collect();
    for ranges in ["bytes=0-9,20-29".to_owned(), format!("bytes={}", many.join(","))] {
        let response = get(&ranges).await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.bytes().await.unwrap(), content());
    }
}

// registry B12
#[tokio::test]
async fn the_empty_blob_is_a_blob() {
    let registry = Fixture::new().await;
    let digest = sha256(b"");
    let location = registry.begin("n").await;
    assert_eq!(registry.status("PUT", &format!("{location}?digest={digest}")).await, 201);
    let path = format!("/v2/n/blobs/{digest}");
    let head = registry.send("HEAD", &path).await;
    assert_eq!((head.status().as_u16(), header(&head, "content-length").as_str()), (200, "0"));
    let get = registry.send("GET", &path).await;
    assert_eq!((get.status().as_u16(), header(&get, "content-length").as_str()), (200, "0"));
    assert!(get.bytes().await.unwrap().is_empty());
    let range = registry.request("GET", &path).header("range", "bytes=0-").send().await.unwrap();
    assert_eq!((range.status().as_u16(), header(&range, "content-range").as_str()), (416, "bytes */0"));
}

// registry B14 B16
#[tokio::test]
async fn a_blob_of_another_repository_is_unknown_here() {
    let cached = Fixture::with("storage: {cache: {blobdescriptor: inmemory}}").await;
    for registry in [Fixture::new().await, cached] {
        let digest = registry.push_blob("other", b"secret").await;
        registry.push_blob("n", b"known").await;
        assert_eq!(registry.status("GET", &format!("/v2/other/blobs/{digest}")).await, 200);
        let before = files_below(&registry.store());
        for name in ["n", "never", "n"] {
            let path = format!("/v2/{name}/blobs/{digest}");
            refused(registry.send("GET", &path).await, 404, "BLOB_UNKNOWN").await;
            let head = registry.send("HEAD", &path).await;
            assert_eq!((head.status().as_u16(), head.bytes().await.unwrap().len()), (404, 0));
        }
        assert_eq!(files_below(&registry.store()), before);
        refused(registry.send("GET", "/v2/n/blobs/sha256:baddigeststring").await, 400, "DIGEST_INVALID")
            .await;
    }
}

// registry section 0 line 4: what is meant is there, and only in lower case
#[tokio::test]
async fn upper_case_hex_is_no_digest() {
    let registry = Fixture::new().await;
    let (manifest, layer, bytes) = registry.push_image("n", "t").await;
    let session = registry.begin("n").await;
    let upper = |digest: &str| digest.to_uppercase().replace("SHA256", "sha256");
    let (layer, manifest) = (upper(&layer), upper(&manifest));
    let before = files_below(&registry.store());
    for (method, path) in [
        ("GET", format!("/v2/n/blobs/{layer}")),
        ("DELETE", format!("/v2/n/blobs/{layer}")),
        ("GET", format!("/v2/n/manifests/{manifest}")),
        ("PUT", format!("/v2/n/manifests/{manifest}")),
        ("DELETE", format!("/v2/n/manifests/{manifest}")),
        ("GET", format!("/v2/n/referrers/{manifest}")),
        ("PUT", format!("{session}?digest={layer}")),
        ("POST", format!("/v2/n/blobs/uploads/?digest={layer}")),
        ("POST", format!("/v2/m/blobs/uploads/?mount={layer}&from=n")),
    ] {
        let asked = registry.request(method, &path).header("content-type", OCI_MANIFEST);
        let asked = if method == "PUT" { asked.body(bytes.clone()) } else { asked };
        refused(asked.send().await.unwrap(), 400, "DIGEST_INVALID").await;
        assert_eq!(files_below(&registry.store()), before, "{method} {path}");
    }
}

// registry B15 C16: see also `a_hint_saves_the_second_hashing`
#[tokio::test]
async fn a_sha512_blob_keeps_its_name() {
    let registry = Fixture::new().await;
    let content: Vec<u8> = (0..10u32 << 20).map(|i| (i % 251) as u8).collect();
    let digest = sha512(&content);
    for (hint, hashed) in [("", "sha256 10485760 "), ("?digest-algorithm=sha512", "sha512 10485760 ")] {
        let begun = registry.send("POST", &format!("/v2/n/blobs/uploads/{hint}")).await;
        let location = header(&begun, "location");
        let patched = registry.request("PATCH", &location).body(content.clone()).send().await.unwrap();
        assert_eq!(patched.status(), 202);
        let id = header(&begun, "docker-upload-uuid");
        let record = format!("docker/registry/v2/repositories/n/_uploads/{id}/hashstate");
        assert!(
            std::fs::read_to_string(registry.store().join(record)).unwrap().starts_with(hashed),
            "{hint}"
        );
        assert_eq!(registry.status("PUT", &format!("{location}?digest={digest}")).await, 201);
        let response = registry.send("GET", &format!("/v2/n/blobs/{digest}")).await;
        assert_eq!(header(&response, "docker-content-digest"), digest);
        assert!(response.bytes().await.unwrap() == content);
    }
    let hint = registry.send("POST", "/v2/n/blobs/uploads/?digest-algorithm=md5").await;
    refused(hint, 400, "DIGEST_INVALID").await;
}

// registry B19
#[tokio::test]
async fn an_unchanged_blob_is_not_sent_again() {
    let registry = Fixture::new().await;
    let digest = registry.push_blob("n", b"x").await;
    for tag in [format!("\"{digest}\""), digest.clone(), "*".to_owned()] {
        for method in ["GET", "HEAD"] {
            let request = registry.request(method, &format!("/v2/n/blobs/{digest}"));
            let answer = request.header("if-none-match", &tag).send().await.unwrap();
            assert_eq!(answer.status(), 304, "{method} {tag}");
            assert_eq!(header(&answer, "docker-content-digest"), digest);
            assert_eq!(header(&answer, "etag"), format!("\"{digest}\""));
        }
    }
    // A client would not look for a body.
    let (path, end) = (format!("/v2/n/blobs/{digest}"), "if-none-match: *\r\nconnection: close\r\n\r\n");
    let raw = registry.raw(&format!("GET {path} HTTP/1.1\r\nhost: x\r\n{end}")).await;
    assert!(raw.starts_with("HTTP/1.1 304 ") && raw.ends_with("\r\n\r\n"), "{raw}");
    let other = registry.request("GET", &path).header("if-none-match", sha256(b"y")).send().await.unwrap();
    assert_eq!((other.status().as_u16(), other.text().await.unwrap().as_str()), (200, "x"));
}

// registry B13
#[tokio::test]
async fn the_blob_of_the_empty_descriptor_is_a_blob() {
    let registry = Fixture::new().await;
    let digest = registry.push_blob("n", b"{}").await;
    assert_eq!(digest, "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a");
    assert_eq!(registry.send("GET", &format!("/v2/n/blobs/{digest}")).await.text().await.unwrap(), "{}");
}

// registry B21
#[tokio::test]
async fn a_client_that_leaves_leaves_no_open_file() {
    let registry = Fixture::new().await;
    let digest = registry.push_blob("n", &vec![1; 64 << 20]).await;
    let open = || open_below(&registry.store());
    let mut response = registry.send("GET", &format!("/v2/n/blobs/{digest}")).await;
    assert!(!response.chunk().await.unwrap().unwrap().is_empty());
    assert_eq!(open(), 1);
    drop(response);
    eventually(async || open() == 0).await;
}

// registry B22
#[tokio::test]
async fn a_manifest_can_be_read_as_a_blob() {
    let registry = Fixture::new().await;
    let (digest, _, bytes) = registry.push_image("n", "t").await;
    let response = registry.send("GET", &format!("/v2/n/blobs/{digest}")).await;
    assert_eq!(header(&response, "content-type"), "application/octet-stream");
    assert_eq!(response.bytes().await.unwrap(), bytes);
}

// registry G6 G7 G10
#[tokio::test]
async fn a_blob_in_use_is_not_deleted() {
    let registry = Fixture::new().await;
    let (manifest, layer, _) = registry.push_image("n", "t").await;
    let kept = registry.send("DELETE", &format!("/v2/n/blobs/{layer}")).await;
    assert_eq!(header(&kept, "allow"), "GET, HEAD");
    let body = refused(kept, 405, "UNSUPPORTED").await;
    assert_eq!(body["errors"][0]["detail"]["referencedBy"][0], manifest);
    let free = registry.push_blob("n", b"free").await;
    assert_eq!(registry.status("DELETE", &format!("/v2/n/blobs/{free}")).await, 202);
    assert_eq!(registry.status("HEAD", &format!("/v2/n/blobs/{free}")).await, 404);
    assert_eq!(registry.status("DELETE", &format!("/v2/n/blobs/{free}")).await, 404);
    registry.push_blob("n", b"free").await;
    assert_eq!(registry.send("GET", &format!("/v2/n/blobs/{free}")).await.text().await.unwrap(), "free");
}

// registry ST10
#[tokio::test]
async fn the_store_is_laid_out_as_distribution_does() {
    let registry = Fixture::new().await;
    let (manifest, layer, _) = registry.push_image("a/n", "t").await;
    let (m, l) = (manifest.trim_start_matches("sha256:"), layer.trim_start_matches("sha256:"));
    let root = registry.store().join("docker/registry/v2");
    assert!(root.join(format!("blobs/sha256/{}/{l}/data", &l[..2])).is_file());
    for (link, want) in [
        (format!("_layers/sha256/{l}/link"), &layer),
        (format!("_manifests/revisions/sha256/{m}/link"), &manifest),
        ("_manifests/tags/t/current/link".to_owned(), &manifest),
        (format!("_manifests/tags/t/index/sha256/{m}/link"), &manifest),
    ] {
        assert_eq!(std::fs::read_to_string(root.join("repositories/a/n").join(link)).unwrap(), *want);
    }
    let uploads = root.join("repositories/a/n/_uploads");
    assert_eq!(files_below(&uploads), Vec::<String>::new());
}

// registry ST1: a server that is killed on a push leaves a link before its content
#[tokio::test]
async fn a_link_without_content_shows_nothing() {
    let registry = Fixture::new().await;
    let (config, digest) = (registry.push_blob("n", b"{}").await, sha256(b"layer"));
    let hex = digest.trim_start_matches("sha256:");
    let folder = registry.store().join(format!("docker/registry/v2/repositories/n/_layers/sha256/{hex}"));
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("link"), &digest).unwrap();
    let blob = format!("/v2/n/blobs/{digest}");
    for range in ["", "bytes=0-1"] {
        let get = registry.request("GET", &blob).header("range", range).send().await.unwrap();
        refused(get, 404, "BLOB_UNKNOWN").await;
        assert_eq!(registry.status("HEAD", &blob).await, 404);
    }
    for (name, from) in [("m", "&from=n"), ("m", ""), ("n", "&from=n"), ("n", "")] {
        let mount = registry.send("POST", &format!("/v2/{name}/blobs/uploads/?mount={digest}{from}")).await;
        assert_eq!(mount.status(), 202, "{name} {from}");
    }
    let image = image(&config, &[&digest], "");
    let put = registry.put_manifest("n", "t", OCI_MANIFEST, image.clone()).await;
    refused(put, 400, "MANIFEST_BLOB_UNKNOWN").await;
    // Whoever pushes it again mends it.
    registry.push_blob("n", b"layer").await;
    assert_eq!(registry.send("GET", &blob).await.text().await.unwrap(), "layer");
    assert_eq!(registry.put_manifest("n", "t", OCI_MANIFEST, image).await.status(), 201);
}

// registry B3, and RFC 9110 section 13.1.5
#[tokio::test]
async fn a_part_of_other_content_is_answered_with_the_whole() {
    let registry = Fixture::new().await;
    let digest = registry.push_blob("n", &content()).await;
    let get = async |tag: &str| {
        let request = registry.request("GET", &format!("/v2/n/blobs/{digest}"));
        request.header("range", "bytes=500-1499").header("if-range", tag).send().await.unwrap()
    };
    let same = get(&format!("\"{digest}\"")).await;
    assert_eq!((same.status().as_u16(), same.bytes().await.unwrap().len()), (206, 1000));
    for other in [
        format!("\"{}\"", sha256(b"other")),
        format!("W/\"{digest}\""),
        "Tue, 15 Nov 1994 12:45:26 GMT".to_owned(),
    ] {
        let answer = get(&other).await;
        assert_eq!(answer.status(), 200, "{other}");
        assert_eq!(answer.bytes().await.unwrap(), content());
    }
}

// registry B16 B22
#[tokio::test]
async fn head_of_a_blob_is_get_without_its_body() {
    let registry = Fixture::new().await;
    let (manifest, layer, bytes) = registry.push_image("n", "t").await;
    for (path, status, length) in [
        (format!("blobs/{manifest}"), 200, bytes.len()),
        (format!("blobs/{layer}"), 200, "layer of t".len()),
        ("blobs/sha256:baddigeststring".to_owned(), 400, 0),
        (format!("blobs/{}", sha256(b"never")), 404, 0),
    ] {
        let path = format!("/v2/n/{path}");
        let (head, get) = (registry.send("HEAD", &path).await, registry.send("GET", &path).await);
        assert_eq!((head.status().as_u16(), get.status().as_u16()), (status, status), "{path}");
        assert_eq!(header(&head, "content-type"), header(&get, "content-type"));
        assert_eq!(header(&head, "docker-content-digest"), header(&get, "docker-content-digest"));
        if status == 200 {
            assert_eq!(header(&head, "content-length"), length.to_string());
            assert_eq!(header(&head, "content-type"), "application/octet-stream");
        }
        assert_eq!(head.bytes().await.unwrap(), "");
    }
}
