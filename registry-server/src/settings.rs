//! What requests are judged by and what may change while the server runs.

use std::{iter, net::IpAddr, path::PathBuf, sync::Arc, time::Duration};

use globset::GlobMatcher;
use registry_config::schema::{self, Config, IndexPlatforms, ManifestValidation, Network, Pattern, Presence};

use crate::{
    auth::{
        access::Action,
        issuer::{Issuer, Naming},
        policy::{Policy, Rule, Subject},
        token_maker::OURSELVES,
    },
    registry::{
        completeness::{Children, Completeness, Platform},
        immutable_tags::{self, ImmutableTags},
        quota::Quotas,
    },
};

/// As many characters as many clients take for a name with the host before it.
const LONGEST_REFERENCE: usize = 255;

/// The live part of the configuration, resolved.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Whether clients may delete.
    pub delete: bool,
    /// Whether every write is refused.
    pub readonly: bool,
    /// One log line per request.
    pub access_log: bool,
    /// Proxies that are believed when they say where a request comes from.
    pub proxies: Networks,
    /// Clients that the server sends blobs to itself, whatever the store could do.
    pub served_here: Networks,
    /// Bytes of the longest name of a repository that clients can write after the registry's own.
    pub longest_name: usize,
    /// Largest manifest in bytes.
    pub max_manifest: u64,
    /// Largest blob in bytes.
    pub max_blob: Option<u64>,
    /// What must be there before a manifest is taken.
    pub completeness: Completeness,
    /// Who may do what in which repositories.
    pub policy: Arc<Policy>,
    /// Whose tokens are taken in place of a password, and which files have the keys of each.
    pub issuers: Vec<(Issuer, Vec<PathBuf>)>,
    /// Tags that neither move nor go.
    pub immutable: ImmutableTags,
    /// How much repositories may hold.
    pub quotas: Quotas,
    /// What clients show to their users.
    pub warnings: Warnings,
    /// What happens to abandoned uploads.
    pub purging: Purging,
}

/// What happens to abandoned uploads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Purging {
    /// Whether they are looked for.
    pub enabled: bool,
    /// How long one may stay without a new byte.
    pub age: Duration,
    /// How often they are looked for.
    pub interval: Duration,
    /// Whether they are counted and kept.
    pub dry_run: bool,
}

/// Addresses, by the networks that they are in.
#[derive(Clone, Debug, Default)]
pub struct Networks(Vec<Network>);

impl Networks {
    /// Those of all these networks.
    pub fn new(networks: Vec<Network>) -> Self {
        Self(networks)
    }

    /// Whether it is one of them.
    pub fn contain(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(address))
    }
}

/// What clients show to their users.
#[derive(Clone, Debug, Default)]
pub struct Warnings(Vec<(String, Vec<GlobMatcher>)>);

impl Warnings {
    /// The texts for an answer about this repository, or about none.
    pub fn about(&self, repository: Option<&str>) -> impl Iterator<Item = &str> {
        let concerns = move |patterns: &[GlobMatcher]| {
            let about = |name| patterns.iter().any(|one| one.is_match(name));
            patterns.is_empty() || repository.is_some_and(about)
        };
        self.0.iter().filter(move |(_, patterns)| concerns(patterns)).map(|(text, _)| text.as_str())
    }
}

impl Settings {
    /// What the configuration says.
    pub fn from_config(config: &Config) -> Self {
        let purging = &config.storage.maintenance.uploadpurging;
        let redirect = config.storage.redirect.as_ref();
        Self {
            delete: config.storage.delete.enabled,
            readonly: config.storage.maintenance.readonly.enabled,
            access_log: !config.log.accesslog.disabled,
            proxies: Networks::new(config.trustedproxies.clone()),
            served_here: Networks::new(redirect.map_or_else(Vec::new, |section| section.exceptfrom.clone())),
            longest_name: LONGEST_REFERENCE - config.http.authority().map_or(0, |host| host.len() + 1),
            max_manifest: config.limits.maxmanifestsize,
            max_blob: config.limits.maxblobsize,
            policy: Arc::new(policy(config)),
            issuers: issuers(config),
            immutable: ImmutableTags::new(config.immutabletags.iter().map(immutable).collect()),
            quotas: Quotas::new(config.quotas.iter().map(quota).collect()),
            warnings: Warnings(config.warnings.iter().map(warning).collect()),
            completeness: completeness(&config.validation.manifests),
            purging: Purging {
                enabled: purging.enabled,
                age: purging.age.0,
                interval: purging.interval.0,
                dry_run: purging.dryrun,
            },
        }
    }
}

