//! Section 10: the registry in a bucket.

use std::path::Path;

use registry_server::storage::s3_pieces;

use crate::{
    authority::Authority,
    cached::push_pull_delete,
    fixture::{Fixture, eventually, files_below, header, refused, sha256},
    object_store::{ACCESS, BUCKET, ObjectStore, SECRET},
    uploads::long_streams,
};

async fn registry(store: &ObjectStore, more: &str) -> Fixture {
    Fixture::with(&format!(
        "storage: {{delete: {{enabled: true}}, s3: {{region: us-east-1, regionendpoint: '{}', bucket: {BUCKET}, \
         rootdirectory: /images, chunksize: 5242880, {more}}}}}",
        store.address
    ))
    .await
}

async fn open(store: &ObjectStore) -> Fixture {
    registry(store, &format!("secure: false, accesskey: {ACCESS}, secretkey: {SECRET}")).await
}

async fn patch(registry: &Fixture, location: &str, part: &[u8]) -> reqwest::Response {
    registry.request("PATCH", location).body(part.to_vec()).send().await.unwrap()
}

fn content(size: usize) -> Vec<u8> {
    (0..size).map(|i| (i * 31 % 251) as u8).collect()
}

/// What a store may be told about a new object.
const TOLD: [&str; 4] = [
    "x-amz-server-side-encryption",
    "x-amz-server-side-encryption-aws-kms-key-id",
    "x-amz-storage-class",
    "x-amz-acl",
];

// registry ST1 on S3: `encrypt`, `keyid`, `storageclass` and `objectacl`
#[tokio::test]
async fn a_bucket_is_told_how_to_keep_each_object_however_it_is_made() {
    for (more, told) in [
        ("", ["", "", "", ""]),
        ("encrypt: true", ["AES256", "", "", ""]),
        ("encrypt: true, keyid: key-1", ["aws:kms", "key-1", "", ""]),
        ("storageclass: REDUCED_REDUNDANCY", ["", "", "REDUCED_REDUNDANCY", ""]),
        ("objectacl: bucket-owner-full-control", ["", "", "", "bucket-owner-full-control"]),
    ] {
        let store = ObjectStore::start().await;
        let keys = format!("secure: false, accesskey: {ACCESS}, secretkey: {SECRET}, {more}");
        let registry = registry(&store, &keys).await;
        registry.push_image("n", "t").await;
        // More than one piece.
        registry.push_blob("n", &content(6_000_000)).await;
        let created = store.created();
        for (request, headers) in &created {
            let text = |name: &str| headers.get(name).map_or("", |value| value.to_str().unwrap());
            assert_eq!(TOLD.map(text), told, "{request} with {more}");
            assert!(text("authorization").contains("/us-east-1/s3/"), "{request}");
        }
        let count = |what: &str| created.iter().filter(|(request, _)| request.starts_with(what)).count();
        // A simple copy would get what is usual: it is made only where that is wanted.
        assert_eq!(store.copies() > 0, told[2..] == ["", ""], "{created:?}");
        assert!(count("PUT ") > 10 && count("POST ") > 0, "{created:?}");
    }
}

