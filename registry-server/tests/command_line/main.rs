//! The binary: configuration errors, accounts, start and end.

#![expect(clippy::unwrap_used, reason = "a test may stop at once")]

use std::time::Duration;

use assert_cmd::Command as Assert;
use running::Running;

mod accounts;
mod again;
mod audit;
#[path = "../canaries/mod.rs"]
mod canaries;
mod costs;
mod descriptors;
mod durability;
mod ending;
mod guesses;
mod leaving;
mod load;
mod metrics;
mod nobody;
mod odd_manifests;
mod outside;
mod peers;
#[path = "../ports/mod.rs"]
mod ports;
mod redis_server;
mod replaced;
mod running;
#[path = "../sparse/mod.rs"]
mod sparse;
mod store;
mod strace;
mod traced;

fn server() -> Assert {
    let mut command = Assert::cargo_bin("registry-server").unwrap();
    command.env_clear();
    command
}

// registry CF2
#[test]
fn a_wrong_file_exits_78_and_names_every_place() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("c.yml");
    std::fs::write(&file, "version: 0.1\na: 1\nhttp:\n  b: 2\n  addr: [x]\nlog:\n  c: 3\n").unwrap();
    for arguments in [vec!["serve"], vec!["config", "validate"]] {
        let output = server().args(arguments).arg(&file).assert().code(78);
        let text = String::from_utf8_lossy(&output.get_output().stderr).into_owned();
        for place in ["c.yml:2:1: a: ", "c.yml:4:3: http.b: ", "c.yml:5:3: http.addr: ", "c.yml:7:3: log.c: "]
        {
            assert!(text.contains(place), "{place} in {text}");
        }
    }
}

// registry CF1
#[test]
fn an_open_registry_for_strangers_is_refused() {
    let output = server().arg("serve").env("REGISTRY_HTTP_ADDR", ":0").assert().code(78);
    assert!(String::from_utf8_lossy(&output.get_output().stderr).contains("--allow-anonymous-writes"));
}

// registry CF1
#[test]
fn an_open_registry_for_strangers_serves_who_asks_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start_at("", folder.path(), &["--allow-anonymous-writes"]);
    let index = r#"{"schemaVersion":2,"manifests":[]}"#;
    let put = "PUT /v2/n/manifests/t HTTP/1.1\ncontent-type: application/vnd.oci.image.index.v1+json";
    assert!(running.ask(&format!("{put}\n\n{index}")).starts_with("HTTP/1.1 201"));
    let (code, log) = running.end();
    assert_eq!(code, Some(0));
    assert_eq!(log.matches("the registry is open").count(), 1, "{log}");
}

// registry CF1
#[test]
fn the_program_says_its_version() {
    let told = server().arg("--version").assert().success();
    let text = String::from_utf8_lossy(&told.get_output().stdout).into_owned();
    assert_eq!(text.trim(), concat!("registry-server ", env!("CARGO_PKG_VERSION")));
}

// registry CF7
#[test]
fn the_default_configuration_validates() {
    let folder = tempfile::tempdir().unwrap();
    let printed = server().args(["config", "print-default"]).assert().success();
    let file = folder.path().join("c.yml");
    std::fs::write(&file, &printed.get_output().stdout).unwrap();
    server().args(["config", "validate"]).arg(&file).assert().success();
}

// registry CF3 CF7: what is odd about a file is told, and what it means all the same
#[test]
fn a_file_with_keys_without_effect_is_valid_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("c.yml");
    std::fs::write(&file, "http: {addr: ':5000', secret: canary}\nstorage: {inmemory: }\n").unwrap();
    let checked = server().args(["config", "validate"]).arg(&file).assert().success();
    let output = checked.get_output();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (meant, told) = (text(&output.stdout), text(&output.stderr));
    assert!(meant.contains(":5000") && !meant.contains("secret"), "{meant}");
    assert!(told.contains("c.yml:1:23: http.secret: has no effect here: uploads are in the store"), "{told}");
    assert!(told.contains("warning: http.addr: :5000 is reachable from other machines"), "{told}");
    assert!(!told.contains("canary"), "{told}");
}

