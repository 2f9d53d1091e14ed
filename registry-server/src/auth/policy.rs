//! Who may do what in which repositories.
//!
//! Without rules every account may do everything, and nobody else anything: neither strangers, nor users that others
//! vouch for, who may be many and unknown. With rules nothing is allowed that no rule
//! allows, and what one denies is denied: their order says nothing. Whoever has not logged in never writes, and neither
//! does an account that may pull only, whatever rules say.

use std::collections::{HashMap, HashSet};

use globset::GlobMatcher;

use crate::auth::{
    access::{Action, Identity},
    grants::Grants,
};

const PULL_ONLY: &str = "this account may pull only";

/// All rules.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    rules: Vec<Rule>,
    /// Accounts by group.
    groups: HashMap<String, HashSet<String>>,
    /// Accounts that may look and nothing else.
    pull_only: HashSet<String>,
}

/// One rule.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Whom it is about.
    pub subjects: Vec<Subject>,
    /// Which repositories.
    pub repositories: Vec<GlobMatcher>,
    /// What they do there.
    pub actions: Vec<Action>,
    /// Whether it denies, and does not allow.
    pub denies: bool,
}

/// Whom a rule is about.
#[derive(Clone, Debug)]
pub enum Subject {
    /// Whoever has not logged in.
    Anonymous,
    /// Whoever has logged in, by a password or by a token.
    Authenticated,
    /// One account.
    User(String),
    /// The accounts of a group, or the users that an issuer says are in it.
    Group(String),
    /// Service accounts.
    ServiceAccount(GlobMatcher),
    /// Names in clients' certificates.
    Certificate(GlobMatcher),
    /// Users that an issuer vouches for.
    Oidc {
        /// What this registry calls the issuer.
        issuer: String,
        /// Its users.
        user: GlobMatcher,
    },
}

impl Policy {
    /// These rules; none: every account may do everything.
    pub fn new(rules: Vec<Rule>, groups: HashMap<String, HashSet<String>>) -> Self {
        Self { rules, groups, pull_only: HashSet::new() }
    }

    /// The same, but that these accounts may look and nothing else.
    pub fn with_pull_only(self, accounts: impl IntoIterator<Item = String>) -> Self {
        Self { pull_only: accounts.into_iter().collect(), ..self }
    }

    /// The decision.
    pub fn allows(&self, who: &Identity, action: Action, repository: &str) -> bool {
        self.decides(who, action, |rule| rule.repositories.iter().any(|one| one.is_match(repository)))
    }

    /// Whether there may be a repository in which it is allowed.
    pub fn allows_somewhere(&self, who: &Identity, action: Action) -> bool {
        self.decides(who, action, |rule| !rule.denies)
    }

    fn decides(&self, who: &Identity, action: Action, about: impl Fn(&Rule) -> bool) -> bool {
        match who {
            Identity::Everybody => return true,
            Identity::Anonymous if !action.reads() => return false,
            Identity::User(name) if !action.reads() && self.pull_only.contains(name) => return false,
            Identity::Anonymous
            | Identity::User(_)
            | Identity::ServiceAccount(_)
            | Identity::Certificate(_)
            | Identity::Oidc { .. } => {}
        }
        if self.rules.is_empty() {
            return matches!(who, Identity::User(_));
        }
        let mut said = self.rules.iter().filter(|rule| {
            rule.actions.contains(&action) && rule.subjects.iter().any(|one| self.is(who, one)) && about(rule)
        });
        said.clone().any(|rule| !rule.denies) && !said.any(|rule| rule.denies)
    }

