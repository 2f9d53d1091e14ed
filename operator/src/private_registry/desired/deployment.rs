//! The registry's pods: restricted, without a token, with every file that they read mounted.

use serde_json::{Value, json};

use crate::private_registry::{
    desired::{
        child::{Keep, labels, metadata, selector},
        server_config::{AUTH, BOOT, DATA, DRAIN_SECONDS, LIVE, TLS},
    },
    model::Model,
};

/// uid and gid of the server in its image.
const USER: i64 = 65532;

/// The Deployment. `config` names the ConfigMap of the boot file: its change is what rolls the pods.
pub fn deployment(model: &Model, config: &str) -> Value {
    let metadata = metadata(model, &model.names.registry(), Keep::Never);
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": {
        "replicas": model.replicas(),
        "revisionHistoryLimit": 2,
        "strategy": strategy(model),
        "selector": {"matchLabels": selector(model)},
        "template": {
            "metadata": {"labels": labels(model), "annotations": {"privateregistry.dev/config-hash": config}},
            "spec": pod(model, config),
        },
    }})
}

/// A volume that one node holds cannot be held by the new pod while the old one lives.
fn strategy(model: &Model) -> Value {
    if model.spec.replicas > 1 {
        return json!({"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}});
    }
    json!({"type": "Recreate"})
}

fn pod(model: &Model, config: &str) -> Value {
    json!({
        "serviceAccountName": model.names.registry(),
        "automountServiceAccountToken": false,
        "enableServiceLinks": false,
        "terminationGracePeriodSeconds": DRAIN_SECONDS + 10,
        "securityContext": {
            "runAsNonRoot": true, "runAsUser": USER, "runAsGroup": USER, "fsGroup": USER,
            "fsGroupChangePolicy": "OnRootMismatch", "seccompProfile": {"type": "RuntimeDefault"},
        },
        "imagePullSecrets": model.spec.image.clone().map(|image| image.pull_secrets).unwrap_or_default(),
        "containers": [container(model)],
        "volumes": volumes(model, config),
    })
}

fn container(model: &Model) -> Value {
    let probe = |path: &str, period: i32, failures: i32| json!({"httpGet": {"path": path, "port": "admin"}, "periodSeconds": period, "failureThreshold": failures});
    json!({
        "name": "registry",
        "image": model.image,
        "imagePullPolicy": model.spec.image.as_ref().map(|image| image.pull_policy).unwrap_or_default(),
        "args": ["serve", format!("{BOOT}/config.yml")],
        "ports": [{"name": "registry", "containerPort": 5000, "protocol": "TCP"},
                  {"name": "admin", "containerPort": 5001, "protocol": "TCP"}],
        "livenessProbe": probe("/livez", 10, 3),
        "readinessProbe": probe("/readyz", 2, 2),
        "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "512Mi"}},
        "securityContext": {"allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true,
                            "capabilities": {"drop": ["ALL"]}},
        "volumeMounts": [
            {"name": "boot", "mountPath": BOOT, "readOnly": true},
            {"name": "live", "mountPath": LIVE, "readOnly": true},
            {"name": "tls", "mountPath": TLS, "readOnly": true},
            {"name": "auth", "mountPath": AUTH, "readOnly": true},
            {"name": "data", "mountPath": DATA},
        ],
    })
}

fn volumes(model: &Model, config: &str) -> Value {
    json!([
        {"name": "boot", "configMap": {"name": config}},
        {"name": "live", "configMap": {"name": model.names.live()}},
        {"name": "tls", "secret": {"secretName": model.names.tls()}},
        {"name": "auth", "secret": {"secretName": model.names.htpasswd()}},
        data(model),
    ])
}

fn data(model: &Model) -> Value {
    match &model.spec.storage.ephemeral {
        None => json!({"name": "data", "persistentVolumeClaim": {"claimName": model.names.data()}}),
        Some(ephemeral) => match &ephemeral.size_limit {
            None => json!({"name": "data", "emptyDir": {}}),
            Some(limit) => json!({"name": "data", "emptyDir": {"sizeLimit": limit}}),
        },
    }
}
