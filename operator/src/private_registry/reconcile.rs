//! One pass: name the children, gather what is secret, apply, tidy, tell.

use kube::{
    Client,
    api::DynamicObject,
    runtime::events::{EventType, Recorder},
};
use serde_json::Value;

use crate::{
    crd::registry::PrivateRegistry,
    private_registry::{
        apply::Pass,
        certificate::{self, Certificate},
        credentials::{self, Credentials},
        desired::{
            children::{Inputs, children},
            service_account::service_account,
            services,
            volume_claim::{self, volume_claim},
        },
        error::PassError,
        model::{CacheKind, Model, Store},
        observe::{Class, Reader, Seen, json_of},
        placement::{Decision, Present, decide},
        redis_probe,
        resolve::{Defaults, resolve},
        status::{
            observed::{Observed, rolled_out},
            write::{self, Progress},
        },
    },
};

/// What passes share.
pub struct Context {
    /// The cluster.
    pub client: Client,
    /// Events.
    pub recorder: Recorder,
    /// What the operator's release decides.
    pub defaults: Defaults,
}

/// Makes the registry what its object says, and says how it is.
pub async fn reconcile(object: &PrivateRegistry, context: &Context, now: i64) -> Result<Progress, PassError> {
    write::announce(object, &context.client).await?;
    let model = resolve(object, &context.defaults)?;
    let seen = Seen::default();
    let reader = Reader { client: &context.client, model: &model, now, seen: &seen };
    let mut pass = Pass::new(object, reader, &context.recorder);
    if model.wishes.paused() {
        let deployment = reader.object("apps/v1", "Deployment", &model.names.registry()).await?;
        return write::paused(&pass, deployment.as_ref().map(json_of).as_ref(), now).await;
    }
    let front = front(&mut pass).await?;
    let addresses = addresses(&front.service);
    let authorities = model.authorities(&addresses, node_port(&front.service));
    let certificate = certificate::gather(&reader, &addresses).await?;
    let credentials = credentials::gather(&reader, &authorities).await?;
    let inputs = inputs(authorities, &front.decision, &certificate, &credentials);
    let applied = pass.children(children(&model, &inputs)?).await?;
    news(&pass, &certificate, &credentials).await;
    pass.release("v1", "PersistentVolumeClaim", &model.names.data()).await?;
    pass.release("v1", "Secret", &model.names.ca()).await?;
    let held = applied.deployment.is_none();
    let deployment = applied.deployment.or(front.deployment).as_ref().map(json_of);
    let done = deployment.as_ref().is_some_and(rolled_out);
    // A Deployment that is held needs what its old template mounts.
    if pass.wrote() || write::tidy_needed(object, done) {
        pass.prune(done && !held).await?;
    }
    let observed = Observed {
        service: json_of(&front.service),
        redis: applied.redis.as_ref().map(json_of),
        claim: front.claim,
        classes: front.classes,
        claim_refused: front.refused,
        pods: if done { vec![] } else { pass.pods().await? },
        external_redis: match &model.cache {
            CacheKind::ExternalRedis(external) => Some(redis_probe::ask(&reader, external).await?),
            CacheKind::ManagedRedis(_) | CacheKind::Memory(_) | CacheKind::None => None,
        },
        decision: front.decision,
        certificate,
        credentials,
        deployment,
    };
    write::write(&pass, &observed, now).await
}

/// What stands before the pods: account, Services, volume.
struct Front {
    service: DynamicObject,
    deployment: Option<DynamicObject>,
    claim: Option<Value>,
    classes: Option<Vec<Class>>,
    /// Why the claim could not be changed.
    refused: Option<String>,
    decision: Decision,
}

async fn front(pass: &mut Pass<'_>) -> Result<Front, PassError> {
    let (reader, model) = (pass.reader, pass.reader.model);
    if let Some(account) = service_account(model) {
        pass.child(account).await?;
    }
    pass.child(services::admin(model)).await?;
    let service = pass.child(services::public(model)).await?;
    let deployment = reader.object("apps/v1", "Deployment", &model.names.registry()).await?;
    let recorded = deployment.as_ref().map(json_of);
    let mut claim = claim(&reader, model).await?;
    let mut decision = decide(model, Present { deployment: recorded.as_ref(), claim: claim.as_ref() });
    let (mut classes, mut refused) = (None, None);
    if decision.claim && matches!(model.store, Store::OwnClaim(_)) {
        classes = looked_up(&reader, claim.as_ref()).await?;
        let present = present(claim.as_ref(), classes.as_deref(), &decision);
        if first_pass(pass.object) && present.initialized {
            let note = format!(
                "took up claim {} with what an earlier registry of this name left in it",
                model.names.data()
            );
            pass.tell(EventType::Normal, "Adopted", note).await;
        }
        if let Some(wanted) = volume_claim(model, &present) {
            match pass.child(wanted).await {
                Ok(applied) => claim = Some(json_of(&applied)),
                // A claim that is there serves on as it is; what it cannot become is said.
                Err(PassError::Refused { said, .. }) if claim.is_some() => refused = Some(said),
                Err(error) => return Err(error),
            }
            decision = decide(model, Present { deployment: recorded.as_ref(), claim: claim.as_ref() });
        }
    }
    Ok(Front { service, deployment, claim, classes, refused, decision })
}