    /// What one is told who may not do it.
    pub fn denied(&self, who: &Identity, action: Action) -> &'static str {
        match who {
            Identity::User(name) if !action.reads() && self.pull_only.contains(name) => PULL_ONLY,
            _ => action.denied(),
        }
    }

    /// Why the decision is no, for those who wrote the rules.
    pub fn refusal(&self, who: &Identity, action: Action, repository: Option<&str>) -> String {
        if self.denied(who, action) == PULL_ONLY {
            return PULL_ONLY.to_owned();
        }
        let denies = |rule: &Rule| {
            let about = |name| rule.repositories.iter().any(|one| one.is_match(name));
            rule.denies
                && rule.actions.contains(&action)
                && rule.subjects.iter().any(|one| self.is(who, one))
                && repository.is_some_and(about)
        };
        match self.rules.iter().position(denies) {
            Some(place) => format!("rule {} of access denies it", place + 1),
            None => "no rule of access allows it".to_owned(),
        }
    }

    fn is(&self, who: &Identity, subject: &Subject) -> bool {
        match (who, subject) {
            (Identity::Everybody, _) => false,
            (Identity::Anonymous, subject) => matches!(subject, Subject::Anonymous),
            (_, Subject::Authenticated) => true,
            (Identity::User(name), Subject::User(wanted)) => name == wanted,
            (Identity::User(name), Subject::Group(group)) => {
                self.groups.get(group).is_some_and(|members| members.contains(name))
            }
            (Identity::Oidc { groups, .. }, Subject::Group(group)) => groups.contains(group),
            (Identity::ServiceAccount(name), Subject::ServiceAccount(wanted)) => wanted.is_match(name),
            (Identity::Certificate(name), Subject::Certificate(wanted)) => wanted.is_match(name),
            (Identity::Oidc { issuer, user, .. }, Subject::Oidc { issuer: of, user: wanted }) => {
                issuer == of && wanted.is_match(user)
            }
            (
                Identity::User(_)
                | Identity::ServiceAccount(_)
                | Identity::Certificate(_)
                | Identity::Oidc { .. },
                _,
            ) => false,
        }
    }
}

/// What one who asks may do.
#[derive(Clone, Copy, Debug)]
pub struct Rights<'a> {
    /// The rules of this moment.
    pub policy: &'a Policy,
    /// Who asks.
    pub who: &'a Identity,
    /// What the token allows, if it says that.
    pub grants: Option<&'a Grants>,
}

impl Rights<'_> {
    /// Whether it is allowed there: by the token, if it says what it allows, and by the rules.
    pub fn may(&self, action: Action, repository: &str) -> bool {
        let granted = self.grants.is_none_or(|grants| grants.allow(action, repository));
        granted && self.by_rules(action, repository)
    }

    /// Whether nothing forbids it anywhere.
    pub fn everywhere(&self, action: Action) -> bool {
        self.grants.is_none() && self.policy.rules.is_empty() && self.by_rules(action, "")
    }

    /// Whether it stands in the list of all, for whom that list is.
    pub fn may_see(&self, repository: &str) -> bool {
        self.by_rules(Action::List, repository)
    }

    /// Without rules a token of another server that says what it allows has said all.
    fn by_rules(&self, action: Action, repository: &str) -> bool {
        let said_all = self.grants.is_some_and(Grants::say_all) && self.policy.rules.is_empty();
        said_all || self.policy.allows(self.who, action, repository)
    }
}

#[cfg(test)]
mod tests {
    use globset::GlobBuilder;
    use proptest::{prelude::*, sample::select};
    use serde_json::json;

    use super::*;

    const ACTIONS: [Action; 4] = [Action::Pull, Action::Push, Action::Delete, Action::List];
    const NAMES: [&str; 5] = ["team/app", "team/secret/app", "public/app", "app", "team"];

    fn glob(pattern: &str) -> GlobMatcher {
        GlobBuilder::new(pattern).literal_separator(true).build().unwrap().compile_matcher()
    }

    fn rule(subjects: &[Subject], repository: &str, actions: &[Action], denies: bool) -> Rule {
        let repositories = vec![glob(repository)];
        Rule { subjects: subjects.to_vec(), repositories, actions: actions.to_vec(), denies }
    }

    fn user(name: &str) -> Identity {
        Identity::User(name.to_owned())
    }

    fn pod(name: &str) -> Identity {
        Identity::ServiceAccount(name.to_owned())
    }

    fn guest(issuer: &str, user: &str, groups: &[&str]) -> Identity {
        let groups = groups.iter().map(ToString::to_string).collect();
        Identity::Oidc { issuer: issuer.to_owned(), user: user.to_owned(), groups }
    }

    fn of_issuer(issuer: &str, user: &str) -> Subject {
        Subject::Oidc { issuer: issuer.to_owned(), user: glob(user) }
    }

    fn group(members: &[&str]) -> HashMap<String, HashSet<String>> {
        HashMap::from([("dev".to_owned(), members.iter().map(ToString::to_string).collect())])
    }

    #[test]
    fn without_rules_accounts_do_everything_and_nobody_else_anything() {
        let policy = Policy::default();
        for action in ACTIONS {
            assert!(
                policy.allows(&user("dev"), action, "a") && policy.allows(&Identity::Everybody, action, "a")
            );
            for other in [Identity::Anonymous, pod("prod/app"), guest("forge", "dev", &["oidc:forge:dev"])] {
                assert!(!policy.allows(&other, action, "a") && !policy.allows_somewhere(&other, action));
            }
        }
    }

