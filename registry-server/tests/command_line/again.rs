//! Seed J4: what a second push of an image sends.

use registry_server::oci::{digest::Algorithm, hasher::Hasher};

use crate::{
    ending::header,
    running::{Running, eventually},
};

const KIND: &str = "content-type: application/vnd.oci.image.manifest.v1+json";

fn digest(bytes: &str) -> String {
    Hasher::digest(Algorithm::Sha256, bytes.as_bytes()).to_string()
}

/// A client that pushes as clients do: it asks for each blob, has it mounted where it knows another place, and sends what
/// is not there.
struct Client<'a> {
    running: &'a Running,
    blobs: [String; 3],
    manifest: String,
}

impl<'a> Client<'a> {
    fn new(running: &'a Running) -> Self {
        let blobs = ["{}".to_owned(), "a".repeat(1 << 20), "b".repeat(3 << 20)];
        let one = |blob: &String| {
            format!(r#"{{"mediaType":"a/b","digest":"{}","size":{}}}"#, digest(blob), blob.len())
        };
        let [config, first, second] = blobs.each_ref().map(one);
        let manifest = format!(r#"{{"schemaVersion":2,"config":{config},"layers":[{first},{second}]}}"#);
        Self { running, blobs, manifest }
    }

    fn status(&self, request: &str) -> u16 {
        self.running.ask(request).split(' ').nth(1).unwrap().parse().unwrap()
    }

    fn push_blob(&self, name: &str, from: Option<&str>, blob: &str) {
        let digest = digest(blob);
        if self.status(&format!("HEAD /v2/{name}/blobs/{digest} HTTP/1.1")) == 200 {
            return;
        }
        let mount = from.map(|from| format!("?mount={digest}&from={from}")).unwrap_or_default();
        let begun = self.running.ask(&format!("POST /v2/{name}/blobs/uploads/{mount} HTTP/1.1"));
        if begun.starts_with("HTTP/1.1 201 ") {
            return;
        }
        let upload = header(&begun, "location");
        assert_eq!(self.status(&format!("PATCH {upload} HTTP/1.1\n\n{blob}")), 202);
        assert_eq!(self.status(&format!("PUT {upload}?digest={digest} HTTP/1.1")), 201);
    }

    /// Pushes the image. The server receives so many bytes for it, by its own count.
    fn push(&self, name: &str, from: Option<&str>, bytes: usize) {
        let received = || self.running.metric("registry_http_received_bytes_total").unwrap_or_default();
        let before = received();
        for blob in &self.blobs {
            self.push_blob(name, from, blob);
        }
        let put = format!("PUT /v2/{name}/manifests/t HTTP/1.1\n{KIND}\n\n{}", self.manifest);
        assert_eq!(self.status(&put), 201);
        // A client may have its answer before that is counted; the manifest comes last.
        eventually(|| received() >= before + bytes as f64);
        assert_eq!(received(), before + bytes as f64, "{name} {from:?}");
    }
}

// seed J4, registry C19: blobs are named by their digests, so that what is there is not sent again
#[test]
fn an_image_that_is_there_is_pushed_without_a_byte_of_its_blobs() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(folder.path(), &[]);
    let client = Client::new(&running);
    let manifest = client.manifest.len();
    client.push("n", None, client.blobs.concat().len() + manifest);
    client.push("n", None, manifest);
    // Into another repository as well, and there again.
    client.push("other", Some("n"), manifest);
    client.push("other", None, manifest);
    for name in ["n", "other"] {
        for blob in &client.blobs {
            let got = running.ask(&format!("GET /v2/{name}/blobs/{} HTTP/1.1", digest(blob)));
            assert!(got.ends_with(&format!("\r\n\r\n{blob}")), "{name}");
        }
    }
}
