//! One contract for every store.

#![expect(clippy::unwrap_used, reason = "a test may stop at once")]

use std::{
    fs::File,
    sync::Arc,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use object_store::{ACCESS, BUCKET, ObjectStore, SECRET};
use registry_server::storage::{
    backend::Backend,
    error::StorageError,
    fs::Filesystem,
    measured::Measured,
    memory::Memory,
    s3::S3,
    s3_client::{Encryption, Options},
    s3_pieces,
};

mod object_store;

fn bucket(store: &ObjectStore) -> S3 {
    S3::new(&options(store)).unwrap()
}

fn options(store: &ObjectStore) -> Options {
    Options {
        endpoint: Some(format!("http://{}", store.address)),
        public_endpoint: None,
        region: "us-east-1".into(),
        bucket: BUCKET.into(),
        root: "/".into(),
        path_style: true,
        keys: Some((ACCESS.into(), SECRET.into())),
        authorities: None,
        encryption: Encryption::None,
        storage_class: None,
        acl: None,
        piece: 5 << 20,
    }
}

async fn every<F: Future<Output = ()>>(contract: impl Fn(Arc<dyn Backend>) -> F) {
    contract(Arc::new(Memory::default())).await;
    let folder = tempfile::tempdir().unwrap();
    contract(Arc::new(Filesystem::open(folder.path()).unwrap())).await;
    let store = ObjectStore::start().await;
    contract(Arc::new(bucket(&store))).await;
    assert_eq!(store.unfinished(), Vec::<String>::new());
}

async fn all(store: &dyn Backend, key: &str, range: std::ops::Range<u64>) -> Vec<u8> {
    let stream = store.stream(key, range).await.unwrap().unwrap();
    stream.try_collect::<Vec<Bytes>>().await.unwrap().concat()
}

async fn appended(store: &dyn Backend, key: &str, range: std::ops::Range<u64>) -> Vec<u8> {
    let stream = store.stream_appended(key, range).await.unwrap().unwrap();
    stream.try_collect::<Vec<Bytes>>().await.unwrap().concat()
}

#[tokio::test]
async fn what_is_put_is_read_replaced_and_deleted() {
    every(async |store: Arc<dyn Backend>| {
        assert_eq!(store.read("a/b").await.unwrap(), None);
        assert_eq!(store.stat("a/b").await.unwrap(), None);
        assert!(store.stream("a/b", 0..0).await.unwrap().is_none());
        store.put("a/b", Bytes::from_static(b"one")).await.unwrap();
        store.put("a/b", Bytes::from_static(b"second")).await.unwrap();
        assert_eq!(store.stat("a/b").await.unwrap(), Some(6));
        assert_eq!(store.stat("a").await.unwrap(), None);
        assert_eq!(store.stat("a/b/c").await.unwrap(), None);
        assert_eq!(store.read("a/b").await.unwrap().unwrap(), "second");
        assert_eq!(all(&*store, "a/b", 1..4).await, b"eco");
        assert!(store.delete("a/b").await.unwrap());
        assert!(!store.delete("a/b").await.unwrap());
        assert_eq!(store.read("a/b").await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn large_objects_are_streamed_whole() {
    every(async |store: Arc<dyn Backend>| {
        let bytes: Vec<u8> = (0..1_000_000u32).map(|i| (i % 239) as u8).collect();
        store.put("big", bytes.clone().into()).await.unwrap();
        assert_eq!(all(&*store, "big", 0..1_000_000).await, bytes);
        assert_eq!(all(&*store, "big", 300_000..900_001).await, bytes[300_000..900_001]);
    })
    .await;
}

#[tokio::test]
async fn an_append_must_start_where_the_object_ends() {
    every(async |store: Arc<dyn Backend>| {
        let append = async |offset, text: &'static str| {
            store.append("u/data", offset, Bytes::from_static(text.as_bytes())).await
        };
        assert!(matches!(append(3, "x").await, Err(StorageError::Conflict { .. })));
        assert_eq!(store.appended("u/data", 0).await.unwrap(), None);
        append(0, "abc").await.unwrap();
        append(3, "def").await.unwrap();
        for offset in [0, 3, 7] {
            assert!(matches!(append(offset, "x").await, Err(StorageError::Conflict { .. })), "{offset}");
        }
        assert_eq!(store.appended("u/data", 0).await.unwrap(), Some(6));
        assert_eq!(appended(&*store, "u/data", 0..6).await, b"abcdef");
        assert_eq!(appended(&*store, "u/data", 2..5).await, b"cde");
        assert!(store.stream_appended("none", 0..1).await.unwrap().is_none());
    })
    .await;
}

// registry ST1
#[tokio::test]
async fn only_what_is_there_can_be_made_safe_in_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let store = Filesystem::open(folder.path()).unwrap();
    assert!(matches!(store.sync("u/data").await, Err(StorageError::Missing { .. })));
    store.append("u/data", 0, Bytes::from_static(b"abc")).await.unwrap();
    store.sync("u/data").await.unwrap();
}

// registry ST1 GC8: files of writes whose process was killed, and nothing else
#[tokio::test]
async fn what_killed_writes_have_left_is_removed_when_it_is_old() {
    const OURS: &str = ".7b1d1c3a-8a0c-4f6e-9a51-1f0c8de5a111.tmp";
    let folder = tempfile::tempdir().unwrap();
    let store = Measured(Arc::new(Filesystem::existing(folder.path())));
    let moment = SystemTime::now() - Duration::from_secs(3600);
    let write = |path: String, age: u64| {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let file = File::create(&path).unwrap();
        file.set_modified(moment - Duration::from_secs(age)).unwrap();
        path
    };
    let left = [write(format!("d/{OURS}"), 9), write(format!("d/a/b/{OURS}"), 9)];
    let kept = [
        write(format!("other/{OURS}"), 9),
        write(format!("d/c/{OURS}"), 0),
        write(format!("d/{OURS}.tmp/data"), 9),
        write(format!("d/a/{}", &OURS[1..]), 9),
        write(format!("d/a/{}", OURS.trim_end_matches(".tmp")), 9),
        write(format!("d/a/{}", OURS.replace('-', "")), 9),
        write("d/a/.nfs0001.tmp".to_owned(), 9),
        write("d/a/link".to_owned(), 9),
    ];
    for (dry_run, there, removed) in [(true, true, 2), (false, false, 2), (false, false, 0)] {
        assert_eq!(store.remove_left("d", moment, dry_run).await.unwrap(), removed);
        assert!(left.iter().all(|path| path.exists() == there), "{dry_run}");
        assert!(kept.iter().all(|path| path.exists()), "{kept:?}");
    }
    assert_eq!(store.remove_left("missing", moment, false).await.unwrap(), 0);
}

// registry GC8: a folder that even root cannot open, because its path is too long
#[tokio::test]
async fn a_folder_that_cannot_be_read_keeps_no_other_from_being_cleaned() {
    const OURS: &str = ".7b1d1c3a-8a0c-4f6e-9a51-1f0c8de5a111.tmp";
    let folder = tempfile::tempdir().unwrap();
    let store = Filesystem::existing(folder.path());
    let deep = |top: &str| folder.path().join(format!("{top}{}", format!("/{}", "x".repeat(250)).repeat(9)));
    for top in ["d/m", "other"] {
        std::fs::create_dir_all(deep(top)).unwrap();
    }
    std::fs::rename(folder.path().join("other"), deep("d/m").join("other")).unwrap();
    let moment = SystemTime::now() - Duration::from_secs(3600);
    for place in ["d/a", "d/m", "d/z"] {
        std::fs::create_dir_all(folder.path().join(place)).unwrap();
        let file = File::create(folder.path().join(place).join(OURS)).unwrap();
        file.set_modified(moment - Duration::from_secs(9)).unwrap();
    }
    assert_eq!(store.remove_left("d", moment, false).await.unwrap(), 3);
}

#[test]
fn a_link_that_leads_nowhere_is_no_folder_for_a_store() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("root");
    std::os::unix::fs::symlink(folder.path().join("gone"), &root).unwrap();
    assert!(Filesystem::open(&root).is_err());
    std::fs::create_dir(folder.path().join("gone")).unwrap();
    assert!(Filesystem::open(&root).is_ok());
}

// registry G3 G8
#[tokio::test]
async fn folders_may_be_made_and_removed_at_once() {
    every(async |store: Arc<dyn Backend>| {
        let write = async || {
            for _ in 0..100 {
                store.put("n/a/b/link", Bytes::from_static(b"x")).await.unwrap();
            }
        };
        let remove = async || {
            for _ in 0..100 {
                store.delete("n/a").await.unwrap();
            }
        };
        tokio::join!(write(), write(), remove(), remove());
    })
    .await;
}

// registry C31
#[tokio::test]
async fn of_two_writers_at_one_place_one_wins() {
    every(async |store: Arc<dyn Backend>| {
        for round in 0..20 {
            let key = format!("u{round}/data");
            let (one, two) = tokio::join!(
                store.append(&key, 0, Bytes::from(vec![b'1'; 1000])),
                store.append(&key, 0, Bytes::from(vec![b'2'; 1000]))
            );
            assert!(one.is_ok() != two.is_ok());
            let bytes = appended(&*store, &key, 0..1000).await;
            assert_eq!(bytes, vec![if one.is_ok() { b'1' } else { b'2' }; 1000]);
        }
    })
    .await;
}

#[tokio::test]
async fn a_commit_moves_exactly_what_was_seen() {
    every(async |store: Arc<dyn Backend>| {
        assert!(matches!(store.commit("u", "b/data", 1).await, Err(StorageError::Missing { .. })));
        store.append("u", 0, Bytes::from_static(b"abc")).await.unwrap();
        assert!(matches!(store.commit("u", "b/data", 2).await, Err(StorageError::Conflict { .. })));
        store.commit("u", "b/data", 3).await.unwrap();
        assert_eq!(store.appended("u", 0).await.unwrap(), None);
        assert_eq!(store.read("b/data").await.unwrap().unwrap(), "abc");
        for (offset, text) in [(0, "de"), (2, "fg"), (4, "h")] {
            store.append("u", offset, Bytes::from_static(text.as_bytes())).await.unwrap();
        }
        store.commit("u", "b/data", 5).await.unwrap();
        assert_eq!(store.read("b/data").await.unwrap().unwrap(), "defgh");
        assert_eq!(store.appended("u", 0).await.unwrap(), None);
    })
    .await;
}

// registry section 0 line 5
#[tokio::test]
async fn in_a_folder_that_is_gone_nothing_is_missing() {
    let parent = tempfile::tempdir().unwrap();
    let (root, away) = (parent.path().join("root"), parent.path().join("away"));
    let store = Filesystem::open(&root).unwrap();
    store.append("u", 0, Bytes::from_static(b"abc")).await.unwrap();
    std::fs::rename(&root, &away).unwrap();
    let gone = |error: Option<StorageError>| {
        assert!(matches!(error, Some(StorageError::Unavailable { .. })), "{error:?}");
    };
    gone(store.there().await.err());
    gone(store.stat("u").await.err());
    gone(store.read("u").await.err());
    gone(store.stream("u", 0..1).await.err());
    gone(store.put("a", Bytes::new()).await.err());
    gone(store.append("u", 0, Bytes::from_static(b"x")).await.err());
    gone(store.append("u", 3, Bytes::from_static(b"x")).await.err());
    gone(store.sync("u").await.err());
    gone(store.appended("u", 0).await.err());
    gone(store.stream_appended("u", 0..1).await.err());
    gone(store.commit("u", "b", 3).await.err());
    gone(store.list("a").await.err());
    gone(store.folders("a", "", 1).await.err());
    gone(store.delete("u").await.err());
    assert!(!root.exists());
    std::fs::rename(&away, &root).unwrap();
    store.commit("u", "b", 3).await.unwrap();
}

// registry F10
#[tokio::test]
async fn a_list_has_the_direct_children_in_order() {
    every(async |store: Arc<dyn Backend>| {
        for name in ["a", "a.b", "ab", "a-b", "Z"] {
            store.put(&format!("t/{name}/current/link"), Bytes::from_static(b"x")).await.unwrap();
        }
        assert_eq!(store.list("t").await.unwrap(), ["Z", "a", "a-b", "a.b", "ab"]);
        assert_eq!(store.list("t/a").await.unwrap(), ["current"]);
        assert_eq!(store.list("none").await.unwrap(), Vec::<String>::new());
        assert!(store.delete("t/a").await.unwrap());
        assert_eq!(store.list("t").await.unwrap(), ["Z", "a-b", "a.b", "ab"]);
    })
    .await;
}

// registry F9 F10 F13
#[tokio::test]
async fn folders_come_in_pages_and_in_order() {
    every(async |store: Arc<dyn Backend>| {
        let names = ["Z", "a", "a-b", "a-b-c", "a-b.c", "a.b", "a.b.c", "ab", "b-1-2", "b-1.x", "b_"];
        for name in names {
            store.put(&format!("t/{name}/current/link"), Bytes::from_static(b"x")).await.unwrap();
        }
        store.put("t/aa", Bytes::from_static(b"no folder")).await.unwrap();
        for after in ["", "a", "a-", "a-a", "a-b", "a-b-c", "aa", "b", "b-1", "b-1-2", "c"] {
            for most in 1..=names.len() + 1 {
                let found = store.folders("t", after, most).await.unwrap();
                let wanted: Vec<_> = names.into_iter().filter(|name| *name > after).take(most).collect();
                assert_eq!(found, wanted, "{most} after {after:?}");
            }
        }
        assert_eq!(store.folders("none", "", 1).await.unwrap(), Vec::<String>::new());
    })
    .await;
}

// registry E7
#[tokio::test]
async fn a_key_that_leads_elsewhere_or_can_be_no_file_is_refused() {
    let long = "x".repeat(256);
    let deep = ["x"; 600].join("/");
    for bad in ["", "/", "/a", "a/", "a//b", ".", "..", "a/../b", "../a", "a/.", "a\0b", &long, &deep] {
        every(async |store: Arc<dyn Backend>| {
            let x = || Bytes::from_static(b"x");
            store.put("good", x()).await.unwrap();
            store.append("up", 0, x()).await.unwrap();
            let refused = |error: Option<StorageError>| {
                assert!(matches!(error, Some(StorageError::Key { .. })), "{bad:?}: {error:?}");
            };
            refused(store.stat(bad).await.err());
            refused(store.read(bad).await.err());
            refused(store.stream(bad, 0..1).await.err());
            refused(store.put(bad, x()).await.err());
            refused(store.append(bad, 0, x()).await.err());
            refused(store.sync(bad).await.err());
            refused(store.appended(bad, 0).await.err());
            refused(store.stream_appended(bad, 0..1).await.err());
            refused(store.commit(bad, "to", 1).await.err());
            refused(store.commit("up", bad, 1).await.err());
            refused(store.list(bad).await.err());
            refused(store.folders(bad, "", 1).await.err());
            refused(store.delete(bad).await.err());
            assert_eq!(store.read("good").await.unwrap().unwrap(), "x");
        })
        .await;
    }
}

// registry E7 F5
#[tokio::test]
async fn a_page_may_begin_after_any_text() {
    every(async |store: Arc<dyn Backend>| {
        for name in ["a", "b"] {
            store.put(&format!("t/{name}/link"), Bytes::from_static(b"x")).await.unwrap();
        }
        let long = format!("a{}", "x".repeat(2_000));
        for (after, wanted) in [
            ("..", vec!["a", "b"]),
            ("/", vec!["a", "b"]),
            ("\0", vec!["a", "b"]),
            ("a\0", vec!["b"]),
            ("a/../../..", vec!["b"]),
            (&long, vec!["b"]),
            ("\u{10ffff}", vec![]),
        ] {
            assert_eq!(store.folders("t", after, 5).await.unwrap(), wanted, "after {after:?}");
        }
    })
    .await;
}

// registry F13
#[tokio::test]
async fn a_page_of_a_large_folder_takes_one_question_to_an_object_store() {
    let store = ObjectStore::start().await;
    let bucket = bucket(&store);
    for tag in 0..1_200 {
        let folder = store.bucket().join(format!("t/t{tag:04}"));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("link"), "x").unwrap();
    }
    for (after, wanted) in
        [("", ["t0000", "t0001"]), ("t0599", ["t0600", "t0601"]), ("t1197", ["t1198", "t1199"])]
    {
        let before = store.requests();
        assert_eq!(bucket.folders("t", after, 2).await.unwrap(), wanted);
        assert_eq!(store.requests() - before, 1, "after {after:?}");
    }
}

// registry C38
#[tokio::test]
async fn more_pieces_than_a_page_of_the_store_are_counted() {
    let store = ObjectStore::start().await;
    let bucket = bucket(&store);
    let piece = |offset: u32| {
        let (bucket, key) = (&bucket, s3_pieces::key("u", offset.into(), offset));
        async move { bucket.put(&key, Bytes::from_static(b"x")).await.unwrap() }
    };
    futures::stream::iter((0..1_100).map(piece)).buffer_unordered(16).collect::<Vec<_>>().await;
    assert_eq!(bucket.appended("u", 0).await.unwrap(), Some(1_100));
    bucket.delete(&s3_pieces::key("u", 500, 500)).await.unwrap();
    assert_eq!(bucket.appended("u", 0).await.unwrap(), Some(500));
    assert!(bucket.delete("u").await.unwrap());
    assert_eq!(bucket.appended("u", 0).await.unwrap(), None);
}

// registry C38
#[tokio::test]
async fn an_append_to_many_pieces_takes_two_questions() {
    const PIECE: u64 = 8 << 20;
    let store = ObjectStore::start().await;
    let bucket = bucket(&store);
    bucket.append("warm", 0, Bytes::from_static(b"x")).await.unwrap();
    let end = 1_500 * PIECE;
    std::fs::create_dir(store.bucket().join("u")).unwrap();
    for number in 0..1_500 {
        let path = store.bucket().join(s3_pieces::key("u", u64::from(number) * PIECE, number));
        std::fs::File::create(path).unwrap().set_len(PIECE).unwrap();
    }
    let before = store.requests();
    assert!(matches!(
        bucket.append("u", end - PIECE, Bytes::from_static(b"x")).await,
        Err(StorageError::Conflict { .. })
    ));
    bucket.append("u", end, Bytes::from_static(b"abc")).await.unwrap();
    assert_eq!(bucket.appended("u", end).await.unwrap(), Some(end + 3));
    assert_eq!(store.requests() - before, 1 + 2 + 1);
    // What was known is not there any more, or never was.
    for known in [0, 3 * end, 5 * end] {
        assert_eq!(bucket.appended("u", known).await.unwrap(), Some(end + 3));
    }
}

#[tokio::test]
async fn one_piece_becomes_an_object_of_the_storage_class_that_was_asked_for() {
    let store = ObjectStore::start().await;
    let bucket = S3::new(&Options { storage_class: Some("STANDARD".into()), ..options(&store) }).unwrap();
    bucket.append("u", 0, Bytes::from_static(b"abc")).await.unwrap();
    let copies = store.copies();
    bucket.commit("u", "b/data", 3).await.unwrap();
    assert_eq!(store.copies() - copies, 0, "a copy has the store's usual class");
    assert_eq!(bucket.read("b/data").await.unwrap().unwrap(), "abc");
    assert_eq!(bucket.appended("u", 0).await.unwrap(), None);
    assert_eq!(store.unfinished(), Vec::<String>::new());
}

// registry C41
#[tokio::test]
async fn a_busy_object_store_is_asked_again_and_not_for_ever() {
    let store = ObjectStore::start().await;
    let bucket = bucket(&store);
    store.refuse(2);
    bucket.put("a", Bytes::from_static(b"x")).await.unwrap();
    store.refuse(1_000);
    let before = store.requests();
    assert!(matches!(bucket.read("a").await, Err(StorageError::Unavailable { .. })));
    assert!((2..10).contains(&(store.requests() - before)), "{}", store.requests() - before);
    store.refuse(0);
    assert_eq!(bucket.read("a").await.unwrap().unwrap(), "x");
}
