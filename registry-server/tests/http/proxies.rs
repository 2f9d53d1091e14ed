//! Section 13 behind proxies: raw requests, and a real nginx. Machines without nginx skip the latter.

use std::net::{IpAddr, SocketAddr};

use reqwest::{StatusCode, Url};
use serde_json::Value;
use tempfile::TempDir;

use crate::{
    access::with_accounts,
    authority::Authority,
    client::{Client, Watch},
    fixture::{Fixture, OCI_INDEX, eventually},
    locations::Wary,
    log_lines,
    nginx::{Nginx, OF_2014, OF_TODAY},
    ports,
};

const AUDIT: &str = "log: {audit: {file: 'FOLDER/audit'}}\nstorage: {delete: {enabled: true}}\n";
/// Of `dev`.
const LOGIN: &[(&str, &str)] = &[("authorization", "Basic ZGV2OnNlY3JldC1jYW5hcnk=")];

/// Where the audit log says the last request came from.
fn address(registry: &Fixture) -> String {
    let text = registry.audit();
    let line: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    line["address"].as_str().unwrap().to_owned()
}

/// A client that comes from this address of the machine.
fn from(last: u8) -> reqwest::ClientBuilder {
    reqwest::Client::builder().no_proxy().local_address(IpAddr::from([127, 0, 0, last]))
}

async fn login(client: &Client, base: &str, password: &str, forwarded: Option<&str>) -> StatusCode {
    let request = client.get(format!("{base}/v2/")).basic_auth("dev", Some(password));
    let request =
        forwarded.into_iter().fold(request, |request, text| request.header("x-forwarded-for", text));
    request.send().await.unwrap().status()
}

// registry TL8 OB8 AU8
#[tokio::test]
async fn the_address_of_a_client_is_what_known_proxies_say() {
    for (trusted, told) in [("127.0.0.2", "192.0.2.7"), ("192.0.2.0/24", "127.0.0.2")] {
        let (registry, _folder) = with_accounts(&format!("{AUDIT}trustedproxies: ['{trusted}']")).await;
        let (base, proxy) = (format!("http://{}", registry.address), from(2).watched());
        assert_eq!(login(&proxy, &base, "wrong", Some("203.0.113.9, 192.0.2.7")).await, 401);
        assert_eq!(address(&registry), told);
        // Whoever is no proxy says nothing about the way.
        let stranger = from(3).watched();
        assert_eq!(login(&stranger, &base, "wrong", Some("192.0.2.7")).await, 401);
        assert_eq!(address(&registry), "127.0.0.3");
    }
}

/// From where the line of the access log about this request says that it came: connection and client.
async fn logged(id: &str) -> (String, String) {
    let line = || log_lines::kept(id).into_iter().find(|line| line.contains("bytes_out="));
    eventually(async || line().is_some()).await;
    let line = line().unwrap();
    let field =
        |name: &str| line.split_whitespace().find_map(|word| word.strip_prefix(name)).unwrap().to_owned();
    (field("peer=").split(':').next().unwrap().to_owned(), field("client="))
}

// registry OB4 TL8, seed N5
#[tokio::test]
async fn the_access_log_names_the_client_that_known_proxies_name() {
    for (trusted, told) in [("127.0.0.2", "192.0.2.7"), ("192.0.2.0/24", "127.0.0.2")] {
        let registry = Fixture::with(&format!("trustedproxies: ['{trusted}']")).await;
        let id = uuid::Uuid::new_v4().to_string();
        log_lines::keep(&id);
        let ask =
            from(2).watched().get(format!("http://{}/v2/", registry.address)).header("x-request-id", &id);
        let answer = ask.header("x-forwarded-for", "203.0.113.9, 192.0.2.7").send().await.unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(logged(&id).await, ("127.0.0.2".to_owned(), told.to_owned()));
    }
}

