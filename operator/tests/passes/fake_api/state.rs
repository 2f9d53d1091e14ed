//! The objects, and what a request does to them.

use std::{collections::BTreeMap, convert::Infallible};

use futures::channel::mpsc::UnboundedSender;
use http::{Method, StatusCode};
use hyper::body::{Bytes, Frame};
use operator::cluster::apply::MANAGER;
use serde_json::{Value, json};

use super::Fault;

/// Somebody is faster than the pass.
pub struct Race {
    /// End of the object's path.
    pub name: &'static str,
    /// What is done.
    pub change: Box<dyn FnOnce(&mut Value) + Send>,
}

/// A watch that is open.
pub type Watch = UnboundedSender<Result<Frame<Bytes>, Infallible>>;

/// What the server holds, and what is to go wrong.
#[derive(Default)]
pub struct State {
    pub(super) objects: BTreeMap<String, Value>,
    /// What server-side apply sent last, by path.
    pub(super) applied: BTreeMap<String, Value>,
    /// What came with a POST, until its fields count as applied.
    pub(super) posted: BTreeMap<String, Value>,
    pub(super) version: u64,
    pub(super) writes: Vec<String>,
    pub(super) fault: Option<(usize, Fault)>,
    /// What somebody does right after a read of the object whose path ends so.
    pub(super) race: Option<Race>,
    /// What somebody makes right before the first write to its path.
    pub(super) stolen: Option<(String, Value)>,
    /// Ends of paths to which nothing may be written.
    pub(super) refused: Vec<&'static str>,
    /// Kind that may not be listed.
    pub(super) unlisted: Option<&'static str>,
    /// Path of what was deleted last without what it owned.
    pub(super) orphaned: String,
    /// A field that no pod template has.
    pub(super) undeclared: Option<&'static str>,
    /// The namespace is being deleted.
    pub(super) terminating: bool,
    /// Fields of the status that an older CRD does not know.
    pub(super) unknown: Vec<&'static str>,
    /// Watches that are open: of which path, and where they are told what happens.
    pub(super) watches: Vec<(String, Watch)>,
}

/// How something is written.
pub struct How<'a> {
    /// POST, PATCH or DELETE.
    pub method: Method,
    /// Media type of the body.
    pub content: &'a str,
    /// The writer gives its name as manager of the fields.
    pub managed: bool,
    /// Unknown fields are refused, not dropped.
    pub strict: bool,
}

/// Status and body.
pub type Answer = (StatusCode, Value);

/// An answer that says no.
pub fn failure(code: u16, reason: &str) -> Answer {
    let status = StatusCode::from_u16(code).unwrap();
    (
        status,
        json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason, "message": reason}),
    )
}

impl State {
    pub(super) fn write(&mut self, how: &How<'_>, path: &str, sent: Value) -> Answer {
        let event = path.contains("/events");
        let mut cut = false;
        if !event {
            let made = sent["metadata"]["name"].as_str().filter(|_| how.method == "POST");
            let made = made.map(|name| format!("/{name}")).unwrap_or_default();
            self.writes.push(format!("{} {path}{made}", how.method));
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
        self.rob(path, &sent);
        let answer = match how.method.as_str() {
            "POST" => {
                let name = sent["metadata"]["name"].as_str().unwrap_or("generated").to_owned();
                let path = format!("{path}/{name}");
                if self.objects.contains_key(&path) {
                    failure(409, "AlreadyExists")
                } else {
                    self.post(&path, sent, how.managed, how.strict)
                }
            }
            "PATCH" if how.content.contains("apply") => self.apply(path, sent),
            "PATCH" => self.merge(path, &sent),
            "DELETE" if self.is_another(path, &sent) => failure(409, "Conflict"),
            "DELETE" => {
                if sent["propagationPolicy"] == "Orphan" {
                    path.clone_into(&mut self.orphaned);
                }
                self.objects.remove(path);
                self.applied.remove(path);
                (StatusCode::OK, json!({"kind": "Status", "apiVersion": "v1", "status": "Success"}))
            }
            other => panic!("{other} {path}"),
        };
        if cut { failure(504, "Timeout") } else { answer }
    }

    /// The field of a pod template that no schema has.
    pub(super) fn unknown_in(&self, sent: &Value) -> Option<&'static str> {
        let template = &sent["spec"]["template"]["spec"];
        self.undeclared.filter(|field| !template[*field].is_null())
    }

    /// What came with a POST counts as updated, not as applied.
    fn post(&mut self, path: &str, sent: Value, managed: bool, strict: bool) -> Answer {
        if let Some(field) = self.unknown_in(&sent).filter(|_| strict) {
            return failure(400, &format!("strict decoding error: unknown field \"{field}\""));
        }
        self.posted.insert(path.to_owned(), sent.clone());
        let (status, answer) = self.create(path, sent);
        if status != StatusCode::CREATED {
            return (status, answer);
        }
        if let Some(object) = self.objects.get_mut(path).filter(|_| managed) {
            object["metadata"]["managedFields"] = json!([{"manager": MANAGER, "operation": "Update"}]);
        }
        (status, self.objects.get(path).cloned().unwrap_or_default())
    }

    fn rob(&mut self, path: &str, sent: &Value) {
        let name = sent["metadata"]["name"].as_str().unwrap_or_default();
        let meant = |at: &str| at == path || at == format!("{path}/{name}");
        if let Some((at, object)) = self.stolen.take_if(|(at, _)| meant(at)) {
            self.create(&at, object);
        }
    }

    pub(super) fn change(&mut self, name: &str, change: impl FnOnce(&mut Value)) {
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

    pub(super) fn overtake(&mut self, path: &str) {
        let listed = |name: &str| {
            self.objects.keys().any(|at| at.starts_with(&format!("{path}/")) && at.ends_with(name))
        };
        let read = self.race.as_ref().is_some_and(|race| path.ends_with(race.name) || listed(race.name));
        if let Some(race) = self.race.take_if(|_| read) {
            self.change(race.name, race.change);
        }
    }

    pub(super) fn read(&self, path: &str, query: &str) -> Answer {
        if let Some(object) = self.objects.get(path) {
            return (StatusCode::OK, object.clone());
        }
        if !query.contains("instance%3D") && self.unlisted.is_some_and(|kind| path.ends_with(kind)) {
            return failure(403, "Forbidden");
        }
        let collection = [
            "privateregistries",
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
            .map(|(_, object)| without_types(object))
            .collect();
        (
            StatusCode::OK,
            json!({"kind": "List", "apiVersion": "v1", "metadata": {"resourceVersion": "1"}, "items": items}),
        )
    }

    pub(super) fn create(&mut self, path: &str, mut object: Value) -> Answer {
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
        let (kinds, name) = path.rsplit_once('/').unwrap();
        object["metadata"]["uid"] = format!("{}-{name}", kinds.rsplit('/').next().unwrap()).into();
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
}

/// An object as an item of a list: those of Kubernetes' own kinds do not say what they are.
fn without_types(object: &Value) -> Value {
    let mut item = object.clone();
    if let Some(fields) =
        item.as_object_mut().filter(|fields| fields.get("kind") != Some(&json!("PrivateRegistry")))
    {
        fields.remove("apiVersion");
        fields.remove("kind");
    }
    item
}