    // registry AU11 AU12
    #[test]
    fn rules_decide() {
        use Action::{Delete, List, Pull, Push};
        let policy = Policy::new(
            vec![
                rule(&[Subject::Group("dev".into())], "team/**", &[Pull, Push], false),
                rule(&[Subject::User("bob".into())], "team/secret/**", &[Push], true),
                rule(&[Subject::Anonymous], "public/**", &[Pull, List], false),
                rule(&[Subject::Authenticated], "public/*", &[Pull], false),
                rule(&[Subject::User("root".into())], "**", &ACTIONS, false),
            ],
            group(&["ann", "bob"]),
        );
        let (ann, bob, cid, root) = (user("ann"), user("bob"), user("cid"), user("root"));
        let nobody = Identity::Anonymous;
        for (who, action, name, expected) in [
            (&ann, Pull, "team/secret/x", true),
            (&ann, Push, "team/secret/x", true),
            (&bob, Pull, "team/secret/x", true),
            (&bob, Push, "team/secret/x", false),
            (&bob, Push, "team/x", true),
            (&bob, Delete, "team/x", false),
            (&bob, Push, "team", false),
            (&cid, Pull, "team/x", false),
            (&cid, Pull, "public/x", true),
            (&cid, Pull, "public/x/y", false),
            (&nobody, Pull, "public/x/y", true),
            (&nobody, List, "public/x", true),
            (&nobody, Pull, "team/x", false),
            (&nobody, Push, "public/x", false),
            (&root, Delete, "team/secret/x", true),
        ] {
            assert_eq!(policy.allows(who, action, name), expected, "{who:?} {action:?} {name}");
        }
        assert!(policy.allows_somewhere(&nobody, List) && !policy.allows_somewhere(&nobody, Push));
        assert!(!policy.allows_somewhere(&cid, List));
    }

    // registry AU10 AU11: who others vouch for is what rules say, and never an account or a group of this registry
    #[test]
    fn rules_decide_about_those_whom_others_vouch_for() {
        use Action::{Delete, List, Pull, Push};
        let policy = Policy::new(
            vec![
                rule(&[Subject::ServiceAccount(glob("prod/*"))], "team/**", &[Pull], false),
                rule(&[of_issuer("forge", "acme/*")], "team/**", &[Pull, Push], false),
                rule(&[of_issuer("forge", "acme/bad")], "**", &[Push], true),
                rule(&[Subject::Group("oidc:forge:dev".into())], "dev/**", &ACTIONS, false),
                rule(&[Subject::Group("dev".into()), Subject::User("ann".into())], "own/**", &ACTIONS, false),
                rule(&[Subject::Authenticated], "public/**", &[Pull, List], false),
            ],
            group(&["ann", "prod/app", "acme/app"]),
        );
        for (who, action, name, expected) in [
            (pod("prod/app"), Pull, "team/x", true),
            (pod("prod/app"), Push, "team/x", false),
            (pod("production/app"), Pull, "team/x", false),
            (pod("prod/app"), Pull, "own/x", false),
            (pod("prod/app"), Pull, "public/x", true),
            (guest("forge", "acme/app", &[]), Push, "team/x", true),
            (guest("forge", "acme/bad", &[]), Push, "team/x", false),
            (guest("forge", "acme/bad", &[]), Pull, "team/x", true),
            (guest("other", "acme/app", &[]), Pull, "team/x", false),
            (guest("forge", "acme/app/x", &[]), Pull, "team/x", false),
            (guest("forge", "prod/app", &[]), Pull, "team/x", false),
            (guest("forge", "x", &["oidc:forge:dev"]), Delete, "dev/x", true),
            (guest("other", "x", &["oidc:other:dev"]), Pull, "dev/x", false),
            (guest("forge", "x", &["oidc:forge:dev"]), Pull, "own/x", false),
            (guest("forge", "ann", &[]), Pull, "own/x", false),
            (guest("forge", "acme/app", &[]), Pull, "own/x", false),
            (guest("forge", "x", &[]), List, "public/x", true),
            (user("ann"), Pull, "dev/x", false),
            (user("prod/app"), Pull, "team/x", false),
            (Identity::Anonymous, Pull, "public/x", false),
        ] {
            assert_eq!(policy.allows(&who, action, name), expected, "{who:?} {action:?} {name}");
        }
    }

