//! Keys of distribution's `config.yml` that this server does not have, and what to do instead.

const REMOVE_POOL: &str = "remove it: one connection is shared by all requests";
const REMOVE_TIMEOUT: &str =
    "remove it: a Redis server that does not answer within 250 ms is left alone for two seconds";
const REMOVE_ROUTE: &str = "remove it: a cluster's masters are asked, and its redirections followed";
const OTHER_STORE: &str = "this release keeps images in storage.filesystem or storage.s3";
const REMOVE_COPY: &str = "remove it: pieces of an upload are joined as they are, inside the store";
const TOKENS: &str = "this release knows password files only: use auth.htpasswd";
const METRICS: &str = "remove it: probes and metrics are always at http.debug.addr";

/// Key, and what to do instead. Sorted by section, as distribution's documentation has them.
const TABLE: &[(&str, &str)] = &[
    ("loglevel", "write log.level"),
    ("log.fields", "let whatever collects the logs add them"),
    ("log.hooks", "remove it; alert on the logs or on the metrics of http.debug.addr"),
    ("storage.filesystem.maxthreads", "remove it: reads are bounded by themselves"),
    ("storage.azure", OTHER_STORE),
    ("storage.gcs", OTHER_STORE),
    ("storage.oss", OTHER_STORE),
    ("storage.rados", OTHER_STORE),
    ("storage.s3goamz", "write storage.s3"),
    ("storage.s3.accelerate", "write the accelerated address as storage.s3.regionendpoint"),
    ("storage.s3.usedualstack", "write the dual-stack address as storage.s3.regionendpoint"),
    ("storage.s3.useragent", "remove it"),
    ("storage.s3.loglevel", "remove it: failures of the store are logged"),
    ("storage.s3.multipartcopychunksize", REMOVE_COPY),
    ("storage.s3.multipartcopymaxconcurrency", REMOVE_COPY),
    ("storage.s3.multipartcopythresholdsize", REMOVE_COPY),
    ("storage.swift", OTHER_STORE),
    ("storage.tag", "remove it: looking for a manifest's tags needs no limit"),
    ("storage.redirect", "remove it: content is always sent by the server itself"),
    ("storage.cache.layerinfo", "write storage.cache.blobdescriptor"),
    ("storage.cache.blobdescriptorsize", "write storage.cache.maxsize, which counts bytes and not entries"),
    ("auth.silly", "remove it; without auth the registry is open, on loopback only"),
    ("auth.token", TOKENS),
    ("auth.none", "leave out the section auth; without it the registry is open, on loopback only"),
    ("middleware", "remove it: there are no plug-ins, and content is always sent by the server itself"),
    (
        "http.headers",
        "remove it: X-Content-Type-Options: nosniff is always sent; let a proxy in front add others",
    ),
    ("http.host", "remove it: every Location is a relative reference, whatever the host is called"),
    ("http.relativeurls", "remove it: every Location is a relative reference"),
    ("http.prefix", "serve the registry at the root of a host of its own: clients know no prefix"),
    ("http.secret", "remove it: uploads are in the store, so replicas need no common secret"),
    ("http.net", "remove it: the server listens on TCP; for a socket file put a proxy in front"),
    ("http.http2", "remove it: clients that ask for HTTP/2 get it, others do not"),
    ("http.h2c", "remove it: clients that begin with HTTP/2 without TLS are understood"),
    (
        "http.tls.letsencrypt",
        "let an ACME client write http.tls.certificate and key: they are read again when they change",
    ),
    (
        "http.tls.ciphersuites",
        "remove it: only suites that are held secure are implemented; see http.tls.minimumtls",
    ),
    ("http.debug.prometheus", METRICS),
    ("notifications", "this release sends no events: follow the access log"),
    ("redis.addr", "write redis.addrs, a list with this one address"),
    ("redis.password", "write the password into a file and name it in redis.passwordfile"),
    ("redis.pool", REMOVE_POOL),
    ("redis.poolsize", REMOVE_POOL),
    ("redis.poolfifo", REMOVE_POOL),
    ("redis.pooltimeout", REMOVE_POOL),
    ("redis.minidleconns", REMOVE_POOL),
    ("redis.maxidleconns", REMOVE_POOL),
    ("redis.maxactiveconns", REMOVE_POOL),
    ("redis.connmaxidletime", REMOVE_POOL),
    ("redis.connmaxlifetime", REMOVE_POOL),
    ("redis.maxretries", REMOVE_TIMEOUT),
    ("redis.minretrybackoff", REMOVE_TIMEOUT),
    ("redis.maxretrybackoff", REMOVE_TIMEOUT),
    ("redis.dialtimeout", REMOVE_TIMEOUT),
    ("redis.readtimeout", REMOVE_TIMEOUT),
    ("redis.writetimeout", REMOVE_TIMEOUT),
    ("redis.contexttimeoutenabled", REMOVE_TIMEOUT),
    ("redis.protocol", "remove it: it is negotiated"),
    ("redis.clientname", "remove it"),
    ("redis.sentinelpassword", "write the password into a file and name it in redis.sentinelpasswordfile"),
    ("redis.maxredirects", REMOVE_ROUTE),
    ("redis.readonly", REMOVE_ROUTE),
    ("redis.routebylatency", REMOVE_ROUTE),
    ("redis.routerandomly", REMOVE_ROUTE),
    ("redis.tls.enabled", "write redis.tls.clientcas, or leave out redis.tls for a plain connection"),
    ("health", "remove it: /readyz at http.debug.addr asks the store at every probe"),
    ("proxy", "this release does not fetch from other registries"),
    (
        "validation",
        "remove it: manifests are always checked, and indexes may name children that are not here",
    ),
    ("policy", "remove it: every known kind of repository is taken"),
    ("compatibility", "remove it: Docker schema 1 is refused"),
    ("reporting", "remove it; alert on the logs or on the metrics of http.debug.addr"),
    ("catalog", "remove it: a page of the catalog has at most 1000 names, without n at most 10000"),
];

