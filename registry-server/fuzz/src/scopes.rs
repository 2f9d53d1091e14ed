//! Scopes of tokens: of what is asked everything is granted that the rules allow, and nothing else.

use std::{
    path::PathBuf,
    sync::{Arc, LazyLock},
    time::Duration,
};

use registry_config::schema::Config;
use registry_server::{
    auth::{
        access::{Action, Identity, Login},
        accounts::Accounts,
        htpasswd::Minimum,
        issuer::{Issuer, Naming},
        policy::Policy,
        token_maker::{OURSELVES, TokenMaker, Wish},
    },
    settings::Settings,
};

use crate::{reference::is_name, token::KEYS};

const NOW: f64 = 1_800_000_000.0;
/// More scopes than these are not looked at.
const MOST: usize = 30;
const WORDS: [(&str, Action); 3] =
    [("pull", Action::Pull), ("push", Action::Push), ("delete", Action::Delete)];
const RULES: &str = r#"
access:
- {subjects: [anonymous], repositories: ["public/**"], actions: [pull, list]}
- {subjects: [anonymous], repositories: ["shown/**"], actions: [list]}
- {subjects: ["user:ann"], repositories: ["team/*", a], actions: [pull, push, delete, list]}
- {subjects: [authenticated], repositories: ["team/secret"], actions: [push, delete], effect: deny}
"#;

static POLICY: LazyLock<Arc<Policy>> = LazyLock::new(|| {
    Settings::from_config(&Config::from_yaml("config.yml", RULES, []).expect("rules")).policy
});
static MAKER: LazyLock<TokenMaker> = LazyLock::new(|| {
    let account = "ann:{SHA}qUqP5cyxm6YcTAhz05Hph5gvu9M=";
    let accounts = Accounts::new(PathBuf::from("htpasswd"), account, Minimum::Any, "realm".to_owned());
    TokenMaker {
        accounts: Arc::new(accounts.expect("an account")),
        lifetime: Duration::from_secs(300),
        realm: None,
        secure: true,
        secure_host: None,
    }
});

/// Takes the bytes for scopes, one in a line.
pub fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let scopes: Vec<String> = text.lines().map(str::to_owned).collect();
    for who in [Identity::Anonymous, Identity::User("ann".to_owned()), Identity::User("bob".to_owned())] {
        given(&Login::from(who), &scopes);
    }
}

fn given(login: &Login, scopes: &[String]) {
    let wish = Wish { login, policy: &POLICY, scopes };
    let made = MAKER.make(KEYS[0].signer().expect("a private key"), &wish, NOW).expect("a token");
    let issuer = Issuer {
        issuer: OURSELVES.to_owned(),
        audiences: vec![OURSELVES.to_owned()],
        algorithms: Vec::new(),
        naming: Naming::Ourselves,
    };
    let read = issuer.verify(&made.token, &*KEYS, NOW).expect("what we have signed");
    assert_eq!(read.who, login.who);
    let grants = read.grants.expect("tokens of ours say what they allow");
    let asked: Vec<_> = scopes.iter().filter_map(|scope| by_the_book(scope)).collect();
    for (name, actions) in &asked {
        for (word, action) in WORDS {
            let asks = asked.iter().any(|(other, all)| other == name && all.contains(&word));
            let may = POLICY.allows(&login.who, action, name);
            assert!(may || !grants.allow(action, name), "{scopes:?}: {word}");
            let granted = !actions.contains(&word) || grants.allow(action, name);
            assert!(!may || granted || scopes.len() > MOST, "{scopes:?}: {word}");
            assert!(asks || scopes.len() > asked.len() || !grants.allow(action, name), "{scopes:?}: {word}");
        }
    }
    let told: Vec<_> = made.scope.split_whitespace().filter_map(by_the_book).collect();
    for (name, action) in told.iter().flat_map(|(name, all)| all.iter().map(move |one| (name, one))) {
        let action =
            WORDS.iter().find(|(word, _)| word == action).map_or(Action::List, |(_, action)| *action);
        assert!(POLICY.allows(&login.who, action, name), "{scopes:?}: {name} {action:?}");
    }
}

/// A repository and what is to be done there, as distribution's grammar of scopes writes it.
fn by_the_book(scope: &str) -> Option<(&str, Vec<&str>)> {
    let (name, actions) = scope.strip_prefix("repository:")?.split_once(':')?;
    let actions: Vec<_> = actions.split(',').collect();
    let is_word = |word: &&str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase());
    (is_name(name) && actions.iter().all(is_word)).then_some((name, actions))
}
