//! An API server in memory: reads, creates, server-side apply, merge patch, delete, list and watch of any kind.
//! It counts writes, and can fail any one of them.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    sync::{Arc, Mutex},
};

use futures::channel::mpsc::unbounded;
use http::{Method, Request, Response};
use http_body_util::{BodyExt, Full, StreamBody, combinators::BoxBody};
use hyper::body::{Bytes, Frame};
use kube::{Client, client::Body};
use operator::cluster::watches::Recorded;
use serde_json::{Value, json};
use tower::{Layer, service_fn};

use self::state::{How, Race, State};

mod patches;
mod state;

/// What happens to one write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is refused with this status and has no effect.
    Refused(u16),
    /// It has its effect, and the answer never arrives.
    Cut,
}

/// The server.
#[derive(Clone, Default)]
pub struct FakeApi(Arc<Mutex<State>>);

impl FakeApi {
    /// A client of it whose requests are recorded.
    pub fn recorded(&self, recorded: &Recorded) -> Client {
        let api = self.clone();
        let service = service_fn(move |request: Request<Body>| {
            let api = api.clone();
            async move { api.answer(request).await }
        });
        Client::new(recorded.layer(service), "default")
    }

    /// A client of it.
    pub fn client(&self) -> Client {
        let api = self.clone();
        let service = service_fn(move |request: Request<Body>| {
            let api = api.clone();
            async move { api.answer(request).await }
        });
        Client::new(service, "default")
    }

    /// Writes so far, as `METHOD path`; Events do not count.
    pub fn writes(&self) -> Vec<String> {
        self.0.lock().unwrap().writes.clone()
    }

    /// Fails the `nth` write from now on, counted from 0.
    pub fn fail(&self, nth: usize, fault: Fault) {
        let mut state = self.0.lock().unwrap();
        state.fault = Some((state.writes.len() + nth, fault));
    }

    /// Whether the write that was to fail has failed.
    pub fn failed(&self) -> bool {
        self.0.lock().unwrap().fault.is_none()
    }

    /// Refuses every write to the object whose path ends in `name`, as admission would.
    pub fn refuse(&self, name: &'static str) {
        self.0.lock().unwrap().refused.push(name);
    }

    /// The namespace is being deleted: what is there can be changed, and nothing made.
    pub fn terminate(&self) {
        self.0.lock().unwrap().terminating = true;
    }

    /// Refuses a field of every status, as an older CRD does under server-side apply.
    pub fn undeclared(&self, field: &'static str) {
        self.0.lock().unwrap().unknown.push(field);
    }

    /// Refuses a field of every pod template, as server-side apply does with one that no schema has.
    pub fn undeclared_in_children(&self, field: &'static str) {
        self.0.lock().unwrap().undeclared = Some(field);
    }

    /// Every object by path, Events apart.
    pub fn objects(&self) -> BTreeMap<String, Value> {
        let mut objects = self.0.lock().unwrap().objects.clone();
        objects.retain(|path, _| !path.contains("/events"));
        objects
    }

    /// Events, as `reason: note`; one that was told again comes again.
    pub fn events(&self) -> Vec<String> {
        let state = self.0.lock().unwrap();
        let events = state.objects.iter().filter(|(path, _)| path.contains("/events/"));
        let told = |event: &Value| {
            let count = event["series"]["count"].as_u64().unwrap_or(1);
            let text = format!("{}: {}", event["reason"].as_str().unwrap(), event["note"]);
            vec![text; usize::try_from(count).unwrap()]
        };
        events.flat_map(|(_, event)| told(event)).collect()
    }

    /// Changes the object whose path ends in `name`, as somebody else would.
    pub fn change(&self, name: &str, change: impl FnOnce(&mut Value)) {
        self.0.lock().unwrap().change(name, change);
    }

    /// Changes the object whose path ends in `name` right after the next read of it.
    pub fn race(&self, name: &'static str, change: impl FnOnce(&mut Value) + Send + 'static) {
        self.0.lock().unwrap().race = Some(Race { name, change: Box::new(change) });
    }

    /// Puts `object` at `path` right before the first write to it.
    pub fn steal(&self, path: &str, object: Value) {
        self.0.lock().unwrap().stolen = Some((path.to_owned(), object));
    }

    /// Refuses lists and watches of a kind, as the API server does without the right.
    pub fn unlist(&self, kind: &'static str) {
        self.0.lock().unwrap().unlisted = Some(kind);
    }

    /// Path of what was deleted last without what it owned.
    pub fn orphaned(&self) -> String {
        self.0.lock().unwrap().orphaned.clone()
    }

    /// Whether a race that was set up was run.
    pub fn raced(&self) -> bool {
        self.0.lock().unwrap().race.is_none()
    }

    /// Puts an object there.
    pub fn put(&self, path: &str, object: Value) {
        self.0.lock().unwrap().create(path, object);
    }

    /// Keeps an object as it was recorded.
    pub fn keep(&self, path: &str, object: Value) {
        self.0.lock().unwrap().objects.insert(path.to_owned(), object);
    }

    /// Removes the object whose path ends in `name`.
    pub fn remove(&self, name: &str) {
        self.0.lock().unwrap().objects.retain(|path, _| !path.ends_with(name));
    }

    /// Tells those who watch objects like the one at `path` what happened to it: `MODIFIED`, `DELETED`.
    pub fn tell(&self, what: &str, path: &str, object: &Value) {
        let (kind, _) = path.rsplit_once('/').unwrap();
        let line = json!({"type": what, "object": object}).to_string() + "\n";
        let state = self.0.lock().unwrap();
        for (_, watch) in state.watches.iter().filter(|(watched, _)| watched == kind) {
            watch.unbounded_send(Ok(Frame::data(line.clone().into()))).unwrap();
        }
    }

    /// Whether somebody watches objects of this kind.
    pub fn watched(&self, kind: &str) -> bool {
        self.0.lock().unwrap().watches.iter().any(|(path, _)| path.ends_with(kind))
    }

    async fn answer(&self, request: Request<Body>) -> Result<Response<Content>, Infallible> {
        let (head, body) = request.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let content = head.headers.get("content-type").map_or("", |kind| kind.to_str().unwrap());
        let sent: Value = serde_json::from_slice(&body).unwrap_or_default();
        let (path, query) = (head.uri.path(), head.uri.query().unwrap_or_default());
        if query.contains("watch=true") {
            let (told, watch) = unbounded();
            self.0.lock().unwrap().watches.push((path.to_owned(), told));
            return Ok(Response::new(StreamBody::new(watch).boxed()));
        }
        let answer = {
            let mut state = self.0.lock().unwrap();
            match head.method {
                Method::GET => {
                    let answer = state.read(path, query);
                    state.overtake(path);
                    answer
                }
                method => {
                    let (managed, strict) =
                        (query.contains("fieldManager="), query.contains("fieldValidation=Strict"));
                    state.write(&How { method, content, managed, strict }, path, sent)
                }
            }
        };
        let (status, value) = answer;
        let body = Full::from(serde_json::to_vec(&value).unwrap()).boxed();
        Ok(Response::builder().status(status).header("content-type", "application/json").body(body).unwrap())
    }
}

type Content = BoxBody<Bytes, Infallible>;
