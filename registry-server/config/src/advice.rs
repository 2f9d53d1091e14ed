//! Keys of distribution's `config.yml` that this server does not have, and what to do instead.

const POOL: &str = "one connection is shared by all requests";
const TIMEOUT: &str = "a Redis server that does not answer within 250 ms is left alone for two seconds";
const ROUTE: &str = "a cluster's masters are asked, and its redirections followed";
const COPY: &str = "pieces of an upload are joined as they are, inside the store";
const REALM: &str = "write the whole URL as auth.token.realm: a host that a client names leads nobody";
const OTHER_STORE: &str = "this release keeps images in storage.filesystem or storage.s3";

/// Key, and what to do instead. Sorted by section, as distribution's documentation has them.
const TABLE: &[(&str, &str)] = &[
    ("loglevel", "write log.level"),
    ("log.hooks", "remove it; alert on the logs or on the metrics of http.debug.addr"),
    ("storage.azure", OTHER_STORE),
    ("storage.gcs", OTHER_STORE),
    ("storage.oss", OTHER_STORE),
    ("storage.rados", OTHER_STORE),
    ("storage.s3goamz", "write storage.s3"),
    ("storage.s3.accelerate", "write the accelerated address as storage.s3.regionendpoint"),
    ("storage.s3.usedualstack", "write the dual-stack address as storage.s3.regionendpoint"),
    ("storage.swift", OTHER_STORE),
    ("storage.cache.layerinfo", "write storage.cache.blobdescriptor"),
    ("storage.cache.blobdescriptorsize", "write storage.cache.maxsize, which counts bytes and not entries"),
    ("auth.silly", "remove it; without auth the registry is open, on loopback only"),
    ("auth.token.autoredirect", REALM),
    ("auth.token.autoredirectpath", REALM),
    ("auth.none", "leave out the section auth; without it the registry is open, on loopback only"),
    ("middleware", "remove it: there are no plug-ins, and content is always sent by the server itself"),
    ("http.prefix", "serve the registry at the root of a host of its own: clients know no prefix"),
    ("http.net", "remove it: the server listens on TCP; for a socket file put a proxy in front"),
    (
        "http.tls.letsencrypt",
        "let an ACME client write http.tls.certificate and key: they are read again when they change",
    ),
    (
        "http.tls.ciphersuites",
        "remove it: only suites that are held secure are implemented; see http.tls.minimumtls",
    ),
    ("notifications", "this release sends no events: follow the access log"),
    ("redis.password", "write the password into a file and name it in redis.passwordfile"),
    ("redis.sentinelpassword", "write the password into a file and name it in redis.sentinelpasswordfile"),
    ("redis.tls.enabled", "write redis.tls.clientcas, or leave out redis.tls for a plain connection"),
    ("proxy", "this release does not fetch from other registries"),
    ("validation.enabled", "remove it; see validation.manifests for what must be here before a manifest"),
    ("validation.disabled", "remove it; see validation.manifests for what must be here before a manifest"),
    (
        "validation.manifests.urls",
        "remove it: a layer may name other places that have it, and the server asks none of them",
    ),
    ("policy", "remove it: every known kind of repository is taken"),
    ("compatibility", "remove it: Docker schema 1 is refused"),
    ("reporting", "remove it; alert on the logs or on the metrics of http.debug.addr"),
];

