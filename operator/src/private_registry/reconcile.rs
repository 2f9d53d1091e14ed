//! One pass: name the children, gather what is secret, apply, tidy, tell.

use std::{collections::BTreeMap, time::SystemTime};

use kube::{
    Client, Resource, ResourceExt,
    api::{DeleteParams, DynamicObject, ListParams},
    runtime::events::{Event, EventType, Recorder},
};
use serde_json::Value;

use crate::{
    cluster::apply::{self, Outcome, apply},
    crd::registry::PrivateRegistry,
    private_registry::{
        desired::{
            child::Keep, config_maps, deployment::deployment, network_policy::network_policy, secrets,
            service_account::service_account, services, volume_claim::volume_claim,
        },
        error::PassError,
        inputs::{Inputs, gather},
        issue::Pair,
        model::Model,
        names::Names,
        status::{self, Observed},
    },
};

/// What passes share.
pub struct Context {
    /// The cluster.
    pub client: Client,
    /// Events.
    pub recorder: Recorder,
    /// Image of registries whose object names none.
    pub image: String,
    /// Where the operator runs.
    pub namespace: String,
}

/// Makes the registry what its object says, and says how it is.
pub async fn reconcile(object: &PrivateRegistry, context: &Context) -> Result<Observed, PassError> {
    let pass = Pass { object, context, model: resolve(object, context)? };
    pass.child(service_account(&pass.model)).await?;
    pass.child(services::admin(&pass.model)).await?;
    let service = pass.child(services::public(&pass.model)).await?;
    let address = service.data["spec"]["clusterIP"].as_str().unwrap_or_default();
    let inputs = gather(&context.client, &pass.model, address, SystemTime::now()).await?;
    pass.secrets(&inputs, address).await?;
    let observed = pass.workload(inputs).await?;
    status::write(object, &pass.model, Ok(&observed), &context.client).await?;
    Ok(observed)
}

/// Spec and surroundings to what the builders read.
pub fn resolve(object: &PrivateRegistry, context: &Context) -> Result<Model, PassError> {
    let namespace = object.namespace().ok_or(PassError::Incomplete("a namespace"))?;
    let owner = object.controller_owner_ref(&()).ok_or(PassError::Incomplete("a uid"))?;
    Ok(Model {
        names: Names { namespace, name: object.name_any() },
        spec: object.spec.clone(),
        owner,
        image: object
            .spec
            .image
            .as_ref()
            .map_or_else(|| context.image.clone(), |image| image.reference.clone()),
        operator_namespace: context.namespace.clone(),
    })
}

struct Pass<'a> {
    object: &'a PrivateRegistry,
    context: &'a Context,
    model: Model,
}

