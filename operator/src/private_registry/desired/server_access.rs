//! Rules of access and whose tokens count, as the server reads them.

use std::collections::{BTreeMap, BTreeSet};

use registry_config::schema::{self, Subject};

use crate::{
    crd::{
        access::{AccessRule, Action, Effect},
        auth::{Auth, User},
        oidc::Oidc,
        registry::PrivateRegistrySpec,
        tls::ClientIdentity,
    },
    private_registry::{
        desired::{
            server_config::{KEYS, LIVE, keys_of},
            server_repositories::patterns,
        },
        error::{PassError, ResolveError},
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

/// Whose tokens count as a login.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Issuers {
    /// The cluster itself.
    pub cluster: Option<Issuer>,
    /// Keys of the issuers of `auth.oidc`, JWK sets, by the name of their file.
    pub keys: BTreeMap<String, String>,
    /// Certificates of the CA of clients, PEM.
    pub clients: Option<String>,
    /// What verifies the tokens of a token server.
    pub token_server: Option<String>,
}

/// What is wrong with rules and issuers, beside what the schema says.
pub fn check(spec: &PrivateRegistrySpec) -> Result<(), PassError> {
    let Some(auth) = &spec.auth else { return Ok(()) };
    check_certificates(spec, auth)?;
    let known = |name: &str| auth.oidc.iter().any(|issuer| issuer.name == name);
    for (number, rule) in auth.access.iter().enumerate() {
        let issuers = rule.subjects.iter().filter_map(|subject| issuer_in(subject));
        if let Some(unknown) = issuers.into_iter().find(|name| !known(name)) {
            let problem = format!(
                "rule {} names issuer {unknown}, which spec.auth.oidc has not: add it there, or change the name here",
                number + 1
            );
            return Err(PassError::InvalidSpec { field: "spec.auth.access", problem });
        }
    }
    let mut seen = BTreeSet::new();
    match issuers(auth).find(|(_, issuer)| !seen.insert(*issuer)) {
        None => Ok(()),
        Some((field, twice)) => {
            let problem = format!("has {twice} twice: a token would be two users");
            Err(PassError::InvalidSpec { field, problem })
        }
    }
}

/// What issuers call themselves, each with the field that says so.
pub fn issuers(auth: &Auth) -> impl Iterator<Item = (&'static str, &str)> {
    let server = auth.token.iter().filter_map(|token| token.external.as_ref());
    let server = server.map(|server| ("spec.auth.token.external.issuer", server.issuer.as_str()));
    auth.oidc.iter().map(|issuer| ("spec.auth.oidc", issuer.issuer.as_str())).chain(server)
}

/// Nobody would be meant by a rule about certificates that nobody can show, or names that the server never makes of one.
fn check_certificates(spec: &PrivateRegistrySpec, auth: &Auth) -> Result<(), PassError> {
    let clients = spec.tls.as_ref().and_then(|tls| tls.client_ca_ref.as_ref());
    let named = auth.access.iter().enumerate().flat_map(|(number, rule)| {
        let names = rule.subjects.iter().filter_map(|subject| subject.strip_prefix("cert:"));
        names.map(move |name| (number, name))
    });
    for (number, name) in named {
        let wrong = match clients {
            None => "clients can show none: name their CA in spec.tls.clientCARef",
            Some(clients)
                if clients.identity == ClientIdentity::DNS && name.chars().any(char::is_uppercase) =>
            {
                "host names are compared in small letters: write it in those"
            }
            Some(_) => continue,
        };
        let problem = format!("rule {} is about certificates of {name}, and {wrong}", number + 1);
        return Err(PassError::InvalidSpec { field: "spec.auth.access", problem });
    }
    Ok(())
}

/// The issuer that a subject is about.
fn issuer_in(subject: &str) -> Option<&str> {
    let rest = subject.strip_prefix("group:").unwrap_or(subject).strip_prefix("oidc:")?;
    rest.split_once(':').map(|(issuer, _)| issuer)
}

/// `oidc` of the live file.
pub fn oidc(spec: &PrivateRegistrySpec) -> Vec<schema::Oidc> {
    let entry = |issuer: &Oidc| schema::Oidc {
        name: issuer.name.clone(),
        issuer: issuer.issuer.clone(),
        audiences: issuer.audiences.clone(),
        jwks: format!("{LIVE}/{}", keys_of(issuer)).into(),
        usernameclaim: issuer.username_claim.clone(),
        groupsclaim: issuer.groups_claim.clone(),
        requiredclaims: issuer.required_claims.clone(),
    };
    spec.auth.iter().flat_map(|auth| &auth.oidc).map(entry).collect()
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