fn completeness(section: &ManifestValidation) -> Completeness {
    let platforms = section.indexes.platformlist.iter();
    Completeness {
        layers: section.layers == Presence::Required,
        children: match section.indexes.platforms {
            IndexPlatforms::All => Children::All,
            IndexPlatforms::None => Children::None,
            IndexPlatforms::List => Children::Of(
                platforms
                    .map(|one| Platform { architecture: one.architecture.clone(), os: one.os.clone() })
                    .collect(),
            ),
        },
    }
}

fn immutable(entry: &schema::ImmutableTags) -> immutable_tags::Rule {
    immutable_tags::Rule { repositories: matchers(&entry.repositories), tags: matchers(&entry.tags) }
}

fn quota(entry: &schema::Quota) -> (Vec<GlobMatcher>, u64) {
    (matchers(&entry.repositories), entry.maxsize)
}

fn warning(entry: &schema::Warning) -> (String, Vec<GlobMatcher>) {
    (entry.text.clone(), matchers(&entry.repositories))
}

fn matchers(patterns: &[Pattern]) -> Vec<GlobMatcher> {
    patterns.iter().map(|one| one.matcher().clone()).collect()
}

fn policy(config: &Config) -> Policy {
    let members = |names: &Vec<String>| names.iter().cloned().collect();
    let groups = config.groups.iter().map(|(group, names)| (group.clone(), members(names))).collect();
    let pull_only = config.auth.iter().flat_map(|auth| auth.htpasswd.pullonly.clone());
    Policy::new(config.access.iter().map(rule).collect(), groups).with_pull_only(pull_only)
}

/// We ourselves, those of `oidc`, the cluster, and the token server, each with the files that have its keys.
pub fn issuers(config: &Config) -> Vec<(Issuer, Vec<PathBuf>)> {
    let oidc = config.oidc.iter().map(|entry| {
        let naming = Naming::Oidc {
            name: entry.name.clone(),
            user: entry.usernameclaim.clone(),
            groups: entry.groupsclaim.clone(),
            required: entry.requiredclaims.clone(),
        };
        let (issuer, audiences) = (entry.issuer.clone(), entry.audiences.clone());
        (Issuer { issuer, audiences, algorithms: Vec::new(), naming }, vec![entry.jwks.clone()])
    });
    let cluster = config.serviceaccounts.iter().map(|section| {
        let (issuer, audiences) = (section.issuer.clone(), section.audiences.clone());
        let issuer = Issuer { issuer, audiences, algorithms: Vec::new(), naming: Naming::ServiceAccount };
        (issuer, vec![section.jwks.clone()])
    });
    let server = config.token.iter().map(|section| {
        let issuer = Issuer {
            issuer: section.issuer.clone(),
            audiences: vec![section.service.clone()],
            algorithms: section.signingalgorithms.iter().map(|one| one.name()).collect(),
            naming: Naming::TokenServer,
        };
        (issuer, section.rootcertbundle.iter().chain(&section.jwks).cloned().collect())
    });
    let own = config.builtin.iter().map(|section| {
        let (issuer, audiences) = (OURSELVES.to_owned(), vec![OURSELVES.to_owned()]);
        let issuer = Issuer { issuer, audiences, algorithms: Vec::new(), naming: Naming::Ourselves };
        (issuer, iter::once(&section.key).chain(&section.previous).cloned().collect())
    });
    own.chain(oidc).chain(cluster).chain(server).collect()
}

fn rule(rule: &schema::AccessRule) -> Rule {
    Rule {
        subjects: rule.subjects.iter().map(subject).collect(),
        repositories: matchers(&rule.repositories),
        actions: rule.actions.iter().map(action).collect(),
        denies: rule.effect == schema::Effect::Deny,
    }
}

fn subject(subject: &schema::Subject) -> Subject {
    match subject {
        schema::Subject::Anonymous => Subject::Anonymous,
        schema::Subject::Authenticated => Subject::Authenticated,
        schema::Subject::User(name) => Subject::User(name.clone()),
        schema::Subject::Group(name) => Subject::Group(name.clone()),
        schema::Subject::ServiceAccount(name) => Subject::ServiceAccount(name.matcher().clone()),
        schema::Subject::Certificate(name) => Subject::Certificate(name.matcher().clone()),
        schema::Subject::Oidc { issuer, user } => {
            Subject::Oidc { issuer: issuer.clone(), user: user.matcher().clone() }
        }
    }
}

fn action(action: &schema::Action) -> Action {
    match action {
        schema::Action::Pull => Action::Pull,
        schema::Action::Push => Action::Push,
        schema::Action::Delete => Action::Delete,
        schema::Action::List => Action::List,
    }
}
