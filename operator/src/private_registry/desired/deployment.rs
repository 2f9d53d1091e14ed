//! The registry's pods: restricted, without a token, with every file that they read mounted.

use serde_json::{Value, json};

use crate::{
    crd::pod::Pod,
    private_registry::{
        desired::{
            child::{Component, Keep, container_security, labels, metadata, selector},
            mounts, pod_template,
        },
        model::{Model, Store},
    },
};

/// uid and gid of the server in its image.
const USER: i64 = 65532;
/// How long a pod that is to end goes on accepting connections, in seconds: nodes and load balancers send some until they
/// have heard of it.
const LEAVING: u64 = 5;
/// On the Deployment: the store in use, `<store>` or `<store>/<uid of the claim>`.
pub const STORE: &str = "privateregistry.dev/store";
/// On the Deployment: a server has used the store.
pub const INITIALIZED: &str = "privateregistry.dev/store-initialized";

/// On the Deployment: the value of the annotation `accept-empty-store` that was carried out last.
pub const ACCEPTED: &str = "privateregistry.dev/accepted-empty-store";

/// What the Deployment is made for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Placement {
    /// Where images are kept.
    pub store: Store,
    /// Uid of the claim.
    pub uid: Option<String>,
    /// A server has used it.
    pub initialized: bool,
    /// Pods of several nodes may use it at once.
    pub shared: bool,
    /// Value of the annotation `accept-empty-store` that was carried out last.
    pub accepted: Option<String>,
}

impl Placement {
    /// What the annotation says.
    pub fn recorded(&self) -> String {
        match &self.uid {
            Some(uid) => format!("{}/{uid}", self.store),
            None => self.store.to_string(),
        }
    }
}

/// The Deployment. `config` names the ConfigMap of the boot file: its change is what rolls the pods.
pub fn deployment(model: &Model, placement: &Placement, config: &str) -> Value {
    let mut metadata = metadata(model, &model.names.registry(), Keep::Never);
    metadata["annotations"][STORE] = placement.recorded().into();
    if placement.initialized {
        metadata["annotations"][INITIALIZED] = "true".into();
    }
    if let Some(accepted) = &placement.accepted {
        metadata["annotations"][ACCEPTED] = accepted.clone().into();
    }
    // Pods that share no store are not one registry.
    let most = if placement.shared { i32::MAX } else { 1 };
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": {
        "replicas": model.replicas().min(most),
        "revisionHistoryLimit": 2,
        "progressDeadlineSeconds": 600,
        "strategy": strategy(placement),
        "selector": {"matchLabels": selector(model, Component::Registry)},
        "template": template(model, placement, config),
    }})
}

/// A volume that one node or pod holds cannot be held by the new pod while the old one lives.
fn strategy(placement: &Placement) -> Value {
    if placement.shared {
        return json!({"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}});
    }
    json!({"type": "Recreate"})
}

fn template(model: &Model, placement: &Placement, config: &str) -> Value {
    let wanted = model.spec.pod.clone().unwrap_or_default();
    let (mut labels, mut annotations) = (json!(wanted.labels), json!(wanted.annotations));
    pod_template::merge(&mut labels, &self::labels(model, Component::Registry));
    pod_template::merge(&mut annotations, &json!({"privateregistry.dev/config-hash": config}));
    let mut template = json!({
        "metadata": {"labels": labels, "annotations": annotations},
        "spec": pod(model, &wanted, placement, config),
    });
    if let Some(last) = wanted.template {
        pod_template::merge(&mut template, &Value::Object(last));
    }
    template
}

fn pod(model: &Model, wanted: &Pod, placement: &Placement, config: &str) -> Value {
    let mut pod = json!({
        "serviceAccountName": wanted.service_account_name.clone().unwrap_or_else(|| model.names.registry()),
        "automountServiceAccountToken": false,
        "enableServiceLinks": false,
        "terminationGracePeriodSeconds": model.spec.drain_timeout.seconds() + 10 + leaving(placement),
        "securityContext": {
            "runAsNonRoot": true, "runAsUser": USER, "runAsGroup": USER, "fsGroup": USER,
            "fsGroupChangePolicy": "OnRootMismatch", "seccompProfile": {"type": "RuntimeDefault"},
        },
        "imagePullSecrets": model.spec.image.clone().map(|image| image.pull_secrets).unwrap_or_default(),
        "topologySpreadConstraints": spread(model, wanted),
        "containers": [container(model, wanted, placement)],
        "volumes": mounts::volumes(model, placement, config),
    });
    if !wanted.node_selector.is_empty() {
        pod["nodeSelector"] = json!(wanted.node_selector);
    }
    if !wanted.tolerations.is_empty() {
        pod["tolerations"] = json!(wanted.tolerations);
    }
    if let Some(affinity) = &wanted.affinity {
        pod["affinity"] = json!(affinity);
    }
    if let Some(class) = &wanted.priority_class_name {
        pod["priorityClassName"] = class.clone().into();
    }
    pod
}

/// Over nodes, then zones, where that is possible.
fn spread(model: &Model, wanted: &Pod) -> Value {
    if let Some(constraints) = &wanted.topology_spread_constraints {
        return json!(constraints);
    }
    let over = |key: &str| {
        json!({"maxSkew": 1, "topologyKey": key, "whenUnsatisfiable": "ScheduleAnyway",
            "labelSelector": {"matchLabels": selector(model, Component::Registry)}})
    };
    json!([over("kubernetes.io/hostname"), over("topology.kubernetes.io/zone")])
}

/// Where others serve meanwhile, a pod takes leave; where it has to be gone before the next one comes, that would be a
/// longer break.
fn leaving(placement: &Placement) -> u64 {
    if placement.shared { LEAVING } else { 0 }
}

fn container(model: &Model, wanted: &Pod, placement: &Placement) -> Value {
    let probe = |path: &str, period: i32, failures: i32| json!({"httpGet": {"path": path, "port": "admin"}, "periodSeconds": period, "failureThreshold": failures});
    let resources = wanted.resources.as_ref().map_or_else(
        || json!({"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "512Mi"}}),
        |resources| json!(resources),
    );
    let mut ports = vec![
        json!({"name": "registry", "containerPort": 5000, "protocol": "TCP"}),
        json!({"name": "admin", "containerPort": 5001, "protocol": "TCP"}),
    ];
    ports.extend(
        model.redirects().then(|| json!({"name": "redirect", "containerPort": 5080, "protocol": "TCP"})),
    );
    let mut container = json!({
        "name": "registry",
        "image": model.image,
        "imagePullPolicy": model.spec.image.as_ref().map(|image| image.pull_policy).unwrap_or_default(),
        "args": ["serve", format!("{}/config.yml", super::server_config::BOOT)],
        "ports": ports,
        "livenessProbe": probe("/livez", 10, 3),
        "readinessProbe": probe("/readyz", 2, 2),
        // A server that ends says why: its last lines become the message that status shows.
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "resources": resources,
        "securityContext": container_security(),
        "volumeMounts": mounts::mounts(model),
    });
    if placement.shared {
        container["lifecycle"] = json!({"preStop": {"sleep": {"seconds": LEAVING}}});
    }
    container
}
