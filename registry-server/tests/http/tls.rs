//! Section 13: TLS.

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use http_body_util::{BodyExt, Empty};
use hyper::{
    body::Incoming,
    client::conn::{http1, http2},
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::date_time_ymd;
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use rustls_pki_types::{CertificateDer, ServerName, pem::PemObject};
use tokio::{net::TcpStream, sync::watch, task::JoinHandle};
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::{
    authority::{Authority, write},
    canaries,
    client::{Client, Watch},
    fixture::{Fixture, eventually, header},
};

/// A registry whose certificate is in the folder.
pub async fn serve(folder: &Path, more: &str) -> Fixture {
    let at = folder.display();
    Fixture::with(&format!("http: {{tls: {{certificate: '{at}/crt', key: '{at}/key'{more}}}}}")).await
}

pub fn client(trusted: &Authority) -> reqwest::ClientBuilder {
    let root = reqwest::Certificate::from_pem(trusted.pem().as_bytes()).unwrap();
    reqwest::Client::builder().no_proxy().tls_certs_only([root])
}

pub async fn accepts(registry: &Fixture, client: reqwest::ClientBuilder) -> bool {
    let url = format!("https://{}/v2/", registry.address);
    client.watched().get(url).send().await.is_ok_and(|response| response.status() == 200)
}

/// A connection of this version that offers this protocol; none: it does not negotiate.
pub async fn connect(
    registry: &Fixture,
    trusted: &[&Authority],
    version: &'static SupportedProtocolVersion,
    protocol: &str,
) -> TlsStream<TcpStream> {
    let mut roots = RootCertStore::empty();
    for authority in trusted {
        roots.add(CertificateDer::from_pem_slice(authority.pem().as_bytes()).unwrap()).unwrap();
    }
    let config = ClientConfig::builder_with_protocol_versions(&[version]).with_root_certificates(roots);
    let mut config = config.with_no_client_auth();
    if !protocol.is_empty() {
        config.alpn_protocols = vec![protocol.into()];
    }
    let socket = TcpStream::connect(registry.address).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, socket).await.unwrap()
}

/// The status of an answer that tells nothing that it must not.
async fn seen(answer: http::Response<Incoming>) -> http::StatusCode {
    let (head, body) = answer.into_parts();
    canaries::told(format!("{:?}", head.headers));
    canaries::told(body.collect().await.unwrap().to_bytes());
    head.status
}

/// Asks once over the connection.
pub async fn ask(connection: TlsStream<TcpStream>, second: bool) -> http::StatusCode {
    let io = TokioIo::new(connection);
    let body = Empty::<bytes::Bytes>::new();
    if second {
        let (mut client, running) = http2::handshake(TokioExecutor::new(), io).await.unwrap();
        tokio::spawn(running);
        let request = http::Request::get("https://localhost/v2/").body(body).unwrap();
        seen(client.send_request(request).await.unwrap()).await
    } else {
        let (mut client, running) = http1::handshake(io).await.unwrap();
        tokio::spawn(running);
        let request = http::Request::get("/v2/").header("host", "localhost").body(body).unwrap();
        seen(client.send_request(request).await.unwrap()).await
    }
}

// registry TL1
#[tokio::test]
async fn every_version_is_spoken_with_every_protocol() {
    let (folder, authority) = (tempfile::tempdir().unwrap(), Authority::new());
    authority.server(folder.path());
    let registry = serve(folder.path(), "").await;
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        for protocol in ["h2", "http/1.1", ""] {
            let connection = connect(&registry, &[&authority], version, protocol).await;
            let agreed = connection.get_ref().1;
            assert_eq!(agreed.protocol_version(), Some(version.version));
            assert_eq!(agreed.alpn_protocol().unwrap_or_default(), protocol.as_bytes());
            assert_eq!(ask(connection, protocol == "h2").await, 200, "{version:?} {protocol}");
        }
    }
}

// registry TL3
#[tokio::test]
async fn a_new_certificate_is_taken_and_a_bad_one_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (Authority::new(), Authority::new());
    first.server(folder.path());
    let registry = serve(folder.path(), "").await;
    assert!(accepts(&registry, client(&first)).await);
    for bad in [second.pair().1, "garbage".to_owned()] {
        let errors = registry.metric("registry_reload_errors_total{file=\"tls\"}");
        std::fs::write(folder.path().join("key"), bad).unwrap();
        eventually(async || registry.metric("registry_reload_errors_total{file=\"tls\"}") > errors).await;
        assert!(accepts(&registry, client(&first)).await);
    }
    second.server(folder.path());
    eventually(async || accepts(&registry, client(&second)).await).await;
    assert!(!accepts(&registry, client(&first)).await);
}

