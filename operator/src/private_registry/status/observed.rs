//! What a pass saw.

use registry_config::schema::Config;
use serde_json::Value;

use crate::{
    crd::status::PrivateRegistryStatus,
    private_registry::{
        certificate::Certificate, credentials::Credentials, error::Problem, hostnames::Taken, observe::Class,
        placement::Decision, server_probe::Told, tried::Trial,
    },
};

/// What a pass saw. Objects are JSON, as the cluster has them.
#[derive(Debug, Default)]
pub struct Observed {
    /// The registry's Deployment.
    pub deployment: Option<Value>,
    /// The public Service.
    pub service: Value,
    /// What was said before, while the pods and what leads to them stay as they are.
    pub held: Option<PrivateRegistryStatus>,
    /// What those pods were started with, as far as it can be read.
    pub running: Option<Config>,
    /// The managed Redis' Deployment.
    pub redis: Option<Value>,
    /// The claim of the store.
    pub claim: Option<Value>,
    /// Storage classes, where they matter.
    pub classes: Option<Vec<Class>>,
    /// Why the API server refused to change the claim.
    pub claim_refused: Option<String>,
    /// Pods of the registry, while not all are as they should be.
    pub pods: Vec<Value>,
    /// What comes of trying what the pods are to run, while that is not over.
    pub trial: Option<Trial>,
    /// What the pods are to run waits for Redis to be replaced.
    pub after_redis: bool,
    /// Which store the pods get.
    pub decision: Decision,
    /// The certificate.
    pub certificate: Certificate,
    /// The accounts.
    pub credentials: Credentials,
    /// Why the API server does not tell who signs tokens of service accounts.
    pub issuer: Option<Problem>,
    /// A name of it that another registry had first.
    pub hostname_taken: Option<Taken>,
    /// What the registry says of itself; nothing, when it was not asked, or does not answer.
    pub told: Option<Told>,
    /// How much of the volume is used, as it is to be said.
    pub used: Option<String>,
    /// What an external Redis answered.
    pub external_redis: Option<crate::private_registry::redis_probe::Answer>,
}
