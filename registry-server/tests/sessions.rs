//! Section 4 below HTTP: sessions that are ended, broken off and fought over.

#![expect(clippy::unwrap_used, reason = "a test may stop at once")]

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use futures::{FutureExt, Stream, StreamExt, stream};
use hooked::{Call, Hook, Hooked};
use registry_server::{
    oci::{
        digest::{Algorithm, Digest},
        hasher::Hasher,
        repository_name::RepositoryName,
    },
    registry::{error::RegistryError, layout, metadata::FromStore, service::Registry, uploads::Chunk},
    storage::{
        backend::{Answer, Backend},
        error::StorageError,
    },
};
use tokio::{
    sync::{
        Semaphore,
        mpsc::{self, UnboundedSender},
    },
    task::JoinHandle,
};
use uuid::Uuid;

mod hooked;

type Sending = JoinHandle<Result<u64, RegistryError>>;

const PIECE: usize = 1 << 20;

/// Commits wait for a permit, or find no space once there are none; and deletes may fail.
struct Slow {
    commits: Semaphore,
    keeps: AtomicBool,
    /// Something was appended, and a crash would lose it.
    volatile: AtomicBool,
    /// How often data was read back.
    reads: AtomicUsize,
}

impl Hook for Slow {
    fn before<'a>(&'a self, call: Call, key: &'a str) -> Answer<'a, ()> {
        async move {
            match call {
                Call::Commit => {
                    let full = |_| StorageError::NoSpace { key: key.to_owned() };
                    self.commits.acquire().await.map_err(full)?.forget();
                }
                Call::Delete if self.keeps.load(Ordering::SeqCst) => {
                    return Err(StorageError::unavailable(key, "told to fail"));
                }
                Call::Append | Call::Sync if key.ends_with("/data") => {
                    self.volatile.store(call == Call::Append, Ordering::SeqCst);
                }
                Call::Stream if key.ends_with("/data") => {
                    self.reads.fetch_add(1, Ordering::SeqCst);
                }
                _ => {}
            }
            Ok(())
        }
        .boxed()
    }
}

/// A registry with one session in it.
struct Session {
    store: Arc<Hooked<Slow>>,
    registry: Registry,
    name: RepositoryName,
    id: Uuid,
}

impl Session {
    async fn begin(commits: usize) -> Self {
        let hook = Slow {
            commits: Semaphore::new(commits),
            keeps: AtomicBool::new(false),
            volatile: AtomicBool::new(false),
            reads: AtomicUsize::new(0),
        };
        let store = Arc::new(Hooked::in_memory(hook));
        let backend: Arc<dyn Backend> = Arc::clone(&store) as _;
        let registry = Registry::new(Arc::clone(&backend), Arc::new(FromStore(backend)));
        let name: RepositoryName = "n".parse().unwrap();
        let id = registry.begin_upload(&name, None).await.unwrap();
        Self { store, registry, name, id }
    }

    async fn append(&self, body: impl Stream<Item = Bytes>) -> Result<u64, RegistryError> {
        let body = Box::pin(body.map(Ok::<_, std::io::Error>));
        self.registry.append_upload(&self.name, self.id, Chunk::default(), body).await
    }

    async fn append_one(&self, bytes: &Bytes) -> Result<u64, RegistryError> {
        self.append(stream::iter([bytes.clone()])).await
    }

    async fn finish(&self, digest: &Digest) -> Result<(), RegistryError> {
        self.registry.finish_upload(&self.name, self.id, digest, None).await
    }

    async fn size(&self) -> Result<u64, RegistryError> {
        self.registry.upload_size(&self.name, self.id).await
    }

