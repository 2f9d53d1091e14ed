//! How much a repository may hold.
//!
//! What it holds is counted from its links, so that nothing else has to be kept right. A count is believed for a while,
//! and what this process takes in is added to it, from before its link is there; what other replicas take in meanwhile
//! shows at the next one.

use std::{
    collections::HashSet,
    time::{Duration, Instant},
};

use futures::{StreamExt, TryStreamExt, stream};
use globset::GlobMatcher;
use moka::future::Cache;

use crate::{
    oci::{digest::Digest, repository_name::RepositoryName},
    registry::{
        coming::{Coming, Place},
        error::RegistryError,
        layout,
        service::{AT_ONCE, Registry},
    },
};

/// How long a count is believed.
const BELIEVED: Duration = Duration::from_secs(60);
/// Repositories whose count is remembered.
const REMEMBERED: u64 = 10_000;

/// How many bytes repositories may hold. As many as they like, unless told.
#[derive(Clone, Debug, Default)]
pub struct Quotas(Vec<(Vec<GlobMatcher>, u64)>);

impl Quotas {
    /// Repositories, and most bytes of each of them.
    pub fn new(quotas: Vec<(Vec<GlobMatcher>, u64)>) -> Self {
        Self(quotas)
    }

    /// The limit of this repository: the smallest of those that are about it.
    pub fn of(&self, name: &RepositoryName) -> Option<u64> {
        let about = |patterns: &[GlobMatcher]| patterns.iter().any(|one| one.is_match(name.as_str()));
        self.0.iter().filter(|(patterns, _)| about(patterns)).map(|(_, limit)| *limit).min()
    }
}

/// What a repository holds, and how much it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// Most bytes.
    pub limit: u64,
    /// Bytes that are there.
    pub used: u64,
}

impl Room {
    /// Refuses so many bytes more, if they do not fit.
    pub fn fit(self, bytes: u64) -> Result<(), RegistryError> {
        let Self { limit, used } = self;
        if used.saturating_add(bytes) > limit {
            Err(RegistryError::OverQuota { limit, used })
        } else {
            Ok(())
        }
    }
}

/// What was counted, and when; and what is on its way.
#[derive(Clone)]
pub struct Counts {
    known: Cache<RepositoryName, (Instant, u64)>,
    coming: Coming,
}

impl Default for Counts {
    fn default() -> Self {
        Self { known: Cache::new(REMEMBERED), coming: Coming::default() }
    }
}

impl Registry {
    /// The same registry for a request that may make a repository no larger than this.
    pub fn within(&self, quota: Option<u64>) -> Self {
        let mut same = self.clone();
        same.quota = quota;
        same
    }

    /// How much room there is in the repository, if it has a limit.
    pub async fn room(&self, name: &RepositoryName) -> Result<Option<Room>, RegistryError> {
        let Some(limit) = self.quota else { return Ok(None) };
        let _alone = self.locks.repository(name).await;
        Ok(Some(Room { limit, used: self.used(name).await? }))
    }

    /// Keeps room for content that the repository is about to get. What it has already needs none.
    pub(in crate::registry) async fn take_room(
        &self,
        name: &RepositoryName,
        digest: &Digest,
        bytes: u64,
    ) -> Result<Option<Place>, RegistryError> {
        let Some(limit) = self.quota else { return Ok(None) };
        // One after the other: what fits alone may not fit together.
        let _alone = self.locks.repository(name).await;
        if let Some(place) = self.counts.coming.join(name, digest) {
            return Ok(Some(place));
        }
        if self.has_link(&layout::layer(name, digest)).await?
            || self.has_link(&layout::revision(name, digest)).await?
        {
            return Ok(None);
        }
        Room { limit, used: self.used(name).await? }.fit(bytes)?;
        Ok(Some(self.counts.coming.begin(name, digest, bytes)))
    }

    /// The content that room was kept for has come, or has not.
    pub(in crate::registry) async fn leave(&self, place: Option<Place>, came: bool) {
        let Some(place) = place else { return };
        let name = place.repository();
        if !came {
            return self.recount(name).await;
        }
        let _alone = self.locks.repository(name).await;
        let more = place.arrived();
        if let Some((counted, used)) = self.counts.known.get(name).await {
            self.counts.known.insert(name.clone(), (counted, used.saturating_add(more))).await;
        }
    }

    /// Something is gone, or did not come: it is counted anew. A count that goes on may have seen it and comes first.
    pub(in crate::registry) async fn recount(&self, name: &RepositoryName) {
        let _alone = self.locks.repository(name).await;
        self.counts.known.invalidate(name).await;
    }

    async fn used(&self, name: &RepositoryName) -> Result<u64, RegistryError> {
        let known = self.counts.known.get(name).await;
        let used = match known.filter(|(counted, _)| counted.elapsed() < BELIEVED) {
            Some((_, used)) => used,
            None => self.count(name).await?,
        };
        Ok(used.saturating_add(self.counts.coming.bytes(name)))
    }

    /// Bytes of everything that the repository links to, each once. A link may be there before its content.
    async fn count(&self, name: &RepositoryName) -> Result<u64, RegistryError> {
        let (layers, revisions) = (layout::all_layers(name), layout::all_revisions(name));
        let (layers, revisions) = tokio::try_join!(self.linked(&layers), self.linked(&revisions))?;
        let all: HashSet<Digest> = layers.into_iter().chain(revisions).collect();
        let sizes = stream::iter(all).map(|digest| async move {
            let size = self.metadata.size(&digest).await?;
            Ok::<_, RegistryError>(size.map(|size| (digest, size)))
        });
        let sizes: Vec<_> = sizes.buffer_unordered(AT_ONCE).try_collect().await?;
        let used = sizes.iter().flatten().fold(0, |sum: u64, (_, size)| sum.saturating_add(*size));
        self.counts.coming.counted(name, &sizes.into_iter().flatten().map(|(digest, _)| digest).collect());
        self.counts.known.insert(name.clone(), (Instant::now(), used)).await;
        Ok(used)
    }
}
