//! Section 10, ST1: a server that dies at any write of a push or a deletion, and the next one on the same store.

use std::{path::Path, sync::Arc, time::Duration};

use bytes::Bytes;
use jiff::Timestamp;
use registry_server::storage::{backend::Backend, fs::Filesystem, memory::Memory};
use reqwest::StatusCode;
use tempfile::TempDir;

use crate::{
    dying::{Dying, Fate},
    faults::{Shaky, below},
    fixture::header,
    hooked::Call,
    operations::{CHUNKS, Operation, Step, base, operations},
    seen::{Looking, Seen},
};

const HOUR: Duration = Duration::from_secs(3600);
/// No process has so many writes.
const NEVER: usize = usize::MAX - 1;

/// A store, and what becomes of it.
struct Store {
    store: Arc<dyn Backend>,
    _folder: Option<TempDir>,
}

impl Store {
    async fn holding(objects: &[(String, Bytes)], on_disk: bool) -> Self {
        let folder = on_disk.then(|| tempfile::tempdir().unwrap());
        let store: Arc<dyn Backend> = match &folder {
            Some(folder) => Arc::new(Filesystem::existing(folder.path())),
            None => Arc::new(Memory::default()),
        };
        for (key, bytes) in objects {
            match &folder {
                // Whether that survives is of no interest.
                Some(folder) => write(&folder.path().join(key), bytes),
                None => store.put(key, bytes.clone()).await.unwrap(),
            }
        }
        Self { store, _folder: folder }
    }

    async fn process(&self, at: usize, fate: Fate) -> Process {
        let registry = Shaky::on(Dying::on(&self.store, at, fate), |registry| registry).await;
        Process { registry, location: String::new() }
    }

    async fn started(&self) -> Process {
        self.process(NEVER, Fate::Done).await
    }

    /// Without uploads, and without what refers to a manifest that is not there: nobody sees either of them.
    async fn objects(&self) -> Vec<(String, Bytes)> {
        let all = below(&*self.store, "docker").await;
        all.into_iter().filter(|(key, _)| !key.contains("/_referrers/")).collect()
    }
}

fn write(path: &Path, bytes: &[u8]) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, bytes).unwrap();
}

/// A server, and its client.
struct Process {
    registry: Shaky<Dying>,
    location: String,
}

impl Process {
    /// The answer's status, if it lives that long.
    async fn step(&mut self, (method, path, body): &Step) -> Option<StatusCode> {
        let path = path.replace("LOCATION", &self.location);
        let answer = tokio::select! {
            answer = self.registry.send(method, &path, body.as_str()) => answer,
            () = self.registry.store.hook.died() => return None,
        };
        if answer.headers().contains_key("docker-upload-uuid") {
            self.location = header(&answer, "location");
        }
        Some(answer.status())
    }

    /// Everything that is asked is done; what was to be deleted may have gone before.
    async fn does(&mut self, steps: &[Step]) {
        for step in steps {
            let status = self.step(step).await.unwrap();
            let gone = step.0 == "DELETE" && status == 404;
            assert!(status.is_success() || gone, "{status} to {step:?}");
        }
    }

    /// What clients see of the repository that the operation is about.
    async fn sees(&self, of: &Operation) -> Seen {
        let (blobs, manifests, name) = (&*of.digests(false), &*of.digests(true), of.repository());
        Looking { registry: &self.registry, blobs, manifests, name }.everything().await
    }

    /// How many bytes of the upload there are, if there is one.
    async fn received(&self) -> Option<usize> {
        let answer = self.registry.send("GET", &self.location, "").await;
        let last: usize = header(&answer, "range").strip_prefix("0-")?.parse().unwrap();
        Some(if last == 0 { 0 } else { last + 1 })
    }

    /// Sends what the registry says it has not got yet; gives the answer's status, if there was anything to go on with.
    async fn resumes(&mut self, close: &Step) -> Option<StatusCode> {
        let received = self.received().await?;
        let rest = CHUNKS.concat()[received..].to_owned();
        self.step(&(close.0, close.1.clone(), rest)).await
    }

    async fn purges(&self) {
        for hours in [2, 4] {
            self.registry.registry.purge_uploads(Timestamp::now() + hours * HOUR, HOUR, false).await.unwrap();
        }
    }
}

/// What is seen after each step of a run that nothing interrupts, how many writes it has, and what is stored then.
struct Uninterrupted {
    states: Vec<Seen>,
    writes: Vec<(Call, String)>,
    objects: Vec<(String, Bytes)>,
}

