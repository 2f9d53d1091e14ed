//! An API server in memory: reads, creates, server-side apply, merge patch, delete and list of any kind. It counts
//! writes, and can fail any one of them.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    sync::{Arc, Mutex},
};

use http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt;
use kube::{Client, client::Body};
use serde_json::{Value, json};
use tower::service_fn;

/// What happens to one write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is refused with this status and has no effect.
    Refused(u16),
    /// It has its effect, and the answer never arrives.
    Cut,
}

/// Somebody is faster than the pass.
struct Race {
    name: &'static str,
    change: Box<dyn FnOnce(&mut Value) + Send>,
}

#[derive(Default)]
struct State {
    objects: BTreeMap<String, Value>,
    /// What server-side apply sent last, by path.
    applied: BTreeMap<String, Value>,
    version: u64,
    writes: Vec<String>,
    fault: Option<(usize, Fault)>,
    /// What somebody does right after a read of the object whose path ends so.
    race: Option<Race>,
    /// Ends of paths to which nothing may be written.
    refused: Vec<&'static str>,
    /// The namespace is being deleted.
    terminating: bool,
    /// Fields of the status that an older CRD does not know.
    unknown: Vec<&'static str>,
}

/// The server.
#[derive(Clone, Default)]
pub struct FakeApi(Arc<Mutex<State>>);

impl FakeApi {
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

    /// Every object by path, Events apart.
    pub fn objects(&self) -> BTreeMap<String, Value> {
        let mut objects = self.0.lock().unwrap().objects.clone();
        objects.retain(|path, _| !path.contains("/events"));
        objects
    }

    /// Events, as `reason: note`.
    pub fn events(&self) -> Vec<String> {
        let state = self.0.lock().unwrap();
        let events = state.objects.iter().filter(|(path, _)| path.contains("/events/"));
        events.map(|(_, event)| format!("{}: {}", event["reason"].as_str().unwrap(), event["note"])).collect()
    }

    /// Changes the object whose path ends in `name`, as somebody else would.
    pub fn change(&self, name: &str, change: impl FnOnce(&mut Value)) {
        self.0.lock().unwrap().change(name, change);
    }

    /// Changes the object whose path ends in `name` right after the next read of it.
    pub fn race(&self, name: &'static str, change: impl FnOnce(&mut Value) + Send + 'static) {
        self.0.lock().unwrap().race = Some(Race { name, change: Box::new(change) });
    }

    /// Whether a race that was set up was run.
    pub fn raced(&self) -> bool {
        self.0.lock().unwrap().race.is_none()
    }

    /// Puts an object there.
    pub fn put(&self, path: &str, object: Value) {
        self.0.lock().unwrap().create(path, object);
    }

    /// Removes the object whose path ends in `name`.
    pub fn remove(&self, name: &str) {
        self.0.lock().unwrap().objects.retain(|path, _| !path.ends_with(name));
    }

    async fn answer(&self, request: Request<Body>) -> Result<Response<Body>, Infallible> {
        let (head, body) = request.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let content = head.headers.get("content-type").map_or("", |kind| kind.to_str().unwrap());
        let sent: Value = serde_json::from_slice(&body).unwrap_or_default();
        let (path, query) = (head.uri.path(), head.uri.query().unwrap_or_default());
        let answer = {
            let mut state = self.0.lock().unwrap();
            match head.method {
                Method::GET => {
                    let answer = state.read(path, query);
                    state.overtake(path);
                    answer
                }
                method => state.write(&method, path, content, sent),
            }
        };
        let (status, value) = answer;
        let body = Body::from(serde_json::to_vec(&value).unwrap());
        Ok(Response::builder().status(status).header("content-type", "application/json").body(body).unwrap())
    }
}

type Answer = (StatusCode, Value);

fn failure(code: u16, reason: &str) -> Answer {
    let status = StatusCode::from_u16(code).unwrap();
    (
        status,
        json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason, "message": reason}),
    )
}