    /// A sender that is held open, once the bytes are stored: what is sent on the way is the rest of its body.
    async fn hold(self: &Arc<Self>, bytes: &Bytes) -> (UnboundedSender<Bytes>, Sending) {
        let size = self.size().await.unwrap() + bytes.len() as u64;
        let (sent, more) = mpsc::unbounded_channel();
        let (sender, bytes) = (Arc::clone(self), bytes.clone());
        let more = stream::unfold(more, |mut more| async move { Some((more.recv().await?, more)) });
        let sending = tokio::spawn(async move { sender.append(stream::iter([bytes]).chain(more)).await });
        while self.size().await.unwrap() != size {
            tokio::task::yield_now().await;
        }
        (sent, sending)
    }
}

fn digest(bytes: &[u8]) -> Digest {
    Hasher::digest(Algorithm::Sha256, bytes)
}

fn filled(byte: u8) -> Bytes {
    vec![byte; PIECE].into()
}

// registry C14
#[tokio::test]
async fn a_hash_of_bytes_that_have_gone_vouches_for_nothing() {
    let session = Arc::new(Session::begin(9).await);
    let (good, evil, rest) = (filled(1), filled(2), filled(3));
    session.append_one(&good).await.unwrap();
    // As a server leaves it that dies between the move and the end of the session.
    session.store.delete(&layout::upload_data(&session.name, session.id)).await.unwrap();
    let (_sent, held) = session.hold(&evil).await;
    session.append_one(&rest).await.unwrap();
    let wanted = digest(&[good, rest].concat());
    let refused = session.finish(&wanted).await.unwrap_err();
    assert!(matches!(refused, RegistryError::DigestMismatch { .. }), "{refused}");
    assert_eq!(session.store.stat(&layout::blob(&wanted)).await.unwrap(), None);
    held.abort();
}

// registry C14 C24
#[tokio::test]
async fn an_upload_is_ended_once_whatever_is_left_of_it() {
    let session = Session::begin(9).await;
    let (good, evil) = (filled(1), filled(2));
    session.append_one(&good).await.unwrap();
    session.store.hook.keeps.store(true, Ordering::SeqCst);
    // What cannot be removed does not make a finished upload a failure.
    session.finish(&digest(&good)).await.unwrap();
    session.store.hook.keeps.store(false, Ordering::SeqCst);
    let _ = session.append_one(&evil).await;
    for wanted in [digest(&good), digest(&evil)] {
        assert!(session.finish(&wanted).await.is_err());
    }
    assert_eq!(session.store.read(&layout::blob(&digest(&good))).await.unwrap().unwrap(), good);
}

// registry C16
#[tokio::test]
async fn a_hint_saves_the_second_hashing() {
    for (hint, reads) in [(None, 1), (Some(Algorithm::Sha512), 0)] {
        let mut session = Session::begin(9).await;
        session.id = session.registry.begin_upload(&session.name, hint).await.unwrap();
        for byte in [1, 2] {
            session.append_one(&filled(byte)).await.unwrap();
        }
        let wanted = Hasher::digest(Algorithm::Sha512, &[filled(1), filled(2)].concat());
        session.finish(&wanted).await.unwrap();
        assert_eq!(session.store.hook.reads.load(Ordering::SeqCst), reads, "{hint:?}");
        assert_eq!(session.registry.blob_size(&session.name, &wanted).await.unwrap(), 2 * PIECE as u64);
    }
}

// registry ST1 C30
#[tokio::test]
async fn bytes_that_were_acknowledged_or_hashed_survive_a_crash() {
    for cut in [false, true] {
        let session = Session::begin(9).await;
        let (good, data) = (filled(1), layout::upload_data(&session.name, session.id));
        let end = stream::iter(cut.then(|| Err(std::io::Error::other("cut"))));
        let body = Box::pin(stream::iter([Ok(good.clone())]).chain(end));
        let sent = session.registry.append_upload(&session.name, session.id, Chunk::default(), body).await;
        assert_eq!(sent.is_err(), cut);
        if session.store.hook.volatile.load(Ordering::SeqCst) {
            // The file has kept its length and nothing else.
            session.store.put(&data, filled(0)).await.unwrap();
        }
        session.finish(&digest(&good)).await.unwrap();
        assert_eq!(session.store.read(&layout::blob(&digest(&good))).await.unwrap().unwrap(), good);
    }
}

