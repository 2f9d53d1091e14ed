//! All children behind the Services, in the order in which they are applied.

use serde_json::Value;

use crate::private_registry::{
    accounts::rotation::Account,
    certificates::{authority::Authority, inspect::Pair, token_keys::TokenKeys},
    desired::{
        config_maps,
        deployment::{Placement, deployment},
        disruption_budget::disruption_budget,
        network_policy::network_policies,
        redis::redis,
        redis_login::{RedisLogins, redis_auth},
        secrets,
        server_access::Issuers,
        server_config::StoreIdentity,
        services,
        token_keys::token_keys,
        trial::{TRIED, trial},
    },
    error::ResolveError,
    model::{CacheKind, Model},
};

/// What was read, made and checked for the children.
#[derive(Clone, Debug, Default)]
pub struct Inputs {
    /// Every `host` and `host:port` that clients write.
    pub authorities: Vec<String>,
    /// The registry's own CA, where it signs.
    pub authority: Option<Authority>,
    /// The certificate to serve, and that of who signed it; none: there is nothing to serve yet.
    pub served: Option<(Pair, Option<String>)>,
    /// Certificates to publish.
    pub trust: Option<String>,
    /// Generated accounts, by name.
    pub generated: Vec<(String, Account)>,
    /// The pull account, where there are accounts.
    pub pull: Option<Account>,
    /// The keys that sign tokens, where the registry gives them.
    pub token_keys: Option<TokenKeys>,
    /// The password file; none: there is nothing to serve yet.
    pub htpasswd: Option<String>,
    /// What the password file was made of.
    pub sources: String,
    /// Whose tokens and certificates count as a login.
    pub issuers: Issuers,
    /// What the registry logs in to Redis with.
    pub redis: RedisLogins,
    /// Where the pods are placed.
    pub placement: Placement,
    /// The Deployment stays as it is: its store is not what it should be.
    pub held: bool,
    /// A store without the expected identity may be taken.
    pub initialize: bool,
}

/// The children, by kind.
#[derive(Clone, Debug)]
pub struct Children {
    /// CA, certificate, accounts, password file, keys of tokens, pull Secret.
    pub secrets: Vec<Value>,
    /// The login at Redis, where there is one.
    pub redis_auth: Option<Value>,
    /// The published CA.
    pub trust: Option<Value>,
    /// The CA of clients.
    pub clients: Option<Value>,
    /// What verifies the tokens of a token server.
    pub tokens: Option<Value>,
    /// Settings that pods read at start.
    pub boot: Value,
    /// Settings that running pods take over.
    pub live: Value,
    /// How the pods are reached.
    pub service: Value,
    /// The firewall.
    pub network_policies: Vec<Value>,
    /// What a drain may take.
    pub disruption_budget: Option<Value>,
    /// The managed Redis.
    pub redis: Vec<Value>,
    /// The pods; none: they stay as they are.
    pub deployment: Option<Value>,
}

/// Every child of `model`.
pub fn children(model: &Model, inputs: &Inputs) -> Result<Children, ResolveError> {
    let identity = StoreIdentity { id: inputs.placement.uid.clone(), initialize: inputs.initialize };
    let boot = config_maps::boot(model, &identity, &inputs.issuers)?;
    let config = boot["metadata"]["name"].as_str().unwrap_or_default().to_owned();
    // Pods that let nobody in would take the place of those that do.
    let logins = inputs.htpasswd.is_some() || inputs.issuers.token_server.is_some();
    let startable = logins && (inputs.served.is_some() || !model.encrypted());
    let ready = startable && !inputs.held;
    Ok(Children {
        secrets: all_secrets(model, inputs),
        redis_auth: redis_auth(model, &inputs.redis),
        trust: inputs.trust.as_ref().map(|bundle| config_maps::trust(model, bundle)),
        clients: inputs.issuers.clients.as_ref().map(|bundle| config_maps::clients(model, bundle)),
        tokens: inputs.issuers.token_server.as_ref().and_then(|keys| config_maps::tokens(model, keys)),
        live: config_maps::live(model, &identity, &inputs.issuers)?,
        service: services::public(model),
        network_policies: network_policies(model),
        disruption_budget: disruption_budget(model),
        redis: match &model.cache {
            CacheKind::ManagedRedis(managed) => redis(model, managed, &inputs.redis.server.password),
            CacheKind::ExternalRedis(_) | CacheKind::Memory(_) | CacheKind::None => vec![],
        },
        deployment: ready.then(|| recorded(model, deployment(model, &inputs.placement, &config))),
        boot,
    })
}

/// The Deployment with what its pods were tried by before they came.
fn recorded(model: &Model, mut deployment: Value) -> Value {
    deployment["metadata"]["annotations"][TRIED] =
        trial(model, &deployment)["metadata"]["annotations"][TRIED].clone();
    deployment
}

fn all_secrets(model: &Model, inputs: &Inputs) -> Vec<Value> {
    let mut all = Vec::new();
    all.extend(inputs.authority.as_ref().map(|authority| secrets::authority(model, authority)));
    all.extend(inputs.served.as_ref().map(|(pair, ca)| secrets::served(model, pair, ca.as_deref())));
    all.extend(inputs.generated.iter().map(|(user, account)| secrets::account(model, user, account)));
    all.extend(inputs.htpasswd.as_ref().map(|file| secrets::htpasswd(model, file, &inputs.sources)));
    all.extend(inputs.token_keys.as_ref().map(|keys| token_keys(model, keys)));
    all.extend(inputs.pull.as_ref().map(|account| secrets::pull(model, &inputs.authorities, account)));
    all
}
