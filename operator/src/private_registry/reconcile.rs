//! One pass: name the children, gather what is secret, apply, tidy, tell.

use kube::{ResourceExt, api::DynamicObject, runtime::events::EventType};
use serde_json::Value;

use crate::{
    cluster::deployment::{count, replaced, rolled_out},
    crd::registry::PrivateRegistry,
    private_registry::{
        addresses::{addresses, node_port, port},
        apply::{Applied, Pass},
        certificate::{self, Certificate},
        context::Context,
        credentials::{self, Credentials},
        desired::{
            children::{Inputs, children},
            server_access::Issuers,
        },
        error::PassError,
        front::Front,
        issuer,
        model::CacheKind,
        observe::{Reader, json_of},
        placement::Decision,
        redis_probe,
        resolve::resolve,
        server_probe::{self, Told},
        status::{
            observed::Observed,
            pace::{Progress, tidy_needed},
            write,
        },
        stock::Stock,
        usage::Usages,
    },
};

/// Makes the registry what its object, which has a status, says, and says how it is.
pub async fn reconcile(object: &PrivateRegistry, context: &Context, now: i64) -> Result<Progress, PassError> {
    let model = resolve(object, &context.defaults)?;
    let stock = Stock::default();
    let reader = Reader {
        client: &context.client,
        cluster_wide: context.cluster_wide,
        model: &model,
        now,
        stock: &stock,
        echoes: &context.echoes,
    };
    let mut pass = Pass::new(object, reader, &context.recorder);
    if model.wishes.paused() {
        let deployment = reader.object("apps/v1", "Deployment", &model.names.registry()).await?;
        return write::paused(&pass, deployment.as_ref().map(json_of).as_ref(), now).await;
    }
    let observed = pass.make().await;
    // Also when it could not be made whole.
    pass.tell_made().await;
    let observed = Observed { hostname_taken: context.registries.taken(object), ..observed? };
    let used = used(object, &observed, &context.usages, now);
    write::write(&pass, &Observed { used, ..observed }, now).await
}

/// How much of the volume is used.
fn used(object: &PrivateRegistry, seen: &Observed, usages: &Usages, now: i64) -> Option<String> {
    let before = object.status.as_ref().and_then(|status| status.storage.clone()?.used);
    let key = format!("{}/{}", object.namespace().unwrap_or_default(), object.name_any());
    let capacity = seen.claim.as_ref().and_then(|claim| claim["status"]["capacity"]["storage"].as_str());
    let filled = seen.told.as_ref().and_then(|told| told.filled);
    usages.used(&key, before, (filled, capacity), now)
}

impl Pass<'_> {
    /// Names the children, gathers what is secret, applies, tidies.
    async fn make(&mut self) -> Result<Observed, PassError> {
        let reader = self.reader;
        reader.take_stock().await?;
        let front = self.front().await?;
        let addresses = addresses(&front.service);
        // Until the Service is changed, clients come by the port that it has.
        let authorities =
            reader.model.authorities(&addresses, port(&front.service), node_port(&front.service));
        let certificate = certificate::gather(&reader, &addresses).await?;
        let credentials = credentials::gather(&reader, &authorities).await?;
        let issuer = issuer::gather(&reader).await?;
        let inputs = inputs(authorities, &front.volume.decision, &certificate, &credentials, issuer.issuers);
        let live = front.deployment.as_ref().filter(|live| reader.family().has(&live.metadata)).map(json_of);
        let applied = self.children(children(reader.model, &inputs)?, live.as_ref()).await?;
        self.news(&certificate, &credentials).await;
        let seen = self.finish(front, applied, certificate, credentials).await?;
        Ok(Observed { issuer: issuer.problem, ..seen })
    }

    /// Tidies up, and looks at what came of it.
    async fn finish(
        &self,
        front: Front,
        applied: Applied,
        certificate: Certificate,
        credentials: Credentials,
    ) -> Result<Observed, PassError> {
        self.release("v1", "PersistentVolumeClaim", &self.reader.model.names.data()).await?;
        self.release("v1", "Secret", &self.reader.model.names.ca()).await?;
        let deployment = applied.deployment.or(front.deployment).as_ref().map(json_of);
        let done = deployment.as_ref().is_some_and(replaced);
        // Pods that stay for now keep all that they use.
        if !applied.held && (self.wrote() || tidy_needed(self.object, done)) {
            self.prune(done).await?;
        }
        let pods = if deployment.as_ref().is_some_and(rolled_out) { vec![] } else { self.pods().await? };
        Ok(Observed {
            told: told(deployment.as_ref(), &front.admin, &pods).await,
            held: self.object.status.clone().filter(|_| applied.held),
            running: if applied.held { self.running(deployment.as_ref()).await? } else { None },
            service: json_of(applied.service.as_ref().unwrap_or(&front.service)),
            redis: applied.redis.as_ref().map(json_of),
            claim: front.volume.claim,
            classes: front.volume.classes,
            claim_refused: front.volume.refused,
            pods,
            external_redis: match &self.reader.model.cache {
                CacheKind::ExternalRedis(external) => {
                    Some(redis_probe::ask(&self.reader, external, &credentials.redis).await?)
                }
                CacheKind::ManagedRedis(_) | CacheKind::Memory(_) | CacheKind::None => None,
            },
            hostname_taken: None,
            issuer: None,
            used: None,
            after_redis: applied.after_redis,
            trial: applied.trial,
            decision: front.volume.decision,
            certificate,
            credentials,
            deployment,
        })
    }

    /// Tells which certificates and passwords are new.
    async fn news(&self, certificate: &Certificate, credentials: &Credentials) {
        for (reason, note) in &certificate.news {
            self.tell(EventType::Normal, reason, note.clone()).await;
        }
        if !credentials.created.is_empty() {
            let note = format!("new passwords in {}", credentials.created.join(", "));
            self.tell(EventType::Normal, "CredentialsGenerated", note).await;
        }
        if !credentials.rotated.is_empty() {
            let names = credentials.rotated.join(", ");
            let note = format!("new passwords in {names}; the former ones work for a while");
            self.tell(EventType::Normal, "CredentialsRotated", note).await;
        }
        if credentials.signed_anew {
            let note = "another key signs tokens from now on";
            self.tell(EventType::Normal, "CredentialsRotated", note.into()).await;
        }
    }
}

/// What the registry says of itself: a pod that is ready or, where none is, one that runs.
async fn told(deployment: Option<&Value>, admin: &DynamicObject, pods: &[Value]) -> Option<Told> {
    match count(deployment?, "readyReplicas") {
        0 => server_probe::directly(pods).await,
        _ => server_probe::through(&json_of(admin)).await,
    }
}

fn inputs(
    authorities: Vec<String>,
    decision: &Decision,
    certificate: &Certificate,
    credentials: &Credentials,
    issuers: Issuers,
) -> Inputs {
    Inputs {
        authorities,
        authority: certificate.authority.clone(),
        served: certificate.served.clone(),
        trust: certificate.trust.clone(),
        generated: credentials.generated.clone(),
        token_keys: credentials.token_keys.clone(),
        pull: credentials.pull.clone(),
        htpasswd: credentials.file.as_ref().map(|file| file.text.clone()),
        sources: credentials.sources.clone(),
        redis: credentials.redis.clone(),
        placement: decision.placement.clone(),
        held: decision.held,
        initialize: decision.initialize,
        issuers,
    }
}
