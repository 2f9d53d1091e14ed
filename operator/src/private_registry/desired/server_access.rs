//! Rules of access and immutable tags, as the server reads them.

use std::collections::BTreeMap;

use registry_config::schema::{self, Pattern, Subject};

use crate::{
    crd::{
        access::{AccessRule, Action, Effect},
        auth::User,
        immutable_tags::ImmutableTags,
        registry::PrivateRegistrySpec,
    },
    private_registry::{
        desired::server_config::{KEYS, LIVE},
        error::ResolveError,
    },
};

/// Who signs tokens of service accounts, and with which keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issuer {
    /// What the API server calls itself: the claim `iss`.
    pub name: String,
    /// Its public keys, a JWK set.
    pub keys: String,
}

/// `access` of the live file.
pub fn access(spec: &PrivateRegistrySpec) -> Result<Vec<schema::AccessRule>, ResolveError> {
    spec.auth.iter().flat_map(|auth| &auth.access).map(rule).collect()
}

/// `serviceaccounts` of the live file.
pub fn service_accounts(spec: &PrivateRegistrySpec, issuer: &Issuer) -> Option<schema::ServiceAccounts> {
    let wanted = spec.auth.as_ref()?.service_accounts.as_ref()?;
    Some(schema::ServiceAccounts {
        issuer: issuer.name.clone(),
        audiences: wanted.audiences.clone(),
        jwks: format!("{LIVE}/{KEYS}").into(),
    })
}

/// `groups` of the live file.
pub fn groups(users: &[User]) -> BTreeMap<String, Vec<String>> {
    let mut groups: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for user in users {
        for group in &user.groups {
            groups.entry(group.clone()).or_default().push(user.name.clone());
        }
    }
    groups
}

/// `immutabletags` of the live file.
pub fn immutable(spec: &PrivateRegistrySpec) -> Result<Vec<schema::ImmutableTags>, ResolveError> {
    let entry = |tags: &ImmutableTags| {
        Ok(schema::ImmutableTags { repositories: patterns(&tags.repositories)?, tags: patterns(&tags.tags)? })
    };
    spec.immutable_tags.iter().map(entry).collect()
}

fn rule(rule: &AccessRule) -> Result<schema::AccessRule, ResolveError> {
    let subject = |text: &String| Subject::try_from(text.clone()).map_err(ResolveError::Text);
    Ok(schema::AccessRule {
        subjects: rule.subjects.iter().map(subject).collect::<Result<_, _>>()?,
        repositories: patterns(&rule.repositories)?,
        actions: rule.actions.iter().map(action).collect(),
        effect: match rule.effect {
            Effect::Allow => schema::Effect::Allow,
            Effect::Deny => schema::Effect::Deny,
        },
    })
}

fn action(action: &Action) -> schema::Action {
    match action {
        Action::Pull => schema::Action::Pull,
        Action::Push => schema::Action::Push,
        Action::Delete => schema::Action::Delete,
        Action::List => schema::Action::List,
    }
}

/// The schema lets through only what is a pattern.
fn patterns(texts: &[String]) -> Result<Vec<Pattern>, ResolveError> {
    texts.iter().map(|text| Pattern::try_from(text.clone()).map_err(ResolveError::Text)).collect()
}
