//! What the types cannot say.

use crate::schema::{CacheKind, Config};

/// Keys and what is wrong with them.
pub fn check(config: &Config) -> Vec<(&'static str, String)> {
    let mut problems = Vec::new();
    if config.storage.filesystem.is_some() && config.storage.inmemory.is_some() {
        problems.push(("storage", "exactly one of filesystem and inmemory".to_owned()));
    }
    let addresses = [
        ("http.addr", Some(&config.http.addr)),
        ("http.debug.addr", config.http.debug.as_ref().map(|d| &d.addr)),
    ];
    for (key, address) in addresses {
        if let Some(address) = address.filter(|address| !is_address(address)) {
            problems.push((key, format!("{address:?} is not host:port")));
        }
    }
    let cached = config.storage.cache.as_ref().is_some_and(|c| c.blobdescriptor == CacheKind::Redis);
    match &config.redis {
        None if cached => {
            problems.push(("storage.cache.blobdescriptor", "redis needs a section redis".to_owned()))
        }
        Some(redis) if redis.addrs.len() != 1 => {
            problems.push(("redis.addrs", "exactly one address".to_owned()));
        }
        Some(redis) if !is_address(&redis.addrs[0]) => {
            problems.push(("redis.addrs", format!("{:?} is not host:port", redis.addrs[0])));
        }
        None | Some(_) => {}
    }
    if config.limits.maxmanifestsize == 0 {
        problems.push(("limits.maxmanifestsize", "must be above 0".to_owned()));
    }
    problems
}

fn is_address(text: &str) -> bool {
    text.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok())
}
