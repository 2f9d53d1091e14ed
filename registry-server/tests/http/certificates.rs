//! Sections 9 and 13: clients whose certificate says who they are.

use std::{path::Path, sync::Arc};

use rcgen::SanType;
use reqwest::StatusCode;
use rustls::{ClientConfig, HandshakeKind, RootCertStore, SupportedProtocolVersion, version};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::{
    authority::Authority,
    client::{Client, Watch},
    fixture::{Fixture, OCI_INDEX, eventually, refused},
    tls::{Load, accepts, ask, client},
};

const BUILDER: &str = "spiffe://prod/ns/ci/sa/builder";
const OTHER: &str = "spiffe://prod/ns/web/sa/app";
const INDEX: &str = r#"{"schemaVersion":2,"manifests":[]}"#;

/// A folder with a server's certificate and the authority of clients, and who signs either.
fn authorities() -> (TempDir, Authority, Authority) {
    let (folder, server, clients) = (tempfile::tempdir().unwrap(), Authority::new(), Authority::new());
    server.server(folder.path());
    std::fs::write(folder.path().join("clients"), clients.pem()).unwrap();
    (folder, server, clients)
}

/// A registry with an account, where certificates may be shown and name somebody. With a key it gives tokens.
async fn serve(folder: &Path, kind: &str, rules: &str) -> Fixture {
    let at = folder.display();
    std::fs::write(folder.join("htpasswd"), "dev:{SHA}dR6xbZ1gQLunYuitWAujQx3sL88=").unwrap();
    let tls = format!(
        "{{certificate: '{at}/crt', key: '{at}/key', clientcas: ['{at}/clients'], clientidentity: {kind}, \
         clientauth: verify-client-cert-if-given}}"
    );
    let key = folder.join("token.pem");
    let token = if key.exists() {
        format!(", token: {{builtin: {{key: '{}'}}}}", key.display())
    } else {
        String::new()
    };
    let auth = format!("auth: {{htpasswd: {{path: '{at}/htpasswd'}}{token}}}");
    Fixture::with(&format!("http: {{tls: {tls}}}\nlog: {{audit: {{file: FOLDER/audit}}}}\n{auth}\n{rules}"))
        .await
}

/// A client with a certificate of this authority that has these names.
fn named(server: &Authority, authority: &Authority, names: &[SanType]) -> reqwest::ClientBuilder {
    let (certificate, key) = authority.pair_with(|params| params.subject_alt_names = names.to_vec());
    client(server).identity(reqwest::Identity::from_pem((certificate + &key).as_bytes()).unwrap())
}

fn uri(text: &str) -> SanType {
    SanType::URI(text.try_into().unwrap())
}

async fn push(registry: &Fixture, client: &Client, repository: &str) -> reqwest::Response {
    let url = format!("https://{}/v2/{repository}/manifests/t", registry.address);
    client.put(url).header("content-type", OCI_INDEX).body(INDEX).send().await.unwrap()
}

const RULES: &str = "access:\n\
    - {subjects: ['cert:spiffe://prod/ns/ci/sa/*'], repositories: ['ci/**'], actions: [pull, push]}\n\
    - {subjects: ['user:dev'], repositories: ['dev/**'], actions: [pull, push]}\n";

// registry TL4 A7 OB8
#[tokio::test]
async fn rules_name_whom_a_certificate_names() {
    let (folder, server, clients) = authorities();
    let registry = serve(folder.path(), "uri", RULES).await;
    let builder = named(&server, &clients, &[uri(BUILDER)]).watched();
    assert_eq!(push(&registry, &builder, "ci/app").await.status(), 201);
    refused(push(&registry, &builder, "dev/app").await, 403, "DENIED").await;
    let other = named(&server, &clients, &[uri(OTHER)]).watched();
    refused(push(&registry, &other, "ci/app").await, 403, "DENIED").await;
    // Whom it does not name, or names twice, is nobody.
    let dns = SanType::DnsName("builder".try_into().unwrap());
    for names in [vec![dns], vec![uri(BUILDER), uri(OTHER)]] {
        let nobody = named(&server, &clients, &names).watched();
        refused(push(&registry, &nobody, "ci/app").await, 401, "UNAUTHORIZED").await;
    }
    let without = client(&server).watched();
    refused(push(&registry, &without, "ci/app").await, 401, "UNAUTHORIZED").await;
    let audit = registry.audit();
    let users =
        audit.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["user"].clone());
    let named = |name: &str| format!("cert:{name}");
    let expected = [&named(BUILDER), &named(BUILDER), &named(OTHER), "-", "-", "-"];
    assert_eq!(users.collect::<Vec<_>>(), expected);
}

