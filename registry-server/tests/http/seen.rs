//! Everything that clients can see of a registry, and that it is whole.

use std::collections::BTreeMap;

use registry_server::oci::{digest::Digest, hasher::Hasher};
use serde_json::Value;

use crate::{
    faults::Shaky,
    fixture::{header, sha256},
    hooked::Hook,
};

/// What there is, and its bytes.
pub type Seen = BTreeMap<String, Vec<u8>>;

/// A client that asks for all of these in a repository.
pub struct Looking<'a, H> {
    pub registry: &'a Shaky<H>,
    pub blobs: &'a [String],
    pub manifests: &'a [String],
    pub name: &'a str,
}

impl<H: Hook> Looking<'_, H> {
    /// Whatever is listed is there and is what its digest says; what has come by half is not to be seen.
    pub async fn everything(&self) -> Seen {
        let catalog = self.list("/v2/_catalog", "repositories").await.unwrap();
        let tags = self.list(&format!("/v2/{}/tags/list", self.name), "tags").await;
        let mut seen = Seen::new();
        for digest in self.blobs {
            self.one(&mut seen, "blobs", digest).await;
        }
        for digest in self.manifests {
            self.one(&mut seen, "manifests", digest).await;
            self.referrers(&mut seen, digest).await;
        }
        // A repository is what holds something, for all who ask.
        let listed = catalog.iter().any(|listed| listed == self.name);
        assert_eq!((listed, tags.is_some()), (!seen.is_empty(), listed), "{} in {catalog:?}", self.name);
        for tag in tags.unwrap_or_default() {
            self.tag(&mut seen, &tag).await;
        }
        self.manifests_are_whole(&seen);
        seen
    }

    async fn list(&self, path: &str, of: &str) -> Option<Vec<String>> {
        let answer = self.registry.send("GET", path, "").await;
        let status = answer.status();
        let body: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
        if status == 404 {
            return None;
        }
        assert_eq!(status, 200, "{path}");
        Some(serde_json::from_value(body[of].clone()).unwrap())
    }

    /// The bytes of a digest, if they are there.
    async fn one(&self, seen: &mut Seen, kind: &str, digest: &str) {
        let path = format!("/v2/{}/{kind}/{digest}", self.name);
        let answer = self.registry.send("GET", &path, "").await;
        if answer.status() == 404 {
            return;
        }
        assert_eq!(answer.status(), 200, "{path}");
        let bytes = answer.bytes().await.unwrap().to_vec();
        let named: Digest = digest.parse().unwrap();
        assert_eq!(Hasher::digest(named.algorithm(), &bytes), named, "{path}");
        seen.insert(path, bytes);
    }

    async fn tag(&self, seen: &mut Seen, tag: &str) {
        let manifests = format!("/v2/{}/manifests", self.name);
        let path = format!("{manifests}/{tag}");
        let answer = self.registry.send("GET", &path, "").await;
        assert_eq!(answer.status(), 200, "{path} is listed");
        let digest = header(&answer, "docker-content-digest");
        let bytes = answer.bytes().await.unwrap().to_vec();
        assert_eq!(sha256(&bytes), digest, "{path}");
        assert_eq!(seen.get(&format!("{manifests}/{digest}")), Some(&bytes), "{path}");
        seen.insert(path, bytes);
    }

    async fn referrers(&self, seen: &mut Seen, subject: &str) {
        let name = self.name;
        let path = format!("/v2/{name}/referrers/{subject}");
        let answer = self.registry.send("GET", &path, "").await;
        let body: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
        for descriptor in body["manifests"].as_array().unwrap() {
            let by = descriptor["digest"].as_str().unwrap();
            let manifest = self.registry.send("GET", &format!("/v2/{name}/manifests/{by}"), "").await;
            assert_eq!(manifest.status(), 200, "{path} lists {by}");
            seen.insert(format!("{path} {by}"), manifest.bytes().await.unwrap().to_vec());
        }
    }

    /// An image has its layers, and is listed at its subject.
    fn manifests_are_whole(&self, seen: &Seen) {
        let name = self.name;
        let prefix = format!("/v2/{name}/manifests/sha256:");
        for (path, bytes) in seen.iter().filter(|(path, _)| path.starts_with(&prefix)) {
            let manifest: Value = serde_json::from_slice(bytes).unwrap();
            let layers = manifest["layers"].as_array().into_iter().flatten();
            for blob in layers.chain(manifest.get("config")) {
                let digest = blob["digest"].as_str().unwrap();
                assert!(seen.contains_key(&format!("/v2/{name}/blobs/{digest}")), "{path} has no {digest}");
            }
            if let Some(subject) = manifest["subject"]["digest"].as_str() {
                let by = path.rsplit('/').next().unwrap();
                let listed = format!("/v2/{name}/referrers/{subject} {by}");
                assert!(seen.contains_key(&listed), "{path} is not listed at {subject}");
            }
        }
    }
}