impl Uninterrupted {
    async fn run(before: &[(String, Bytes)], operation: &Operation, on_disk: bool) -> Self {
        let store = Store::holding(before, on_disk).await;
        let mut process = store.started().await;
        let mut states = vec![process.sees(operation).await];
        for step in &operation.steps {
            process.does(std::slice::from_ref(step)).await;
            states.push(process.sees(operation).await);
        }
        let writes = process.registry.store.hook.writes();
        process.purges().await;
        Self { states, writes, objects: store.objects().await }
    }

    /// What the operation leaves as it is, is what it was, bit for bit.
    fn has_lost_nothing(&self, before: &[(String, Bytes)], now: &[(String, Bytes)]) {
        for kept in before.iter().filter(|kept| self.objects.contains(kept)) {
            assert!(now.contains(kept), "{} is not what it was", kept.0);
        }
    }

    /// Each thing is what it was before the step, or what it is after it.
    fn is_old_or_new(&self, step: usize, seen: &Seen) {
        let (old, new) = (&self.states[step], &self.states[step + 1]);
        for path in old.keys().chain(new.keys()).chain(seen.keys()) {
            let now = seen.get(path);
            assert!(now == old.get(path) || now == new.get(path), "{path} is neither old nor new");
        }
    }
}

/// Dies at one write; gives whether the upload went on afterwards.
async fn crash(
    before: &[(String, Bytes)],
    operation: &Operation,
    (at, fate, on_disk): (usize, Fate, bool),
    uninterrupted: &Uninterrupted,
) -> bool {
    let store = Store::holding(before, on_disk).await;
    let mut process = store.process(at, fate).await;
    let mut acknowledged = 0;
    while process.step(&operation.steps[acknowledged]).await.is_some() {
        acknowledged += 1;
    }
    let mut next = store.started().await;
    uninterrupted.has_lost_nothing(before, &store.objects().await);
    uninterrupted.is_old_or_new(acknowledged, &next.sees(operation).await);
    next.location = process.location;
    let resumed = go_on(operation, acknowledged, fate, &mut next).await;
    if resumed {
        next.sees(operation).await;
    }
    next.does(&operation.steps).await;
    assert_eq!(next.sees(operation).await, *uninterrupted.states.last().unwrap());
    next.purges().await;
    assert_eq!(store.objects().await, uninterrupted.objects);
    resumed
}

/// Goes on with the upload that the process has left, if there is one; gives whether it became a blob.
async fn go_on(operation: &Operation, acknowledged: usize, fate: Fate, next: &mut Process) -> bool {
    let patches =
        |steps: &[Step]| steps.iter().filter(|step| step.0 == "PATCH").map(|step| step.2.len()).sum();
    let is_closing = |step: &&Step| step.0 == "PUT" && step.1.contains("LOCATION");
    if operation.steps[acknowledged].0 == "PATCH" {
        let least: usize = patches(&operation.steps[..acknowledged]);
        assert!(next.received().await >= Some(least), "fewer than {least} bytes");
    }
    let close = operation.steps.iter().find(is_closing).filter(|_| !next.location.is_empty());
    let resumed = match close {
        Some(close) => next.resumes(close).await,
        None => None,
    };
    // Bytes that were not acknowledged may be lost; they are not taken for others.
    let lost = fate == Fate::PowerLost && resumed == Some(StatusCode::BAD_REQUEST);
    let known = resumed.is_none_or(|status| status == 201 || status == 404);
    assert!(known || lost, "{resumed:?}");
    resumed == Some(StatusCode::CREATED)
}

/// Dies at every write of everything; gives how many uploads went on.
async fn sweep(on_disk: bool) -> usize {
    let store = Store::holding(&[], false).await;
    store.started().await.does(&base()).await;
    let before = below(&*store.store, "docker").await;
    let mut resumed = 0;
    for operation in operations() {
        let uninterrupted = Uninterrupted::run(&before, &operation, on_disk).await;
        let writes = &uninterrupted.writes;
        assert!(writes.len() >= operation.least, "{} has only {writes:?}", operation.name);
        for (at, (call, key)) in writes.iter().enumerate() {
            // What differs on a disk is what there is between the steps of one call.
            for &fate in Fate::of(*call).iter().filter(|fate| !on_disk || **fate == Fate::Torn) {
                println!("{}: {fate:?} at {call:?} of {key}", operation.name);
                let went_on = crash(&before, &operation, (at, fate, on_disk), &uninterrupted).await;
                resumed += usize::from(went_on);
            }
        }
    }
    resumed
}

// registry ST1
#[tokio::test]
async fn a_server_that_dies_at_any_write_leaves_nothing_half() {
    assert!(sweep(false).await > 20);
}

// registry ST1: removing a folder is many steps there, and one that is empty is still a folder
#[tokio::test]
async fn a_server_that_dies_at_any_write_to_a_disk_leaves_nothing_half() {
    assert!(sweep(true).await > 2);
}
