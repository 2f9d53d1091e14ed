//! Values that are made once and kept in Secrets: read when they are there, made when they are not.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::{Engine, engine::general_purpose::STANDARD};
use kube::{
    Api, Client,
    api::{DynamicObject, ObjectMeta},
};

use crate::private_registry::{
    accounts,
    desired::{secrets::docker_config_password, server_config::PULL_USER},
    error::{PassError, ResolveError},
    issue::{self, Facts, Pair},
    model::Model,
};

/// Everything secret that the children of a registry hold.
pub struct Inputs {
    /// The registry's CA.
    pub authority: Pair,
    /// The certificate that is served.
    pub leaf: Pair,
    /// What that certificate says.
    pub facts: Facts,
    /// Password of `admin`.
    pub admin: String,
    /// Password of the pull account.
    pub pull: String,
    /// The password file.
    pub htpasswd: String,
}

/// Reads what is there and makes what is missing or outdated. `address` is that of the public Service.
pub async fn gather(
    client: &Client,
    model: &Model,
    address: &str,
    now: SystemTime,
) -> Result<Inputs, PassError> {
    let secrets = Secrets { client, model };
    let names = &model.names;
    let authority = match secrets.pair(&names.ca()).await? {
        Some(authority) => authority,
        None => issue::authority(&names.name, now)?,
    };
    let (leaf, facts) = certificate(&secrets, &authority, wanted_names(model, address), now).await?;
    let admin = secrets.value(&names.user("admin"), "password").await?.unwrap_or_else(accounts::password);
    let pull = secrets.value(&names.pull(), ".dockerconfigjson").await?;
    let pull = pull.and_then(|config| docker_config_password(&config)).unwrap_or_else(accounts::password);
    let old = secrets.value(&names.htpasswd(), "htpasswd").await?.unwrap_or_default();
    let htpasswd = hash(old, admin.clone(), pull.clone()).await?;
    Ok(Inputs { authority, leaf, facts, admin, pull, htpasswd })
}

/// Hashing takes a tenth of a second a line: not on a thread that serves others.
async fn hash(old: String, admin: String, pull: String) -> Result<String, PassError> {
    let hashed = tokio::task::spawn_blocking(move || {
        accounts::htpasswd(&old, &[("admin", &admin), (PULL_USER, &pull)])
    });
    match hashed.await {
        Ok(lines) => Ok(lines?),
        Err(_) => Err(PassError::Incomplete("a password file: hashing was interrupted")),
    }
}

/// Every name and address that the certificate must have, sorted.
fn wanted_names(model: &Model, address: &str) -> Vec<String> {
    let mut names = model.hosts();
    names.push(address.to_owned());
    names.sort();
    names.dedup();
    names
}

/// The stored certificate while it is signed for the wanted names and young enough, else a new one.
async fn certificate(
    secrets: &Secrets<'_>,
    authority: &Pair,
    names: Vec<String>,
    now: SystemTime,
) -> Result<(Pair, Facts), PassError> {
    let seconds = now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs().cast_signed());
    if let Some(stored) = secrets.pair(&secrets.model.names.tls()).await?
        && let Some(facts) = issue::facts(&stored.certificate)
        && facts.names == names
        && secrets.value(&secrets.model.names.tls(), "ca.crt").await?.as_ref() == Some(&authority.certificate)
        && facts.renewal() > seconds
    {
        return Ok((stored, facts));
    }
    let leaf = issue::leaf(authority, &names, now)?;
    let facts = issue::facts(&leaf.certificate);
    Ok((leaf, facts.ok_or_else(|| ResolveError::ReadCertificate(secrets.model.names.tls()))?))
}

struct Secrets<'a> {
    client: &'a Client,
    model: &'a Model,
}

impl Secrets<'_> {
    async fn value(&self, name: &str, key: &str) -> Result<Option<String>, PassError> {
        let secret = serde_json::json!({"apiVersion": "v1", "kind": "Secret",
            "metadata": ObjectMeta { namespace: Some(self.model.names.namespace.clone()), ..ObjectMeta::default() }});
        let api: Api<DynamicObject> = crate::cluster::apply::api(self.client, &secret);
        let read = api.get_opt(name).await;
        let read = read.map_err(|source| PassError::Cluster {
            what: format!("read Secret {name}"),
            source: source.into(),
        })?;
        let encoded = read.and_then(|secret| secret.data["data"][key].as_str().map(str::to_owned));
        Ok(encoded
            .and_then(|text| STANDARD.decode(text).ok())
            .and_then(|bytes| String::from_utf8(bytes).ok()))
    }

    async fn pair(&self, name: &str) -> Result<Option<Pair>, PassError> {
        let (certificate, key) = (self.value(name, "tls.crt").await?, self.value(name, "tls.key").await?);
        Ok(certificate.zip(key).map(|(certificate, key)| Pair { certificate, key }))
    }
}