impl State {
    fn write(&mut self, method: &Method, path: &str, content: &str, sent: Value) -> Answer {
        let event = path.contains("/events");
        let mut cut = false;
        if !event {
            self.writes.push(format!("{method} {path}"));
            if let Some((_, fault)) = self.fault.filter(|(nth, _)| self.writes.len() == nth + 1) {
                self.fault = None;
                match fault {
                    Fault::Refused(code) => return failure(code, "Injected"),
                    Fault::Cut => cut = true,
                }
            }
        }
        if self.refused.iter().any(|name| path.ends_with(name)) {
            return failure(422, "spec is refused by the test");
        }
        let answer = match method.as_str() {
            "POST" => {
                let name = sent["metadata"]["name"].as_str().unwrap_or("generated").to_owned();
                let unique = if event { format!("{name}-{}", self.version) } else { name };
                let path = format!("{path}/{unique}");
                if self.objects.contains_key(&path) {
                    failure(409, "AlreadyExists")
                } else {
                    self.create(&path, sent)
                }
            }
            "PATCH" if content.contains("apply") => self.apply(path, sent),
            "PATCH" => self.merge(path, &sent),
            "DELETE" if self.is_another(path, &sent) => failure(409, "Conflict"),
            "DELETE" => {
                self.objects.remove(path);
                self.applied.remove(path);
                (StatusCode::OK, json!({"kind": "Status", "apiVersion": "v1", "status": "Success"}))
            }
            other => panic!("{other} {path}"),
        };
        if cut { failure(504, "Timeout") } else { answer }
    }

    fn change(&mut self, name: &str, change: impl FnOnce(&mut Value)) {
        self.version += 1;
        let object = self.objects.iter_mut().find(|(path, _)| path.ends_with(name)).unwrap().1;
        change(object);
        object["metadata"]["resourceVersion"] = self.version.to_string().into();
    }

    /// What is to be deleted is not what is there now.
    fn is_another(&self, path: &str, options: &Value) -> bool {
        let meant = &options["preconditions"]["uid"];
        self.objects.get(path).is_some_and(|found| !meant.is_null() && *meant != found["metadata"]["uid"])
    }

    fn overtake(&mut self, path: &str) {
        if let Some(race) = self.race.take_if(|race| path.ends_with(race.name)) {
            self.change(race.name, race.change);
        }
    }

    fn read(&self, path: &str, query: &str) -> Answer {
        if let Some(object) = self.objects.get(path) {
            return (StatusCode::OK, object.clone());
        }
        let collection = [
            "pods",
            "secrets",
            "configmaps",
            "services",
            "serviceaccounts",
            "deployments",
            "replicasets",
            "networkpolicies",
            "poddisruptionbudgets",
            "storageclasses",
            "persistentvolumeclaims",
        ];
        if !collection.iter().any(|kind| path.ends_with(kind)) {
            return failure(404, "NotFound");
        }
        let wanted = |object: &Value| {
            !query.contains("instance%3D") || {
                let instance =
                    object["metadata"]["labels"]["app.kubernetes.io/instance"].as_str().unwrap_or_default();
                query.contains(&format!("instance%3D{instance}")) && !instance.is_empty()
            }
        };
        let prefix = format!("{path}/");
        let items: Vec<Value> = self
            .objects
            .iter()
            .filter(|(at, object)| at.starts_with(&prefix) && wanted(object))
            .map(|(_, object)| object.clone())
            .collect();
        (StatusCode::OK, json!({"kind": "List", "apiVersion": "v1", "metadata": {}, "items": items}))
    }

