//! What stands before the pods: the account that they run as, the Services that lead to them, the volume.

use kube::{api::DynamicObject, runtime::events::EventType};
use serde_json::Value;

use crate::{
    cluster::quantity::amount,
    private_registry::{
        apply::Pass,
        desired::{
            service_account::service_account,
            services,
            volume_claim::{self, volume_claim},
        },
        error::PassError,
        held::remembering,
        model::{Model, Store},
        observe::{Class, Reader, json_of},
        placement::{Decision, Present, decide},
    },
};

/// What a pass found or made before the pods.
pub struct Front {
    /// The public Service.
    pub service: DynamicObject,
    /// The Service of probes and metrics.
    pub admin: DynamicObject,
    /// The Deployment as it was.
    pub deployment: Option<DynamicObject>,
    /// The volume, and where the pods go.
    pub volume: Volume,
}

/// The store's claim, where it has one.
pub struct Volume {
    /// As the cluster has it.
    pub claim: Option<Value>,
    /// The cluster's storage classes, where they matter.
    pub classes: Option<Vec<Class>>,
    /// Why the claim could not be changed.
    pub refused: Option<String>,
    /// What that means for the pods.
    pub decision: Decision,
}

impl Pass<'_> {
    /// Makes what stands before the pods.
    pub async fn front(&mut self) -> Result<Front, PassError> {
        let model = self.reader.model;
        if let Some(account) = service_account(model) {
            self.child(account).await?;
        }
        let admin = self.child(services::admin(model)).await?;
        let service = self.service(services::public(model)).await?;
        let deployment = self.reader.object("apps/v1", "Deployment", &model.names.registry()).await?;
        let volume = self.volume(deployment.as_ref().map(json_of).as_ref()).await?;
        Ok(Front { service, admin, deployment, volume })
    }

    /// The public Service as it is, which is changed when the pods are; made when it is not there.
    async fn service(&mut self, wanted: Value) -> Result<DynamicObject, PassError> {
        let found = self.reader.object("v1", "Service", &self.reader.model.names.registry()).await?;
        let service = match found.filter(|found| self.reader.family().has(&found.metadata)) {
            Some(found) => found,
            None => self.child(remembering(wanted)).await?,
        };
        Ok(service)
    }

    async fn volume(&mut self, deployment: Option<&Value>) -> Result<Volume, PassError> {
        let (reader, model) = (self.reader, self.reader.model);
        let claim = claim(&reader, model).await?;
        let decision = decide(model, Present { deployment, claim: claim.as_ref() });
        let found = Volume { claim, classes: None, refused: None, decision };
        if !found.decision.claim || !matches!(model.store, Store::OwnClaim(_)) {
            return Ok(found);
        }
        let found = self.own_claim(found).await?;
        let decision = decide(model, Present { deployment, claim: found.claim.as_ref() });
        Ok(Volume { decision, ..found })
    }

    /// Makes the registry's own claim, or grows it.
    async fn own_claim(&mut self, found: Volume) -> Result<Volume, PassError> {
        let model = self.reader.model;
        let classes = looked_up(&self.reader, found.claim.as_ref()).await?;
        let present = present(found.claim.as_ref(), classes.as_deref(), &found.decision);
        if self.first() && present.initialized {
            let name = model.names.data();
            let note = format!("took up claim {name} with what an earlier registry of this name left in it");
            self.tell(EventType::Normal, "Adopted", note).await;
        }
        let found = Volume { classes, ..found };
        let Some(wanted) = volume_claim(model, &present) else { return Ok(found) };
        match self.child(wanted).await {
            Ok(applied) => Ok(Volume { claim: Some(json_of(&applied)), ..found }),
            // A claim that is there serves on as it is; what it cannot become is said.
            Err(PassError::Refused { said, .. }) if found.claim.is_some() => {
                Ok(Volume { refused: Some(said), ..found })
            }
            Err(error) => Err(error),
        }
    }
}

async fn claim(reader: &Reader<'_>, model: &Model) -> Result<Option<Value>, PassError> {
    let Some(name) = model.store.claim() else { return Ok(None) };
    Ok(reader.object("v1", "PersistentVolumeClaim", name).await?.as_ref().map(json_of))
}

/// Classes matter while a claim has no volume, or asks for less than the object does.
async fn looked_up(reader: &Reader<'_>, claim: Option<&Value>) -> Result<Option<Vec<Class>>, PassError> {
    let size = reader.model.spec.storage.filesystem.as_ref().and_then(|volume| volume.size.as_ref());
    let settled = claim.is_some_and(|claim| {
        let asked = claim["spec"]["resources"]["requests"]["storage"].as_str().unwrap_or_default();
        bound(claim) && size.is_none_or(|size| amount(asked) >= amount(&size.0))
    });
    if settled { Ok(None) } else { reader.storage_classes().await }
}

fn present(claim: Option<&Value>, classes: Option<&[Class]>, decision: &Decision) -> volume_claim::Present {
    let Some(claim) = claim else { return volume_claim::Present::default() };
    let class = claim["spec"]["storageClassName"].as_str();
    let known = classes.and_then(|classes| classes.iter().find(|found| Some(found.name.as_str()) == class));
    volume_claim::Present {
        requested: claim["spec"]["resources"]["requests"]["storage"].as_str().map(str::to_owned),
        // A class that is not there grows nothing; where classes may not be seen, the API server decides.
        fixed: !bound(claim) || (classes.is_some() && known.is_none_or(|class| !class.expandable)),
        initialized: decision.placement.initialized,
    }
}

fn bound(claim: &Value) -> bool {
    claim["status"]["phase"] == "Bound"
}
