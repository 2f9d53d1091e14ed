//! What a PATCH does to an object: server-side apply, merge patch.

use http::StatusCode;
use serde_json::{Value, json};

use super::state::{Answer, State, failure};

impl State {
    /// What was sent before and is not sent now goes; the rest is merged.
    pub(super) fn apply(&mut self, path: &str, sent: Value) -> Answer {
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
        if let Some(field) = self.unknown_in(&sent) {
            let message =
                format!("failed to create typed patch object: .{field}: field not declared in schema");
            return (
                StatusCode::INTERNAL_SERVER_ERROR,
                json!({"kind": "Status", "status": "Failure", "code": 500, "message": message}),
            );
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

    pub(super) fn merge(&mut self, path: &str, sent: &Value) -> Answer {
        self.version += 1;
        let version = self.version.to_string();
        let Some(object) = self.objects.get_mut(path) else { return failure(404, "NotFound") };
        let read = &sent["metadata"]["resourceVersion"];
        if !read.is_null() && *read != object["metadata"]["resourceVersion"] {
            return failure(409, "Conflict");
        }
        merge(object, sent);
        // The fields of a POST count as applied from now on.
        if !sent["metadata"]["managedFields"].is_null() {
            let posted = self.posted.remove(path).unwrap_or_default();
            self.applied.insert(path.to_owned(), posted);
        }
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
