//! Sections 5 and 8 below HTTP: two replicas on one store, one of which acts in the middle of the other.

#![expect(clippy::unwrap_used, reason = "a test may stop at once")]

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures::{FutureExt, Stream, future::BoxFuture, stream};
use hooked::{Call, Hook, Hooked};
use registry_server::{
    oci::{
        digest::{Algorithm, Digest},
        hasher::Hasher,
        manifest::{OCI_INDEX, OCI_MANIFEST},
        reference::Reference,
        repository_name::RepositoryName,
    },
    registry::{
        completeness::Completeness, condition::Terms, error::RegistryError, layout, manifests::Push,
        metadata::FromStore, service::Registry, uploads::Chunk,
    },
    storage::backend::{Answer, Backend},
};

mod hooked;

type Deed = Box<dyn FnOnce() -> BoxFuture<'static, ()> + Send>;

/// Something that happens just before a key is written, moved to or removed, once.
#[derive(Default)]
struct Event {
    due: Mutex<Option<(String, Deed)>>,
}

impl Hook for Event {
    fn before<'a>(&'a self, call: Call, key: &'a str) -> Answer<'a, ()> {
        let changes = matches!(call, Call::Put | Call::Delete | Call::Commit);
        let due = self.due.lock().unwrap().take_if(|(wanted, _)| changes && wanted == key);
        async move {
            if let Some((_, deed)) = due {
                deed().await;
            }
            Ok(())
        }
        .boxed()
    }
}

/// Two replicas, and a config that an image can have.
struct Replicas {
    store: Arc<Hooked<Event>>,
    one: Registry,
    two: Registry,
    name: RepositoryName,
    config: Digest,
}

impl Replicas {
    async fn new() -> Self {
        let store = Arc::new(Hooked::<Event>::default());
        let replica = || {
            let backend: Arc<dyn Backend> = Arc::clone(&store) as _;
            Registry::new(Arc::clone(&backend), Arc::new(FromStore(backend)))
        };
        let (one, two, name) = (replica(), replica(), "n".parse().unwrap());
        let config = push_blob(&one, &name, b"{}").await;
        Self { store, one, two, name, config }
    }