/// Fifty requests a second, by one client and the other in turns, until it is ended.
pub struct Load {
    stop: watch::Sender<bool>,
    sending: JoinHandle<Vec<reqwest::Result<reqwest::Response>>>,
}

impl Load {
    pub fn begin(registry: &Fixture, clients: [Client; 2]) -> Self {
        let url = format!("https://{}/v2/", registry.address);
        let (stop, mut stopped) = watch::channel(false);
        let sending = tokio::spawn(async move {
            let (mut tick, mut sent) = (tokio::time::interval(Duration::from_millis(20)), Vec::new());
            while !*stopped.borrow_and_update() {
                tick.tick().await;
                sent.push(tokio::spawn(clients[sent.len() % 2].get(&url).send()));
            }
            futures::future::join_all(sent).await.into_iter().map(Result::unwrap).collect()
        });
        Self { stop, sending }
    }

    /// Ends it. No request has failed.
    pub async fn end(self) {
        self.stop.send(true).unwrap();
        let answers = self.sending.await.unwrap();
        assert!(answers.len() > 10, "{} requests", answers.len());
        for answer in answers {
            assert_eq!(answer.unwrap().status(), 200);
        }
    }
}

// registry TL2
#[tokio::test]
async fn no_request_fails_while_the_certificate_is_replaced() {
    let (folder, first, second) = (tempfile::tempdir().unwrap(), Authority::new(), Authority::new());
    first.server(folder.path());
    let registry = Arc::new(serve(folder.path(), "").await);
    let certificate = async || {
        let tls = connect(&registry, &[&first, &second], &rustls::version::TLS13, "").await;
        tls.get_ref().1.peer_certificates().unwrap()[0].to_vec()
    };
    let old = certificate().await;
    let roots = [&first, &second].map(|a| reqwest::Certificate::from_pem(a.pem().as_bytes()).unwrap());
    let both = || reqwest::Client::builder().no_proxy().tls_certs_only(roots.clone());
    let (kept, renewed) = (both().watched(), both().pool_max_idle_per_host(0).watched());
    // On a connection of before and on one each.
    let load = Load::begin(&registry, [kept, renewed]);
    let began = Instant::now();
    second.server(folder.path());
    eventually(async || certificate().await != old).await;
    // The period, and room for a slow machine.
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    let new = certificate().await;
    let [old, new] = [&old, &new].map(|der| x509_parser::parse_x509_certificate(der).unwrap().1.raw_serial());
    assert_ne!(old, new);
    load.end().await;
}

// registry TL6
#[tokio::test]
async fn plain_http_on_the_tls_port_does_not_hang() {
    let folder = tempfile::tempdir().unwrap();
    Authority::new().server(folder.path());
    let registry = serve(folder.path(), "").await;
    let plain = registry.raw("GET /v2/ HTTP/1.1\r\nhost: x\r\n\r\n");
    tokio::time::timeout(std::time::Duration::from_secs(5), plain).await.unwrap();
}

// registry TL4
#[tokio::test]
async fn clients_are_judged_by_the_authorities_of_the_moment() {
    let folder = tempfile::tempdir().unwrap();
    let (server, one, two, kept) = (Authority::new(), Authority::new(), Authority::new(), Authority::new());
    server.server(folder.path());
    let authorities = folder.path().join("clients");
    let trust = |authority: &Authority| std::fs::write(&authorities, authority.pem() + &kept.pem()).unwrap();
    trust(&one);
    let registry = serve(folder.path(), &format!(", clientcas: ['{}']", authorities.display())).await;
    let with = |authority: &Authority| {
        let (certificate, key) = authority.pair();
        client(&server).identity(reqwest::Identity::from_pem((certificate + &key).as_bytes()).unwrap())
    };
    let renewing = |authority: &Authority| with(authority).pool_max_idle_per_host(0).watched();
    let known = renewing(&one);
    let greeted = async || {
        let answer = known.get(format!("https://{}/v2/", registry.address)).send().await;
        answer.is_ok_and(|answer| answer.status() == 200)
    };
    assert!(accepts(&registry, with(&one)).await && greeted().await);
    assert!(!accepts(&registry, with(&two)).await);
    assert!(!accepts(&registry, client(&server)).await);
    // Clients of the authority that stays do not notice, on a connection of before and on one each.
    let load = Load::begin(&registry, [with(&kept).watched(), renewing(&kept)]);
    trust(&two);
    eventually(async || accepts(&registry, with(&two)).await).await;
    load.end().await;
    assert!(!accepts(&registry, with(&one)).await);
    // Nor does a session of before let anybody in.
    assert!(!greeted().await);
}