// registry AU8 TL8
#[tokio::test]
async fn guesses_through_a_proxy_count_by_the_client() {
    let (registry, _folder) = with_accounts("trustedproxies: ['127.0.0.2']").await;
    let (base, proxy) = (format!("http://{}", registry.address), from(2).watched());
    for i in 0..20 {
        // What a client says itself does not make it another one.
        let said = format!("198.51.100.{i}, 192.0.2.7");
        assert_eq!(login(&proxy, &base, "wrong", Some(&said)).await, 401);
    }
    assert_eq!(login(&proxy, &base, "secret-canary", Some("192.0.2.7")).await, 429);
    assert_eq!(login(&proxy, &base, "secret-canary", Some("192.0.2.8")).await, 200);
}

/// An nginx on this machine, and what it is reached with.
struct Front {
    _nginx: Nginx,
    _folder: TempDir,
    port: u16,
}

impl Front {
    /// Starts one with this site; nothing when the machine has no such program.
    async fn start(authority: &Authority, registry: SocketAddr, site: &str) -> Option<Self> {
        let (folder, port) = (tempfile::tempdir().unwrap(), ports::free());
        authority.server(folder.path());
        let listen = format!("127.0.0.1:{port}");
        let nginx = Nginx::start(folder.path(), &listen, &registry.to_string(), site)?;
        eventually(async || tokio::net::TcpStream::connect(&listen).await.is_ok()).await;
        Some(Self { _nginx: nginx, _folder: folder, port })
    }

    /// A client that trusts it and comes from this address of the machine.
    fn client(&self, authority: &Authority, last: u8) -> Client {
        let root = reqwest::Certificate::from_pem(authority.pem().as_bytes()).unwrap();
        from(last).tls_certs_only([root]).watched()
    }

    fn base(&self) -> String {
        format!("https://localhost:{}", self.port)
    }
}

// registry TL8 C26 OB4, seed D1 N5
#[tokio::test]
async fn images_go_through_nginx_and_addresses_are_those_of_its_clients() {
    let authority = Authority::new();
    for (site, seen) in [(OF_2014, "127.0.0.1"), (OF_TODAY, "127.0.0.2")] {
        let (registry, _folder) = with_accounts(&format!("{AUDIT}trustedproxies: ['127.0.0.1']")).await;
        let Some(nginx) = Front::start(&authority, registry.address, site).await else { return };
        let client = nginx.client(&authority, 2);
        let base = nginx.base();
        let wary = Wary { client: client.clone(), base: Url::parse(&base).unwrap(), headers: LOGIN };
        assert!(wary.push().await.iter().all(|location| location.starts_with("/v2/")));
        assert_eq!(address(&registry), seen);
        // Who says to come from elsewhere comes from where nginx has seen them.
        let manifest =
            client.put(format!("{base}/v2/n/manifests/u")).basic_auth("dev", Some("secret-canary"));
        let manifest = manifest.header("content-type", OCI_INDEX).header("x-forwarded-for", "203.0.113.9");
        let id = uuid::Uuid::new_v4().to_string();
        log_lines::keep(&id);
        let manifest = manifest.header("x-request-id", &id);
        let pushed = manifest.body(r#"{"schemaVersion":2,"manifests":[]}"#).send().await.unwrap();
        assert_eq!(pushed.status(), 201);
        if site == OF_TODAY {
            assert_eq!(address(&registry), seen);
            assert_eq!(logged(&id).await, ("127.0.0.1".to_owned(), seen.to_owned()));
        }
    }
}

// registry AU8 TL8
#[tokio::test]
async fn guesses_through_nginx_lock_out_nobody_else() {
    let (registry, _folder) = with_accounts("trustedproxies: ['127.0.0.1']").await;
    let authority = Authority::new();
    let Some(nginx) = Front::start(&authority, registry.address, OF_TODAY).await else { return };
    let (guesser, other, base) = (nginx.client(&authority, 2), nginx.client(&authority, 3), nginx.base());
    for i in 0..20 {
        let said = format!("198.51.100.{i}");
        assert_eq!(login(&guesser, &base, "wrong", Some(&said)).await, 401);
    }
    assert_eq!(login(&guesser, &base, "secret-canary", None).await, 429);
    assert_eq!(login(&other, &base, "secret-canary", None).await, 200);
}