    fn any_rule() -> impl Strategy<Value = Rule> {
        let subjects = [
            Subject::Anonymous,
            Subject::Authenticated,
            Subject::User("ann".into()),
            Subject::User("bob".into()),
            Subject::Group("dev".into()),
            Subject::Group("oidc:forge:dev".into()),
            Subject::ServiceAccount(glob("prod/*")),
            Subject::Certificate(glob("*.ci")),
            of_issuer("forge", "*"),
        ];
        let subjects = prop::collection::vec(select(subjects.to_vec()), 1..3);
        let actions = prop::collection::vec(select(ACTIONS.to_vec()), 1..4);
        let repository = select(vec!["**", "team/**", "team/*", "*", "public/**", "team/app"]);
        (subjects, repository, actions, any::<bool>())
            .prop_map(|(subjects, repository, actions, denies)| rule(&subjects, repository, &actions, denies))
    }

    /// Rules, and the same ones shuffled.
    fn in_two_orders() -> impl Strategy<Value = (Vec<Rule>, Vec<Rule>)> {
        prop::collection::vec(any_rule(), 1..6)
            .prop_flat_map(|rules| (Just(rules.clone()), Just(rules).prop_shuffle()))
    }

    fn granted(rules: Vec<Rule>) -> HashSet<(usize, usize, usize)> {
        let policy = Policy::new(rules, group(&["ann"])).with_pull_only(["cid".to_owned()]);
        let people = [
            Identity::Anonymous,
            Identity::Certificate("builder.ci".into()),
            Identity::Certificate("builder".into()),
            user("ann"),
            user("bob"),
            user("cid"),
            pod("prod/app"),
            pod("test/app"),
            guest("forge", "ann", &["oidc:forge:dev"]),
            guest("other", "bob", &["oidc:other:dev"]),
        ];
        let mut all = HashSet::new();
        for (p, who) in people.iter().enumerate() {
            for (a, action) in ACTIONS.into_iter().enumerate() {
                for (n, name) in NAMES.into_iter().enumerate() {
                    if policy.allows(who, action, name) {
                        assert!(policy.allows_somewhere(who, action), "{who:?} {action:?}");
                        all.insert((p, a, n));
                    }
                }
            }
        }
        all
    }

    proptest! {
        #[test]
        fn the_order_of_rules_says_nothing((rules, other) in in_two_orders()) {
            prop_assert_eq!(granted(rules), granted(other));
        }

        #[test]
        fn a_rule_that_denies_never_widens(
            rules in prop::collection::vec(any_rule(), 1..6), more in any_rule()
        ) {
            let mut denied = rules.clone();
            denied.push(Rule { denies: true, ..more });
            prop_assert!(granted(denied).is_subset(&granted(rules)));
        }

        #[test]
        fn a_rule_that_allows_never_narrows(
            rules in prop::collection::vec(any_rule(), 1..6), more in any_rule()
        ) {
            let mut allowed = rules.clone();
            allowed.push(Rule { denies: false, ..more });
            prop_assert!(granted(rules).is_subset(&granted(allowed)));
        }

        // registry A6: both have to say yes
        #[test]
        fn a_token_that_says_what_it_allows_never_widens_what_rules_allow(
            rules in prop::collection::vec(any_rule(), 1..6), catalog in any::<bool>()
        ) {
            let policy = Policy::new(rules, group(&["ann"]));
            let access = json!({ "access": [
                { "type": "repository", "name": "team/app", "actions": ["pull", "delete"] },
                { "type": "registry", "name": "catalog", "actions": if catalog { vec!["*"] } else { vec![] } },
            ] });
            let grants = Grants::of(&serde_json::from_value(access).unwrap(), true);
            for who in [Identity::Anonymous, user("ann"), user("bob")] {
                let (with, without) = (Some(&grants), None);
                let rights = |grants| Rights { policy: &policy, who: &who, grants };
                for (action, name) in ACTIONS.into_iter().flat_map(|action| NAMES.map(|name| (action, name))) {
                    let both = grants.allow(action, name) && rights(without).may(action, name);
                    prop_assert_eq!(rights(with).may(action, name), both);
                    prop_assert_eq!(rights(with).may_see(name), policy.allows(&who, Action::List, name));
                }
            }
        }

        // registry A7
        #[test]
        fn strangers_and_accounts_that_pull_only_never_write(rules in prop::collection::vec(any_rule(), 0..6)) {
            let policy = Policy::new(rules, group(&["ann"])).with_pull_only(["ann".to_owned()]);
            for (who, name) in [Identity::Anonymous, user("ann")].iter().flat_map(|who| NAMES.map(|name| (who, name))) {
                for action in [Action::Push, Action::Delete] {
                    prop_assert!(!policy.allows(who, action, name) && !policy.allows_somewhere(who, action));
                }
            }
        }
    }
}
