//! One object, its namespace, and what the cluster's own controllers would do to its children.

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::STANDARD};
use kube::runtime::{
    events::{Recorder, Reporter},
    reflector, watcher,
};
use operator::{
    cluster::echoes::Echoes,
    crd::registry::PrivateRegistry,
    private_registry::{
        context::Context,
        error::PassError,
        hostnames::Registries,
        reconcile::reconcile,
        resolve::Defaults,
        status::write::{announced, failed_pass},
        usage::Usages,
    },
};
use serde_json::{Value, json};

use crate::fake_api::FakeApi;

/// The shortest spec.
pub const SIX_LINES: &str = "storage: {filesystem: {size: 1Gi}}";
/// Path of the object.
pub const OBJECT: &str = "/apis/privateregistry.dev/v1alpha1/namespaces/tools/privateregistries/team";

/// The world of one object.
pub struct World {
    /// Its API server.
    pub api: FakeApi,
    /// Its clock, in seconds since 1970.
    pub now: i64,
    context: Context,
}

impl World {
    /// A world with the object `team` in it.
    pub fn new(spec: &str) -> Self {
        let api = FakeApi::default();
        let spec: Value = serde_saphyr::from_str(spec).unwrap();
        api.put(
            OBJECT,
            json!({"apiVersion": "privateregistry.dev/v1alpha1", "kind": "PrivateRegistry",
                "metadata": {"name": "team", "namespace": "tools", "annotations": {}}, "spec": spec}),
        );
        let client = api.client();
        let reporter = Reporter { controller: "test".into(), instance: None };
        let context = Context {
            client: client.clone(),
            recorder: Recorder::new(client, reporter),
            defaults: Defaults {
                image: "registry:1".into(),
                redis_image: "redis:7".into(),
                namespace: "operators".into(),
            },
            cluster_wide: true,
            registries: Registries::default(),
            usages: Usages::default(),
            echoes: Arc::default(),
        };
        Self { api, now: 1_800_000_000, context }
    }

    /// The operator is upgraded to a release with this image of the registry.
    pub fn release(&mut self, image: &str) {
        self.context.defaults.image = image.into();
    }

    /// The operator is upgraded to a release with this image of Redis.
    pub fn release_redis(&mut self, image: &str) {
        self.context.defaults.redis_image = image.into();
    }

    /// Another registry, which was there before, is watched, too.
    pub fn beside(&self, older: Value) {
        let (store, mut writer) = reflector::store();
        writer.apply_watcher_event(&watcher::Event::Apply(serde_json::from_value(older).unwrap()));
        drop(self.context.registries.add(store));
    }

    /// What it has written, of which watches have not told yet.
    pub fn echoes(&self) -> &Echoes {
        &self.context.echoes
    }

    /// One pass.
    pub async fn pass(&self) -> Result<(), PassError> {
        let object: PrivateRegistry = serde_json::from_value(self.api.objects()[OBJECT].clone()).unwrap();
        let object = announced(object, &self.context.client).await?;
        reconcile(&object, &self.context, self.now).await.map(drop)
    }

    /// What the controller does with a pass that failed.
    pub async fn fail(&self, error: &PassError) {
        assert!(error.concerns_the_object(), "{error}");
        let object: PrivateRegistry = serde_json::from_value(self.api.objects()[OBJECT].clone()).unwrap();
        failed_pass(&object, &self.context, error, self.now).await.unwrap();
    }

    /// Passes, and what the cluster does in between, until two of them write nothing.
    pub async fn settle(&self) {
        let mut quiet = 0;
        for _ in 0..40 {
            let before = self.api.writes().len();
            let passed = self.pass().await.is_ok();
            let wrote = self.api.writes().len() != before;
            let moved = self.cluster_works();
            quiet = if passed && !wrote && !moved { quiet + 1 } else { 0 };
            if quiet == 2 {
                return;
            }
        }
        panic!("it never settles: {:?}", &self.api.writes()[self.api.writes().len() - 10..]);
    }