#[tokio::test]
async fn clients_may_come_without_a_certificate_where_the_file_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let (server, one, two) = (Authority::new(), Authority::new(), Authority::new());
    server.server(folder.path());
    let authorities = folder.path().join("clients");
    std::fs::write(&authorities, one.pem()).unwrap();
    let more = format!(", clientcas: ['{}'], clientauth: verify-client-cert-if-given", authorities.display());
    let registry = serve(folder.path(), &more).await;
    assert!(accepts(&registry, client(&server)).await);
    let (certificate, key) = two.pair();
    let identity = reqwest::Identity::from_pem((certificate + &key).as_bytes()).unwrap();
    assert!(!accepts(&registry, client(&server).identity(identity)).await);
}

#[tokio::test]
async fn the_oldest_version_of_tls_can_be_raised() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    authority.server(folder.path());
    let registry = serve(folder.path(), ", minimumtls: tls1.3").await;
    assert!(accepts(&registry, client(&authority)).await);
    assert!(!accepts(&registry, client(&authority).tls_version_max(reqwest::tls::Version::TLS_1_2)).await);
}

// registry TL7, seed D12
#[tokio::test]
async fn an_expired_certificate_is_served_at_the_start_until_a_good_one_comes() {
    let (folder, authority) = (tempfile::tempdir().unwrap(), Authority::new());
    write(folder.path(), &authority.pair_with(|params| params.not_after = date_time_ymd(2020, 1, 1)));
    let registry = serve(folder.path(), "").await;
    let careless = client(&authority).tls_danger_accept_invalid_certs(true);
    assert!(accepts(&registry, careless).await && !accepts(&registry, client(&authority)).await);
    authority.server(folder.path());
    eventually(async || accepts(&registry, client(&authority)).await).await;
}

// registry TL5
#[tokio::test]
async fn a_client_that_does_not_greet_is_cut() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let (folder, authority) = (tempfile::tempdir().unwrap(), Authority::new());
    authority.server(folder.path());
    let registry = serve(folder.path(), "").await;
    let silent = async |first: &[u8]| {
        let mut socket = tokio::net::TcpStream::connect(registry.address).await.unwrap();
        socket.write_all(first).await.unwrap();
        let mut answer = Vec::new();
        let closed =
            tokio::time::timeout(std::time::Duration::from_secs(20), socket.read_to_end(&mut answer));
        closed.await.expect("the connection was left open").ok();
    };
    // Nothing, and the beginning of a ClientHello; others are served meanwhile.
    tokio::join!(silent(b""), silent(&[22, 3, 1, 2, 0, 1]), async {
        assert!(accepts(&registry, client(&authority)).await);
    });
}

// Clients that forgot the s are led to https, whatever they ask, and to the port where clients reach it.
#[tokio::test]
async fn the_redirect_listener_leads_to_https_and_does_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    Authority::new().server(folder.path());
    let at = folder.path().display();
    let tls = format!("tls: {{certificate: '{at}/crt', key: '{at}/key'}}");
    for (port, expected) in [
        (443, "https://r.example.com/v2/a/tags/list?n=1"),
        (8443, "https://r.example.com:8443/v2/a/tags/list?n=1"),
    ] {
        let more = format!("http: {{{tls}, redirect: {{addr: '127.0.0.1:0', port: {port}}}}}");
        let registry = Fixture::with(&more).await;
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        let url = format!("http://{}/v2/a/tags/list?n=1", registry.redirect.unwrap());
        for method in [reqwest::Method::GET, reqwest::Method::PUT] {
            let response =
                client.request(method, &url).header("host", "r.example.com:80").send().await.unwrap();
            assert_eq!(response.status(), 301);
            assert_eq!(header(&response, "location"), expected);
        }
    }
    assert!(registry_config::schema::Config::from_yaml("f", "http: {redirect: {addr: ':80'}}", []).is_err());
}

// registry J: HEAD has no body, whatever the answer; over HTTP/2 no layer below takes it away
#[tokio::test]
async fn head_over_http_2_has_no_body() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    authority.server(folder.path());
    let registry = serve(folder.path(), "").await;
    let client = client(&authority).watched();
    for path in ["/v2/", "/v2/a/manifests/missing", "/v2/_catalog", "/nowhere"] {
        let response = client.head(format!("https://{}{path}", registry.address)).send().await.unwrap();
        assert_eq!(response.version(), reqwest::Version::HTTP_2);
        assert_ne!(header(&response, "content-length"), "", "{path}");
        assert_eq!(response.bytes().await.unwrap().len(), 0, "{path}");
    }
}