// registry AU10 CF2 OB6: a mistake in a file of keys is found before pods have it
#[test]
fn files_of_keys_are_looked_at_with_the_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let section = |name: &str| format!("audiences: [r], jwks: '{}'", at(name).display());
    let text = format!(
        "oidc:\n- {{name: forge, issuer: 'https://forge', {}}}\n- {{name: other, issuer: 'https://other', {}}}\n\
         serviceaccounts: {{issuer: cluster, {}}}\n",
        section("secret"),
        section("good"),
        section("missing")
    );
    std::fs::write(at("c.yml"), text).unwrap();
    std::fs::write(at("secret"), r#"{"keys":[{"kty":"oct","k":"canary"}]}"#).unwrap();
    let key = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    std::fs::write(at("good"), format!(r#"{{"keys":[{key}]}}"#)).unwrap();
    let validate = || server().args(["config", "validate"]).arg(at("c.yml")).assert();
    let output = validate().code(78);
    let told = String::from_utf8_lossy(&output.get_output().stderr).into_owned();
    for part in [
        "c.yml: keys of forge: ",
        "secret key 1 is a private key or a secret",
        "c.yml: keys of serviceaccounts: ",
    ] {
        assert!(told.contains(part), "{part} in {told}");
    }
    assert!(!told.contains("of other") && !told.contains("canary"), "{told}");
    for name in ["secret", "missing"] {
        std::fs::copy(at("good"), at(name)).unwrap();
    }
    validate().success();
}

// registry AU10 OB5 OB6: who it was stands in the log, and what they showed does not
#[test]
fn logs_name_whom_a_token_names_and_never_the_token() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    let pair = rcgen::KeyPair::generate().unwrap();
    let key = jsonwebtoken::EncodingKey::from_ec_pem(pair.serialize_pem().as_bytes()).unwrap();
    let jwk = jsonwebtoken::jwk::Jwk::from_encoding_key(&key, jsonwebtoken::Algorithm::ES256).unwrap();
    write("jwks", &serde_json::json!({ "keys": [jwk] }).to_string());
    write("htpasswd", "ann:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=\n");
    write(
        "c.yml",
        "log: {level: debug, formatter: json}\nstorage: {inmemory: }\nauth: {htpasswd: {path: htpasswd}}\n\
         serviceaccounts: {issuer: cluster, audiences: [us], jwks: jwks}\n",
    );
    let running = Running::start(folder.path(), &["c.yml"]);
    let sub = "system:serviceaccount:prod:app";
    let mut secrets = Vec::new();
    for (audience, status) in [("us", "HTTP/1.1 200"), ("canary", "HTTP/1.1 401")] {
        let claims =
            serde_json::json!({ "iss": "cluster", "aud": audience, "sub": sub, "exp": 4_000_000_000_u64 });
        let header = jsonwebtoken::Header::new(jsonwebtoken::Algorithm::ES256);
        let token = jsonwebtoken::encode(&header, &claims, &key).unwrap();
        let get = format!("GET /v2/ HTTP/1.1\nauthorization: Bearer {token}\nx-request-id: {audience}");
        assert!(running.ask(&get).starts_with(status), "{audience}");
        secrets.extend(token.split('.').map(str::to_owned).skip(1));
    }
    let (_, log) = running.end();
    assert!(log.contains(r#""user":"serviceaccount:prod/app""#), "{log}");
    assert!(log.contains("the token is for another audience than this registry"), "{log}");
    assert!(secrets.iter().all(|secret| !log.contains(secret.as_str())), "{log}");
}

// registry AU7
#[test]
fn accounts_are_made_and_checked() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("htpasswd");
    let run = |verb: &str, user: &str, password: &str| {
        server().args(["htpasswd", verb]).arg(&file).arg(user).write_stdin(password.to_owned()).assert()
    };
    run("add", "ann", "secret\n").success();
    run("add", "bob", "other").success();
    run("add", "ann", "changed").success();
    run("verify", "ann", "changed\n").success();
    run("verify", "ann", "secret").failure();
    run("verify", "bob", "other").success();
    run("add", "eve", &"x".repeat(73)).failure();
    assert_eq!(std::fs::read_to_string(&file).unwrap().lines().count(), 2);
}

// registry CF1 J8
#[test]
fn it_serves_from_the_default_and_ends_on_sigterm() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(folder.path(), &[]);
    assert!(running.ask("GET /v2/ HTTP/1.1").starts_with("HTTP/1.1 200"));
    let (code, log) = running.end();
    assert_eq!(code, Some(0));
    assert_eq!(log.matches("the registry is open").count(), 1);
    assert!(folder.path().join("data").is_dir());
}

// registry OB4 OB5
#[test]
fn the_access_log_says_what_happened() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("c.yml");
    std::fs::write(
        &file,
        "log: {formatter: json}\nstorage: {inmemory: , cache: {blobdescriptor: inmemory}}\n",
    )
    .unwrap();
    let running = Running::start(folder.path(), &[file.to_str().unwrap()]);
    let index = r#"{"schemaVersion":2,"manifests":[]}"#;
    let put = "PUT /v2/a/b/manifests/t HTTP/1.1\ncontent-type: application/vnd.oci.image.index.v1+json";
    assert!(running.ask(&format!("{put}\nx-request-id: push\n\n{index}")).starts_with("HTTP/1.1 201"));
    for id in ["cold", "warm"] {
        let get = format!("GET /v2/a/b/manifests/t HTTP/1.1\nx-request-id: {id}");
        assert!(running.ask(&get).starts_with("HTTP/1.1 200"));
    }
    let (_, log) = running.end();
    let lines = log.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let lines: Vec<_> = lines.filter(|line| line["message"] == "request").collect();
    let about = |id: &str| lines.iter().find(|line| line["request_id"] == id).unwrap();
    for (id, method, status, bytes_in, bytes_out, cache_hit) in [
        ("push", "PUT", 201, 34, 0, None),
        ("cold", "GET", 200, 0, 34, Some(false)),
        ("warm", "GET", 200, 0, 34, Some(true)),
    ] {
        let line = about(id);
        assert_eq!((&line["method"], &line["route"]), (&method.into(), &"manifest".into()));
        assert_eq!((&line["repository"], &line["reference"]), (&"a/b".into(), &"t".into()));
        assert_eq!((&line["status"], &line["user"]), (&status.into(), &"-".into()));
        assert_eq!((&line["bytes_in"], &line["bytes_out"]), (&bytes_in.into(), &bytes_out.into()), "{line}");
        assert_eq!(line.get("cache_hit").and_then(serde_json::Value::as_bool), cache_hit, "{line}");
        assert!(line["duration_ms"].as_f64().unwrap() > 0.0 && line["timestamp"].is_string());
        assert!(line["peer"].as_str().unwrap().starts_with("127.0.0.1:"));
    }
}

