//! A server that ends because of its settings: it replaces nobody, and the object has its words.

use std::{env, fs, path::PathBuf, sync::Arc};

use anyhow::{Context, Result, ensure};
use e2e::{
    namespace::Namespace,
    object::{apply_object, patch, settled, until},
    process::run,
    registry::{Registry, answers},
};

use crate::{clients::six_line_registry, pods::trust, rollout::rolling_out, shared::Shared};

/// An image of the server with a setting that it refuses, pushed to the registry that is to run it, and the way by which
/// the node pulls it.
struct Refusing {
    reference: String,
    trusted: PathBuf,
}

impl Refusing {
    fn push(registry: &Registry, namespace: &str) -> Result<Self> {
        let archive = env::var("SERVER_ARCHIVE").context("SERVER_ARCHIVE is not set")?;
        let good = registry.reference("server:good");
        run(&mut registry.skopeo(&["copy", &format!("oci-archive:{archive}"), &format!("docker://{good}")]))?;
        let bad = registry.reference("server:bad");
        run(&mut registry.crane(&["mutate", "--env", "REGISTRY_LOG_LEVEL=loud", "--tag", &bad, &good]))?;
        let host = format!("team-registry.{namespace}.svc");
        Ok(Self { trusted: trust(&host, registry)?, reference: format!("{host}/server:bad") })
    }

    /// Has the registry's pods run it.
    fn run(&self, namespace: &str) -> Result<()> {
        let image = serde_json::json!({"image": {"reference": self.reference, "pullSecrets": [{"name": "team-pull"}]}});
        patch(namespace, "team", &image.to_string())
    }
}

impl Drop for Refusing {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.trusted);
    }
}

/// What a server says that ends because of its settings.
fn refuses(said: &str) -> bool {
    said.contains("exit code 78") && said.contains("log.level") && said.contains("loud")
}

// operator 89: on a volume of one pod, what is to follow is tried beside the pod that serves
#[test]
fn a_server_that_refuses_its_settings_never_replaces_the_only_pod() -> Result<()> {
    let namespace = Namespace::create("e2e-refuses")?;
    let registry = Arc::new(six_line_registry(namespace.name())?);
    let refusing = Refusing::push(&registry, namespace.name())?;
    let (pods, load) = (registry.pods()?, answers(&registry));
    refusing.run(namespace.name())?;
    let said = until(namespace.name(), "team", "Progressing", "False/RolloutBlocked")?;
    ensure!(refuses(&said), "{said}");
    until(namespace.name(), "team", "Ready", "True/AllReady")?;
    patch(namespace.name(), "team", r#"{"image": null}"#)?;
    settled(namespace.name(), "team")?;
    load.finish()?;
    ensure!(pods == registry.pods()?, "the pod that served was replaced");
    Ok(())
}

// operator 89: on a shared volume, the first new pod says it, and no old one goes. What ten minutes of this are called is
// shown in the operator's own tests: its Deployment says so there without delay.
#[test]
fn a_server_that_refuses_its_settings_replaces_no_pod_of_several() -> Result<()> {
    let namespace = Namespace::create("e2e-refuse-many")?;
    let _shared = Shared::create(&namespace)?;
    let spec = "{replicas: 2, storage: {filesystem: {existingClaimName: shared}}, cache: {none: {}}}";
    apply_object(namespace.name(), "team", spec)?;
    settled(namespace.name(), "team")?;
    let registry = Arc::new(Registry::ready(namespace.name(), "team")?);
    registry.log_in("admin", &registry.password)?;
    let refusing = Refusing::push(&registry, namespace.name())?;
    let (pods, load) = (registry.pods()?, answers(&registry));
    refusing.run(namespace.name())?;
    rolling_out(namespace.name(), refuses)?;
    until(namespace.name(), "team", "Ready", "True/AllReady")?;
    patch(namespace.name(), "team", r#"{"image": null}"#)?;
    settled(namespace.name(), "team")?;
    load.finish()?;
    let after = registry.pods()?;
    ensure!(pods.iter().all(|pod| after.contains(pod)), "{pods:?} became {after:?}");
    Ok(())
}
