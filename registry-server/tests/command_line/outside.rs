//! Section 2, E7: names that would lead out of the store, and which files the program looks at. Machines without strace
//! skip it.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use crate::{
    ending::header,
    running::Running,
    strace::{self, can_trace},
};

/// All that have a path among their arguments, and answers.
const CALLS: &str = "trace=%file,write,writev,sendto,sendmsg";
/// What a name may be written like that is to lead out. `%` is not undone by the client here.
const SHAPES: [&str; 14] = [
    "../../etc/passwd",
    "../../../../../../../../../../etc/passwd",
    "a/../../b",
    "a/%2e%2e/b",
    "%2e%2e/%2e%2e/etc",
    "..%2f..%2fetc%2fpasswd",
    "%252e%252e/b",
    "a//b",
    "/etc/passwd",
    "a\\b",
    "..\\..\\etc",
    "a%00b",
    "a/./b",
    ".",
];
/// Of `dev`.
const LOGIN: &str = "authorization: Basic ZGV2OnNlY3JldC1jYW5hcnk=";
const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// A registry with an account and a live file, which it looks at now and then.
fn serve(folder: &Path, trace: &Path) -> Running {
    let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).unwrap();
    write("htpasswd", "dev:{SHA}dR6xbZ1gQLunYuitWAujQx3sL88=\n");
    // Nobody reads what it logs before it ends.
    write("live.yml", "log: {accesslog: {disabled: true}}\nstorage: {delete: {enabled: true}}\n");
    let at = folder.display();
    write(
        "c.yml",
        &format!(
            "storage: {{filesystem: {{rootdirectory: '{at}/store'}}}}\nauth: {{htpasswd: {{path: '{at}/htpasswd'}}}}\n\
             live: {{path: '{at}/live.yml'}}\n"
        ),
    );
    strace::running(CALLS, folder, trace)
}

/// Wherever a client can write a name, a reference or a place in a list.
fn requests(shape: &str, upload: &str) -> Vec<String> {
    vec![
        format!("GET /v2/{shape}/manifests/x"),
        format!("HEAD /v2/{shape}/manifests/x"),
        format!("PUT /v2/{shape}/manifests/x"),
        format!("DELETE /v2/{shape}/manifests/x"),
        format!("GET /v2/{shape}/blobs/{DIGEST}"),
        format!("DELETE /v2/{shape}/blobs/{DIGEST}"),
        format!("POST /v2/{shape}/blobs/uploads/"),
        format!("GET /v2/{shape}/tags/list"),
        format!("GET /v2/{shape}/referrers/{DIGEST}"),
        format!("PATCH /v2/{shape}/blobs/uploads/{}", upload.rsplit('/').next().unwrap()),
        format!("GET /v2/n/manifests/{shape}"),
        format!("PUT /v2/n/manifests/{shape}"),
        format!("PUT /v2/n/manifests/{DIGEST}?tag={shape}"),
        format!("GET /v2/n/blobs/{shape}"),
        format!("GET /v2/n/blobs/sha256:{shape}"),
        format!("GET /v2/n/referrers/{shape}"),
        format!("PATCH /v2/n/blobs/uploads/{shape}"),
        format!("PUT {upload}?digest={shape}"),
        format!("POST /v2/n/blobs/uploads/?mount={DIGEST}&from={shape}"),
        format!("POST /v2/n/blobs/uploads/?mount={shape}"),
        format!("GET /v2/n/tags/list?last={shape}"),
        format!("GET /v2/_catalog?last={shape}"),
        format!("GET /v1/search?q={shape}"),
        format!("GET /{shape}"),
    ]
}

/// The paths that a line of a trace names, as the program would find them; of bytes that it sends, none.
fn paths_in(line: &str, folder: &Path) -> Vec<PathBuf> {
    let call = line.trim_start().split_once(' ').map_or("", |(_, call)| call.trim_start());
    let (name, arguments) = call.split_once('(').unwrap_or_default();
    if ["", "write", "writev", "sendto", "sendmsg"].contains(&name) || name.starts_with('<') {
        return Vec::new();
    }
    // What does not begin at the root begins at a folder that is open, or at the current one.
    let open = arguments.split('"').next().and_then(|first| first.split_once('<')?.1.split('>').next());
    let base = folder.join(open.unwrap_or_default());
    arguments.split('"').skip(1).step_by(2).map(|text| base.join(text)).collect()
}

fn paths(trace: &str, folder: &Path) -> BTreeSet<PathBuf> {
    trace.lines().flat_map(|line| paths_in(line, folder)).collect()
}

// registry E7
#[test]
fn no_name_leads_to_a_file_outside_of_the_store() {
    if !can_trace() {
        return;
    }
    let (folder, away) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (inside, trace) = (folder.path().canonicalize().unwrap(), away.path().join("trace"));
    let running = serve(&inside, &trace);
    let ask = |request: &str| running.ask(&format!("{request} HTTP/1.1\n{LOGIN}\n\n"));
    let upload = header(&ask("POST /v2/n/blobs/uploads/"), "location");
    assert!(ask("GET /v2/first").starts_with("HTTP/1.1 404 "));
    for shape in SHAPES {
        for request in requests(shape, &upload) {
            let answer = ask(&request);
            let status: u16 = answer.split(' ').nth(1).unwrap().parse().unwrap();
            assert!(status < 500, "{request}: {answer}");
            let lists = ["last=", "search?q=", "from="].iter().any(|part| request.contains(part));
            assert!(lists || matches!(status, 400 | 404), "{request}: {answer}");
        }
    }
    assert_eq!(running.end().0, Some(0));
    let all = strace::whole(&trace);
    // Everything before the first refusal: its configuration, the accounts, libraries, what the machine is like.
    let (before, after) = all.split_at(all.find("HTTP/1.1 404 ").unwrap());
    let (known, looked) = (paths(before, &inside), paths(after, &inside));
    let store = inside.join("store");
    let outside: Vec<_> =
        looked.iter().filter(|path| !is_below(path, &store) && !known.contains(*path)).collect();
    assert_eq!(outside, Vec::<&PathBuf>::new());
    assert!(looked.iter().any(|path| is_below(path, &store)), "it has looked for something: {looked:?}");
    assert!(known.contains(&inside.join("htpasswd")), "{known:?}");
}

/// Whether it is in the folder, and no part of it leads out.
fn is_below(path: &Path, folder: &Path) -> bool {
    path.starts_with(folder) && !path.components().any(|part| part == std::path::Component::ParentDir)
}