impl Pass<'_> {
    /// Applies one child; a foreign object of its name ends the pass.
    async fn child(&self, wanted: Value) -> Result<DynamicObject, PassError> {
        let kind = wanted["kind"].as_str().unwrap_or_default().to_owned();
        let name = wanted["metadata"]["name"].as_str().unwrap_or_default().to_owned();
        let applied = apply(&self.context.client, wanted, &self.model.names.name).await;
        let failed =
            |source| PassError::Cluster { what: format!("apply {kind} {name}"), source: Box::new(source) };
        match applied.map_err(failed)? {
            Outcome::Unchanged(live) => Ok(*live),
            Outcome::Updated(live) => {
                tracing::info!(kind, name, namespace = self.model.names.namespace, "updated");
                Ok(*live)
            }
            Outcome::Created(live) => {
                self.tell(EventType::Normal, "Created", format!("made {kind} {name}")).await;
                Ok(*live)
            }
            Outcome::Reverted(live) => {
                let note = format!(
                    "{kind} {name} was changed by hand and put back: change the PrivateRegistry instead"
                );
                self.tell(EventType::Warning, "Reverted", note).await;
                Ok(*live)
            }
            Outcome::Foreign => Err(PassError::NameConflict { kind, name }),
        }
    }

    async fn secrets(&self, inputs: &Inputs, address: &str) -> Result<(), PassError> {
        let (model, names) = (&self.model, &self.model.names);
        let pair = |pair: &Pair| {
            BTreeMap::from([("tls.crt", pair.certificate.clone()), ("tls.key", pair.key.clone())])
        };
        // With its CA beside it, a certificate of a former CA is known as such.
        let mut served = pair(&inputs.leaf);
        served.insert("ca.crt", inputs.authority.certificate.clone());
        let docker = secrets::docker_config(model, address, &inputs.pull);
        let admin = BTreeMap::from([("username", "admin".to_owned()), ("password", inputs.admin.clone())]);
        let file = BTreeMap::from([("htpasswd", inputs.htpasswd.clone())]);
        let pull = BTreeMap::from([(".dockerconfigjson", docker)]);
        for (name, kind, keep, data) in [
            (names.ca(), "kubernetes.io/tls", Keep::ByPolicy, pair(&inputs.authority)),
            (names.tls(), "kubernetes.io/tls", Keep::Never, served),
            (names.user("admin"), "kubernetes.io/basic-auth", Keep::ByPolicy, admin),
            (names.pull(), "kubernetes.io/dockerconfigjson", Keep::ByPolicy, pull),
            (names.htpasswd(), "Opaque", Keep::ByPolicy, file),
        ] {
            let data = data.iter().map(|(key, value)| (*key, value.as_str())).collect();
            self.child(secrets::secret(model, &name, kind, keep, &data)).await?;
        }
        self.child(config_maps::trust(model, &inputs.authority.certificate)).await.map(drop)
    }

    async fn workload(&self, inputs: Inputs) -> Result<Observed, PassError> {
        let model = &self.model;
        let claim = match volume_claim(model, self.requested().await?.as_deref()) {
            Some(claim) => Some(self.child(claim).await?),
            None => None,
        };
        self.child(config_maps::live(model)?).await?;
        let boot = self.child(config_maps::boot(model)?).await?;
        self.child(network_policy(model)).await?;
        let deployment = self.child(deployment(model, &boot.name_any())).await?;
        let observed = Observed { deployment, claim, facts: inputs.facts };
        if observed.rolled_out() {
            self.forget_boot_files(&boot.name_any()).await?;
        }
        Ok(observed)
    }

    /// What the claim asks for now, if there is one: it may have grown by hand.
    async fn requested(&self) -> Result<Option<String>, PassError> {
        let template = serde_json::json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim",
            "metadata": {"namespace": self.model.names.namespace}});
        let found = apply::api(&self.context.client, &template).get_opt(&self.model.names.data()).await;
        let found = found
            .map_err(|source| PassError::Cluster { what: "read the claim".into(), source: Box::new(source) });
        let request = |claim: DynamicObject| {
            claim.data["spec"]["resources"]["requests"]["storage"].as_str().map(str::to_owned)
        };
        Ok(found?.and_then(request))
    }

    /// Boot files of former templates go when no pod mounts them any more.
    async fn forget_boot_files(&self, current: &str) -> Result<(), PassError> {
        let template = serde_json::json!({"apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"namespace": self.model.names.namespace}});
        let api = apply::api(&self.context.client, &template);
        let labels = format!(
            "app.kubernetes.io/managed-by={},app.kubernetes.io/instance={}",
            apply::MANAGER,
            self.model.names.name
        );
        let prefix = self.model.names.config("");
        let failed =
            |what: &str, source| PassError::Cluster { what: what.to_owned(), source: Box::new(source) };
        let found = api.list(&ListParams::default().labels(&labels)).await;
        for map in found.map_err(|source| failed("list ConfigMaps", source))? {
            let name = map.name_any();
            if name.starts_with(&prefix) && name != current {
                let deleted = api.delete(&name, &DeleteParams::default()).await;
                deleted.map_err(|source| failed("delete an old boot file", source))?;
            }
        }
        Ok(())
    }

    /// An Event is news, not state: one that cannot be written is logged.
    async fn tell(&self, type_: EventType, reason: &str, note: String) {
        let event = Event {
            type_,
            reason: reason.into(),
            note: Some(note),
            action: "Reconcile".into(),
            secondary: None,
        };
        if let Err(error) = self.context.recorder.publish(&event, &self.object.object_ref(&())).await {
            tracing::warn!(%error, reason, "failed to write an Event");
        }
    }
}
