//! What a token itself allows: the claim `access` of distribution's token servers.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use crate::auth::{access::Action, jwt::Claims};

/// Actions by repository, and whether everything may be listed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grants {
    repositories: HashMap<String, HashSet<String>>,
    catalog: bool,
    /// Whether rules have nothing to add where there are none: they know whom this server gives tokens to.
    says_all: bool,
}

impl Grants {
    /// What the claim says. What is not understood allows nothing.
    pub fn of(claims: &Claims, says_all: bool) -> Self {
        let mut grants = Self { says_all, ..Self::default() };
        let entries = claims.get("access").and_then(Value::as_array).map(Vec::as_slice);
        for entry in entries.unwrap_or_default() {
            let text = |key: &str| entry.get(key).and_then(Value::as_str).unwrap_or_default();
            let actions =
                entry.get("actions").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
            let actions = actions.iter().filter_map(Value::as_str).map(str::to_owned);
            match (text("type"), text("name")) {
                ("repository", name) => {
                    grants.repositories.entry(name.to_owned()).or_default().extend(actions)
                }
                ("registry", "catalog") => grants.catalog |= actions.into_iter().any(|action| action == "*"),
                _ => {}
            }
        }
        grants
    }

    /// Whether it is allowed there. What may be pulled may be listed.
    pub fn allow(&self, action: Action, repository: &str) -> bool {
        let words: &[&str] = match action {
            Action::Pull => &["pull"],
            Action::List => &["pull", "list"],
            Action::Push => &["push"],
            Action::Delete => &["delete"],
        };
        let actions = self.repositories.get(repository);
        actions
            .is_some_and(|actions| actions.contains("*") || words.iter().any(|word| actions.contains(*word)))
    }

    /// Whether it is enough where there are no rules.
    pub fn say_all(&self) -> bool {
        self.says_all
    }

    /// Whether the list of all repositories may be seen.
    pub fn allow_catalog(&self) -> bool {
        self.catalog
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    // registry A6
    #[test]
    fn a_token_allows_what_it_names_and_nothing_else() {
        let claims: Claims = serde_json::from_value(json!({ "access": [
            { "type": "repository", "name": "a", "actions": ["pull"] },
            { "type": "repository", "name": "a", "actions": ["push"] },
            { "type": "repository", "name": "b", "actions": ["*"] },
            { "type": "repository", "name": "c", "actions": "pull" },
            { "type": "repository", "name": "f", "actions": ["list"] },
            { "type": "repository(plugin)", "name": "d", "actions": ["pull"] },
            { "type": "registry", "name": "catalog", "actions": ["pull"] },
            { "name": "e", "actions": ["pull"] },
            "pull", 1, null,
        ] }))
        .unwrap();
        let grants = Grants::of(&claims, true);
        for (action, name, expected) in [
            (Action::Pull, "a", true),
            (Action::Push, "a", true),
            (Action::List, "a", true),
            (Action::Delete, "a", false),
            (Action::Delete, "b", true),
            (Action::Pull, "c", false),
            (Action::Pull, "d", false),
            (Action::List, "f", true),
            (Action::Pull, "f", false),
            (Action::Pull, "e", false),
            (Action::Pull, "a/b", false),
            (Action::Pull, "*", false),
        ] {
            assert_eq!(grants.allow(action, name), expected, "{action:?} {name}");
        }
        assert!(!grants.allow_catalog());
        for (access, catalog) in [
            (json!([{ "type": "registry", "name": "catalog", "actions": ["*"] }]), true),
            (json!([{ "type": "registry", "name": "other", "actions": ["*"] }]), false),
            (json!({}), false),
            (json!(null), false),
        ] {
            let claims: Claims = serde_json::from_value(json!({ "access": access })).unwrap();
            assert_eq!(Grants::of(&claims, true).allow_catalog(), catalog);
            assert!(!Grants::of(&claims, true).allow(Action::Pull, "a"));
        }
    }
}