/// What to do instead of this key.
pub fn of(path: &[String]) -> Option<&'static str> {
    let key = path.join(".");
    TABLE.iter().find(|(known, _)| *known == key).map(|(_, advice)| *advice)
}

/// Sections of distribution's that we do not have: variables may name them, and are told so.
pub fn sections() -> impl Iterator<Item = &'static str> {
    TABLE.iter().map(|(key, _)| *key).filter(|key| !key.contains('.'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Config;

    /// The key in block style, one step a line.
    fn file(key: &str) -> String {
        let steps = key.split('.').enumerate();
        let lines = steps.map(|(depth, step)| format!("{}{step}:", "  ".repeat(depth)));
        format!("version: 0.1\n{} x\n", lines.collect::<Vec<_>>().join("\n"))
    }

    // registry CF3
    #[test]
    fn every_key_that_is_not_supported_is_told_with_its_place_and_what_to_do() {
        for (key, advice) in TABLE {
            let problems = Config::from_yaml("c.yml", &file(key), []).unwrap_err().0;
            let depth = key.matches('.').count() as u64;
            let found =
                problems.iter().find(|p| p.key == *key).unwrap_or_else(|| panic!("{key}: {problems:?}"));
            assert_eq!(found.message, format!("not supported: {advice}"));
            assert_eq!(found.position, Some((2 + depth, 1 + 2 * depth)), "{key}");
        }
    }

    // registry CF3 CF4
    #[test]
    fn variables_of_keys_that_are_not_supported_are_named() {
        for name in
            ["REGISTRY_NOTIFICATIONS_ENDPOINTS_0_URL", "REGISTRY_HTTP_SECRET", "REGISTRY_PROXY_REMOTEURL"]
        {
            let problem = &Config::from_yaml("c.yml", "", [(name.into(), "x".into())]).unwrap_err().0[0];
            assert_eq!(problem.source, format!("environment variable {name}"));
            assert!(problem.message.starts_with("not supported: "), "{problem}");
        }
    }
}
