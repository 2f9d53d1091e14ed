//! Sections 6 and 7: referrers, tags, catalog.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::fixture::{Fixture, OCI_INDEX, OCI_MANIFEST, header, image, refused, sha256};

const EMPTY: &str = r#"{"schemaVersion":2,"manifests":[]}"#;

async fn get(registry: &Fixture, path: &str) -> (Value, String) {
    let response = registry.send("GET", path).await;
    assert_eq!(response.status(), 200, "{path}");
    let link = header(&response, "link");
    (serde_json::from_str(&response.text().await.unwrap()).unwrap(), link)
}

// registry H1 H3 H4 H5 H6 H7 H8 H10
#[tokio::test]
async fn referrers_are_listed_filtered_and_taken_off() {
    let registry = Fixture::new().await;
    let subject = sha256(b"subject");
    let path = format!("/v2/n/referrers/{subject}");
    let want = serde_json::json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": []});
    let (_, _, plain) = registry.push_image("known", "t").await;
    // Without a subject nothing is said of one.
    let answer = registry.put_manifest("known", "u", OCI_MANIFEST, plain).await;
    assert_eq!((answer.status().as_u16(), answer.headers().get("oci-subject")), (201, None));
    for name in ["n", "known"] {
        for filter in ["", "?artifactType=a/sbom%2Bjson"] {
            let empty = registry.send("GET", &format!("/v2/{name}/referrers/{subject}{filter}")).await;
            assert_eq!(empty.status(), 200);
            assert_eq!(header(&empty, "content-type"), OCI_INDEX);
            let applied = header(&empty, "oci-filters-applied");
            assert_eq!(applied, if filter.is_empty() { "" } else { "artifactType" });
            assert_eq!(serde_json::from_str::<Value>(&empty.text().await.unwrap()).unwrap(), want);
        }
    }

    let config = registry.push_blob("n", b"{}").await;
    let more = format!(
        r#","artifactType":"a/sbom+json","annotations":{{"k":"v","a/b":"","c":"\u00e4"}},"subject":{{"digest":"{subject}","size":1,"mediaType":"x"}}"#
    );
    let one = image(&config, &[], &more);
    let two = image(&config, &[], &more.replace(r#""artifactType":"a/sbom+json","#, ""));
    let three = format!(
        r#"{{"schemaVersion":2,"mediaType":"{OCI_INDEX}","manifests":[],"subject":{{"digest":"{subject}","size":1,"mediaType":"x"}}}}"#
    );
    let more = r#""artifactType":"a/index","annotations":{"of":"an index","e":""},"manifests""#;
    let four = three.replace(r#""manifests""#, more);
    for (kind, bytes) in [(OCI_MANIFEST, &one), (OCI_MANIFEST, &two), (OCI_INDEX, &three), (OCI_INDEX, &four)]
    {
        let response = registry.put_manifest("n", &sha256(bytes.as_bytes()), kind, bytes.clone()).await;
        assert_eq!((response.status().as_u16(), header(&response, "oci-subject")), (201, subject.clone()));
    }
    let (list, _) = get(&registry, &path).await;
    let entry = |bytes: &str| {
        let digest = sha256(bytes.as_bytes());
        list["manifests"].as_array().unwrap().iter().find(|m| m["digest"] == digest).unwrap().clone()
    };
    assert_eq!(entry(&one)["artifactType"], "a/sbom+json");
    assert_eq!(entry(&one)["annotations"], serde_json::json!({"k": "v", "a/b": "", "c": "ä"}));
    assert_eq!(entry(&one)["size"], one.len());
    assert_eq!(entry(&two)["artifactType"], "application/x");
    assert_eq!(entry(&three).get("artifactType"), None);
    assert_eq!(entry(&four)["artifactType"], "a/index");
    assert_eq!(entry(&four)["annotations"], serde_json::json!({"of": "an index", "e": ""}));

    assert_eq!(header(&registry.send("GET", &path).await, "oci-filters-applied"), "");
    for (filter, found) in [("a/none", 0), ("application/x", 1)] {
        let filtered = registry.send("GET", &format!("{path}?artifactType={filter}")).await;
        assert_eq!(header(&filtered, "oci-filters-applied"), "artifactType");
        let filtered: Value = serde_json::from_str(&filtered.text().await.unwrap()).unwrap();
        assert_eq!(filtered["manifests"].as_array().unwrap().len(), found);
    }
    for filter in ["a/sbom+json", "a%2Fsbom%2Bjson"] {
        let filtered = registry.send("GET", &format!("{path}?artifactType={filter}")).await;
        assert_eq!(header(&filtered, "oci-filters-applied"), "artifactType");
        let filtered: Value = serde_json::from_str(&filtered.text().await.unwrap()).unwrap();
        assert_eq!(filtered["manifests"].as_array().unwrap().len(), 1);
    }
    assert_eq!(registry.status("DELETE", &format!("/v2/n/manifests/{}", sha256(one.as_bytes()))).await, 202);
    assert_eq!(get(&registry, &path).await.0["manifests"].as_array().unwrap().len(), 3);
}

// registry H10
#[tokio::test]
async fn a_referrer_that_is_deleted_is_gone_from_the_list_of_every_replica() {
    let cache = "delete: {enabled: true}, cache: {blobdescriptor: inmemory}";
    let one = Fixture::with(&format!("storage: {{{cache}}}")).await;
    let same = format!("storage: {{{cache}, filesystem: {{rootdirectory: '{}'}}}}", one.store().display());
    let two = Fixture::with(&same).await;
    let subject = sha256(b"subject");
    let path = format!("/v2/n/referrers/{subject}");
    let more = format!(r#"{{"digest":"{subject}","size":1,"mediaType":"x"}}"#);
    for round in 0..10 {
        let index = format!(
            r#"{{"schemaVersion":2,"manifests":[],"subject":{more},"annotations":{{"round":"{round}"}}}}"#
        );
        let digest = sha256(index.as_bytes());
        assert_eq!(one.put_manifest("n", &digest, OCI_INDEX, index).await.status(), 201);
        for (replica, listed) in [(&one, 1), (&two, 1)] {
            assert_eq!(get(replica, &path).await.0["manifests"].as_array().unwrap().len(), listed);
        }
        assert_eq!(one.status("DELETE", &format!("/v2/n/manifests/{digest}")).await, 202);
        for replica in [&two, &one] {
            assert_eq!(get(replica, &path).await.0["manifests"], serde_json::json!([]));
        }
    }
}

// registry H13: a digest that is longer than a tag can be is cut
#[tokio::test]
async fn referrers_that_old_clients_keep_by_sha512_are_listed_and_follow_their_tag() {
    let registry = Fixture::new().await;
    let subject = crate::fixture::sha512(b"subject");
    let (path, tag) = (format!("/v2/n/referrers/{subject}"), subject.replace(':', "-")[..71].to_owned());
    let one = |content: &str, kind: &str| {
        let digest = sha256(content.as_bytes());
        format!(r#"{{"digest":"{digest}","size":1,"mediaType":"{OCI_MANIFEST}","artifactType":"{kind}"}}"#)
    };
    let index = |entries: &[String]| format!(r#"{{"schemaVersion":2,"manifests":[{}]}}"#, entries.join(","));
    let all = [one("a", "a/sbom"), one("b", "a/signature")];
    for (entries, listed, of_one_kind) in [(&all[..], 2, 1), (&all[1..], 1, 0)] {
        assert_eq!(registry.put_manifest("n", &tag, OCI_INDEX, index(entries)).await.status(), 201);
        for (filter, wanted) in [("", listed), ("?artifactType=a/sbom", of_one_kind)] {
            let list = get(&registry, &format!("{path}{filter}")).await.0;
            assert_eq!(list["manifests"].as_array().unwrap().len(), wanted, "{list}");
        }
    }
}

// registry H13
#[tokio::test]
async fn referrers_of_old_clients_are_listed() {
    let registry = Fixture::new().await;
    let subject = sha256(b"subject");
    let index = format!(
        r#"{{"schemaVersion":2,"manifests":[{{"digest":"{}","size":1,"mediaType":"{OCI_MANIFEST}"}}]}}"#,
        sha256(b"old")
    );
    let tag = subject.replace(':', "-");
    registry.put_manifest("n", &tag, OCI_INDEX, index).await;
    let (list, _) = get(&registry, &format!("/v2/n/referrers/{subject}")).await;
    assert_eq!(list["manifests"][0]["digest"], sha256(b"old"));
    // One that is known in both ways is listed once, and stays when the old client's tag goes.
    let config = registry.push_blob("n", b"{}").await;
    let more = format!(r#","subject":{{"digest":"{subject}","size":1,"mediaType":"x"}}"#);
    let both = image(&config, &[], &more);
    let digest = sha256(both.as_bytes());
    registry.put_manifest("n", &digest, OCI_MANIFEST, both).await;
    let descriptor =
        |digest: &str| format!(r#"{{"digest":"{digest}","size":1,"mediaType":"{OCI_MANIFEST}"}}"#);
    let index = format!(
        r#"{{"schemaVersion":2,"manifests":[{},{}]}}"#,
        descriptor(&sha256(b"old")),
        descriptor(&digest)
    );
    registry.put_manifest("n", &tag, OCI_INDEX, index).await;
    let path = format!("/v2/n/referrers/{subject}");
    assert_eq!(get(&registry, &path).await.0["manifests"].as_array().unwrap().len(), 2);
    assert_eq!(registry.status("DELETE", &format!("/v2/n/manifests/{tag}")).await, 202);
    let left = get(&registry, &path).await.0;
    assert_eq!(
        (left["manifests"].as_array().unwrap().len(), &left["manifests"][0]["digest"]),
        (1, &digest.into())
    );
}

// registry H11
#[tokio::test]
async fn a_long_list_of_referrers_has_pages() {
    let registry = Fixture::new().await;
    let (subject, config) = (sha256(b"subject"), registry.push_blob("n", b"{}").await);
    for i in 0..3 {
        let note = format!("{i}{}", "x".repeat(1_500_000));
        let more = format!(
            r#","annotations":{{"k":"{note}"}},"subject":{{"digest":"{subject}","size":1,"mediaType":"x"}}"#
        );
        assert_eq!(
            registry
                .put_manifest("n", &format!("t{i}"), OCI_MANIFEST, image(&config, &[], &more))
                .await
                .status(),
            201
        );
    }
    let (mut path, mut pages, mut seen) =
        (format!("/v2/n/referrers/{subject}?artifactType=application/x"), 0, BTreeSet::new());
    loop {
        let response = registry.send("GET", &path).await;
        assert_eq!(header(&response, "content-type"), OCI_INDEX);
        assert_eq!(header(&response, "oci-filters-applied"), "artifactType");
        let (link, text) = (header(&response, "link"), response.text().await.unwrap());
        assert!(text.len() < 4 << 20, "{} bytes", text.len());
        let list: Value = serde_json::from_str(&text).unwrap();
        assert_eq!((&list["schemaVersion"], &list["mediaType"]), (&2.into(), &OCI_INDEX.into()));
        let digests = list["manifests"].as_array().unwrap().iter().map(|m| m["digest"].to_string());
        for digest in digests {
            assert!(seen.insert(digest), "it is on two pages");
        }
        pages += 1;
        if link.is_empty() {
            break;
        }
        path = link[1..].split('>').next().unwrap().to_owned();
        assert!(path.contains("artifactType=application") && link.ends_with(">; rel=\"next\""), "{link}");
    }
    assert_eq!((pages, seen.len()), (2, 3));
}

// registry F1 F2 F3 F5 F7 F9 F10
#[tokio::test]
async fn tags_are_listed_in_pages() {
    let registry = Fixture::new().await;
    let index = r#"{"schemaVersion":2,"manifests":[]}"#;
    for tag in ["b", "a", "Z", "_x", "1", "a.b", "ab", "a-b"] {
        registry.put_manifest("n", tag, OCI_INDEX, index).await;
    }
    let (list, link) = get(&registry, "/v2/n/tags/list").await;
    let sorted = serde_json::json!({"name": "n", "tags": ["1", "Z", "_x", "a", "a-b", "a.b", "ab", "b"]});
    assert_eq!((list, link.as_str()), (sorted.clone(), ""));
    let (list, link) = get(&registry, "/v2/n/tags/list?n=0").await;
    assert_eq!((list, link.as_str()), (serde_json::json!({"name": "n", "tags": []}), ""));
    assert_eq!(get(&registry, "/v2/n/tags/list?last=ab").await.0["tags"], serde_json::json!(["b"]));
    for n in ["-1", "abc", "1e3", "99999999999999999999", "", "%2B5"] {
        for path in ["/v2/n/tags/list", "/v2/_catalog"] {
            let error = registry.send("GET", &format!("{path}?n={n}")).await;
            let error = refused(error, 400, "UNSUPPORTED").await;
            assert_eq!(error["errors"][0]["detail"]["parameter"], "n", "{path} {n}");
        }
    }
    // Nothing follows a last page that is full.
    let (list, link) = get(&registry, "/v2/n/tags/list?n=4&last=_x&x=y%26z").await;
    assert_eq!(list["tags"], serde_json::json!(["a", "a-b", "a.b", "ab"]));
    assert!(link.contains("x=y%26z") && link.contains("last=ab"), "{link}");
    let (list, link) = get(&registry, "/v2/n/tags/list?n=4&last=a").await;
    assert_eq!((list["tags"].as_array().unwrap().len(), link.as_str()), (4, ""));
    // One that is not there is a place all the same.
    assert_eq!(get(&registry, "/v2/n/tags/list?last=aa").await.0["tags"], serde_json::json!(["ab", "b"]));
    let (mut path, mut all) = ("/v2/n/tags/list?n=3&x=y".to_owned(), Vec::new());
    loop {
        let (page, link) = get(&registry, &path).await;
        all.extend(page["tags"].as_array().unwrap().clone());
        let Some((next, _)) = link.strip_prefix('<').and_then(|l| l.split_once(">; rel=\"next\"")) else {
            break;
        };
        for kept in ["n=3", "x=y"] {
            assert!(next.split(['?', '&']).any(|part| part == kept), "{link}");
        }
        assert_eq!(page["tags"].as_array().unwrap().len(), 3);
        path = next.to_owned();
    }
    assert_eq!(Value::from(all), sorted["tags"]);
}

// registry F11
#[tokio::test]
async fn a_repository_without_tags_is_still_known() {
    let registry = Fixture::new().await;
    registry.push_image("n", "t").await;
    registry.send("DELETE", "/v2/n/manifests/t").await;
    assert_eq!(get(&registry, "/v2/n/tags/list").await.0["tags"], serde_json::json!([]));
    for query in ["", "?n=0", "?n=5&last=a"] {
        refused(registry.send("GET", &format!("/v2/never/tags/list{query}")).await, 404, "NAME_UNKNOWN")
            .await;
    }
    let (digest, layer, _) = registry.push_image("n", "t").await;
    for path in [format!("manifests/{digest}"), format!("blobs/{layer}"), format!("blobs/{}", sha256(b"{}"))]
    {
        assert_eq!(registry.status("DELETE", &format!("/v2/n/{path}")).await, 202, "{path}");
    }
    refused(registry.send("GET", "/v2/n/tags/list").await, 404, "NAME_UNKNOWN").await;
    assert_eq!(get(&registry, "/v2/_catalog").await.0["repositories"], serde_json::json!([]));
}

// registry F3
#[tokio::test]
async fn a_page_is_never_longer_than_the_maximum() {
    let registry = Fixture::with("storage: {inmemory: {}}").await;
    let (digest, bytes) = (sha256(EMPTY.as_bytes()), EMPTY);
    for fifty in 0..24 {
        let tags: Vec<String> = (0..50).map(|i| format!("tag=t{:04}", fifty * 50 + i)).collect();
        let path = format!("{digest}?{}", tags.join("&"));
        assert_eq!(registry.put_manifest("n", &path, OCI_INDEX, bytes).await.status(), 201);
    }
    let (page, link) = get(&registry, "/v2/n/tags/list?n=5000000000").await;
    assert_eq!(page["tags"].as_array().unwrap().len(), 1000);
    let rest = get(&registry, link[1..].split('>').next().unwrap()).await;
    assert_eq!((rest.0["tags"].as_array().unwrap().len(), rest.1.as_str()), (200, ""));
    // Old clients ignore the link: without n they get everything.
    assert_eq!(get(&registry, "/v2/n/tags/list").await.0["tags"].as_array().unwrap().len(), 1200);
}

// registry F3, §1: old clients ignore the link, so without n they get as much as a page can hold
#[tokio::test]
async fn a_list_without_n_is_whole_up_to_ten_thousand_tags() {
    let registry = Fixture::new().await;
    let (digest, _, _) = registry.push_image("n", "t00000").await;
    let tags = registry.store().join("docker/registry/v2/repositories/n/_manifests/tags");
    // As pushes write them, without waiting for so many.
    let write = |tag: usize| {
        let folder = tags.join(format!("t{tag:05}"));
        let index = folder.join(format!("index/{}", digest.replace(':', "/")));
        for at in [folder.join("current"), index] {
            std::fs::create_dir_all(&at).unwrap();
            std::fs::write(at.join("link"), &digest).unwrap();
        }
    };
    (1..10_000).for_each(write);
    let (page, link) = get(&registry, "/v2/n/tags/list").await;
    assert_eq!((page["tags"].as_array().unwrap().len(), link.as_str()), (10_000, ""));
    write(10_000);
    let (page, link) = get(&registry, "/v2/n/tags/list").await;
    assert_eq!((page["tags"].as_array().unwrap().len(), &page["tags"][9_999]), (10_000, &"t09999".into()));
    let next = link.strip_prefix('<').and_then(|link| link.strip_suffix(">; rel=\"next\"")).unwrap();
    let (rest, link) = get(&registry, next).await;
    assert_eq!((&rest["tags"], link.as_str()), (&serde_json::json!(["t10000"]), ""));
}

// registry E7 F12
#[tokio::test]
async fn the_catalog_does_not_leave_the_store() {
    let registry = Fixture::new().await;
    for name in ["a", "a/b", "n"] {
        registry.push_blob(name, b"x").await;
    }
    let all = serde_json::json!(["a", "a/b", "n"]);
    let up = "../".repeat(5);
    // Beside the store: something that looks like a repository, and something that cannot be read as a folder.
    let beside = registry.folder.path().join("canary");
    let link = format!("c/_layers/sha256/{}", sha256(b"x").replace("sha256:", ""));
    std::fs::create_dir_all(beside.join(link)).unwrap();
    std::fs::write(registry.folder.path().join("file"), "x").unwrap();
    let long = "0".repeat(300);
    for last in [
        "..",
        ".",
        "%2e%2e%2f",
        "%00",
        &long,
        &up,
        &format!("{up}canary"),
        &format!("{up}canary/"),
        &format!("{up}file/"),
        &format!("{up}proc/1"),
        &format!("a/../{up}canary")[2..],
    ] {
        let (list, link) = get(&registry, &format!("/v2/_catalog?last={last}")).await;
        assert_eq!((&list["repositories"], link.as_str()), (&all, ""), "after {last}");
    }
    let (list, _) = get(&registry, &format!("/v2/_catalog?last=a/../{up}canary")).await;
    assert_eq!(list["repositories"], serde_json::json!(["a/b", "n"]));
    for path in ["n/tags/list", &format!("n/referrers/{}", sha256(b"x"))] {
        assert_eq!(registry.status("GET", &format!("/v2/{path}?last={up}canary")).await, 200);
        assert_eq!(registry.status("GET", &format!("/v2/{path}?last=%00{long}")).await, 200);
    }
}

// registry F12
#[tokio::test]
async fn the_catalog_is_sorted_paged_and_complete() {
    let registry = Fixture::new().await;
    for name in ["a/b/c", "b", "a", "a/b"] {
        registry.push_blob(name, b"x").await;
    }
    let (page, link) = get(&registry, "/v2/_catalog?n=3").await;
    assert_eq!(page["repositories"], serde_json::json!(["a", "a/b", "a/b/c"]));
    let next = link[1..].split('>').next().unwrap();
    assert_eq!(get(&registry, next).await.0["repositories"], serde_json::json!(["b"]));
}

// registry E7 F12
#[tokio::test]
async fn folders_that_can_be_no_repository_are_passed_by() {
    let registry = Fixture::new().await;
    for name in ["a", "b"] {
        registry.push_blob(name, b"x").await;
    }
    let repositories = registry.store().join("docker/registry/v2/repositories");
    let deep = vec!["x".repeat(200); 9].join("/");
    for stray in [&deep, "lost+found/x", "a/UPPER/x", "a/.hidden/x"] {
        std::fs::create_dir_all(repositories.join(stray)).unwrap();
    }
    for last in ["", "?last=x", "?last=a"] {
        let (list, _) = get(&registry, &format!("/v2/_catalog{last}")).await;
        let wanted = if last.is_empty() {
            vec!["a", "b"]
        } else if last == "?last=a" {
            vec!["b"]
        } else {
            vec![]
        };
        assert_eq!(list["repositories"], serde_json::json!(wanted), "{last}");
    }
}
