//! From a file's text and the environment to a configuration, or to everything that is wrong with it.

use serde_json::{Value, json};

use crate::{
    advice,
    check::check,
    check_tokens, check_warnings, environment,
    error::{Problem, Problems},
    lifted, position,
    schema::{Config, Delete, Filesystem},
};

/// More problems than this are not looked for.
const ENOUGH: usize = 50;
/// Keys whose values are never read as anything but text, and never shown.
const SECRETS: [&str; 2] = ["accesskey", "secretkey"];

/// The configuration cannot be written as YAML.
#[derive(Debug, thiserror::Error)]
#[error("cannot write the configuration")]
pub struct WriteError(#[source] Box<serde_saphyr::ser::Error>);

impl Config {
    /// What is used without a file: loopback, `./data`, deletion on.
    pub fn standalone() -> Self {
        let mut config = Self::default();
        config.storage.filesystem = Some(Filesystem { rootdirectory: "data".into() });
        config.storage.delete = Delete { enabled: true };
        config
    }

    /// As [`Config::read`], for whoever does not tell about keys without effect.
    pub fn from_yaml(
        file: &str,
        text: &str,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, Problems> {
        Self::read(file, text, environment).map(|(config, _)| config)
    }

    /// Reads a file's text with the environment's overrides. The second value tells of keys of distribution's that are
    /// taken and change nothing.
    pub fn read(
        file: &str,
        text: &str,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<(Self, Vec<Problem>), Problems> {
        let mut value = untyped(text).map_err(|error| Problems(vec![unreadable(file, &error)]))?;
        if value.is_null() {
            value = json!({});
        }
        let mut overridden = Vec::new();
        let named = environment
            .into_iter()
            .filter_map(|(name, text)| environment::path(&name).map(|path| (path, name, text)));
        // A whole section comes before keys in it.
        let mut named: Vec<_> = named.collect();
        named.sort();
        for (path, name, text) in named {
            // A secret is what it is, whatever it would be in YAML.
            let parsed = match path.last().is_some_and(|last| SECRETS.contains(&last.as_str())) {
                true => Value::String(text),
                false => untyped(&text).unwrap_or(Value::String(text)),
            };
            environment::set(&mut value, &path, parsed);
            overridden.push((path, name));
        }
        adjust(&mut value);
        lifted::lift(&mut value);
        let at = |path: &[String], message: String| {
            let path = &*lifted::written(path);
            let above = overridden.iter().rev().find(|(start, _)| path.starts_with(start));
            let position = if above.is_some() { None } else { position::of(text, path) };
            let below = overridden.iter().find(|(start, _)| position.is_none() && start.starts_with(path));
            let variable = above.or(below).filter(|_| !path.is_empty());
            Problem {
                source: variable.map_or(file.to_owned(), |(_, name)| format!("environment variable {name}")),
                position,
                key: path.join("."),
                message,
            }
        };
        let (mut problems, mut idle) = (Vec::new(), Vec::new());
        let config = typed(value, |path, told| match told {
            Told::Wrong(message) => problems.push(at(path, message)),
            Told::WithoutEffect(message) => idle.push(at(path, message)),
        });
        if let Some(config) = &config {
            let plain = check(config).into_iter().map(|(key, message)| (key.to_owned(), message));
            for (key, message) in
                plain.chain(check_tokens::check(config)).chain(check_warnings::check(&config.warnings))
            {
                problems.push(at(&key.split('.').map(str::to_owned).collect::<Vec<_>>(), message));
            }
        }
        match config {
            Some(config) if problems.is_empty() => {
                idle.sort_by_key(|told| told.position);
                Ok((config, idle))
            }
            _ => Err(Problems(problems)),
        }
    }

    /// As [`Config::from_yaml`], for a file that replaces another while servers run. One that says nothing is being
    /// written, or was lost: it is no wish that there be no rules.
    pub fn live_from_yaml(
        file: &str,
        text: &str,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, Problems> {
        if untyped(text).is_ok_and(|value| value.is_null()) {
            let message = "the file is empty; {} is one without settings".to_owned();
            let source = file.to_owned();
            return Err(Problems(vec![Problem { source, position: None, key: String::new(), message }]));
        }
        Self::from_yaml(file, text, environment)
    }

    /// The configuration as a file.
    pub fn to_yaml(&self) -> Result<String, WriteError> {
        serde_saphyr::to_string(self).map_err(|e| WriteError(Box::new(e)))
    }
}

fn untyped(text: &str) -> Result<Value, serde_saphyr::Error> {
    let options = serde_saphyr::options! {
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        with_snippet: false,
    };
    serde_saphyr::from_str_with_options(text, options)
}

fn unreadable(file: &str, error: &serde_saphyr::Error) -> Problem {
    let position = error.location().map(|at| (at.line(), at.column()));
    Problem { source: file.to_owned(), position, key: String::new(), message: error.to_string() }
}

/// `version: 0.1` is a number in YAML, `inmemory:` is nothing, `REGISTRY_STORAGE=inmemory` is a word, and version 2 of
/// distribution knows one Redis server.
fn adjust(value: &mut Value) {
    if value["version"].as_f64() == Some(0.1) {
        value["version"] = json!("0.1");
    } else if value["version"].is_null()
        && let Some(map) = value.as_object_mut()
    {
        map.remove("version");
    }
    if let Some(backend) = value["storage"].as_str().map(str::to_owned) {
        value["storage"] = json!({ backend: {} });
    }
    if let Some(storage) = value.get_mut("storage").and_then(Value::as_object_mut)
        && let Some(inmemory) = storage.get_mut("inmemory").filter(|v| v.is_null())
    {
        *inmemory = json!({});
    }
    if let Some(redis) = value.get_mut("redis").and_then(Value::as_object_mut)
        && !redis.contains_key("addrs")
        && let Some(address) = redis.remove("addr")
    {
        redis.insert("addrs".to_owned(), json!([address]));
    }
}

/// What is to say about a key.
enum Told {
    Wrong(String),
    WithoutEffect(String),
}

/// Takes out what is wrong and tries again, so that every problem is told.
fn typed(mut value: Value, mut tell: impl FnMut(&[String], Told)) -> Option<Config> {
    for _ in 0..ENOUGH {
        let error = match serde_path_to_error::deserialize::<_, Config>(value.clone()) {
            Ok(config) => return Some(config),
            Err(error) => error,
        };
        let mut path: Vec<String> = steps(error.path());
        let message = error.into_inner().to_string();
        if let Some(key) = message.strip_prefix("unknown field `").and_then(|rest| rest.split('`').next())
            && path.last().is_none_or(|last| last != key)
        {
            path.push(key.to_owned());
        }
        tell(&path, judged(&path, message));
        if !remove(&mut value, &path) {
            return None;
        }
    }
    None
}

fn judged(path: &[String], message: String) -> Told {
    if !message.starts_with("unknown field") {
        return Told::Wrong(message);
    }
    match (advice::without_effect(path), advice::of(path)) {
        (Some(why), _) => Told::WithoutEffect(format!("has no effect here: {why}")),
        (None, Some(advice)) => Told::Wrong(format!("not supported: {advice}")),
        (None, None) => Told::Wrong(message),
    }
}

fn steps(path: &serde_path_to_error::Path) -> Vec<String> {
    use serde_path_to_error::Segment;
    let step = |segment: &Segment| match segment {
        Segment::Seq { index } => Some(index.to_string()),
        Segment::Map { key } => Some(key.clone()),
        Segment::Enum { .. } | Segment::Unknown => None,
    };
    path.iter().filter_map(step).collect()
}

fn remove(value: &mut Value, path: &[String]) -> bool {
    let Some((last, parents)) = path.split_last() else { return false };
    let mut at = value;
    for step in parents {
        let next = match step.parse::<usize>() {
            Ok(index) => at.get_mut(index),
            Err(_) => at.get_mut(step.as_str()),
        };
        let Some(next) = next else { return false };
        at = next;
    }
    match at {
        Value::Object(map) => map.remove(last).is_some(),
        Value::Array(items) => {
            let index = last.parse::<usize>().ok().filter(|index| *index < items.len());
            index.map(|index| items.remove(index)).is_some()
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::IndexPlatforms;

    fn read(text: &str, environment: &[(&str, &str)]) -> Result<Config, Problems> {
        let environment = environment.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        Config::from_yaml("c.yml", text, environment)
    }

    // registry CF2
    #[test]
    fn every_problem_is_told_with_its_place() {
        let text = "version: 0.1\nhttp:\n  addr: :5000\n  adr: x\nlog:\n  levle: info\nlimits:\n  maxmanifestsize: many\nnew: 1\n";
        let problems = read(text, &[]).unwrap_err().0;
        let mut found: Vec<_> = problems.iter().map(|p| (p.key.as_str(), p.position)).collect();
        found.sort();
        assert_eq!(
            found,
            [
                ("http.adr", Some((4, 3))),
                ("limits.maxmanifestsize", Some((8, 3))),
                ("log.levle", Some((6, 3))),
                ("new", Some((9, 1))),
            ]
        );
    }

    // registry CF4
    #[test]
    fn the_environment_wins() {
        let config =
            read("version: 0.1\n", &[("REGISTRY_HTTP_ADDR", ":5001"), ("REGISTRY_PORT", "tcp://x")]).unwrap();
        assert_eq!(config.http.addr, ":5001");
        let problem = &read("", &[("REGISTRY_HTTP_NOPE", "1")]).unwrap_err().0[0];
        assert_eq!(problem.source, "environment variable REGISTRY_HTTP_NOPE");
        let delete = read("", &[("REGISTRY_STORAGE_DELETE", "{enabled: true}")]).unwrap();
        assert!(delete.storage.delete.enabled);
    }

    // registry CF1
    #[test]
    fn only_this_machine_is_served_unless_the_file_says_otherwise() {
        for config in [Config::standalone(), read("", &[]).unwrap()] {
            assert_eq!(config.http.addr, "127.0.0.1:5000");
        }
    }

    // registry CF3: as distribution's documentation writes them
    #[test]
    fn platforms_of_indexes_are_taken_in_either_case() {
        for word in ["List", "list"] {
            let section =
                format!("{{platforms: {word}, platformlist: [{{architecture: amd64, os: linux}}]}}");
            let config = read(&format!("validation: {{manifests: {{indexes: {section}}}}}"), &[]).unwrap();
            assert_eq!(config.validation.manifests.indexes.platforms, IndexPlatforms::List);
        }
        for (section, why) in
            [("{platforms: list}", "is empty"), ("{platformlist: [{architecture: a, os: b}]}", "counts")]
        {
            let problems =
                read(&format!("validation: {{manifests: {{indexes: {section}}}}}"), &[]).unwrap_err();
            assert!(problems.to_string().contains(why), "{problems}");
        }
    }

    // registry AU12
    #[test]
    fn rules_that_say_nothing_or_let_anybody_write_are_refused() {
        for (rule, why) in [
            ("subjects: [], repositories: ['**'], actions: [pull]", "needs subjects"),
            ("subjects: [anonymous], repositories: ['**'], actions: [push]", "anonymous may be allowed"),
            ("subjects: ['user:'], repositories: ['**'], actions: [pull]", "none of anonymous"),
            ("subjects: [anonymous], repositories: ['a['], actions: [pull]", "unclosed"),
        ] {
            let problems = read(&format!("access: [{{{rule}}}]"), &[]).unwrap_err();
            assert!(problems.to_string().contains(why), "{problems}");
        }
    }

    // registry CF4
    #[test]
    fn variables_reach_into_every_section() {
        let config = read(
            "",
            &[
                ("REGISTRY_VALIDATION_MANIFESTS_INDEXES_PLATFORMS", "all"),
                ("REGISTRY_IMMUTABLETAGS", "[{repositories: ['**'], tags: ['v*']}]"),
                ("REGISTRY_ACCESS_0_SUBJECTS", "['group:team']"),
                ("REGISTRY_ACCESS_0_REPOSITORIES_0", "a/**"),
                ("REGISTRY_ACCESS_0_ACTIONS", "[pull]"),
                ("REGISTRY_GROUPS_TEAM_0", "ann"),
                ("REGISTRY_AUTH_HTPASSWD", "{realm: r, path: p}"),
            ],
        );
        let config = config.unwrap();
        assert_eq!(config.validation.manifests.indexes.platforms, IndexPlatforms::All);
        assert_eq!((config.immutabletags.len(), config.access.len()), (1, 1));
        assert_eq!(config.groups["team"], ["ann"]);
    }

    // registry CF3
    #[test]
    fn files_of_distribution_are_taken_where_they_mean_the_same() {
        let config = read(
            "version: 0.1\nlog:\n  level: debug\n  formatter: json\n  accesslog:\n    disabled: true\n\
             storage:\n    delete:\n      enabled: true\n    cache:\n        blobdescriptor: inmemory\n    \
             filesystem:\n        rootdirectory: /var/lib/registry\n    maintenance:\n        uploadpurging:\n            \
             enabled: false\n        readonly:\n            enabled: true\nhttp:\n    addr: :5000\n    draintimeout: 60s\n    \
             tls:\n      certificate: /c\n      key: /k\n      minimumtls: tls1.2\n      clientcas: [/a, /b]\n      \
             clientauth: verify-client-cert-if-given\n    debug:\n        addr: :5001\n\
             auth:\n  htpasswd:\n    realm: basic-realm\n    path: /p\n\
             redis:\n  addrs: ['redis:6379']\n  db: 1\n  tls:\n    certificate: /c\n    key: /k\n    clientcas: [/a]\n",
            &[],
        );
        assert_eq!(config.unwrap().http.tls.unwrap().clientcas.len(), 2);
        for backend in ["inmemory", "{inmemory: }"] {
            assert!(read("", &[("REGISTRY_STORAGE", backend)]).unwrap().storage.inmemory.is_some());
        }
        // As distribution's documentation shows it for containers; the order of the variables is any.
        let variables = [
            ("REGISTRY_AUTH_HTPASSWD_PATH", "/p"),
            ("REGISTRY_AUTH_HTPASSWD_REALM", "R"),
            ("REGISTRY_AUTH", "htpasswd"),
        ];
        assert_eq!(read("", &variables).unwrap().auth.unwrap().htpasswd.realm, "R");
    }

    // registry CF3: the file that Debian's package has, and what both versions of distribution have in examples
    #[test]
    fn files_of_distribution_are_taken_with_what_changes_nothing() {
        let text = "version: 0.1\nlog:\n  fields:\n    service: registry\nstorage:\n  cache:\n    blobdescriptor: inmemory\n  \
             filesystem:\n    rootdirectory: /var/lib/docker-registry\n  delete:\n    enabled: true\nhttp:\n  addr: :5000\n  \
             headers:\n    X-Content-Type-Options: [nosniff]\nauth:\n  htpasswd:\n    realm: basic-realm\n    \
             path: /etc/docker/registry\nhealth:\n  storagedriver:\n    enabled: true\n    interval: 10s\n    threshold: 3\n";
        let (config, told) = Config::read("c.yml", text, []).unwrap();
        let told: Vec<_> = told.iter().map(|told| (told.key.as_str(), told.position)).collect();
        assert_eq!(config.http.addr, ":5000");
        assert_eq!(
            told,
            [("log.fields", Some((3, 3))), ("http.headers", Some((14, 3))), ("health", Some((20, 1)))]
        );
        let redis =
            "redis: {addr: 'redis:6379', db: 0, dialtimeout: 10ms, pool: {maxidle: 16, maxactive: 64}}";
        let (config, told) = Config::read("c.yml", redis, []).unwrap();
        assert_eq!((config.redis.unwrap().addrs, told.len()), (vec!["redis:6379".to_owned()], 2));
    }

    // registry CF7 OB6
    #[test]
    fn secrets_in_the_file_are_not_shown() {
        let text = "storage: {s3: {region: r, bucket: b, accesskey: canary1, secretkey: canary2}}";
        let config = read(text, &[]).unwrap();
        assert!(config.to_yaml().unwrap().contains("canary2"));
        for shown in [format!("{config:?}"), config.redacted().to_yaml().unwrap()] {
            assert!(!shown.contains("canary") && shown.contains("redacted"), "{shown}");
        }
    }

    // registry CF5 OB6
    #[test]
    fn secrets_that_look_like_something_else_are_not_shown() {
        for bad in ["12345678", "[canary]", "{canary: 1}", "true", "1e5"] {
            let text = format!("storage: {{s3: {{region: r, bucket: b, accesskey: a, secretkey: {bad}}}}}");
            let problems = read(&text, &[]).unwrap_err().to_string();
            assert!(problems.contains("storage.s3.secretkey: must be a text"), "{problems}");
            assert!(!problems.contains(bad) && !problems.contains("canary"), "{problems}");
            let environment = [
                ("REGISTRY_STORAGE_S3", "{region: r, bucket: b}"),
                ("REGISTRY_STORAGE_S3_ACCESSKEY", "0123"),
                ("REGISTRY_STORAGE_S3_SECRETKEY", bad),
            ];
            let s3 = read("", &environment).unwrap().storage.s3.unwrap();
            assert_eq!((s3.accesskey.unwrap().0.as_str(), s3.secretkey.unwrap().0.as_str()), ("0123", bad));
        }
    }

    // registry CF6
    #[test]
    fn the_word_of_an_example_is_no_secret() {
        for word in ["changeme", "REPLACEME", "Change-Me", "change_me", " changeme "] {
            let text = format!("storage:\n  s3: {{region: r, bucket: b, accesskey: k, secretkey: '{word}'}}");
            let problems = read(&text, &[]).unwrap_err().to_string();
            assert!(problems.starts_with("c.yml:2:44: storage.s3.secretkey: "), "{problems}");
            assert!(problems.contains("placeholder") && !problems.contains(word), "{problems}");
            let environment = [
                ("REGISTRY_STORAGE_S3", "{region: r, bucket: b, secretkey: s}"),
                ("REGISTRY_STORAGE_S3_ACCESSKEY", word),
            ];
            let problems = read("", &environment).unwrap_err().to_string();
            assert!(problems.contains("storage.s3.accesskey: ") && !problems.contains(word), "{problems}");
        }
    }

    // registry CF7
    #[test]
    fn what_is_written_reads_back() {
        let standalone = Config::standalone();
        assert_eq!(read(&standalone.to_yaml().unwrap(), &[]).unwrap(), standalone);
    }

    // registry CF1
    #[test]
    fn a_live_file_that_says_nothing_is_a_mistake() {
        for text in ["", "\n", "# nothing\n", "---\n", "null"] {
            let problems = Config::live_from_yaml("live.yml", text, []).unwrap_err().to_string();
            assert!(problems.starts_with("live.yml: ") && problems.contains("{}"), "{text:?}: {problems}");
        }
        assert_eq!(Config::live_from_yaml("live.yml", "{}", []).unwrap(), Config::default());
    }

    // registry CF8
    #[test]
    fn yaml_of_the_old_days_is_not_misread() {
        assert!(read("storage: {delete: {enabled: no}}", &[]).is_err());
        assert!(read("limits: {maxmanifestsize: 0777}", &[]).is_err());
        assert!(read("http: {addr: ':1'}\nhttp: {addr: ':2'}", &[]).is_err());
        assert!(read("storage:\n  inmemory:\n", &[]).unwrap().storage.inmemory.is_some());
        let bomb: String = (1..30).map(|i| format!("k{i}: &a{i} [*a{}, *a{}]\n", i - 1, i - 1)).collect();
        assert!(read(&format!("k0: &a0 [x]\n{bomb}"), &[]).is_err());
    }

    #[test]
    fn keys_of_stores_caches_and_tls_are_checked() {
        let found = |text: &str| {
            let problems = read(text, &[]).unwrap_err().0;
            problems.into_iter().map(|p| format!("{}: {}", p.key, p.message)).collect::<Vec<_>>().join("\n")
        };
        for (text, wanted) in [
            ("storage: {identity: 'a b'}", "storage.identity: must be"),
            ("storage: {cache: {blobdescriptor: inmemory, maxsize: 0}}", "storage.cache.maxsize: must be"),
            (
                "storage: {maintenance: {uploadpurging: {age: 0s}}}",
                "storage.maintenance.uploadpurging.age: must be",
            ),
            (
                "storage: {s3: {region: r, bucket: b, skipverify: true}}",
                "storage.s3.skipverify: certificates",
            ),
            ("storage: {s3: {region: r, bucket: b, v4auth: false}}", "storage.s3.v4auth: signature"),
            ("storage: {s3: {region: r, bucket: b, chunksize: 100}}", "storage.s3.chunksize: must be"),
            ("storage: {s3: {region: r, bucket: b, accesskey: a}}", "storage.s3: access key and secret"),
            ("storage: {s3: {region: r, bucket: b, keyid: a}}", "storage.s3.keyid: means nothing"),
            (
                "storage: {s3: {region: r, bucket: b, regionendpoint: 'http://x'}}",
                "storage.s3.regionendpoint: plain",
            ),
            ("storage: {s3: {region: r, bucket: b}, inmemory: {}}", "storage: exactly one"),
            ("storage: {redirect: {expiry: 1h}}", "storage.redirect: clients can fetch"),
            (
                "storage: {s3: {region: r, bucket: b}, redirect: {expiry: 169h}}",
                "storage.redirect.expiry: must be between",
            ),
            (
                "storage: {s3: {region: r, bucket: b}, redirect: {publicendpoint: s3.example.com}}",
                "storage.redirect.publicendpoint: must be a URL",
            ),
            ("storage: {redirect: {exceptfrom: [10.0.0.1/8]}}", "storage.redirect.exceptfrom.0: "),
            ("redis: {addrs: ['a:1'], username: a, usernamefile: b}", "redis.usernamefile: either"),
            ("trustedproxies: [10.0.0.1/8]", "trustedproxies.0: \"10.0.0.1/8\" has bits beyond"),
            ("quotas: [{repositories: [], maxsize: 1}]", "quotas: an entry needs repositories"),
            ("redis: {addrs: []}", "redis.addrs: at least one"),
            ("redis: {addrs: ['a:1', b]}", "redis.addrs: \"b\" is not host:port"),
            (
                "http: {host: registry.example.com}",
                "http.host: is not a URL such as https://registry.example.com",
            ),
            ("http: {host: 'https://a/b'}", "http.host: is not a URL such as https://registry.example.com"),
            ("redis: {addrs: ['a:1', 'b:1'], db: 1}", "redis.db: several addresses"),
            ("redis: {addrs: ['a:1'], mastername: ''}", "redis.mastername: must not be empty"),
            ("redis: {addrs: ['a:1'], sentinelusername: a}", "redis.sentinelusername: means nothing"),
            ("redis: {addrs: ['a:1'], sentinelusernamefile: a}", "redis.sentinelusernamefile: means nothing"),
            ("redis: {addrs: ['a:1'], sentinelpasswordfile: a}", "redis.sentinelpasswordfile: means nothing"),
            (
                "redis: {addrs: ['a:1'], mastername: m, sentinelusername: a, sentinelusernamefile: b}",
                "redis.sentinelusernamefile: either",
            ),
            ("redis: {addrs: ['a:1'], tls: {}}", "redis.tls: clientcas is missing"),
            ("redis: {addrs: ['a:1'], tls: {clientcas: [c], key: k}}", "redis.tls: certificate and key"),
            ("http: {tls: {certificate: c, key: k, minimumtls: tls1.0}}", "http.tls.minimumtls: "),
            (
                "http: {tls: {certificate: c, key: k, clientidentity: uri}}",
                "http.tls.clientidentity: needs clientcas",
            ),
            (
                "http: {tls: {certificate: c, key: k, clientauth: request-client-cert}}",
                "http.tls.clientauth: ",
            ),
        ] {
            assert!(found(text).starts_with(wanted), "{}", found(text));
        }
        let purging = read("storage: {maintenance: {uploadpurging: {age: 1h, dryrun: true}}}", &[]).unwrap();
        let purging = purging.storage.maintenance.uploadpurging;
        assert_eq!((purging.age.0.as_secs(), purging.enabled, purging.dryrun), (3600, true, true));
    }

    // registry CF2 RC13
    #[test]
    fn keys_of_sentinels_and_clusters_are_told_with_their_place() {
        let text =
            "version: 0.1\nredis:\n  addrs:\n    - a:1\n    - b:1\n  sentinelpasswordfile: /p\n  db: 2\n";
        let problems = read(text, &[]).unwrap_err().0;
        let found: Vec<_> = problems.iter().map(|p| (p.key.as_str(), p.position)).collect();
        assert_eq!(found, [("redis.db", Some((7, 3))), ("redis.sentinelpasswordfile", Some((6, 3)))]);
        let text = "redis: {addrs: ['a:1', 'b:1'], mastername: m, sentinelusername: u, db: 2}";
        assert_eq!(read(text, &[]).unwrap().redis.unwrap().mastername.as_deref(), Some("m"));
    }

    #[test]
    fn what_the_types_cannot_say_is_checked() {
        let text = "storage: {inmemory: {}, filesystem: {rootdirectory: d}, cache: {blobdescriptor: redis}}\nhttp: {addr: x}";
        assert_eq!(read(text, &[]).unwrap_err().0.len(), 3);
    }
}
