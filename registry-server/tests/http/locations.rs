//! Sections 0 and 4: where answers lead to, whoever stands in between.

use std::net::SocketAddr;

use reqwest::{Response, Url};
use tokio::net::{TcpListener, TcpStream};

use crate::{
    authority::Authority,
    client::{Client, RequestBuilder, Watch},
    fixture::{Fixture, OCI_INDEX, header, sha256},
};

/// A client that takes every `Location` as relative to where it has asked, and refuses to be led elsewhere.
pub struct Wary {
    pub client: Client,
    /// Where it believes the registry to be.
    pub base: Url,
    /// What proxies and strangers say of the way.
    pub headers: &'static [(&'static str, &'static str)],
}

impl Wary {
    fn request(&self, method: &str, path: &str) -> RequestBuilder {
        let request = self.client.request(method.parse().unwrap(), self.base.join(path).unwrap());
        self.headers.iter().fold(request, |request, (name, value)| request.header(*name, *value))
    }

    async fn send(&self, method: &str, path: &str, body: &'static str) -> Response {
        self.request(method, path).header("content-type", OCI_INDEX).body(body).send().await.unwrap()
    }

    /// The location of the answer, as a path.
    fn follow(&self, response: &Response, status: u16) -> String {
        assert_eq!(response.status(), status);
        let location = header(response, "location");
        assert!(location.starts_with("/v2/"), "{location}");
        let next = response.url().join(&location).unwrap();
        assert_eq!(next.origin(), self.base.origin());
        location
    }

    /// Goes wherever a location comes from; gives those that should be the same for everybody.
    pub async fn push(&self) -> Vec<String> {
        let blob = sha256(b"abc");
        let begun = self.send("POST", "/v2/n/blobs/uploads/", "").await;
        let session = self.follow(&begun, 202);
        assert_eq!(session, format!("/v2/n/blobs/uploads/{}", header(&begun, "docker-upload-uuid")));
        assert_eq!(self.follow(&self.send("PATCH", &session, "abc").await, 202), session);
        assert_eq!(self.follow(&self.send("GET", &session, "").await, 204), session);
        let replayed = self.request("PATCH", &session).header("content-range", "0-2");
        assert_eq!(self.follow(&replayed.body("abc").send().await.unwrap(), 416), session);
        let finished = self.follow(&self.send("PUT", &format!("{session}?digest={blob}"), "").await, 201);
        let whole = format!("/v2/m/blobs/uploads/?digest={blob}");
        let whole = self.follow(&self.send("POST", &whole, "abc").await, 201);
        let mounted = format!("/v2/o/blobs/uploads/?mount={blob}&from=n");
        let mounted = self.follow(&self.send("POST", &mounted, "").await, 201);
        let index = r#"{"schemaVersion":2,"manifests":[]}"#;
        let manifest = self.follow(&self.send("PUT", "/v2/n/manifests/t", index).await, 201);
        let locations = vec![finished, whole, mounted, manifest];
        for location in &locations {
            assert_eq!(self.send("GET", location, "").await.status(), 200, "{location}");
        }
        locations
    }
}

/// A proxy that ends TLS at a port of its own, and leads to the registry in the clear.
async fn proxy(authority: &Authority, registry: SocketAddr) -> SocketAddr {
    let acceptor = authority.acceptor();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(mut near) = acceptor.accept(socket).await else { return };
                let mut far = TcpStream::connect(registry).await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
            });
        }
    });
    address
}

// registry C26 C28
#[tokio::test]
async fn a_location_never_depends_on_who_asks_or_on_the_way() {
    let (registry, authority) = (Fixture::new().await, Authority::new());
    let proxy = proxy(&authority, registry.address).await;
    let root = reqwest::Certificate::from_pem(authority.pem().as_bytes()).unwrap();
    let through = reqwest::Client::builder().no_proxy().tls_certs_only([root]).http1_only().watched();
    let second = reqwest::Client::builder().no_proxy().http2_prior_knowledge().watched();
    let forwarded: &[_] = &[
        ("x-forwarded-host", "evil"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-port", "8443"),
        ("x-forwarded-prefix", "/evil"),
        ("forwarded", "host=evil;proto=https"),
        ("x-original-url", "/evil"),
    ];
    let direct = format!("http://{}", registry.address);
    let ways = [
        (registry.client.clone(), direct.clone(), &[][..]),
        (registry.client.clone(), direct.clone(), &[("host", "evil")]),
        (registry.client.clone(), direct.clone(), &[("host", "evil:1234")]),
        (registry.client.clone(), direct.clone(), forwarded),
        (second, direct, forwarded),
        (through.clone(), format!("https://localhost:{}", proxy.port()), &[]),
        (through, format!("https://localhost:{}", proxy.port()), forwarded),
    ];
    let mut seen = Vec::new();
    for (client, base, headers) in ways {
        let wary = Wary { client, base: Url::parse(&base).unwrap(), headers };
        seen.push(wary.push().await);
    }
    assert!(seen.iter().all(|locations| *locations == seen[0]), "{seen:?}");
}