    /// Claims are bound and pods become ready; whether anything changed.
    pub fn cluster_works(&self) -> bool {
        let mut moved = false;
        for (path, object) in self.api.objects() {
            let status = if path.contains("/deployments/") {
                let replicas = object["spec"]["replicas"].as_i64().unwrap();
                json!({"observedGeneration": object["metadata"]["generation"], "replicas": replicas,
                    "updatedReplicas": replicas, "readyReplicas": replicas})
            } else if path.ends_with("/pods/team-trial") {
                tried(object["spec"]["containers"][0]["image"].as_str().unwrap())
            } else if path.contains("/persistentvolumeclaims/") {
                json!({"phase": "Bound", "capacity": object["spec"]["resources"]["requests"]})
            } else {
                continue;
            };
            if object["status"] != status {
                self.api.change(&path, |object| object["status"] = status);
                moved = true;
            }
        }
        moved
    }

    /// One field of the spec.
    pub fn spec(&self, field: &str) -> Value {
        self.api.objects()[OBJECT]["spec"][field].clone()
    }

    /// Sets one field of the spec; null takes it away.
    pub fn set_spec(&mut self, field: &str, value: Value) {
        self.api.change(OBJECT, |object| {
            if value.is_null() {
                object["spec"].as_object_mut().unwrap().remove(field);
            } else {
                object["spec"][field] = value;
            }
            object["metadata"]["generation"] =
                (object["metadata"]["generation"].as_i64().unwrap() + 1).into();
        });
    }

    /// Sets an annotation of the object.
    pub fn annotate(&mut self, key: &str, value: &str) {
        self.api.change(OBJECT, |object| object["metadata"]["annotations"][key] = value.into());
    }

    /// Those who watch the object are told how it is now.
    pub fn tell(&self) {
        self.api.tell("MODIFIED", OBJECT, &self.api.objects()[OBJECT]);
    }

    /// The object is deleted under Retain, what it owned with it, and made again.
    pub fn recreate(&self) {
        let mut object = self.api.objects()[OBJECT].clone();
        for (path, child) in self.api.objects() {
            if !child["metadata"]["ownerReferences"].is_null() {
                self.api.remove(&path);
            }
        }
        object.as_object_mut().unwrap().remove("status");
        self.api.put(OBJECT, object);
    }

    /// A value of a Secret.
    pub fn secret(&self, name: &str, key: &str) -> String {
        let objects = self.api.objects();
        let secret = &objects[&format!("/api/v1/namespaces/tools/secrets/{name}")];
        let encoded = secret["data"][key].as_str().unwrap_or_else(|| panic!("{name} has no {key}"));
        String::from_utf8(STANDARD.decode(encoded).unwrap()).unwrap()
    }

    /// Writes a value of a Secret, as a user would.
    pub fn set_secret(&self, name: &str, key: &str, value: &str) {
        let encoded = STANDARD.encode(value);
        self.api.change(&format!("secrets/{name}"), |secret| secret["data"][key] = encoded.into());
    }

    /// Writes a value of a Secret right after the next read of it, as a user would.
    pub fn race_secret(&self, name: &'static str, key: &'static str, value: &str) {
        let encoded = STANDARD.encode(value);
        self.api.race(name, move |secret| secret["data"][key] = encoded.into());
    }

    /// `status/reason` of a condition.
    pub fn condition(&self, kind: &str) -> String {
        let found = self.verdict(kind);
        format!("{}/{}", found["status"].as_str().unwrap(), found["reason"].as_str().unwrap())
    }

    /// What a condition says.
    pub fn message(&self, kind: &str) -> String {
        self.verdict(kind)["message"].as_str().unwrap().to_owned()
    }

    fn verdict(&self, kind: &str) -> Value {
        let object = self.api.objects()[OBJECT].clone();
        let conditions = object["status"]["conditions"].as_array().unwrap().clone();
        conditions.into_iter().find(|condition| condition["type"] == kind).unwrap()
    }
}

/// What becomes of a pod that tries `image`.
fn tried(image: &str) -> Value {
    let container = |state: Value| json!([{"name": "registry", "ready": false, "state": state}]);
    match image {
        "nobody-has-this:1" => json!({"phase": "Pending", "containerStatuses":
            container(json!({"waiting": {"reason": "ErrImagePull", "message": "not found"}}))}),
        "knows-less:1" => json!({"phase": "Failed", "containerStatuses":
            container(json!({"terminated": {"exitCode": 78, "message": "redis.mastername: unknown key"}}))}),
        _ => json!({"phase": "Succeeded"}),
    }
}
