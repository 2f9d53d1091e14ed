//! What holds for some repositories, as the server reads it: tags that are set once, quotas, and warnings.

use registry_config::schema::{self, Pattern};

use crate::{
    cluster::quantity::bytes,
    crd::{
        immutable_tags::ImmutableTags, quota::RepositoryQuota, registry::PrivateRegistrySpec,
        warning::Warning,
    },
    private_registry::error::ResolveError,
};

/// `immutabletags` of the live file.
pub fn immutable(spec: &PrivateRegistrySpec) -> Result<Vec<schema::ImmutableTags>, ResolveError> {
    let entry = |tags: &ImmutableTags| {
        Ok(schema::ImmutableTags { repositories: patterns(&tags.repositories)?, tags: patterns(&tags.tags)? })
    };
    spec.immutable_tags.iter().map(entry).collect()
}

/// `quotas` of the live file. What is more than a number of bytes can say is no limit.
pub fn quotas(spec: &PrivateRegistrySpec) -> Result<Vec<schema::Quota>, ResolveError> {
    let entry = |quota: &RepositoryQuota| {
        let maxsize = bytes(&quota.size.0).unwrap_or(u64::MAX);
        Ok(schema::Quota { repositories: patterns(&quota.repositories)?, maxsize })
    };
    spec.quota.iter().flat_map(|quota| &quota.repositories).map(entry).collect()
}

/// `warnings` of the live file.
pub fn warnings(spec: &PrivateRegistrySpec) -> Result<Vec<schema::Warning>, ResolveError> {
    let entry = |warning: &Warning| {
        Ok(schema::Warning { text: warning.text.clone(), repositories: patterns(&warning.repositories)? })
    };
    spec.warnings.iter().map(entry).collect()
}

/// The schema lets through only what is a pattern.
pub fn patterns(texts: &[String]) -> Result<Vec<Pattern>, ResolveError> {
    texts.iter().map(|text| Pattern::try_from(text.clone()).map_err(ResolveError::Text)).collect()
}
