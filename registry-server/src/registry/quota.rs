//! How much a repository may hold.
//!
//! What it holds is counted from its links, so that nothing else has to be kept right. A count is believed for a while,
//! and what this process takes in is added to it; what other replicas take in meanwhile shows at the next one.

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

/// What was counted, and when.
#[derive(Clone)]
pub struct Counts(Cache<RepositoryName, (Instant, u64)>);

impl Default for Counts {
    fn default() -> Self {
        Self(Cache::new(REMEMBERED))
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
        Ok(Some(Room { limit, used: self.used(name).await?.1 }))
    }

    /// Counts content in that the repository is about to get. What it has already needs no room.
    pub(in crate::registry) async fn take_room(
        &self,
        name: &RepositoryName,
        digest: &Digest,
        bytes: u64,
    ) -> Result<(), RegistryError> {
        let Some(limit) = self.quota else { return Ok(()) };
        // One after the other: what fits alone may not fit together.
        let _alone = self.locks.repository(name).await;
        if self.has_link(&layout::layer(name, digest)).await?
            || self.has_link(&layout::revision(name, digest)).await?
        {
            return Ok(());
        }
        let (counted, used) = self.used(name).await?;
        Room { limit, used }.fit(bytes)?;
        self.counts.0.insert(name.clone(), (counted, used + bytes)).await;
        Ok(())
    }

    /// Something is gone, or did not come: it is counted anew.
    pub(in crate::registry) async fn recount(&self, name: &RepositoryName) {
        self.counts.0.invalidate(name).await;
    }

    async fn used(&self, name: &RepositoryName) -> Result<(Instant, u64), RegistryError> {
        if let Some(known) = self.counts.0.get(name).await.filter(|(counted, _)| counted.elapsed() < BELIEVED)
        {
            return Ok(known);
        }
        let now = Instant::now();
        let fresh = (now, self.count(name).await?);
        self.counts.0.insert(name.clone(), fresh).await;
        Ok(fresh)
    }

    /// Bytes of everything that the repository links to, each once.
    async fn count(&self, name: &RepositoryName) -> Result<u64, RegistryError> {
        let (layers, revisions) = (layout::all_layers(name), layout::all_revisions(name));
        let (layers, revisions) = tokio::try_join!(self.linked(&layers), self.linked(&revisions))?;
        let all: HashSet<Digest> = layers.into_iter().chain(revisions).collect();
        let sizes = stream::iter(all).map(|digest| async move { self.metadata.size(&digest).await });
        let sizes = sizes.buffer_unordered(AT_ONCE).map_ok(Option::unwrap_or_default);
        sizes.try_fold(0, |sum: u64, size| async move { Ok(sum.saturating_add(size)) }).await
    }
}
