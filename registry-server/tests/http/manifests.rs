//! Sections 5 and 8: manifests and their deletion.

use futures::StreamExt;
use serde_json::json;

use crate::fixture::{Fixture, OCI_INDEX, OCI_MANIFEST, files_below, header, image, refused, sha256, sha512};

const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";

// registry D1 D3 D12 D25 D26
#[tokio::test]
async fn a_manifest_comes_back_byte_for_byte() {
    let registry = Fixture::new().await;
    let config = registry.push_blob("n", b"{}").await;
    let bytes = format!(
        " {{ \"layers\":[],\n \"unknown\": {{\"x\":1}}, \"config\":{{\"size\":2,\"digest\":\"{config}\",\"mediaType\":\"a/b\"}},\"schemaVersion\": 2}} \n"
    );
    let pushed = registry.put_manifest("n", "t", OCI_MANIFEST, bytes.clone()).await;
    let digest = sha256(bytes.as_bytes());
    assert_eq!(pushed.status(), 201);
    assert_eq!(header(&pushed, "location"), format!("/v2/n/manifests/{digest}"));
    assert_eq!(header(&pushed, "docker-content-digest"), digest);
    let again = registry.put_manifest("n", &digest, OCI_MANIFEST, bytes.clone()).await;
    assert_eq!(again.status(), 201);
    assert_eq!(header(&again, "location"), format!("/v2/n/manifests/{digest}"));
    assert_eq!(header(&again, "docker-content-digest"), digest);
    for reference in ["t", &digest] {
        for accept in ["*/*", "application/vnd.oci.image.index.v1+json", "text/plain"] {
            let get =
                registry.request("GET", &format!("/v2/n/manifests/{reference}")).header("accept", accept);
            let response = get.send().await.unwrap();
            assert_eq!(header(&response, "content-type"), OCI_MANIFEST);
            assert_eq!(header(&response, "docker-content-digest"), digest);
            assert_eq!(response.text().await.unwrap(), bytes);
        }
        // The client of these tests accepts something whenever it is not told what.
        let get = format!("GET /v2/n/manifests/{reference} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        let (head, body) = parts(&registry.raw(&get).await);
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
        assert!(head.contains(&format!("\r\ncontent-type: {OCI_MANIFEST}\r\n")), "{head}");
        assert_eq!(body, bytes);
        let head = registry.send("HEAD", &format!("/v2/n/manifests/{reference}")).await;
        assert_eq!(header(&head, "content-length"), bytes.len().to_string());
        assert_eq!(header(&head, "docker-content-digest"), digest);
        assert_eq!(header(&head, "content-type"), OCI_MANIFEST);
    }
}

/// Head, with the end of its last line, and body of an answer.
fn parts(answer: &str) -> (String, String) {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (format!("{head}\r\n"), body.to_owned())
}

// registry D5 D7 D9 D31
#[tokio::test]
async fn manifests_of_unknown_or_contradictory_types_are_refused() {
    let registry = Fixture::new().await;
    let config = registry.push_blob("n", b"{}").await;
    let bytes = image(&config, &[], "");
    let cases = [
        (OCI_INDEX, bytes.clone()),
        ("application/vnd.example+json", r#"{"schemaVersion":2}"#.into()),
        (OCI_MANIFEST, r#"{"schemaVersion":1,"fsLayers":[]}"#.into()),
        ("application/vnd.docker.distribution.manifest.v1+prettyjws", "{}".into()),
        (OCI_MANIFEST, "not json".into()),
        (OCI_MANIFEST, "[".repeat(10_000)),
        (OCI_MANIFEST, format!("\u{feff}{bytes}")),
        (OCI_INDEX, r#"{"schemaVersion":2,"manifests":[],"layers":[]}"#.into()),
    ];
    let mut details = Vec::new();
    for (kind, bytes) in cases {
        let body = refused(registry.put_manifest("n", "t", kind, bytes).await, 400, "MANIFEST_INVALID").await;
        details.push(body["errors"][0].clone());
    }
    assert_eq!(details[0]["detail"], json!({"contentType": OCI_INDEX, "mediaType": OCI_MANIFEST}));
    assert_eq!(details[1]["detail"]["found"], "application/vnd.example+json");
    let accepted: std::collections::BTreeSet<_> = details[1]["detail"]["accepted"]
        .as_array()
        .unwrap()
        .iter()
        .map(|kind| kind.as_str().unwrap())
        .collect();
    assert_eq!(accepted, [OCI_MANIFEST, OCI_INDEX, DOCKER_MANIFEST, DOCKER_LIST].into());
    for schema_one in &details[2..4] {
        assert!(schema_one["message"].as_str().unwrap().contains("Docker schema 1"));
    }
    assert_eq!(registry.status("GET", "/v2/n/manifests/t").await, 404);
}

// registry D9
#[tokio::test]
async fn docker_schema_1_is_refused_by_name() {
    let registry = Fixture::new().await;
    let layer = registry.push_blob("n", b"layer").await;
    let unsigned = json!({
        "schemaVersion": 1, "name": "n", "tag": "t", "architecture": "amd64",
        "fsLayers": [{"blobSum": layer}], "history": [{"v1Compatibility": "{\"id\":\"x\"}"}],
    });
    let mut signed = unsigned.clone();
    signed["signatures"] =
        json!([{"header": {"jwk": {}, "alg": "ES256"}, "signature": "eHg", "protected": "eHg"}]);
    let digest = sha256(unsigned.to_string().as_bytes());
    for manifest in [unsigned, signed] {
        for kind in [
            "application/vnd.docker.distribution.manifest.v1+json",
            "application/vnd.docker.distribution.manifest.v1+prettyjws",
            "application/json",
            OCI_MANIFEST,
            "",
        ] {
            for reference in ["t", &digest] {
                if reference == digest && manifest.get("signatures").is_some() {
                    continue;
                }
                let answer = registry.put_manifest("n", reference, kind, manifest.to_string()).await;
                let error = refused(answer, 400, "MANIFEST_INVALID").await;
                let message = error["errors"][0]["message"].as_str().unwrap();
                assert!(message.contains("Docker schema 1"), "{kind}: {message}");
            }
        }
    }
    assert_eq!(registry.status("GET", &format!("/v2/n/manifests/{digest}")).await, 404);
    assert_eq!(
        registry.send("GET", "/v2/n/tags/list").await.text().await.unwrap(),
        r#"{"name":"n","tags":[]}"#
    );
}

// registry D31
#[tokio::test]
async fn odd_json_is_refused_and_harms_nobody() {
    let registry = Fixture::new().await;
    let nested = |open: &str, close: &str, depth: usize| {
        format!(r#"{{"schemaVersion":2,"manifests":[],"x":{}1{}}}"#, open.repeat(depth), close.repeat(depth))
    };
    for odd in [
        nested("[", "]", 10_000),
        nested(r#"{"a":"#, "}", 10_000),
        nested(r#"{"]\"}":["#, "]}", 10_000),
        nested("[", "", 10_000),
        format!("\u{feff}{}", nested("[", "]", 1)),
    ] {
        refused(registry.put_manifest("n", "t", OCI_INDEX, odd).await, 400, "MANIFEST_INVALID").await;
    }
    let not_utf8 = [&br#"{"schemaVersion":2,"manifests":[],"x":""#[..], b"\x9f\"}"].concat();
    refused(registry.put_manifest("n", "t", OCI_INDEX, not_utf8).await, 400, "MANIFEST_INVALID").await;
    let brackets = nested("", "", 0).replace("\"x\":1", &format!("\"x\":\"{}\"", "[".repeat(10_000)));
    for fine in [nested("[", "]", 13), nested(r#"{"a":"#, "}", 13), brackets] {
        assert_eq!(registry.put_manifest("n", "t", OCI_INDEX, fine).await.status(), 201);
    }
    let blanks = futures::stream::repeat_with(|| Ok::<_, std::io::Error>(" ".repeat(1 << 20))).take(1 << 10);
    let put = registry.request("PUT", "/v2/n/manifests/t").body(reqwest::Body::wrap_stream(blanks));
    // The client may see its connection closed before it has sent a gigabyte.
    if let Ok(response) = put.send().await {
        refused(response, 413, "MANIFEST_INVALID").await;
    }
    assert_eq!(registry.status("GET", "/v2/").await, 200);
}

// registry D8 D17 D18 D20
#[tokio::test]
async fn docker_types_and_empty_lists_are_taken() {
    let registry = Fixture::new().await;
    let config = registry.push_blob("n", b"{}").await;
    let missing = sha256(b"never pushed");
    let (docker, list) = (DOCKER_MANIFEST, DOCKER_LIST);
    let cases = [
        (docker, image(&config, &[], "").replace(OCI_MANIFEST, docker)),
        (list, format!(r#"{{"schemaVersion":2,"mediaType":"{list}","manifests":[]}}"#)),
        (OCI_INDEX, r#"{"schemaVersion":2,"manifests":[]}"#.to_owned()),
        (
            OCI_INDEX,
            format!(
                r#"{{"schemaVersion":2,"manifests":[{{"digest":"{missing}","size":1,"mediaType":"x"}}]}}"#
            ),
        ),
    ];
    for (kind, bytes) in cases {
        assert_eq!(registry.put_manifest("n", "t", kind, bytes.clone()).await.status(), 201, "{bytes}");
        let response = registry.send("GET", "/v2/n/manifests/t").await;
        assert_eq!(header(&response, "content-type"), kind);
        assert_eq!(response.text().await.unwrap(), bytes);
    }
}

// registry D20
#[tokio::test]
async fn an_index_may_name_indexes_and_what_was_never_pushed() {
    let registry = Fixture::new().await;
    let index = |child: &str, size: usize, kind: &str| {
        format!(
            r#"{{"schemaVersion":2,"mediaType":"{OCI_INDEX}","manifests":[{{"digest":"{child}","size":{size},"mediaType":"{kind}"}}]}}"#
        )
    };
    let (image, _, bytes) = registry.push_image("n", "image").await;
    let inner = index(&image, bytes.len(), OCI_MANIFEST);
    let outer = index(&sha256(inner.as_bytes()), inner.len(), OCI_INDEX);
    let sparse = index(&sha256(b"never pushed"), 1, OCI_MANIFEST);
    let sparser = index(&sha256(sparse.replace("never", "not").as_bytes()), 1, OCI_INDEX);
    for (tag, bytes) in [("inner", inner), ("outer", outer), ("sparse", sparse), ("sparser", sparser)] {
        let pushed = registry.put_manifest("n", tag, OCI_INDEX, bytes.clone()).await;
        assert_eq!(
            (pushed.status().as_u16(), header(&pushed, "docker-content-digest")),
            (201, sha256(bytes.as_bytes()))
        );
        assert_eq!(
            registry.send("GET", &format!("/v2/n/manifests/{tag}")).await.text().await.unwrap(),
            bytes
        );
    }
}

// registry D20: with "children must exist" set
#[tokio::test]
async fn an_index_without_its_children_is_refused_where_they_are_asked_for() {
    let child = |digest: &str, platform: &str| {
        format!(r#"{{"mediaType":"{OCI_MANIFEST}","digest":"{digest}","size":1{platform}}}"#)
    };
    let index = |children: &[String]| {
        format!(r#"{{"schemaVersion":2,"mediaType":"{OCI_INDEX}","manifests":[{}]}}"#, children.join(","))
    };
    let arm = r#","platform":{"architecture":"arm64","os":"linux","variant":"v8"}"#;
    let (one, other) = (sha256(b"one"), sha256(b"other"));
    let all = "platforms: all";
    let list =
        "platforms: list, platformlist: [{architecture: amd64, os: linux}, {architecture: arm64, os: linux}]";
    for (wanted, missing) in [(all, vec![one.clone(), other.clone()]), (list, vec![other.clone()])] {
        let more = format!("validation: {{manifests: {{indexes: {{{wanted}}}}}}}");
        let registry = Fixture::with(&more).await;
        let sparse = index(&[child(&one, ""), child(&other, arm)]);
        let body =
            refused(registry.put_manifest("n", "t", OCI_INDEX, sparse).await, 400, "MANIFEST_BLOB_UNKNOWN")
                .await;
        let named: Vec<_> =
            body["errors"].as_array().unwrap().iter().map(|e| e["detail"]["digest"].clone()).collect();
        assert_eq!(named, missing, "{wanted}");
        let (image, _, _) = registry.push_image("n", "image").await;
        let layer = registry.push_blob("n", b"cached layer").await;
        let whole = index(&[child(&image, arm), child(&layer, arm)]);
        assert_eq!(registry.put_manifest("n", "t", OCI_INDEX, whole).await.status(), 201, "{wanted}");
    }
}

// registry D15: unless an image may be here in part
#[tokio::test]
async fn an_image_may_be_here_in_part_where_that_is_asked_for() {
    let registry = Fixture::with("validation: {manifests: {layers: optional}}").await;
    let (config, layer) = (sha256(b"no config"), sha256(b"no layer"));
    let bytes = image(&config, &[&layer], "");
    assert_eq!(registry.put_manifest("n", "t", OCI_MANIFEST, bytes.clone()).await.status(), 201);
    assert_eq!(registry.send("GET", "/v2/n/manifests/t").await.text().await.unwrap(), bytes);
    refused(registry.send("GET", &format!("/v2/n/blobs/{layer}")).await, 404, "BLOB_UNKNOWN").await;
    assert_eq!(registry.send("DELETE", "/v2/n/manifests/t").await.status(), 202);
}

// registry D30
#[tokio::test]
async fn an_immutable_tag_is_set_once() {
    let more = "{repositories: ['team/**', '**/frozen'], tags: ['v*', stable]}";
    let registry = Fixture::with(&format!("immutabletags: [{more}]")).await;
    let name = "team/app";
    let (first, _, bytes) = registry.push_image(name, "v1").await;
    assert_eq!(registry.put_manifest(name, "v1", OCI_MANIFEST, bytes.clone()).await.status(), 201);
    let other = registry.push_image(name, "next").await.2;
    let moved = registry.put_manifest(name, "v1", OCI_MANIFEST, other.clone()).await;
    let body = refused(moved, 409, "DENIED").await;
    assert_eq!(body["errors"][0]["detail"], json!({"tag": "v1", "digest": first}));
    // Of several tags none is written.
    let path = format!("/v2/{name}/manifests/{}?tag=new&tag=v1", sha256(&other));
    let several = registry.request("PUT", &path).header("content-type", OCI_MANIFEST).body(other.clone());
    refused(several.send().await.unwrap(), 409, "DENIED").await;
    assert_eq!(registry.status("GET", &format!("/v2/{name}/manifests/new")).await, 404);
    for reference in ["v1", &first] {
        let deleted = registry.send("DELETE", &format!("/v2/{name}/manifests/{reference}")).await;
        refused(deleted, 409, "DENIED").await;
    }
    assert_eq!(
        registry.send("GET", &format!("/v2/{name}/manifests/v1")).await.text().await.unwrap().as_bytes(),
        bytes
    );
    // Others move and go.
    for (name, tag) in [(name, "next"), ("team", "v1"), ("other/app", "v1")] {
        registry.push_image(name, tag).await;
        let again = registry.push_image(name, "x").await.2;
        assert_eq!(registry.put_manifest(name, tag, OCI_MANIFEST, again).await.status(), 201, "{name}:{tag}");
        assert_eq!(registry.status("DELETE", &format!("/v2/{name}/manifests/{tag}")).await, 202);
    }
}

// registry D10 D11 D24
#[tokio::test]
async fn a_push_by_digest_must_have_that_digest() {
    let registry = Fixture::new().await;
    let config = registry.push_blob("n", b"{}").await;
    let bytes = image(&config, &[], "");
    let digest = sha256(bytes.as_bytes());
    let before = files_below(&registry.store());
    let padded = registry.put_manifest("n", &digest, OCI_MANIFEST, format!("{bytes}  ")).await;
    refused(padded, 400, "DIGEST_INVALID").await;
    // Neither as what it is nor as what it says, nor in any other file.
    assert_eq!(files_below(&registry.store()), before);
    let padded = sha256(format!("{bytes}  ").as_bytes());
    assert_eq!(registry.status("GET", &format!("/v2/n/manifests/{padded}")).await, 404);
    let bad = registry.put_manifest("n", "sha256:bad", OCI_MANIFEST, bytes.clone()).await;
    refused(bad, 400, "DIGEST_INVALID").await;
    refused(registry.send("GET", "/v2/n/manifests/sha256:bad").await, 400, "DIGEST_INVALID").await;
    assert_eq!(registry.status("GET", &format!("/v2/n/manifests/{digest}")).await, 404);
    let digest = sha512(bytes.as_bytes());
    let pushed =
        registry.put_manifest("n", &format!("{digest}?tag=a&tag=b"), OCI_MANIFEST, bytes.clone()).await;
    assert_eq!(pushed.status(), 201);
    let tags: Vec<_> = pushed.headers().get_all("oci-tag").iter().collect();
    assert_eq!(tags, ["a", "b"]);
    assert_eq!(header(&pushed, "location"), format!("/v2/n/manifests/{digest}"));
    for reference in ["a", "b", &digest] {
        let response = registry.send("GET", &format!("/v2/n/manifests/{reference}")).await;
        assert_eq!(header(&response, "docker-content-digest"), digest);
    }
    // registry D23
    let ten: Vec<String> = (0..10).map(|i| format!("tag=t{i}")).collect();
    let path = format!("{digest}?{}", ten.join("&"));
    let response = registry.put_manifest("n", &path, OCI_MANIFEST, bytes.clone()).await;
    assert_eq!((response.status().as_u16(), response.headers().get_all("oci-tag").iter().count()), (201, 10));
    let path = format!("{digest}?tag={}", "x".repeat(8 << 10));
    assert_eq!(registry.put_manifest("n", &path, OCI_MANIFEST, bytes.clone()).await.status(), 414);
    let three = format!("{digest}?tag=c&tag=-bad&tag=e");
    let response = registry.put_manifest("n", &three, OCI_MANIFEST, bytes).await;
    refused(response, 400, "NAME_INVALID").await;
    for tag in ["c", "e"] {
        assert_eq!(registry.status("GET", &format!("/v2/n/manifests/{tag}")).await, 404);
    }
}

// registry D14: see also `a_connection_outlives_a_manifest_over_the_limit`
#[tokio::test]
async fn a_manifest_over_the_limit_is_refused() {
    let registry = Fixture::new().await;
    let index = r#"{"schemaVersion":2,"manifests":[]}"#;
    let padded = |size: usize| format!("{index}{}", " ".repeat(size - index.len()));
    assert_eq!(registry.put_manifest("n", "t", OCI_INDEX, padded(4 << 20)).await.status(), 201);
    let body = refused(
        registry.put_manifest("n", "t", OCI_INDEX, padded((4 << 20) + 1)).await,
        413,
        "MANIFEST_INVALID",
    )
    .await;
    assert_eq!(body["errors"][0]["detail"]["limit"], 4 << 20);
    let chunked = |bytes: String| {
        let stream = futures::stream::iter([Ok::<_, std::io::Error>(bytes)]);
        let put = registry.request("PUT", "/v2/n/manifests/t").header("content-type", OCI_INDEX);
        put.body(reqwest::Body::wrap_stream(stream)).send()
    };
    assert_eq!(chunked(padded(4 << 20)).await.unwrap().status(), 201);
    let over = refused(chunked(padded((4 << 20) + 1)).await.unwrap(), 413, "MANIFEST_INVALID").await;
    assert_eq!(over["errors"][0]["detail"]["limit"], 4 << 20);
}

// registry D15 D16
#[tokio::test]
async fn missing_content_is_named() {
    let registry = Fixture::new().await;
    let (config, layer) = (sha256(b"no config"), sha256(b"no layer"));
    let response = registry.put_manifest("n", "t", OCI_MANIFEST, image(&config, &[&layer], "")).await;
    let body = refused(response, 400, "MANIFEST_BLOB_UNKNOWN").await;
    let named: Vec<_> =
        body["errors"].as_array().unwrap().iter().map(|e| e["detail"]["digest"].clone()).collect();
    assert_eq!(named, [config, layer.clone()]);
    let config = registry.push_blob("n", b"{}").await;
    let foreign =
        image(&config, &[&layer], "").replace("\"size\":1}]", "\"size\":1,\"urls\":[\"https://x\"]}]");
    assert_eq!(registry.put_manifest("n", "t", OCI_MANIFEST, foreign).await.status(), 201);
    for kind in [
        "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
        "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
    ] {
        let away = image(&config, &[&layer], "").replace(
            "layers\":[{\"mediaType\":\"application/x\"",
            &format!("layers\":[{{\"mediaType\":\"{kind}\""),
        );
        assert_eq!(registry.put_manifest("n", "t", OCI_MANIFEST, away).await.status(), 201, "{kind}");
    }
}

// registry D19 G6
#[tokio::test]
async fn an_index_may_name_layers_and_keeps_them() {
    let registry = Fixture::new().await;
    let layer = registry.push_blob("n", b"cached layer").await;
    let config = registry.push_blob("n", b"cache config").await;
    let one = |digest: &str, kind: &str| format!(r#"{{"digest":"{digest}","size":12,"mediaType":"{kind}"}}"#);
    let index = format!(
        r#"{{"schemaVersion":2,"manifests":[{},{}]}}"#,
        one(&layer, "application/vnd.oci.image.layer.v1.tar+gzip"),
        one(&config, "application/vnd.buildkit.cacheconfig.v0")
    );
    assert_eq!(registry.put_manifest("n", "cache", OCI_INDEX, index).await.status(), 201);
    for blob in [layer, config] {
        refused(registry.send("DELETE", &format!("/v2/n/blobs/{blob}")).await, 405, "UNSUPPORTED").await;
    }
}

// registry D27
#[tokio::test]
async fn answers_about_a_moving_tag_belong_together() {
    for (store, moves) in [("inmemory: {}", 1_000), ("cache: {blobdescriptor: inmemory}", 100)] {
        let registry = Fixture::with(&format!("storage: {{{store}}}")).await;
        let config = registry.push_blob("n", b"{}").await;
        let (one, two) = (image(&config, &[], ""), r#"{"schemaVersion":2,"manifests":[]}"#.to_owned());
        let kinds = [(OCI_MANIFEST, one.clone()), (OCI_INDEX, two.clone())];
        let known = kinds
            .clone()
            .map(|(kind, bytes)| (kind.to_owned(), bytes.len().to_string(), sha256(bytes.as_bytes())));
        registry.put_manifest("n", "t", OCI_INDEX, two).await;
        let moving = async {
            for (kind, bytes) in kinds.iter().cycle().take(moves) {
                assert_eq!(registry.put_manifest("n", "t", kind, bytes.clone()).await.status(), 201);
            }
        };
        let reading = async {
            for _ in 0..moves {
                for method in ["GET", "HEAD"] {
                    let answer = registry.send(method, "/v2/n/manifests/t").await;
                    assert_eq!(answer.status(), 200);
                    let [kind, length, digest] = ["content-type", "content-length", "docker-content-digest"]
                        .map(|name| header(&answer, name));
                    assert_eq!(header(&answer, "etag"), format!("\"{digest}\""));
                    assert!(known.contains(&(kind, length, digest.clone())), "{method}: {answer:?}");
                    let bytes = answer.bytes().await.unwrap();
                    if method == "GET" {
                        assert_eq!(sha256(&bytes), digest);
                    } else {
                        assert_eq!(registry.status("GET", &format!("/v2/n/manifests/{digest}")).await, 200);
                    }
                }
            }
        };
        tokio::join!(moving, reading);
    }
}

// registry G3 G8
#[tokio::test]
async fn what_is_deleted_at_one_replica_is_gone_at_the_other() {
    let cache = "storage: {delete: {enabled: true}, cache: {blobdescriptor: inmemory}";
    let one = Fixture::with(&format!("{cache}}}")).await;
    let same = format!("{cache}, filesystem: {{rootdirectory: '{}'}}}}", one.store().display());
    let two = Fixture::with(&same).await;
    let (digest, layer, bytes) = one.push_image("n", "t").await;
    let (manifest, blob) = (format!("/v2/n/manifests/{digest}"), format!("/v2/n/blobs/{layer}"));
    let tag = "/v2/n/manifests/t".to_owned();
    for _ in 0..333 {
        for path in [&tag, &manifest, &blob] {
            assert_eq!(two.status("GET", path).await, 200);
            assert_eq!(one.status("DELETE", path).await, 202);
            for replica in [&two, &one] {
                assert_eq!(replica.status("HEAD", path).await, 404, "{path}");
            }
        }
        one.push_blob("n", b"layer of t").await;
        assert_eq!(one.put_manifest("n", "t", OCI_MANIFEST, bytes.clone()).await.status(), 201);
    }
}

// registry D21
#[tokio::test]
async fn embedded_data_is_kept_and_must_match() {
    let registry = Fixture::new().await;
    let config = registry.push_blob("n", b"{}").await;
    let one = |size: usize, data: &str| {
        format!(r#"{{"mediaType":"a/b","digest":"{config}","size":{size},"data":"{data}"}}"#)
    };
    let places = |descriptor: &str| {
        let plain = format!(r#"{{"mediaType":"a/b","digest":"{config}","size":2}}"#);
        let subject = format!(r#"{{"schemaVersion":2,"config":{plain},"layers":[],"subject":{descriptor}}}"#);
        [
            (OCI_MANIFEST, format!(r#"{{"schemaVersion":2,"config":{descriptor},"layers":[]}}"#)),
            (
                OCI_MANIFEST,
                format!(r#"{{"schemaVersion":2,"config":{plain},"layers":[{plain},{descriptor}]}}"#),
            ),
            (OCI_MANIFEST, subject),
            (OCI_INDEX, format!(r#"{{"schemaVersion":2,"manifests":[{descriptor}]}}"#)),
        ]
    };
    // Other bytes, another length, both, and no base64.
    for (size, data) in [(2, "e31="), (3, "e30="), (4, "e31="), (2, "{}"), (2, "e30"), (2, "")] {
        for (kind, bytes) in places(&one(size, data)) {
            let error =
                refused(registry.put_manifest("n", "t", kind, bytes).await, 400, "MANIFEST_INVALID").await;
            assert_eq!(error["errors"][0]["detail"]["digest"], config, "{data}");
        }
    }
    for (kind, bytes) in places(&one(2, "e30=")) {
        assert_eq!(registry.put_manifest("n", "t", kind, bytes.clone()).await.status(), 201);
        assert_eq!(registry.send("GET", "/v2/n/manifests/t").await.text().await.unwrap(), bytes);
    }
}

// registry G1 G2 G10
#[tokio::test]
async fn deleting_a_tag_keeps_the_manifest_and_deleting_the_manifest_takes_its_tags() {
    let registry = Fixture::new().await;
    let (digest, _, bytes) = registry.push_image("n", "a").await;
    for tag in ["b", "c", "d"] {
        registry.put_manifest("n", tag, OCI_MANIFEST, bytes.clone()).await;
    }
    assert_eq!(registry.status("DELETE", "/v2/n/manifests/a").await, 202);
    refused(registry.send("DELETE", "/v2/n/manifests/a").await, 404, "MANIFEST_UNKNOWN").await;
    for (reference, status) in [("a", 404), ("b", 200), (digest.as_str(), 200)] {
        assert_eq!(registry.status("GET", &format!("/v2/n/manifests/{reference}")).await, status);
    }
    let by_digest = format!("/v2/n/manifests/{digest}");
    assert_eq!(registry.status("DELETE", &by_digest).await, 202);
    refused(registry.send("DELETE", &by_digest).await, 404, "MANIFEST_UNKNOWN").await;
    for reference in ["b", "c", "d", &digest] {
        refused(registry.send("GET", &format!("/v2/n/manifests/{reference}")).await, 404, "MANIFEST_UNKNOWN")
            .await;
    }
}

// registry G2 G3
#[tokio::test]
async fn a_manifest_that_is_deleted_is_gone_with_its_tags_from_every_replica_at_once() {
    let shared = "delete: {enabled: true}, cache: {blobdescriptor: inmemory}";
    let one = Fixture::with(&format!("storage: {{{shared}}}")).await;
    let same = format!("storage: {{{shared}, filesystem: {{rootdirectory: '{}'}}}}", one.store().display());
    let two = Fixture::with(&same).await;
    let (digest, _, bytes) = one.push_image("n", "a").await;
    for round in 0..10 {
        for tag in ["a", "b", "c"] {
            assert_eq!(one.put_manifest("n", tag, OCI_MANIFEST, bytes.clone()).await.status(), 201);
        }
        let paths = ["a", "b", "c", &digest].map(|reference| format!("/v2/n/manifests/{reference}"));
        // Both know them before.
        for (replica, path) in
            [&one, &two].into_iter().flat_map(|replica| paths.iter().map(move |p| (replica, p)))
        {
            assert_eq!(replica.status("GET", path).await, 200, "{path}");
        }
        let (deletes, other) = if round % 2 == 0 { (&one, &two) } else { (&two, &one) };
        assert_eq!(deletes.status("DELETE", &paths[3]).await, 202);
        for path in &paths {
            assert_eq!(other.status("HEAD", path).await, 404, "{path}");
            refused(other.send("GET", path).await, 404, "MANIFEST_UNKNOWN").await;
        }
        assert_eq!(
            other.send("GET", "/v2/n/tags/list").await.text().await.unwrap(),
            r#"{"name":"n","tags":[]}"#
        );
    }
}

// registry G4
#[tokio::test]
async fn a_child_of_an_index_is_not_deleted() {
    let registry = Fixture::new().await;
    let (child, _, _) = registry.push_image("n", "a").await;
    let index = format!(
        r#"{{"schemaVersion":2,"manifests":[{{"digest":"{child}","size":1,"mediaType":"{OCI_MANIFEST}"}}]}}"#
    );
    registry.put_manifest("n", "i", OCI_INDEX, index.clone()).await;
    let response = registry.send("DELETE", &format!("/v2/n/manifests/{child}")).await;
    assert_eq!(header(&response, "allow"), "GET, HEAD");
    let body = refused(response, 405, "UNSUPPORTED").await;
    assert_eq!(body["errors"][0]["detail"]["referencedBy"][0], sha256(index.as_bytes()));
}

// registry D1 D8, as clients in Go write what is empty
#[tokio::test]
async fn a_descriptor_may_say_that_it_has_nothing() {
    let registry = Fixture::new().await;
    let (config, layer) = (registry.push_blob("n", b"{}").await, registry.push_blob("n", b"x").await);
    let nulls = r#""size":1,"urls":null,"data":null,"annotations":null,"artifactType":null"#;
    let image = image(&config, &[&layer], "").replace(r#""size":1"#, nulls);
    assert!(image.contains("null"));
    assert_eq!(registry.put_manifest("n", "t", OCI_MANIFEST, image.clone()).await.status(), 201);
    assert_eq!(registry.send("GET", "/v2/n/manifests/t").await.text().await.unwrap(), image);
}

// registry D13
#[tokio::test]
async fn a_manifest_may_be_large() {
    let registry = Fixture::new().await;
    let note = "x".repeat(3_900_000);
    let index = format!(r#"{{"schemaVersion":2,"manifests":[],"annotations":{{"k":"{note}"}}}}"#);
    assert_eq!(registry.put_manifest("n", "t", OCI_INDEX, index.clone()).await.status(), 201);
    assert_eq!(registry.send("GET", "/v2/n/manifests/t").await.text().await.unwrap(), index);
}

// registry D22
#[tokio::test]
async fn unknown_fields_are_kept_at_every_level() {
    let registry = Fixture::new().await;
    let (config, layer) = (registry.push_blob("n", b"{}").await, registry.push_blob("n", b"x").await);
    let image = image(&config, &[&layer], r#", "new": {"a":  [1, null]}"#)
        .replace(r#""size":1"#, r#""size":1,"platform":{"new":1},"other":[{}]"#);
    assert_eq!(registry.put_manifest("n", "t", OCI_MANIFEST, image.clone()).await.status(), 201);
    for reference in ["t", &sha256(image.as_bytes())] {
        let answer = registry.send("GET", &format!("/v2/n/manifests/{reference}")).await;
        assert_eq!(answer.text().await.unwrap(), image);
    }
}

// registry D1 D3
#[tokio::test]
async fn what_a_client_accepts_changes_nothing() {
    let registry = Fixture::new().await;
    let index = r#"{"schemaVersion":2,"manifests":[]}"#;
    let kind = format!("{OCI_INDEX}; charset=utf-8");
    assert_eq!(registry.put_manifest("n", "t", &kind, index).await.status(), 201);
    for method in ["GET", "HEAD"] {
        for accepted in
            [vec![], vec!["*/*"], vec!["text/plain"], vec!["text/plain;q=0.5", "application/json;q=0"]]
        {
            let request = registry.request(method, "/v2/n/manifests/t");
            let asked = accepted.iter().fold(request, |request, value| request.header("accept", *value));
            let answer = asked.send().await.unwrap();
            assert_eq!(
                (answer.status().as_u16(), header(&answer, "content-type").as_str()),
                (200, OCI_INDEX)
            );
            assert_eq!(header(&answer, "content-length"), index.len().to_string());
            assert_eq!(answer.text().await.unwrap(), if method == "GET" { index } else { "" });
        }
    }
}

// registry D15
#[tokio::test]
async fn content_of_another_repository_is_missing_here() {
    let registry = Fixture::new().await;
    let (config, layer) = (registry.push_blob("n", b"{}").await, registry.push_blob("other", b"x").await);
    let answer = registry.put_manifest("n", "t", OCI_MANIFEST, image(&config, &[&layer], "")).await;
    let body = refused(answer, 400, "MANIFEST_BLOB_UNKNOWN").await;
    assert_eq!(body["errors"].as_array().unwrap().len(), 1);
    assert_eq!(body["errors"][0]["detail"]["digest"], layer);
    assert_eq!(registry.status("GET", "/v2/n/manifests/t").await, 404);
}
