//! What the types cannot say.

use std::time::Duration;

use crate::{
    check_redirect, check_redis, check_s3,
    schema::{
        AccessRule, Action, CacheKind, ClientIdentity, Config, Effect, IndexPlatforms, IndexValidation,
        Storage, Subject,
    },
};

/// Keys and what is wrong with them.
pub type Problems = Vec<(&'static str, String)>;

/// Longest identity of a store.
const LONGEST_IDENTITY: usize = 128;

/// Keys and what is wrong with them.
pub fn check(config: &Config) -> Problems {
    let mut problems = storage(&config.storage);
    let addresses = [
        ("http.addr", Some(&config.http.addr)),
        ("http.debug.addr", config.http.debug.as_ref().map(|d| &d.addr)),
        ("http.redirect.addr", config.http.redirect.as_ref().map(|r| &r.addr)),
    ];
    for (key, address) in addresses {
        if let Some(address) = address.filter(|address| !is_address(address)) {
            problems.push((key, format!("{address:?} is not host:port")));
        }
    }
    if config.http.host.is_some() && config.http.authority().is_none() {
        problems.push(("http.host", "is not a URL such as https://registry.example.com".to_owned()));
    }
    if config.http.redirect.is_some() && config.http.tls.is_none() {
        problems.push(("http.redirect", "leads to https: it needs http.tls".to_owned()));
    }
    let tls = config.http.tls.as_ref();
    if tls.is_some_and(|tls| tls.clientidentity != ClientIdentity::None && tls.clientcas.is_empty()) {
        let what = "needs clientcas: without them clients show no certificate";
        problems.push(("http.tls.clientidentity", what.to_owned()));
    }
    let cached = config.storage.cache.as_ref().is_some_and(|c| c.blobdescriptor == CacheKind::Redis);
    match &config.redis {
        None if cached => {
            problems.push(("storage.cache.blobdescriptor", "redis needs a section redis".to_owned()));
        }
        Some(section) => problems.extend(check_redis::check(section)),
        None => {}
    }
    problems.extend(indexes(&config.validation.manifests.indexes));
    problems.extend(config.access.iter().filter_map(rule).map(|problem| ("access", problem.to_owned())));
    if config.quotas.iter().any(|quota| quota.repositories.is_empty()) {
        problems.push(("quotas", "an entry needs repositories".to_owned()));
    }
    if config.limits.maxmanifestsize == 0 {
        problems.push(("limits.maxmanifestsize", "must be above 0".to_owned()));
    }
    problems
}

fn storage(storage: &Storage) -> Problems {
    let mut problems = Vec::new();
    let backends = [storage.filesystem.is_some(), storage.inmemory.is_some(), storage.s3.is_some()];
    if backends.into_iter().filter(|there| *there).count() > 1 {
        problems.push(("storage", "exactly one of filesystem, inmemory and s3".to_owned()));
    }
    problems.extend(storage.s3.iter().flat_map(check_s3::check));
    problems.extend(check_redirect::check(storage));
    if storage.identity.as_ref().is_some_and(|identity| !is_identity(identity)) {
        problems.push(("storage.identity", "must be 1 to 128 letters, digits, '-', '_' or '.'".to_owned()));
    }
    if storage.cache.as_ref().is_some_and(|cache| cache.maxsize == 0) {
        problems
            .push(("storage.cache.maxsize", "must be above 0; leave out storage.cache for none".to_owned()));
    }
    let purging = &storage.maintenance.uploadpurging;
    let durations = [
        ("storage.maintenance.uploadpurging.age", purging.age),
        ("storage.maintenance.uploadpurging.interval", purging.interval),
    ];
    let too_short = durations.into_iter().filter(|(_, duration)| duration.0 < Duration::from_secs(1));
    problems.extend(too_short.map(|(key, _)| (key, "must be at least 1s".to_owned())));
    problems
}

fn rule(rule: &AccessRule) -> Option<&'static str> {
    if rule.subjects.is_empty() || rule.repositories.is_empty() || rule.actions.is_empty() {
        return Some("a rule needs subjects, repositories and actions");
    }
    let writes = rule.actions.iter().any(|action| matches!(action, Action::Push | Action::Delete));
    (rule.effect == Effect::Allow && writes && rule.subjects.contains(&Subject::Anonymous))
        .then_some("anonymous may be allowed pull and list only")
}

fn indexes(section: &IndexValidation) -> Problems {
    let listed = !section.platformlist.is_empty();
    match (section.platforms, listed) {
        (IndexPlatforms::List, false) => {
            vec![(
                "validation.manifests.indexes.platformlist",
                "is empty: platforms: list needs it".to_owned(),
            )]
        }
        (IndexPlatforms::All | IndexPlatforms::None, true) => {
            vec![("validation.manifests.indexes.platformlist", "counts with platforms: list only".to_owned())]
        }
        _ => Vec::new(),
    }
}

/// Whether it is `host:port`.
pub(crate) fn is_address(text: &str) -> bool {
    text.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok())
}

/// It stands in a file of its own and in keys of the cache.
fn is_identity(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
    (1..=LONGEST_IDENTITY).contains(&text.len()) && text.bytes().all(plain)
}