// registry AU1 AU2 A7
#[tokio::test]
async fn credentials_of_the_request_count_before_the_certificate_of_the_connection() {
    let (folder, server, clients) = authorities();
    let registry = serve(folder.path(), "uri", RULES).await;
    for newest in [false, true] {
        let builder = named(&server, &clients, &[uri(BUILDER)]);
        let builder = if newest { builder } else { builder.http1_only() }.watched();
        let with = async |value: Option<&str>, repository: &str| -> StatusCode {
            let url = format!("https://{}/v2/{repository}/manifests/t", registry.address);
            let mut request = builder.put(url).header("content-type", OCI_INDEX).body(INDEX);
            for value in value.into_iter().flat_map(|value| value.split(';')) {
                request = request.header("authorization", value);
            }
            request.send().await.unwrap().status()
        };
        for (value, ci, dev) in [
            (None, 201, 403),
            (Some("Basic Og=="), 201, 403),
            (Some("Basic ZGV2OnNlY3JldC1jYW5hcnk="), 403, 201),
            (Some("Basic ZGV2Ondyb25n"), 401, 401),
            (Some("Bearer garbage"), 401, 401),
            (Some("Basic Og==;Basic Og=="), 401, 401),
        ] {
            assert_eq!(with(value, "ci/app").await, ci, "{value:?} {newest}");
            assert_eq!(with(value, "dev/app").await, dev, "{value:?} {newest}");
        }
    }
}

#[tokio::test]
async fn without_rules_or_without_the_key_a_certificate_allows_nothing() {
    let (folder, server, clients) = authorities();
    let builder = || named(&server, &clients, &[uri(BUILDER)]);
    let registry = serve(folder.path(), "uri", "").await;
    assert!(accepts(&registry, builder()).await);
    refused(push(&registry, &builder().watched(), "ci/app").await, 403, "DENIED").await;
    let rules = RULES.replace("cert:spiffe://prod/ns/ci/sa/*", "authenticated");
    let registry = serve(folder.path(), "none", &rules).await;
    assert!(!accepts(&registry, builder()).await);
    refused(push(&registry, &builder().watched(), "ci/app").await, 401, "UNAUTHORIZED").await;
}

// registry TL4
#[tokio::test]
async fn names_are_believed_of_the_authorities_of_the_moment() {
    let (folder, server) = (tempfile::tempdir().unwrap(), Authority::new());
    let [one, two, kept] = [Authority::new(), Authority::new(), Authority::new()];
    server.server(folder.path());
    let trust = |authority: &Authority| {
        std::fs::write(folder.path().join("clients"), authority.pem() + &kept.pem()).unwrap();
    };
    trust(&one);
    let registry = serve(folder.path(), "uri", RULES).await;
    let of = |authority: &Authority| named(&server, authority, &[uri(BUILDER)]);
    // Nobody but those who are named gets 200 there.
    assert!(accepts(&registry, of(&one)).await && !accepts(&registry, of(&two)).await);
    assert!(!accepts(&registry, client(&server)).await);
    let renewing = of(&kept).pool_max_idle_per_host(0).watched();
    let load = Load::begin(&registry, [of(&kept).watched(), renewing]);
    trust(&two);
    eventually(async || accepts(&registry, of(&two)).await).await;
    load.end().await;
    assert!(!accepts(&registry, of(&one)).await);
}

/// What a client with this certificate does that has connected before.
async fn second_handshake(
    registry: &Fixture,
    (server, clients): (&Authority, &Authority),
    version: &'static SupportedProtocolVersion,
) -> HandshakeKind {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(server.pem().as_bytes()).unwrap()).unwrap();
    let (certificate, key) = clients.pair();
    let chain = vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
    let config = ClientConfig::builder_with_protocol_versions(&[version]).with_root_certificates(roots);
    let connector = TlsConnector::from(Arc::new(config.with_client_auth_cert(chain, key).unwrap()));
    let connect = async || {
        let socket = TcpStream::connect(registry.address).await.unwrap();
        connector.connect(ServerName::try_from("localhost").unwrap(), socket).await.unwrap()
    };
    // Tickets come with the answer.
    ask(connect().await, false).await;
    connect().await.get_ref().1.handshake_kind().unwrap()
}

// registry TL4: what is resumed is not verified again
#[tokio::test]
async fn sessions_of_clients_that_show_certificates_are_not_resumed() {
    let (folder, server, clients) = authorities();
    let registry = serve(folder.path(), "uri", RULES).await;
    let plain = crate::tls::serve(folder.path(), "").await;
    for version in [&version::TLS12, &version::TLS13] {
        let both = (&server, &clients);
        assert_eq!(second_handshake(&registry, both, version).await, HandshakeKind::Full);
        assert_eq!(second_handshake(&plain, both, version).await, HandshakeKind::Resumed);
    }
}

// registry A6 A8: a token that was given to a certificate's owner says whom it is for
#[tokio::test]
async fn a_certificate_gets_tokens_for_whom_it_names() {
    let (folder, server, clients) = authorities();
    let key = rcgen::KeyPair::generate().unwrap().serialize_pem();
    std::fs::write(folder.path().join("token.pem"), key).unwrap();
    let registry = serve(folder.path(), "uri", RULES).await;
    let builder = named(&server, &clients, &[uri(BUILDER)]).watched();
    let url = format!(
        "https://{}/token?scope=repository:ci/app:push&scope=repository:dev/app:push",
        registry.address
    );
    let given: serde_json::Value =
        serde_json::from_str(&builder.get(url).send().await.unwrap().text().await.unwrap()).unwrap();
    // It is of use without the certificate.
    let plain = client(&server).watched();
    for (repository, status) in [("ci/app", 201), ("dev/app", 403)] {
        let url = format!("https://{}/v2/{repository}/manifests/t", registry.address);
        let request =
            plain.put(url).header("content-type", OCI_INDEX).bearer_auth(given["token"].as_str().unwrap());
        assert_eq!(request.body(INDEX).send().await.unwrap().status(), status, "{repository}");
    }
}
