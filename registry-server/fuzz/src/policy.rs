//! Rules of `access`: their order says nothing, a denial never widens, a permission never narrows, and who has not logged in never writes.

use registry_config::schema::{AccessRule, Config, Effect};
use registry_server::{
    auth::{
        access::{Action, Identity},
        policy::Policy,
    },
    settings::Settings,
};

const ACTIONS: [Action; 4] = [Action::Pull, Action::Push, Action::Delete, Action::List];

/// Takes the bytes for a file with the sections `access` and `groups`.
pub fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(config) = Config::from_yaml("config.yml", text, []) else { return };
    let Some((last, others)) = config.access.split_last() else { return };
    let all = granted(&config, &config.access);
    let reversed: Vec<_> = config.access.iter().rev().cloned().collect();
    assert_eq!(granted(&config, &reversed), all, "order says something");
    if others.is_empty() {
        return;
    }
    let without = granted(&config, others);
    let (fewer, more) = if last.effect == Effect::Deny { (&all, &without) } else { (&without, &all) };
    assert!(fewer.iter().all(|one| more.contains(one)), "a rule does the opposite of what it says");
}

/// What each of some may do in each of some repositories.
fn granted(config: &Config, rules: &[AccessRule]) -> Vec<String> {
    let policy = policy(config, rules);
    let (people, names) = (people(config), names(config));
    let mut all = Vec::new();
    for who in &people {
        for action in ACTIONS {
            for name in names.iter().filter(|name| policy.allows(who, action, name)) {
                assert!(policy.allows_somewhere(who, action), "{who:?} {action:?} {name}");
                assert!(*who != Identity::Anonymous || action.reads(), "{action:?} {name}");
                all.push(format!("{who:?} {action:?} {name}"));
            }
        }
    }
    all
}

fn policy(config: &Config, rules: &[AccessRule]) -> std::sync::Arc<Policy> {
    let config = Config { access: rules.to_vec(), ..config.clone() };
    Settings::from_config(&config).policy
}

fn people(config: &Config) -> Vec<Identity> {
    let members = config.groups.values().flatten().take(4).cloned();
    let users = members.chain(["ann".to_owned()]).map(Identity::User);
    let guest = Identity::Oidc {
        issuer: "forge".to_owned(),
        user: "acme/app".to_owned(),
        groups: vec!["oidc:forge:dev".to_owned()],
    };
    let others = [
        Identity::Anonymous,
        Identity::ServiceAccount("prod/app".to_owned()),
        Identity::Certificate("spiffe://example.com/ns/prod".to_owned()),
        guest,
    ];
    users.chain(others).collect()
}

/// Some that are usual, and the patterns themselves, as far as they are names.
fn names(config: &Config) -> Vec<String> {
    let patterns = config.access.iter().flat_map(|rule| &rule.repositories).take(4);
    let patterns = patterns.map(|pattern| pattern.matcher().glob().glob().to_owned());
    patterns.chain(["app", "team/app", "team/secret/app"].map(str::to_owned)).collect()
}
