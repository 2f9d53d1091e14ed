//! Section 15 below HTTP: what a repository holds while content is on its way.

#![expect(clippy::unwrap_used, reason = "a test may stop at once")]

use std::sync::Arc;

use bytes::Bytes;
use futures::{FutureExt, stream};
use hooked::{Call, Hook, Hooked};
use registry_server::{
    oci::{
        digest::{Algorithm, Digest},
        hasher::Hasher,
        repository_name::RepositoryName,
    },
    registry::{
        condition::Terms, error::RegistryError, metadata::FromStore, service::Registry, uploads::Chunk,
    },
    storage::{
        backend::{Answer, Backend},
        error::StorageError,
    },
};
use tokio::{sync::Semaphore, task::JoinHandle};

mod hooked;

/// Links wait for a permit, and fail once there are none.
struct Links {
    waiting: Semaphore,
    permits: Semaphore,
}

impl Hook for Links {
    fn before<'a>(&'a self, call: Call, key: &'a str) -> Answer<'a, ()> {
        async move {
            if call == Call::Put && key.ends_with("/link") {
                self.waiting.add_permits(1);
                let full = |_| StorageError::NoSpace { key: key.to_owned() };
                self.permits.acquire().await.map_err(full)?.forget();
            }
            Ok(())
        }
        .boxed()
    }
}

/// A repository that may hold 1,000 bytes.
struct Limited {
    store: Arc<Hooked<Links>>,
    registry: Registry,
    name: RepositoryName,
}

impl Limited {
    fn new() -> Self {
        let hook = Links { waiting: Semaphore::new(0), permits: Semaphore::new(0) };
        let store = Arc::new(Hooked::in_memory(hook));
        let backend: Arc<dyn Backend> = Arc::clone(&store) as _;
        let registry = Registry::new(Arc::clone(&backend), Arc::new(FromStore(backend))).within(Some(1000));
        Self { store, registry, name: "n".parse().unwrap() }
    }

    /// A push that goes on beside the test.
    fn push(&self, bytes: &Bytes) -> JoinHandle<Result<(), RegistryError>> {
        let (registry, name, bytes) = (self.registry.clone(), self.name.clone(), bytes.clone());
        tokio::spawn(async move {
            let id = registry.begin_upload(&name, None).await?;
            let body = Box::pin(stream::iter([Ok::<_, std::io::Error>(bytes.clone())]));
            registry.append_upload(&name, id, Chunk::default(), body).await?;
            registry.finish_upload(&name, id, &digest(&bytes), None).await
        })
    }

    /// Waits until so many links more are about to be written.
    async fn held(&self, links: u32) {
        self.store.hook.waiting.acquire_many(links).await.unwrap().forget();
    }

    fn release(&self, links: usize) {
        self.store.hook.permits.add_permits(links);
    }

    async fn used(&self) -> u64 {
        self.registry.room(&self.name).await.unwrap().unwrap().used
    }
}

fn digest(bytes: &[u8]) -> Digest {
    Hasher::digest(Algorithm::Sha256, bytes)
}

// registry LM4 C29
#[tokio::test]
async fn a_new_count_has_what_is_on_its_way() {
    let (limited, small, large) = (Limited::new(), Bytes::from_static(b"a"), Bytes::from(vec![b'b'; 600]));
    limited.release(1);
    limited.push(&small).await.unwrap().unwrap();
    limited.held(1).await;
    let first = limited.push(&large);
    limited.held(1).await;
    // A deletion has everything counted anew.
    limited.registry.delete_blob(&limited.name, &digest(&small), &Terms::default()).await.unwrap();
    assert_eq!(limited.used().await, 600);
    let refused = limited.push(&Bytes::from(vec![b'c'; 401])).await.unwrap().unwrap_err();
    assert!(matches!(refused, RegistryError::OverQuota { limit: 1000, used: 600 }), "{refused}");
    limited.release(1);
    first.await.unwrap().unwrap();
    assert_eq!(limited.used().await, 600);
}

// registry LM4 C29
#[tokio::test]
async fn what_two_clients_send_at_once_counts_once() {
    let (limited, bytes) = (Limited::new(), Bytes::from(vec![b'b'; 600]));
    let both = [limited.push(&bytes), limited.push(&bytes)];
    limited.held(2).await;
    assert_eq!(limited.used().await, 600);
    limited.release(2);
    for push in both {
        push.await.unwrap().unwrap();
    }
    assert_eq!(limited.used().await, 600);
}

// registry LM4
#[tokio::test]
async fn what_did_not_come_needs_no_room() {
    let (limited, bytes) = (Limited::new(), Bytes::from(vec![b'b'; 600]));
    let push = limited.push(&bytes);
    limited.held(1).await;
    assert_eq!(limited.used().await, 600);
    limited.store.hook.permits.close();
    push.await.unwrap().unwrap_err();
    assert_eq!(limited.used().await, 0);
}