// registry C24 C29
#[tokio::test]
async fn two_closing_requests_make_one_blob() {
    let session = Arc::new(Session::begin(0).await);
    let good = filled(1);
    session.append_one(&good).await.unwrap();
    let finish = |session: &Arc<Session>| {
        let (session, digest) = (Arc::clone(session), digest(&good));
        tokio::spawn(async move { session.finish(&digest).await.is_ok() })
    };
    let (one, two) = (finish(&session), finish(&session));
    session.store.hook.commits.add_permits(2);
    assert!(one.await.unwrap() != two.await.unwrap());
    assert!(matches!(session.size().await, Err(RegistryError::UploadUnknown)));
}

// registry ST2 C41
#[tokio::test]
async fn a_session_goes_on_when_the_store_takes_no_blob() {
    let session = Session::begin(9).await;
    let good = filled(1);
    session.append_one(&good).await.unwrap();
    session.store.hook.commits.close();
    for _ in 0..2 {
        assert!(matches!(session.finish(&digest(&good)).await, Err(RegistryError::NoSpace(_))));
        assert_eq!(session.size().await.unwrap(), PIECE as u64);
        // Nothing shows that somebody has tried.
        let tags = session.registry.tags(&session.name, None, 1).await;
        assert!(matches!(tags, Err(RegistryError::NameUnknown)));
    }
}

// registry C29
#[tokio::test]
async fn a_blob_is_finished_though_its_sender_has_left() {
    let session = Arc::new(Session::begin(0).await);
    let good = filled(1);
    session.append_one(&good).await.unwrap();
    let (closing, wanted) = (Arc::clone(&session), digest(&good));
    let sender = tokio::spawn(async move { closing.finish(&wanted).await });
    let claim = layout::upload_closing(&session.name, session.id);
    while session.store.stat(&claim).await.unwrap().is_none() {
        tokio::task::yield_now().await;
    }
    sender.abort();
    assert!(sender.await.unwrap_err().is_cancelled());
    session.store.hook.commits.add_permits(1);
    while session.registry.blob_size(&session.name, &digest(&good)).await.is_err()
        || session.size().await.is_ok()
    {
        tokio::task::yield_now().await;
    }
}

// registry C24
#[tokio::test]
async fn a_session_that_is_cancelled_under_a_sender_is_unknown_to_it() {
    let session = Arc::new(Session::begin(0).await);
    let (sent, sending) = session.hold(&filled(1)).await;
    session.registry.cancel_upload(&session.name, session.id).await.unwrap();
    sent.send(filled(2)).unwrap();
    assert!(matches!(sending.await.unwrap(), Err(RegistryError::UploadUnknown)));
}

// registry C9
#[tokio::test]
async fn whoever_loses_a_race_hears_where_the_upload_ends() {
    let session = Arc::new(Session::begin(0).await);
    let (sent, sending) = session.hold(&filled(1)).await;
    session.append_one(&filled(3)).await.unwrap();
    sent.send(filled(2)).unwrap();
    let lost = sending.await.unwrap();
    assert!(matches!(lost, Err(RegistryError::OutOfOrder { received }) if received == 2 * PIECE as u64));
}

// registry GC8
#[tokio::test(start_paused = true)]
async fn a_long_request_says_that_its_upload_lives() {
    let session = Session::begin(0).await;
    let body = stream::iter([1, 2]).then(|byte| async move {
        tokio::time::sleep(Duration::from_secs(61)).await;
        filled(byte)
    });
    let sent = tokio::time::timeout(Duration::from_secs(600), session.append(body.chain(stream::pending())));
    assert!(sent.await.is_err());
    let record = session.store.read(&layout::upload_hash(&session.name, session.id)).await.unwrap();
    assert!(record.is_some_and(|record| record.starts_with(b"sha256 2097152 ")));
}
