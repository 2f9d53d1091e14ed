//! Section 13: TLS.

use std::path::Path;

use rcgen::date_time_ymd;

use crate::{
    authority::{Authority, write},
    fixture::{Fixture, eventually, header},
};

/// A registry whose certificate is in the folder.
async fn serve(folder: &Path, more: &str) -> Fixture {
    let at = folder.display();
    Fixture::with(&format!("http: {{tls: {{certificate: '{at}/crt', key: '{at}/key'{more}}}}}")).await
}

fn client(trusted: &Authority) -> reqwest::ClientBuilder {
    let root = reqwest::Certificate::from_pem(trusted.pem().as_bytes()).unwrap();
    reqwest::Client::builder().no_proxy().tls_certs_only([root])
}

async fn accepts(registry: &Fixture, client: reqwest::ClientBuilder) -> bool {
    let url = format!("https://{}/v2/", registry.address);
    client.build().unwrap().get(url).send().await.is_ok_and(|response| response.status() == 200)
}

// registry TL1 TL2 TL3
#[tokio::test]
async fn a_new_certificate_is_taken_and_a_bad_one_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (Authority::new(), Authority::new());
    first.server(folder.path());
    let registry = serve(folder.path(), "").await;
    assert!(accepts(&registry, client(&first)).await);
    assert!(accepts(&registry, client(&first).http1_only()).await);
    assert!(accepts(&registry, client(&first).tls_version_max(reqwest::tls::Version::TLS_1_2)).await);
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
    let (server, one, two) = (Authority::new(), Authority::new(), Authority::new());
    server.server(folder.path());
    let authorities = folder.path().join("clients");
    std::fs::write(&authorities, one.pem()).unwrap();
    let registry = serve(folder.path(), &format!(", clientcas: ['{}']", authorities.display())).await;
    let with = |authority: &Authority| {
        let (certificate, key) = authority.pair();
        client(&server).identity(reqwest::Identity::from_pem((certificate + &key).as_bytes()).unwrap())
    };
    assert!(accepts(&registry, with(&one)).await);
    assert!(!accepts(&registry, with(&two)).await);
    assert!(!accepts(&registry, client(&server)).await);
    std::fs::write(&authorities, two.pem()).unwrap();
    eventually(async || accepts(&registry, with(&two)).await).await;
    assert!(!accepts(&registry, with(&one)).await);
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
    let client = client(&authority).build().unwrap();
    for path in ["/v2/", "/v2/a/manifests/missing", "/v2/_catalog", "/nowhere"] {
        let response = client.head(format!("https://{}{path}", registry.address)).send().await.unwrap();
        assert_eq!(response.version(), reqwest::Version::HTTP_2);
        assert_ne!(header(&response, "content-length"), "", "{path}");
        assert_eq!(response.bytes().await.unwrap().len(), 0, "{path}");
    }
}
