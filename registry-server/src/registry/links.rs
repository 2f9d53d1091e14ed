//! Links: small objects that hold a digest and say that a repository has something.

use std::pin::pin;

use bytes::Bytes;
use futures::{Stream, StreamExt, TryStreamExt, future, stream};

use crate::{
    oci::{
        digest::{Algorithm, Digest},
        repository_name::RepositoryName,
    },
    registry::{
        error::RegistryError,
        layout,
        service::{AT_ONCE, Registry},
    },
};

/// Digests that are read at once.
const PAGE: usize = 100;
/// Dead links after which a repository counts as one that holds something. A server that dies leaves a few; a store
/// that another registry has collected the garbage of has thousands, and nobody's question is worth as many to the store.
const DEAD: usize = 300;

impl Registry {
    pub(in crate::registry) async fn write_link(
        &self,
        key: &str,
        digest: &Digest,
    ) -> Result<(), RegistryError> {
        Ok(self.store.put(key, Bytes::from(digest.to_string())).await?)
    }

    pub(in crate::registry) async fn read_link(&self, key: &str) -> Result<Option<Digest>, RegistryError> {
        let Some(text) = self.store.read(key).await? else { return Ok(None) };
        let digest = std::str::from_utf8(&text).ok().and_then(|text| text.trim().parse().ok());
        digest.map(Some).ok_or_else(|| RegistryError::Damaged { key: key.to_owned() })
    }

    /// Writes the link in the folder again if somebody has removed it.
    pub(in crate::registry) async fn keep_link(
        &self,
        folder: &str,
        digest: &Digest,
    ) -> Result<(), RegistryError> {
        if self.has_link(folder).await? {
            return Ok(());
        }
        self.write_link(&layout::link(folder), digest).await
    }

    pub(in crate::registry) async fn has_link(&self, folder: &str) -> Result<bool, RegistryError> {
        Ok(self.store.stat(&layout::link(folder)).await?.is_some())
    }

    /// Digests that have a folder of their own below `<prefix>/<algorithm>`.
    pub(in crate::registry) async fn linked(&self, prefix: &str) -> Result<Vec<Digest>, RegistryError> {
        let mut found = Vec::new();
        for algorithm in Algorithm::ALL {
            let names = self.store.list(&format!("{prefix}/{}", algorithm.as_str())).await?;
            found.extend(names.iter().filter_map(|hex| format!("{}:{hex}", algorithm.as_str()).parse().ok()));
        }
        Ok(found)
    }

    /// The same in order, from after the digest `last` on, read as far as somebody asks.
    pub(in crate::registry) fn linked_after<'a>(
        &'a self,
        prefix: &'a str,
        last: &'a str,
    ) -> impl Stream<Item = Result<Digest, RegistryError>> + 'a {
        let folders = Algorithm::ALL.into_iter().filter_map(move |algorithm| {
            let begin = format!("{}:", algorithm.as_str());
            let after = last.strip_prefix(&begin).unwrap_or_default().to_owned();
            (last <= begin.as_str() || !after.is_empty()).then_some((algorithm, after))
        });
        let digests = move |(algorithm, after): (Algorithm, String)| {
            let hexes = self.folders(format!("{prefix}/{}", algorithm.as_str()), after, PAGE);
            let digest = move |hex: String| format!("{}:{hex}", algorithm.as_str()).parse().ok();
            hexes.try_filter_map(move |hex| future::ready(Ok(digest(hex))))
        };
        stream::iter(folders).flat_map(digests)
    }

    /// Folders below the prefix whose names come after `after`, in order, read `page` at a time.
    pub(in crate::registry) fn folders(
        &self,
        prefix: String,
        after: String,
        page: usize,
    ) -> impl Stream<Item = Result<String, RegistryError>> + '_ {
        let pages = stream::try_unfold((prefix, Some(after)), move |(prefix, after)| async move {
            let Some(after) = after else { return Ok::<_, RegistryError>(None) };
            let names = self.store.folders(&prefix, &after, page).await?;
            let next = names.last().filter(|_| names.len() >= page).cloned();
            Ok(Some((stream::iter(names).map(Ok), (prefix, next))))
        });
        pages.try_flatten()
    }

    /// Whether the repository holds anything. A server that died may have left a link without content or a folder
    /// without a link, and neither of them is anything. Where there are too many to look at each, it is said to.
    pub(in crate::registry) async fn exists(&self, name: &RepositoryName) -> Result<bool, RegistryError> {
        let (revisions, layers) = (layout::all_revisions(name), layout::all_layers(name));
        let manifests = self.linked_after(&revisions, "").map_ok(|digest| (digest, false));
        let blobs = self.linked_after(&layers, "").map_ok(|digest| (digest, true));
        let mut links = pin!(manifests.chain(blobs));
        // Alone: nearly always it is there, and then no other question is of use.
        match links.try_next().await? {
            None => return Ok(false),
            Some(first) if self.is_alive(name, &first).await? => return Ok(true),
            Some(_) => {}
        }
        let rest = links.map(|link| async move { self.is_alive(name, &link?).await });
        let mut rest = pin!(rest.buffer_unordered(AT_ONCE));
        let mut dead = 1;
        while dead < DEAD {
            match rest.try_next().await? {
                None => return Ok(false),
                Some(true) => return Ok(true),
                Some(false) => dead += 1,
            }
        }
        Ok(true)
    }

    /// Whether what the repository has a folder for is there: a layer, or a manifest.
    async fn is_alive(
        &self,
        name: &RepositoryName,
        (digest, layer): &(Digest, bool),
    ) -> Result<bool, RegistryError> {
        if *layer {
            self.has_layer(name, digest).await
        } else {
            self.has_link(&layout::revision(name, digest)).await
        }
    }

    /// `otherwise` in a repository that holds something; else the repository is unknown.
    pub(in crate::registry) async fn or_name_unknown(
        &self,
        name: &RepositoryName,
        otherwise: RegistryError,
    ) -> RegistryError {
        match self.exists(name).await {
            Ok(true) => otherwise,
            Ok(false) => RegistryError::NameUnknown,
            Err(error) => error,
        }
    }
}
