//! Facts about content that never change while it is there: a seam for caches.

use std::sync::Arc;

use bytes::Bytes;
use futures::{FutureExt, future::BoxFuture};

use crate::{
    oci::digest::Digest,
    registry::{error::RegistryError, layout},
    storage::backend::Backend,
};

/// An answer about content.
pub type Fact<'a, T> = BoxFuture<'a, Result<T, RegistryError>>;

/// Where facts about content come from. Asked only after the repository's link was seen in the store.
pub trait Metadata: Send + Sync {
    /// Size of the content.
    fn size<'a>(&'a self, digest: &'a Digest) -> Fact<'a, Option<u64>>;
    /// Bytes of a manifest.
    fn manifest<'a>(&'a self, digest: &'a Digest) -> Fact<'a, Option<Bytes>>;
    /// The content may be gone.
    fn forget<'a>(&'a self, digest: &'a Digest) -> BoxFuture<'a, ()>;
}

/// Facts straight from the store.
pub struct FromStore(pub Arc<dyn Backend>);

impl Metadata for FromStore {
    fn size<'a>(&'a self, digest: &'a Digest) -> Fact<'a, Option<u64>> {
        async move { Ok(self.0.stat(&layout::blob(digest)).await?) }.boxed()
    }

    fn manifest<'a>(&'a self, digest: &'a Digest) -> Fact<'a, Option<Bytes>> {
        async move { Ok(self.0.read(&layout::blob(digest)).await?) }.boxed()
    }

    fn forget<'a>(&'a self, _: &'a Digest) -> BoxFuture<'a, ()> {
        futures::future::ready(()).boxed()
    }
}