/// Nothing was said about the object yet.
fn first_pass(object: &PrivateRegistry) -> bool {
    let conditions = object.status.as_ref().map(|status| &status.conditions);
    conditions.is_none_or(|all| all.iter().all(|condition| condition.status == "Unknown"))
}

async fn claim(reader: &Reader<'_>, model: &Model) -> Result<Option<Value>, PassError> {
    match model.store.claim() {
        Some(name) => Ok(reader.object("v1", "PersistentVolumeClaim", name).await?.as_ref().map(json_of)),
        None => Ok(None),
    }
}

/// Classes matter while a claim has no volume, or asks for less than the object does.
async fn looked_up(reader: &Reader<'_>, claim: Option<&Value>) -> Result<Option<Vec<Class>>, PassError> {
    let size = reader.model.spec.storage.filesystem.as_ref().and_then(|volume| volume.size.as_ref());
    let settled = claim.is_some_and(|claim| {
        let asked = claim["spec"]["resources"]["requests"]["storage"].as_str().unwrap_or_default();
        claim["status"]["phase"] == "Bound"
            && size.is_none_or(|size| {
                crate::cluster::quantity::amount(asked) >= crate::cluster::quantity::amount(&size.0)
            })
    });
    if settled { Ok(None) } else { reader.storage_classes().await }
}

fn present(claim: Option<&Value>, classes: Option<&[Class]>, decision: &Decision) -> volume_claim::Present {
    let Some(claim) = claim else { return volume_claim::Present::default() };
    let class = claim["spec"]["storageClassName"].as_str();
    let known = classes.and_then(|classes| classes.iter().find(|found| Some(found.name.as_str()) == class));
    let bound = claim["status"]["phase"] == "Bound";
    volume_claim::Present {
        requested: claim["spec"]["resources"]["requests"]["storage"].as_str().map(str::to_owned),
        // A class that is not there grows nothing; where classes may not be seen, the API server decides.
        fixed: !bound || (classes.is_some() && known.is_none_or(|class| !class.expandable)),
        initialized: decision.placement.initialized,
    }
}

/// Every address of the Service: its own, and its load balancer's.
fn addresses(service: &DynamicObject) -> Vec<String> {
    let own = service.data["spec"]["clusterIPs"].as_array().into_iter().flatten();
    let balancer = service.data["status"]["loadBalancer"]["ingress"].as_array().into_iter().flatten();
    let outside = balancer.filter_map(|one| one["ip"].as_str().or_else(|| one["hostname"].as_str()));
    own.filter_map(Value::as_str).filter(|address| *address != "None").chain(outside).map(canonical).collect()
}

/// The port on every node, when that is how the Service is reached.
fn node_port(service: &DynamicObject) -> Option<i32> {
    let spec = &service.data["spec"];
    let port = spec["ports"][0]["nodePort"].as_i64().filter(|_| spec["type"] == "NodePort");
    port.and_then(|port| i32::try_from(port).ok())
}

/// An address as certificates have it.
fn canonical(address: &str) -> String {
    address.parse::<std::net::IpAddr>().map_or_else(|_| address.to_owned(), |address| address.to_string())
}

fn inputs(
    authorities: Vec<String>,
    decision: &Decision,
    certificate: &Certificate,
    credentials: &Credentials,
) -> Inputs {
    Inputs {
        authorities,
        authority: certificate.authority.clone(),
        served: certificate.served.clone(),
        trust: certificate.trust.clone(),
        generated: credentials.generated.clone(),
        pull: credentials.pull.clone(),
        htpasswd: credentials.file.as_ref().map(|file| file.text.clone()),
        sources: credentials.sources.clone(),
        redis: credentials.redis.clone(),
        placement: decision.placement.clone(),
        held: decision.held,
        initialize: decision.initialize,
    }
}

async fn news(pass: &Pass<'_>, certificate: &Certificate, credentials: &Credentials) {
    for (reason, note) in &certificate.news {
        pass.tell(EventType::Normal, reason, note.clone()).await;
    }
    if !credentials.created.is_empty() {
        let note = format!("new passwords in {}", credentials.created.join(", "));
        pass.tell(EventType::Normal, "CredentialsGenerated", note).await;
    }
    if !credentials.rotated.is_empty() {
        let note =
            format!("new passwords in {}; the former ones work for a while", credentials.rotated.join(", "));
        pass.tell(EventType::Normal, "CredentialsRotated", note).await;
    }
}
