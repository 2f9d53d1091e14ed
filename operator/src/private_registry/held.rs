//! Pods that stay as they are for now, and what leads to them: what somebody changes about them is put back to what it was,
//! which is not what is wanted next. So each of these children carries what it was last made to be.

use registry_config::schema::Config;
use serde_json::Value;

use crate::{
    cluster::{
        apply::{APPLIED, marked},
        deployment::mounted_map,
    },
    private_registry::{
        apply::{Applied, Pass},
        desired::children::Children,
        error::PassError,
        observe::json_of,
        tried::Trial,
    },
};

/// What a child was last made to be, as JSON, without this annotation itself.
pub const REMEMBERED: &str = "privateregistry.dev/remembered";

/// The child, which remembers what it is made to be.
pub fn remembering(mut child: Value) -> Value {
    child["metadata"]["annotations"][REMEMBERED] = child.to_string().into();
    child
}

/// What a child of the registry with this uid was last made to be. What others wrote into the annotation does not count.
pub fn remembered(live: &Value, owner: &str) -> Option<Value> {
    let annotations = &live["metadata"]["annotations"];
    let last = serde_json::from_str::<Value>(annotations[REMEMBERED].as_str()?).ok()?;
    let owned = last["metadata"]["ownerReferences"][0]["uid"] == owner;
    let last = remembering(last);
    let ours = annotations[APPLIED] == marked(last.clone()).1;
    (owned && ours).then_some(last)
}

impl Pass<'_> {
    /// While pods stay as they are: what protects them is made where it is missing, and a Redis that they use goes on.
    pub(super) async fn hold(
        &mut self,
        mut children: Children,
        trial: Option<Trial>,
    ) -> Result<Applied, PassError> {
        let redis = match self.redis().await? {
            Some(_) => self.apply_redis(std::mem::take(&mut children.redis)).await?,
            None => None,
        };
        self.stay(children).await?;
        Ok(Applied { trial, held: true, redis, ..Applied::default() })
    }

    /// The pods, what leads to them and what protects them stay as they are.
    pub(super) async fn stay(&mut self, children: Children) -> Result<(), PassError> {
        let protecting = children.network_policies.into_iter().chain(children.disruption_budget);
        for wanted in protecting.chain([children.service]) {
            let word = |pointer: &str| wanted.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
            if !self.as_it_was(word("/apiVersion"), word("/kind"), word("/metadata/name")).await? {
                self.child(remembering(wanted)).await?;
            }
        }
        let name = self.reader.model.names.registry();
        self.as_it_was("apps/v1", "Deployment", &name).await.map(drop)
    }

    /// The boot file that the pods of a Deployment are started with, as far as it can be read.
    pub(super) async fn running(&self, deployment: Option<&Value>) -> Result<Option<Config>, PassError> {
        let Some(name) = deployment.and_then(|live| mounted_map(live, "boot")) else { return Ok(None) };
        let map = self.reader.object("v1", "ConfigMap", name).await?;
        let file = map.as_ref().and_then(|map| map.data["data"]["config.yml"].as_str());
        Ok(file.and_then(|file| Config::from_yaml(name, file, []).ok()))
    }

    /// Puts a child back to what it was last made to be; whether it is there.
    async fn as_it_was(&mut self, api_version: &str, kind: &str, name: &str) -> Result<bool, PassError> {
        let Some(live) = self.reader.object(api_version, kind, name).await? else { return Ok(false) };
        if let Some(last) = remembered(&json_of(&live), &self.reader.model.owner.uid) {
            self.child(last).await?;
        }
        Ok(true)
    }
}