    fn bytes(&self) -> Bytes {
        let config = format!(r#"{{"mediaType":"a/b","digest":"{}","size":2}}"#, self.config);
        format!(r#"{{"schemaVersion":2,"config":{config},"layers":[]}}"#).into()
    }

    fn digest(&self) -> Digest {
        Hasher::digest(Algorithm::Sha256, &self.bytes())
    }

    fn push(&self, tag: &str) -> Push {
        Push {
            reference: tagged(tag),
            tags: Vec::new(),
            content_type: Some(OCI_MANIFEST.to_owned()),
            completeness: Completeness::default(),
            terms: Terms::default(),
            bytes: self.bytes(),
        }
    }

    fn before(&self, key: String, deed: impl FnOnce() -> BoxFuture<'static, ()> + Send + 'static) {
        *self.store.hook.due.lock().unwrap() = Some((key, Box::new(deed)));
    }

    async fn tags(&self) -> Vec<String> {
        self.one.tags(&self.name, None, 100).await.unwrap().names
    }
}

fn body(bytes: &'static [u8]) -> impl Stream<Item = Result<Bytes, std::io::Error>> + Unpin {
    stream::iter([Ok(Bytes::from_static(bytes))])
}

async fn push_blob(registry: &Registry, name: &RepositoryName, bytes: &'static [u8]) -> Digest {
    let digest = Hasher::digest(Algorithm::Sha256, bytes);
    let id = registry.begin_upload(name, None).await.unwrap();
    registry.append_upload(name, id, Chunk::default(), body(bytes)).await.unwrap();
    registry.finish_upload(name, id, &digest, None).await.unwrap();
    digest
}

/// Fails to finish an upload of these bytes: its data is gone when it is to be moved.
async fn fail_to_push(
    store: &Hooked<Event>,
    registry: &Registry,
    name: &RepositoryName,
    bytes: &'static [u8],
) {
    let digest = Hasher::digest(Algorithm::Sha256, bytes);
    let id = registry.begin_upload(name, None).await.unwrap();
    let received = registry.receive_upload(name, id, Chunk::default(), body(bytes)).await.unwrap();
    store.store.delete(&layout::upload_data(name, id)).await.unwrap();
    assert!(registry.finish_upload(name, id, &digest, Some(received)).await.is_err());
}

fn index_about(subject: &Digest) -> Bytes {
    let subject = format!(r#"{{"mediaType":"a/b","digest":"{subject}","size":2}}"#);
    format!(r#"{{"schemaVersion":2,"mediaType":"{OCI_INDEX}","manifests":[],"subject":{subject}}}"#).into()
}

fn tagged(tag: &str) -> Reference {
    Reference::Tag(tag.parse().unwrap())
}

// registry G2
#[tokio::test]
async fn a_tag_set_while_its_manifest_is_deleted_does_not_dangle() {
    for late in ["before the revision goes", "before the first tag goes"] {
        let replicas = Replicas::new().await;
        let (name, digest) = (replicas.name.clone(), replicas.digest());
        replicas.one.put_manifest(&name, replicas.push("early")).await.unwrap();
        let (two, push, of) = (replicas.two.clone(), replicas.push("late"), name.clone());
        let key = match late {
            "before the revision goes" => layout::revision(&name, &digest),
            _ => layout::tag(&name, &"early".parse().unwrap()),
        };
        replicas.before(key, move || async move { drop(two.put_manifest(&of, push).await.unwrap()) }.boxed());
        replicas.one.delete_manifest(&name, &Reference::Digest(digest), &Terms::default()).await.unwrap();
        for tag in replicas.tags().await {
            assert!(replicas.one.manifest(&name, &tagged(&tag)).await.is_ok(), "{tag} dangles: {late}");
        }
    }
}

// registry G2
#[tokio::test]
async fn a_manifest_deleted_while_it_is_pushed_is_there_with_its_tag() {
    let replicas = Replicas::new().await;
    let (name, digest) = (replicas.name.clone(), replicas.digest());
    let tag = "t".parse().unwrap();
    let (two, of) = (replicas.two.clone(), name.clone());
    replicas.before(layout::tag_current(&name, &tag), move || {
        let deleted =
            async move { two.delete_manifest(&of, &Reference::Digest(digest), &Terms::default()).await };
        deleted.map(|deleted| drop(deleted.unwrap())).boxed()
    });
    replicas.one.put_manifest(&name, replicas.push("t")).await.unwrap();
    assert_eq!(replicas.one.manifest(&name, &tagged("t")).await.unwrap().digest, replicas.digest());
}

// registry H1: a signature that is there is listed at its subject, whoever deletes it meanwhile
#[tokio::test]
async fn a_signature_deleted_while_it_is_pushed_is_there_and_listed_or_gone() {
    let replicas = Replicas::new().await;
    let name = replicas.name.clone();
    let mut push = replicas.push("t");
    push.bytes = index_about(&replicas.config);
    push.content_type = Some(OCI_INDEX.to_owned());
    let digest = Hasher::digest(Algorithm::Sha256, &push.bytes);
    let (revision, referrer) =
        (layout::revision(&name, &digest), layout::referrer(&name, &replicas.config, &digest));
    let current = layout::tag_current(&name, &"t".parse().unwrap());
    // A push that is deleted in the middle, and a deletion under which it is pushed again.
    for (key, pushes) in
        [(layout::link(&revision), false), (current, false), (revision, true), (referrer, true)]
    {
        let (two, of, again) = (replicas.two.clone(), name.clone(), push.clone());
        let (wanted, none) = (Reference::Digest(digest.clone()), Terms::default());
        if pushes {
            replicas.one.put_manifest(&name, push.clone()).await.unwrap();
            replicas.before(key.clone(), move || {
                async move { drop(two.put_manifest(&of, again).await.unwrap()) }.boxed()
            });
            replicas.one.delete_manifest(&name, &wanted, &none).await.unwrap();
        } else {
            replicas.before(key.clone(), move || {
                async move { drop(two.delete_manifest(&of, &wanted, &none).await) }.boxed()
            });
            replicas.one.put_manifest(&name, push.clone()).await.unwrap();
        }
        assert!(replicas.store.hook.due.lock().unwrap().is_none(), "{key} was never written");
        let there = replicas.one.manifest(&name, &Reference::Digest(digest.clone())).await.is_ok();
        let listed = replicas.one.referrers(&name, &replicas.config, None, None).await.unwrap();
        assert_eq!(listed.descriptors.len(), usize::from(there), "before {key}");
        assert!(there || pushes, "before {key}");
    }
}

// registry G2
#[tokio::test]
async fn in_one_process_a_push_waits_for_the_deletion_of_its_manifest() {
    let replicas = Replicas::new().await;
    let (name, digest) = (replicas.name.clone(), replicas.digest());
    replicas.one.put_manifest(&name, replicas.push("early")).await.unwrap();
    let (one, push, of) = (replicas.one.clone(), replicas.push("late"), name.clone());
    let pushed = Arc::new(Mutex::new(None));
    let pushing = Arc::clone(&pushed);
    replicas.before(layout::revision(&name, &digest), move || {
        *pushing.lock().unwrap() = Some(tokio::spawn(async move { one.put_manifest(&of, push).await }));
        async {
            for _ in 0..100 {
                tokio::task::yield_now().await;
            }
        }
        .boxed()
    });
    replicas.one.delete_manifest(&name, &Reference::Digest(digest), &Terms::default()).await.unwrap();
    let pushing = pushed.lock().unwrap().take().unwrap();
    pushing.await.unwrap().unwrap();
    assert_eq!(replicas.tags().await, ["late"]);
    assert!(replicas.one.manifest(&name, &tagged("late")).await.is_ok());
}

// registry G6
#[tokio::test]
async fn a_blob_that_an_image_needs_since_a_moment_stays() {
    let replicas = Replicas::new().await;
    let (name, config) = (replicas.name.clone(), replicas.config.clone());
    let (two, push, of) = (replicas.two.clone(), replicas.push("t"), name.clone());
    let key = layout::layer(&name, &config);
    replicas.before(key, move || async move { drop(two.put_manifest(&of, push).await.unwrap()) }.boxed());
    let refused = replicas.one.delete_blob(&name, &config, &Terms::default()).await.unwrap_err();
    assert!(matches!(refused, RegistryError::Referenced { by } if by == [replicas.digest()]));
    assert_eq!(replicas.one.blob_size(&name, &config).await.unwrap(), 2);
}

// registry C29
#[tokio::test]
async fn a_blob_stays_whoever_else_fails_to_push_it() {
    const BYTES: &[u8] = b"layer";
    let digest = Hasher::digest(Algorithm::Sha256, BYTES);
    for moved in ["before the link is withdrawn", "after the link was withdrawn"] {
        let replicas = Replicas::new().await;
        let (store, name) = (Arc::clone(&replicas.store), replicas.name.clone());
        let (two, of) = (replicas.two.clone(), name.clone());
        if moved.starts_with("before") {
            let key = layout::layer(&name, &digest);
            replicas.before(key, move || async move { drop(push_blob(&two, &of, BYTES).await) }.boxed());
            fail_to_push(&store, &replicas.one, &name, BYTES).await;
        } else {
            let failing = Arc::clone(&store);
            replicas.before(layout::blob(&digest), move || {
                async move { fail_to_push(&failing, &two, &of, BYTES).await }.boxed()
            });
            push_blob(&replicas.one, &name, BYTES).await;
        }
        assert_eq!(replicas.one.blob_size(&name, &digest).await.unwrap(), 5, "{moved}");
    }
}

// registry D15
#[tokio::test]
async fn an_image_whose_blob_goes_under_its_push_is_refused() {
    let replicas = Replicas::new().await;
    let (name, config) = (replicas.name.clone(), replicas.config.clone());
    let (two, gone, of) = (replicas.two.clone(), config.clone(), name.clone());
    let key = layout::link(&layout::revision(&name, &replicas.digest()));
    replicas.before(key, move || {
        async move { two.delete_blob(&of, &gone, &Terms::default()).await.unwrap() }.boxed()
    });
    let refused = replicas.one.put_manifest(&name, replicas.push("t")).await.unwrap_err();
    assert!(matches!(refused, RegistryError::ContentMissing(missing) if missing == [config]));
    assert!(replicas.one.manifest(&name, &Reference::Digest(replicas.digest())).await.is_err());
}

// registry H1 D15: one replica takes back what the other has pushed meanwhile
#[tokio::test]
async fn a_signature_whose_first_push_fails_meanwhile_is_listed_once_it_is_there() {
    let replicas = Replicas::new().await;
    let (name, two, config) = (replicas.name.clone(), replicas.two.clone(), replicas.config.clone());
    let subject = Hasher::digest(Algorithm::Sha256, b"subject");
    let mut push = replicas.push("t");
    let about = format!(r#""subject":{{"mediaType":"a/b","digest":"{subject}","size":7}},"config""#);
    push.bytes = std::str::from_utf8(&push.bytes).unwrap().replace(r#""config""#, &about).into();
    let digest = Hasher::digest(Algorithm::Sha256, &push.bytes);
    let referrer = layout::referrer(&name, &subject, &digest);
    let (store, of, again) = (Arc::clone(&replicas.store), name.clone(), push.clone());
    replicas.before(layout::link(&layout::revision(&name, &digest)), move || {
        async move {
            two.delete_blob(&of, &config, &Terms::default()).await.unwrap();
            let pushes = move || {
                async move {
                    push_blob(&two, &of, b"{}").await;
                    two.put_manifest(&of, again).await.unwrap();
                }
                .boxed()
            };
            *store.hook.due.lock().unwrap() = Some((referrer, Box::new(pushes)));
        }
        .boxed()
    });
    let refused = replicas.one.put_manifest(&name, push).await.unwrap_err();
    assert!(matches!(refused, RegistryError::ContentMissing(_)), "{refused:?}");
    assert!(replicas.one.manifest(&name, &Reference::Digest(digest)).await.is_ok());
    let listed = replicas.one.referrers(&name, &subject, None, None).await.unwrap();
    assert_eq!(listed.descriptors.len(), 1);
}

// registry ST1 G10
#[tokio::test]
async fn a_tag_written_by_half_is_not_listed_and_can_be_deleted() {
    let replicas = Replicas::new().await;
    let (name, digest) = (replicas.name.clone(), replicas.digest());
    replicas.one.put_manifest(&name, replicas.push("whole")).await.unwrap();
    let half = layout::tag_index(&name, &"half".parse().unwrap(), &digest);
    replicas.store.put(&half, digest.to_string().into()).await.unwrap();
    assert_eq!(replicas.tags().await, ["whole"]);
    replicas.one.delete_manifest(&name, &tagged("half"), &Terms::default()).await.unwrap();
    assert_eq!(replicas.store.stat(&half).await.unwrap(), None);
    let unknown = replicas.one.delete_manifest(&name, &tagged("half"), &Terms::default()).await;
    assert!(matches!(unknown, Err(RegistryError::ManifestUnknown)));
}

// registry ST10 D9
#[tokio::test]
async fn a_manifest_of_another_registry_that_is_not_read_here_is_unknown_and_can_be_deleted() {
    let replicas = Replicas::new().await;
    let name = &replicas.name;
    let old = Bytes::from_static(br#"{"schemaVersion":1,"fsLayers":[]}"#);
    let digest = Hasher::digest(Algorithm::Sha256, &old);
    let tag = "t".parse().unwrap();
    replicas.store.put(&layout::blob(&digest), old).await.unwrap();
    for key in [layout::link(&layout::revision(name, &digest)), layout::tag_current(name, &tag)] {
        replicas.store.put(&key, digest.to_string().into()).await.unwrap();
    }
    let reference = Reference::Digest(digest);
    for reference in [&tagged("t"), &reference] {
        let unknown = replicas.one.manifest(name, reference).await;
        assert!(matches!(unknown, Err(RegistryError::ManifestUnknown)));
    }
    replicas.one.delete_manifest(name, &reference, &Terms::default()).await.unwrap();
    assert_eq!(replicas.tags().await, Vec::<String>::new());
    assert!(matches!(
        replicas.one.delete_manifest(name, &reference, &Terms::default()).await,
        Err(RegistryError::ManifestUnknown)
    ));
}