    fn create(&mut self, path: &str, mut object: Value) -> Answer {
        if self.terminating {
            let causes = json!([{"reason": "NamespaceTerminating", "message": "namespace tools is being terminated",
                "field": "metadata.namespace"}]);
            return (
                StatusCode::FORBIDDEN,
                json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 403, "reason": "Forbidden",
                    "message": "is forbidden: because it is being terminated", "details": {"causes": causes}}),
            );
        }
        self.version += 1;
        object["metadata"]["uid"] = format!("uid-{}", path.rsplit('/').next().unwrap()).into();
        object["metadata"]["resourceVersion"] = self.version.to_string().into();
        object["metadata"]["generation"] = 1.into();
        object["metadata"]["creationTimestamp"] = "2027-01-15T08:00:00Z".into();
        if path.contains("/services/") {
            object["spec"]["clusterIP"] = "10.96.0.7".into();
            object["spec"]["clusterIPs"] = json!(["10.96.0.7"]);
        }
        self.objects.insert(path.to_owned(), object.clone());
        (StatusCode::CREATED, object)
    }

    /// What was sent before and is not sent now goes; the rest is merged.
    fn apply(&mut self, path: &str, sent: Value) -> Answer {
        let (path, is_status) = path.strip_suffix("/status").map_or((path, false), |path| (path, true));
        if is_status {
            self.version += 1;
            let version = self.version.to_string();
            let object = self.objects.get_mut(path).unwrap();
            if let Some(field) = self.unknown.iter().find(|field| !sent["status"][**field].is_null()) {
                let message = format!(
                    "failed to create typed patch object: .status.{field}: field not declared in schema"
                );
                return (
                    StatusCode::INTERNAL_SERVER_ERROR,
                    json!({"kind": "Status", "code": 500, "message": message}),
                );
            }
            object["status"] = sent["status"].clone();
            object["metadata"]["resourceVersion"] = version.into();
            return (StatusCode::OK, object.clone());
        }
        let found = self.objects.get(path).cloned();
        for pinned in ["uid", "resourceVersion"] {
            let live = found.as_ref().map_or(&Value::Null, |object| &object["metadata"][pinned]);
            if !sent["metadata"][pinned].is_null() && sent["metadata"][pinned] != *live {
                return failure(409, "Conflict");
            }
        }
        let sent = unpinned(sent);
        let before = self.applied.insert(path.to_owned(), sent.clone()).unwrap_or_default();
        let Some(mut object) = found else { return self.create(path, sent) };
        let old = object.clone();
        remove(&mut object, &before, &sent);
        merge(&mut object, &sent);
        if object != old {
            self.version += 1;
            object["metadata"]["resourceVersion"] = self.version.to_string().into();
            if object["spec"] != old["spec"] {
                object["metadata"]["generation"] =
                    (old["metadata"]["generation"].as_i64().unwrap() + 1).into();
            }
        }
        self.objects.insert(path.to_owned(), object.clone());
        (StatusCode::OK, object)
    }

    fn merge(&mut self, path: &str, sent: &Value) -> Answer {
        self.version += 1;
        let version = self.version.to_string();
        let Some(object) = self.objects.get_mut(path) else { return failure(404, "NotFound") };
        merge(object, sent);
        object["metadata"]["resourceVersion"] = version.into();
        (StatusCode::OK, object.clone())
    }
}

/// What is sent, without what it is on condition of.
fn unpinned(mut sent: Value) -> Value {
    if let Some(metadata) = sent["metadata"].as_object_mut() {
        metadata.remove("uid");
        metadata.remove("resourceVersion");
    }
    sent
}

fn remove(object: &mut Value, before: &Value, now: &Value) {
    let (Some(object), Some(before)) = (object.as_object_mut(), before.as_object()) else { return };
    for (key, value) in before {
        match now.get(key) {
            None => drop(object.remove(key)),
            Some(now) => object.get_mut(key).into_iter().for_each(|object| remove(object, value, now)),
        }
    }
}

fn merge(object: &mut Value, sent: &Value) {
    match (object, sent) {
        (Value::Object(object), Value::Object(sent)) => {
            for (key, value) in sent {
                merge(object.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
        (object, sent) => *object = sent.clone(),
    }
}
