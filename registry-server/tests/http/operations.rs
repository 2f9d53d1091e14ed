//! What clients do to a registry, as tables of requests.

use crate::fixture::{image, sha256, sha512};

/// What an upload in chunks brings.
pub const CHUNKS: [&str; 2] = ["the first chunk", ", and the second"];

/// Method, path and body; `LOCATION` is the last one that the registry has given.
pub type Step = (&'static str, String, String);

/// What a client does, and the least number of writes that this takes.
pub struct Operation {
    pub name: &'static str,
    pub least: usize,
    pub steps: Vec<Step>,
}

fn operation<const N: usize>(
    name: &'static str,
    least: usize,
    steps: [(&'static str, &str, &str); N],
) -> Operation {
    let steps = steps.map(|(method, path, body)| (method, path.to_owned(), body.to_owned())).to_vec();
    Operation { name, least, steps }
}

fn index(of: &str) -> String {
    format!(r#"{{"schemaVersion":2,"annotations":{{"of":"{of}"}},"manifests":[]}}"#)
}

fn about(subject: &str) -> String {
    let subject = format!(r#","subject":{{"mediaType":"a/b","digest":"{subject}","size":1}}"#);
    image(&sha256(b"{}"), &[&sha256(b"layer")], &subject)
}

fn kept() -> String {
    image(&sha256(b"{}"), &[&sha256(b"layer")], "")
}

/// What is there before: an image with two tags and a signature, a tag that will move, blobs without an image.
pub fn base() -> Vec<Step> {
    let blob = |name: &str, bytes: &str| {
        let path = format!("/v2/{name}/blobs/uploads/?digest={}", sha256(bytes.as_bytes()));
        ("POST", path, bytes.to_owned())
    };
    let manifest = |tag: &str, bytes: String| ("PUT", format!("/v2/n/manifests/{tag}"), bytes);
    let signature = about(&sha256(kept().as_bytes()));
    vec![
        blob("n", "{}"),
        blob("n", "layer"),
        blob("n", "free"),
        blob("m", "elsewhere"),
        manifest("one", kept()),
        manifest("two", kept()),
        manifest(&sha256(signature.as_bytes()), signature),
        manifest("moved", index("old")),
    ]
}

pub fn operations() -> Vec<Operation> {
    let whole = CHUNKS.concat();
    let (digest, long) = (sha256(whole.as_bytes()), sha512(whole.as_bytes()));
    let (empty, config) = (sha256(b""), sha256(b"{}"));
    let (image, signature) = (sha256(kept().as_bytes()), about(&sha256(kept().as_bytes())));
    let new = about(&sha256(index("old").as_bytes()));
    let new_digest = sha256(new.as_bytes());
    let small = self::image(&config, &[], "");
    let begin = ("POST", "/v2/new/blobs/uploads/", "");
    let [first, second] = CHUNKS.map(|chunk| ("PATCH", "LOCATION", chunk));
    let at_once = |digest: &str| format!("/v2/new/blobs/uploads/?digest={digest}");
    let close = |digest: &str| format!("LOCATION?digest={digest}");
    let n = |path: &str| format!("/v2/n/{path}");
    vec![
        operation("a blob in chunks", 12, [begin, first, second, ("PUT", &close(&digest), "")]),
        operation(
            "a blob whose last chunk closes it",
            9,
            [begin, first, ("PUT", &close(&digest), CHUNKS[1])],
        ),
        operation("a blob that is hashed otherwise", 7, [begin, ("PUT", &close(&long), &whole)]),
        operation("a blob at once", 7, [("POST", &at_once(&digest), &whole)]),
        operation("the empty blob", 6, [("POST", &at_once(&empty), "")]),
        operation(
            "a blob that is there already",
            7,
            [("POST", &n(&format!("blobs/uploads/?digest={}", sha256(b"free"))), "free")],
        ),
        operation(
            "a mount",
            1,
            [("POST", &format!("/v2/new/blobs/uploads/?mount={}&from=m", sha256(b"elsewhere")), "")],
        ),
        operation("an upload that is cancelled", 7, [begin, first, ("DELETE", "LOCATION", "")]),
        operation("an image with a tag and a subject", 5, [("PUT", &n("manifests/new"), &new)]),
        operation("a signature", 3, [("PUT", &n(&format!("manifests/{new_digest}")), &new)]),
        operation(
            "an image with two tags",
            6,
            [("PUT", &n(&format!("manifests/{new_digest}?tag=one&tag=three")), &new)],
        ),
        operation("an index under a tag that moves", 4, [("PUT", &n("manifests/moved"), &index("new"))]),
        operation(
            "a repository",
            12,
            [
                ("POST", &at_once(&config), "{}"),
                ("PUT", "/v2/new/manifests/t", &small),
                ("PUT", "/v2/new/manifests/i", &index("new")),
            ],
        ),
        operation("the deletion of a tag", 1, [("DELETE", &n("manifests/moved"), "")]),
        operation(
            "the deletion of a manifest with its tags",
            3,
            [("DELETE", &n(&format!("manifests/{image}")), "")],
        ),
        operation(
            "the deletion of a signature",
            2,
            [("DELETE", &n(&format!("manifests/{}", sha256(signature.as_bytes()))), "")],
        ),
        operation("the deletion of a blob", 1, [("DELETE", &n(&format!("blobs/{}", sha256(b"free"))), "")]),
        operation(
            "the deletion of all that a repository has",
            1,
            [("DELETE", &format!("/v2/m/blobs/{}", sha256(b"elsewhere")), "")],
        ),
    ]
}

impl Operation {
    /// Digests of the blobs, or of the manifests, that are there before or come.
    pub fn digests(&self, manifests: bool) -> Vec<String> {
        let bodies = base().into_iter().chain(self.steps.iter().cloned()).map(|(_, _, body)| body);
        let mut found: Vec<String> = bodies
            .filter(|body| body.starts_with(r#"{"schemaVersion""#) == manifests)
            .map(|body| sha256(body.as_bytes()))
            .collect();
        if !manifests {
            let whole = CHUNKS.concat();
            found.extend([sha256(whole.as_bytes()), sha512(whole.as_bytes())]);
        }
        found.sort();
        found.dedup();
        found
    }

    /// The repository that it is about.
    pub fn repository(&self) -> &str {
        self.steps[0].1.split('/').nth(2).unwrap()
    }
}