/// Keys that change nothing here, and why not: a file that has them serves all the same, and its owner is told.
const WITHOUT_EFFECT: &[(&str, &str)] = &[
    ("log.fields", "let whatever collects the logs add them"),
    ("storage.filesystem.maxthreads", "reads are bounded by themselves"),
    ("storage.s3.useragent", "requests name this server"),
    ("storage.s3.loglevel", "failures of the store are logged"),
    ("storage.s3.multipartcopychunksize", COPY),
    ("storage.s3.multipartcopymaxconcurrency", COPY),
    ("storage.s3.multipartcopythresholdsize", COPY),
    ("storage.tag", "looking for a manifest's tags needs no limit"),
    ("http.headers", "X-Content-Type-Options: nosniff is always sent; let a proxy in front add others"),
    ("http.relativeurls", "every Location is a relative reference"),
    ("http.secret", "uploads are in the store, so replicas need no common secret"),
    ("http.http2", "clients that ask for HTTP/2 get it, others do not"),
    ("http.h2c", "clients that begin with HTTP/2 without TLS are understood"),
    ("http.debug.prometheus", "probes and metrics are always at http.debug.addr"),
    ("redis.pool", POOL),
    ("redis.poolsize", POOL),
    ("redis.poolfifo", POOL),
    ("redis.pooltimeout", POOL),
    ("redis.minidleconns", POOL),
    ("redis.maxidleconns", POOL),
    ("redis.maxactiveconns", POOL),
    ("redis.connmaxidletime", POOL),
    ("redis.connmaxlifetime", POOL),
    ("redis.maxretries", TIMEOUT),
    ("redis.minretrybackoff", TIMEOUT),
    ("redis.maxretrybackoff", TIMEOUT),
    ("redis.dialtimeout", TIMEOUT),
    ("redis.readtimeout", TIMEOUT),
    ("redis.writetimeout", TIMEOUT),
    ("redis.contexttimeoutenabled", TIMEOUT),
    ("redis.protocol", "it is negotiated"),
    ("redis.clientname", "connections have no name"),
    ("redis.maxredirects", ROUTE),
    ("redis.readonly", ROUTE),
    ("redis.routebylatency", ROUTE),
    ("redis.routerandomly", ROUTE),
    ("health", "/readyz at http.debug.addr asks the store at every probe"),
    ("catalog", "a page of the catalog has at most 1000 names, without n at most 10000"),
];

/// What to do instead of this key.
pub fn of(path: &[String]) -> Option<&'static str> {
    find(TABLE, path)
}

/// Why this key of distribution's changes nothing.
pub fn without_effect(path: &[String]) -> Option<&'static str> {
    find(WITHOUT_EFFECT, path)
}

fn find(table: &[(&str, &'static str)], path: &[String]) -> Option<&'static str> {
    let key = path.join(".");
    table.iter().find(|(known, _)| *known == key).map(|(_, said)| *said)
}

/// Sections of distribution's that we do not have: variables may name them, and are told so.
pub fn sections() -> impl Iterator<Item = &'static str> {
    TABLE.iter().chain(WITHOUT_EFFECT).map(|(key, _)| *key).filter(|key| !key.contains('.'))
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

    // registry CF3: who has them may go back to the server that knows them
    #[test]
    fn keys_without_effect_are_taken_and_told() {
        for (key, why) in WITHOUT_EFFECT {
            let needed = match key.split_once('.') {
                Some(("redis", _)) => "  addrs: ['a:1']\n",
                Some(("storage", rest)) if rest.starts_with("s3") => "    region: r\n    bucket: b\n",
                Some(("storage", rest)) if rest.starts_with("filesystem") => "    rootdirectory: d\n",
                Some(("http", "debug.prometheus")) => "    addr: ':1'\n",
                _ => "",
            };
            let text = file(key) + needed;
            let (_, told) = Config::read("c.yml", &text, []).unwrap_or_else(|e| panic!("{key}: {e}"));
            let told: Vec<_> = told.iter().map(|told| (told.key.as_str(), told.message.as_str())).collect();
            assert_eq!(told, [(*key, format!("has no effect here: {why}").as_str())]);
        }
        let secret = ("REGISTRY_HTTP_SECRET".to_owned(), "x".to_owned());
        let (_, told) = Config::read("c.yml", "", [secret]).unwrap();
        assert_eq!(told[0].source, "environment variable REGISTRY_HTTP_SECRET");
    }

    // registry CF3 CF4
    #[test]
    fn variables_of_keys_that_are_not_supported_are_named() {
        let below = ["REGISTRY_NOTIFICATIONS_ENDPOINTS_0_URL", "REGISTRY_PROXY_REMOTEURL"];
        let variable = |key: &str| format!("REGISTRY_{}", key.replace('.', "_").to_uppercase());
        let names = TABLE.iter().map(|(key, _)| variable(key)).chain(below.map(str::to_owned));
        for name in names {
            let problems = Config::from_yaml("c.yml", "", [(name.clone(), "x".into())]).expect_err(&name).0;
            let source = format!("environment variable {name}");
            let told = problems.iter().find(|problem| problem.message.starts_with("not supported: "));
            assert_eq!(told.unwrap_or_else(|| panic!("{name}: {problems:?}")).source, source);
        }
    }
}