// registry ST3, seed D11
#[test]
fn a_store_that_is_not_the_expected_one_is_not_served() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let file = folder.path().join("c.yml");
    let text = format!("storage: {{identity: mine, filesystem: {{rootdirectory: '{}'}}}}", store.display());
    std::fs::write(&file, &text).unwrap();
    let refused = |expected: &str, found: &str| {
        let output = server().arg("serve").arg(&file).assert().code(78);
        let text = String::from_utf8_lossy(&output.get_output().stderr).into_owned();
        for part in [expected, found, "not mounted", "storage.initialize: true"] {
            assert!(text.contains(part), "{part} in {text}");
        }
    };
    refused("\"mine\"", "no identity");
    assert!(!store.exists());
    std::fs::create_dir_all(store.join("docker/registry/v2")).unwrap();
    std::fs::write(store.join("docker/registry/v2/identity"), "another\n").unwrap();
    refused("\"mine\"", "\"another\"");
    assert_eq!(std::fs::read_to_string(store.join("docker/registry/v2/identity")).unwrap(), "another\n");
}

// registry TL7, seed D12
#[test]
fn a_certificate_that_no_client_takes_is_refused() {
    let certificates = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/certificates");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("c.yml");
    for (name, reason) in [("rsa-1024", "1024 bits"), ("version-1", "X.509 version 1")] {
        let pem = format!("{certificates}/{name}.pem");
        let text =
            format!("storage: {{inmemory: {{}}}}\nhttp: {{tls: {{certificate: '{pem}', key: '{pem}'}}}}");
        std::fs::write(&file, text).unwrap();
        let output = server().arg("serve").arg(&file).assert().code(78);
        let text = String::from_utf8_lossy(&output.get_output().stderr).into_owned();
        assert!(text.contains("http.tls.certificate: ") && text.contains(reason), "{text}");
    }
}