// registry D1 G2 G6 F12 on S3
#[tokio::test]
async fn a_bucket_changes_no_answer() {
    let store = ObjectStore::start().await;
    let registry = open(&store).await;
    push_pull_delete(&registry).await;
    registry.push_image("a/b", "t").await;
    let list = async |path: &str| registry.send("GET", path).await.text().await.unwrap();
    assert_eq!(list("/v2/a/b/tags/list").await, r#"{"name":"a/b","tags":["t"]}"#);
    assert!(list("/v2/_catalog").await.contains(r#""a/b""#));
    assert!(store.bucket().join("images/docker/registry/v2/repositories/a/b").is_dir());
}

// registry B3 B12 C1 C14 C23 on S3
#[tokio::test]
async fn blobs_go_in_and_out_of_a_bucket() {
    let store = ObjectStore::start().await;
    let registry = open(&store).await;
    let location = registry.begin("n").await;
    let empty = sha256(b"");
    assert_eq!(registry.status("PUT", &format!("{location}?digest={empty}")).await, 201);
    assert!(registry.send("GET", &format!("/v2/n/blobs/{empty}")).await.bytes().await.unwrap().is_empty());
    let bytes = content(12_000_000);
    let digest = registry.push_blob("n", &bytes).await;
    let get = registry.request("GET", &format!("/v2/n/blobs/{digest}"));
    let part = get.header("range", "bytes=4999990-5300000").send().await.unwrap();
    assert_eq!((part.status().as_u16(), header(&part, "content-length").as_str()), (206, "300011"));
    assert_eq!(part.bytes().await.unwrap(), bytes[4_999_990..=5_300_000]);
    let whole = registry.send("GET", &format!("/v2/n/blobs/{digest}")).await;
    assert!(whole.bytes().await.unwrap() == bytes);
    let location = registry.begin("n").await;
    patch(&registry, &location, b"other").await;
    refused(registry.send("PUT", &format!("{location}?digest={digest}")).await, 400, "DIGEST_INVALID").await;
    refused(registry.send("GET", &location).await, 404, "BLOB_UPLOAD_UNKNOWN").await;
    assert_eq!(store.unfinished(), Vec::<String>::new());
}

// registry C31 C37 ST5
#[tokio::test]
async fn chunks_of_any_size_are_joined_whichever_replica_takes_them() {
    let store = ObjectStore::start().await;
    let (one, two) = (open(&store).await, open(&store).await);
    let sizes = [1 << 20, 64 << 10, 100, 6 << 20, 3, 11 << 20, 1];
    let bytes = content(sizes.iter().sum());
    let location = one.begin("n").await;
    let mut rest = &bytes[..];
    for (round, size) in sizes.into_iter().enumerate() {
        let (part, after) = rest.split_at(size);
        let replica = if round % 2 == 0 { &one } else { &two };
        assert_eq!(patch(replica, &location, part).await.status(), 202);
        rest = after;
    }
    assert_eq!(header(&two.send("GET", &location).await, "range"), format!("0-{}", bytes.len() - 1));
    let digest = sha256(&bytes);
    assert_eq!(two.status("PUT", &format!("{location}?digest={digest}")).await, 201);
    assert!(one.send("GET", &format!("/v2/n/blobs/{digest}")).await.bytes().await.unwrap() == bytes);
    assert_eq!(store.unfinished(), Vec::<String>::new());
    let left = |part: &str| files_below(&store.bucket()).iter().filter(|f| f.contains(part)).count();
    assert_eq!((left("_uploads"), left("/data"), left("probes")), (0, 1, 0));
}

// registry C9 C35 on S3
#[tokio::test]
async fn a_long_stream_to_a_bucket_counts_as_a_whole_or_not_at_all() {
    let store = ObjectStore::start().await;
    let keys = format!("secure: false, accesskey: {ACCESS}, secretkey: {SECRET}");
    let s3 = format!(
        "{{region: r, bucket: {BUCKET}, regionendpoint: '{}', chunksize: 5242880, {keys}}}",
        store.address
    );
    let registry = Fixture::with(&format!("storage: {{s3: {s3}}}\nlimits: {{maxblobsize: 16000000}}")).await;
    long_streams(&registry).await;
    // Nothing is left beside.
    let left: Vec<_> =
        files_below(&store.bucket()).into_iter().filter(|file| file.contains("docker")).collect();
    assert_eq!(left.len(), 2, "{left:?}");
    assert_eq!(store.unfinished(), Vec::<String>::new());
}

// registry C38 LM1
#[tokio::test]
async fn an_upload_in_more_pieces_than_can_be_joined_is_refused_and_dropped() {
    let store = ObjectStore::start().await;
    let registry = open(&store).await;
    let location = registry.begin("n").await;
    let id = location.rsplit('/').next().unwrap();
    let data = format!("images/docker/registry/v2/repositories/n/_uploads/{id}/data");
    std::fs::create_dir(store.bucket().join(&data)).unwrap();
    std::fs::write(store.bucket().join(s3_pieces::key(&data, 0, s3_pieces::MOST - 2)), "abc").unwrap();
    assert_eq!(patch(&registry, &location, b"last").await.status(), 202);
    let body = refused(patch(&registry, &location, b"more").await, 413, "SIZE_INVALID").await;
    assert_eq!(body["errors"][0]["detail"]["pieces"], s3_pieces::MOST);
    refused(registry.send("GET", &location).await, 404, "BLOB_UPLOAD_UNKNOWN").await;
}

// registry C29 on S3
#[tokio::test]
async fn writers_on_one_session_never_mix_their_bytes() {
    let store = ObjectStore::start().await;
    let (one, two) = (open(&store).await, open(&store).await);
    for round in 0..5u8 {
        let location = one.begin("n").await;
        let bodies = [vec![round; 1000], vec![100 + round; 1000]];
        let (first, second) =
            tokio::join!(patch(&one, &location, &bodies[0]), patch(&two, &location, &bodies[1]));
        let won = [first.status(), second.status()].map(|status| status == 202);
        assert!(won[0] || won[1]);
        let kept: Vec<u8> = match won {
            [true, true] => continue,
            [first, _] => bodies[usize::from(!first)].clone(),
        };
        assert_eq!(one.status("PUT", &format!("{location}?digest={}", sha256(&kept))).await, 201);
    }
}

// registry C41
#[tokio::test]
async fn a_busy_store_is_asked_again_and_then_given_up_with_the_session_kept() {
    let store = ObjectStore::start().await;
    let registry = open(&store).await;
    let location = registry.begin("n").await;
    store.refuse(2);
    assert_eq!(patch(&registry, &location, b"abc").await.status(), 202);
    store.refuse(1000);
    let given_up = patch(&registry, &location, b"def").await;
    assert_eq!(header(&given_up, "retry-after"), "5");
    refused(given_up, 503, "UNAVAILABLE").await;
    store.refuse(0);
    assert_eq!(header(&registry.send("GET", &location).await, "range"), "0-2");
    assert_eq!(registry.status("PUT", &format!("{location}?digest={}", sha256(b"abc"))).await, 201);
}

// registry J9
#[tokio::test]
async fn a_store_that_refuses_us_is_unavailable() {
    let store = ObjectStore::start().await;
    let known = open(&store).await;
    let session = known.begin("n").await;
    assert_eq!(patch(&known, &session, b"abc").await.status(), 202);
    let s3 = format!("{{region: us-east-1, bucket: {BUCKET}, regionendpoint: '{}'", store.address);
    let keys = format!("rootdirectory: /images, secure: false, accesskey: {ACCESS}, secretkey: wrong-canary");
    let debug = "http: {debug: {addr: '127.0.0.1:0'}}";
    let refused_there = Fixture::with(&format!("storage: {{s3: {s3}, {keys}}}}}\n{debug}")).await;
    let blob = format!("/v2/n/blobs/{}", sha256(b"abc"));
    for (method, path) in [
        ("POST", "/v2/n/blobs/uploads/"),
        ("PATCH", session.as_str()),
        ("PUT", &format!("{session}?digest={}", sha256(b"abc"))),
        ("GET", &session),
        ("DELETE", &session),
        ("GET", &blob),
    ] {
        let asked = refused_there.request(method, path).body(if method == "PATCH" { "def" } else { "" });
        refused(asked.send().await.unwrap(), 503, "UNAVAILABLE").await;
    }
    let ready = format!("http://{}/readyz", refused_there.admin.unwrap());
    let ready = refused_there.client.get(ready).send().await.unwrap();
    assert_eq!(
        (ready.status().as_u16(), ready.text().await.unwrap().as_str()),
        (503, "the store does not answer\n")
    );
    // Whoever is let in finds it as it was.
    assert_eq!(header(&known.send("GET", &session).await, "range"), "0-2");
    assert_eq!(known.status("HEAD", &blob).await, 404);
    assert_eq!(known.status("PUT", &format!("{session}?digest={}", sha256(b"abc"))).await, 201);
}

// registry OB1 OB2 J9
#[tokio::test]
async fn a_store_that_does_not_answer_makes_the_server_unready_and_not_dead() {
    let store = ObjectStore::start().await;
    let s3 = format!(
        "{{region: r, bucket: {BUCKET}, regionendpoint: '{}', secure: false, accesskey: {ACCESS}, secretkey: {SECRET}}}",
        store.address
    );
    let debug = "http: {debug: {addr: '127.0.0.1:0'}}";
    let registry = Fixture::with(&format!("storage: {{s3: {s3}}}\n{debug}")).await;
    let probe = async |path: &str| {
        let url = format!("http://{}{path}", registry.admin.unwrap());
        registry.client.get(url).send().await.unwrap().status().as_u16()
    };
    assert_eq!((probe("/livez").await, probe("/readyz").await), (200, 200));
    store.refuse(1000);
    assert_eq!((probe("/livez").await, probe("/readyz").await), (200, 503));
    store.refuse(0);
    assert_eq!(probe("/readyz").await, 200);
}

// registry section 0 line 5, OB2: no list says so, and the answer to a HEAD has no room for it
#[tokio::test]
async fn a_bucket_that_is_gone_has_lost_nothing() {
    let store = ObjectStore::start().await;
    let s3 = format!(
        "{{region: r, bucket: {BUCKET}, regionendpoint: '{}', secure: false, accesskey: {ACCESS}, secretkey: {SECRET}}}",
        store.address
    );
    let debug = "http: {debug: {addr: '127.0.0.1:0'}}";
    for identity in ["", ", identity: one, initialize: true"] {
        let registry =
            Fixture::with(&format!("storage: {{delete: {{enabled: true}}, s3: {s3}{identity}}}\n{debug}"))
                .await;
        let ready = async || {
            let url = format!("http://{}/readyz", registry.admin.unwrap());
            let answer = registry.client.get(url).send().await.unwrap();
            (answer.status().as_u16(), answer.text().await.unwrap())
        };
        let (digest, layer, _) = registry.push_image("n", "t").await;
        let session = registry.begin("n").await;
        assert_eq!(ready().await, (200, "ok\n".to_owned()));
        let away = store.bucket().with_extension("away");
        std::fs::rename(store.bucket(), &away).unwrap();
        // A bucket may have been seen a moment ago.
        eventually(async || registry.status("HEAD", &format!("/v2/n/blobs/{layer}")).await == 503).await;
        assert_eq!(ready().await, (503, "the bucket of the store is gone\n".to_owned()));
        for (method, path) in [
            ("GET", format!("/v2/n/blobs/{layer}")),
            ("GET", format!("/v2/n/manifests/{digest}")),
            ("GET", "/v2/n/manifests/t".to_owned()),
            ("GET", "/v2/n/tags/list".to_owned()),
            ("GET", "/v2/_catalog".to_owned()),
            ("GET", format!("/v2/n/referrers/{digest}")),
            ("GET", session.clone()),
            ("POST", "/v2/n/blobs/uploads/".to_owned()),
            ("POST", format!("/v2/m/blobs/uploads/?mount={layer}&from=n")),
            ("PATCH", session.clone()),
            ("DELETE", session.clone()),
            ("DELETE", format!("/v2/n/blobs/{layer}")),
            ("DELETE", "/v2/n/manifests/t".to_owned()),
        ] {
            let answer = registry.request(method, &path).body(if method == "PATCH" { "abc" } else { "" });
            assert_eq!(answer.send().await.unwrap().status(), 503, "{method} {path} {identity}");
        }
        std::fs::rename(&away, store.bucket()).unwrap();
        assert_eq!(registry.status("GET", &format!("/v2/n/blobs/{layer}")).await, 200);
        assert_eq!(ready().await.0, 200);
    }
}

fn write(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

// registry CF5
#[tokio::test]
async fn keys_come_from_files() {
    let store = ObjectStore::start().await;
    let folder = tempfile::tempdir().unwrap();
    let access = write(folder.path(), "access", &format!("{ACCESS}\n"));
    let secret = write(folder.path(), "secret", &format!("{SECRET}\n"));
    let keys = format!("secure: false, accesskeyfile: '{access}', secretkeyfile: '{secret}'");
    registry(&store, &keys).await.push_image("n", "t").await;
}

#[tokio::test]
async fn a_bucket_is_spoken_to_over_tls_with_its_own_authority() {
    let (folder, authority, other) = (tempfile::tempdir().unwrap(), Authority::new(), Authority::new());
    let store = ObjectStore::with(Some(authority.acceptor())).await;
    let at = async |authority: &Authority| {
        let file = write(folder.path(), "ca", &authority.pem());
        registry(&store, &format!("cafile: '{file}', accesskey: {ACCESS}, secretkey: {SECRET}")).await
    };
    at(&authority).await.push_image("n", "t").await;
    refused(at(&other).await.send("GET", "/v2/n/tags/list").await, 503, "UNAVAILABLE").await;
}

// registry ST11
#[tokio::test]
async fn a_store_that_does_not_answer_at_the_start_is_waited_for_while_serving() {
    let store = ObjectStore::start().await;
    store.refuse(usize::MAX);
    let keys = format!("secure: false, accesskey: {ACCESS}, secretkey: {SECRET}");
    let s3 = format!("s3: {{region: r, bucket: {BUCKET}, regionendpoint: '{}', {keys}}}", store.address);
    for more in ["cache: {blobdescriptor: inmemory}", "identity: mine, initialize: true"] {
        store.refuse(usize::MAX);
        let storage = format!("storage: {{{more}, {s3}}}\nhttp: {{debug: {{addr: '127.0.0.1:0'}}}}");
        let registry = Fixture::with(&storage).await;
        let begin = async || registry.status("POST", "/v2/n/blobs/uploads/").await.as_u16();
        assert_eq!(begin().await, 503);
        store.refuse(0);
        eventually(async || begin().await == 202).await;
        registry.push_image("n", "t").await;
    }
}

// registry C19 C21 on S3
#[tokio::test]
async fn a_mount_in_a_bucket_moves_no_byte() {
    let store = ObjectStore::start().await;
    let registry = open(&store).await;
    let digest = registry.push_blob("m", &content(6_000_000)).await;
    let objects = || files_below(&store.bucket()).len();
    let before = (store.copies(), objects());
    for query in [format!("mount={digest}&from=m"), format!("mount={digest}")] {
        assert_eq!(registry.status("POST", &format!("/v2/n/blobs/uploads/?{query}")).await, 201);
    }
    // One link, and no copy.
    assert_eq!((store.copies(), objects()), (before.0, before.1 + 1));
    assert_eq!(registry.status("HEAD", &format!("/v2/n/blobs/{digest}")).await, 200);
}

// registry RC1 on S3
#[tokio::test]
async fn what_a_cache_knows_is_not_asked_of_the_bucket() {
    let store = ObjectStore::start().await;
    let asked = async |cache: &str| {
        let keys = format!("secure: false, accesskey: {ACCESS}, secretkey: {SECRET}");
        let s3 = format!("{{region: r, bucket: {BUCKET}, regionendpoint: '{}', {keys}}}", store.address);
        let registry = Fixture::with(&format!("storage: {{s3: {s3}{cache}}}")).await;
        registry.push_image("n", "t").await;
        registry.send("GET", "/v2/n/manifests/t").await;
        let before = store.requests();
        registry.send("GET", "/v2/n/manifests/t").await;
        store.requests() - before
    };
    // Where the tag leads to is asked each time; the manifest is not.
    assert_eq!(asked(", cache: {blobdescriptor: inmemory}").await, asked("").await - 1);
}