// registry CF2
#[test]
fn a_port_that_is_taken_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let mut command = server();
    command.arg("serve").env("REGISTRY_HTTP_ADDR", "127.0.0.1:0");
    command.env("REGISTRY_HTTP_DEBUG_ADDR", &address).timeout(Duration::from_secs(20));
    let folder = tempfile::tempdir().unwrap();
    let output = command.current_dir(folder.path()).assert().code(78);
    let text = String::from_utf8_lossy(&output.get_output().stderr).into_owned();
    assert!(text.contains(&format!("cannot listen on {address} (http.debug.addr)")), "{text}");
}

// registry RC12 OB6
#[test]
fn a_redis_password_is_in_no_log() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().display();
    std::fs::write(folder.path().join("password"), "canary-password").unwrap();
    std::fs::write(folder.path().join("user"), "canary-user").unwrap();
    let redis =
        format!("{{addrs: ['127.0.0.1:1'], usernamefile: '{at}/user', passwordfile: '{at}/password'}}");
    let text = format!(
        "log: {{level: debug}}\nstorage: {{inmemory: , cache: {{blobdescriptor: redis}}}}\nredis: {redis}\n"
    );
    std::fs::write(folder.path().join("c.yml"), text).unwrap();
    let running = Running::start(folder.path(), &["c.yml"]);
    let index = r#"{"schemaVersion":2,"manifests":[]}"#;
    let put = "PUT /v2/n/manifests/t HTTP/1.1\ncontent-type: application/vnd.oci.image.index.v1+json";
    assert!(running.ask(&format!("{put}\n\n{index}")).starts_with("HTTP/1.1 201"));
    assert!(running.ask("GET /v2/n/manifests/t HTTP/1.1").starts_with("HTTP/1.1 200"));
    let (_, log) = running.end();
    assert_eq!(log.matches("redis does not answer").count(), 1, "{log}");
    assert!(!log.contains("canary"), "{log}");
}

// registry OB7
#[test]
fn the_log_level_changes_while_it_runs() {
    let folder = tempfile::tempdir().unwrap();
    let (file, live) = (folder.path().join("c.yml"), folder.path().join("live.yml"));
    let level = |level: &str| std::fs::write(&live, format!("log: {{level: {level}}}\n")).unwrap();
    let text =
        format!("log: {{level: error}}\nstorage: {{inmemory: }}\nlive: {{path: '{}'}}\n", live.display());
    std::fs::write(&file, text).unwrap();
    level("error");
    let running = Running::start(folder.path(), &[file.to_str().unwrap()]);
    for (name, id) in [("error", "one-quiet"), ("debug", "two-loud"), ("error", "three-quiet")] {
        level(name);
        if id != "one-quiet" {
            // The file is looked at every ten seconds.
            std::thread::sleep(Duration::from_secs(12));
        }
        assert!(running.ask(&format!("GET /v2/ HTTP/1.1\nx-request-id: {id}")).starts_with("HTTP/1.1 200"));
        assert!(running.ask(&format!("{id} is no request")).starts_with("HTTP/1.1 400"));
    }
    let (code, log) = running.end();
    assert_eq!(code, Some(0));
    assert!(log.contains("request_id=\"two-loud\"") && log.contains("connection ended"), "{log}");
    assert!(!log.contains("quiet"), "{log}");
}
