//! Tokens of this server's own: who may have one, and what stands in it.

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    auth::{
        access::{Action, Identity, Login},
        accounts::Accounts,
        jwt::LEEWAY,
        policy::{Policy, Rights},
        signer::Signer,
    },
    oci::repository_name::RepositoryName,
};

/// What our tokens say of whom they come from and whom they are for. No other issuer is called so.
pub const OURSELVES: &str = "registry-server";
/// More are left out: a token has to fit into a header.
const MOST_SCOPES: usize = 30;
/// Clients keep a token for a minute, whatever shorter time they are told (the token specification, "expires_in").
const SHORTEST: u64 = 60;
const WORDS: [(&str, Action); 3] =
    [("pull", Action::Pull), ("push", Action::Push), ("delete", Action::Delete)];

/// What a token allows that may list and not pull.
pub const LIST: &str = "list";

/// How tokens are made.
pub struct TokenMaker {
    /// Who may have them by a password.
    pub accounts: Arc<Accounts>,
    /// How long they count.
    pub lifetime: Duration,
    /// Where they are to be had, unless it follows from what was asked.
    pub realm: Option<String>,
    /// Whether clients come by TLS.
    pub secure: bool,
    /// The host at which they do at least.
    pub secure_host: Option<String>,
}

/// Who wishes for a token, and what for.
#[derive(Clone, Copy)]
pub struct Wish<'a> {
    /// Who has logged in, or not.
    pub login: &'a Login,
    /// The rules of this moment.
    pub policy: &'a Policy,
    /// What it is to allow.
    pub scopes: &'a [String],
}

/// A token, and what is to say about it.
#[derive(Debug)]
pub struct Made {
    /// It itself.
    pub token: String,
    /// For how many seconds it counts at least.
    pub seconds: u64,
    /// What it allows, as scopes.
    pub scope: String,
}

/// One repository, or the catalog, and what is to be done there.
struct Scope {
    kind: String,
    name: String,
    actions: Vec<String>,
}

impl Scope {
    fn parse(text: &str) -> Option<Self> {
        let (rest, actions) = text.rsplit_once(':')?;
        let (kind, name) = rest.split_once(':')?;
        // What kind of images it has, as `repository(plugin)` says, is nothing that anybody here knows.
        let kind = kind.split('(').next().unwrap_or(kind);
        // Of what is neither nothing can be granted; and a name that is none may look like several scopes in the answer.
        match kind {
            "repository" => drop(name.parse::<RepositoryName>().ok()?),
            "registry" if name == "catalog" => {}
            _ => return None,
        }
        let actions = actions.split(',').map(str::to_owned).collect();
        Some(Self { kind: kind.to_owned(), name: name.to_owned(), actions })
    }

    fn has(&self, word: &str) -> bool {
        self.actions.iter().any(|action| action == word || action == "*")
    }
}

/// Whether the login ends before a token could have been of use: what clients keep for a minute has to count as long.
pub fn ends_too_soon(login: &Login, now: f64) -> bool {
    login.until.is_some_and(|until| until - now < SHORTEST as f64)
}

impl TokenMaker {
    /// A token that allows of what is wished what the rules allow now. Nothing, if the key cannot sign.
    pub fn make(&self, signer: &Signer, wish: &Wish<'_>, now: f64) -> Option<Made> {
        let (login, rights) = (wish.login, wish.login.rights(wish.policy));
        let asked = together(wish.scopes.iter().filter_map(|text| Scope::parse(text)));
        let granted = asked.into_iter().map(|scope| cut(scope, rights));
        let granted: Vec<Scope> = granted.filter(|one| !one.actions.is_empty()).collect();
        // Whom others vouch for, they vouch for until then. What is verified here counts for the leeway longer, so that a
        // token counts for that long also when it is made at its very end.
        let own = now + self.lifetime.as_secs_f64();
        let until = login.until.map_or(own, |until| own.min(until - LEEWAY));
        let entry = |one: &Scope| json!({ "type": one.kind, "name": one.name, "actions": one.actions });
        let access: Vec<Value> = granted.iter().map(entry).collect();
        // Whoever verifies our tokens takes it for a name.
        let sub = if login.who == Identity::Anonymous { String::new() } else { login.who.name() };
        let claims = json!({
            "iss": OURSELVES, "aud": OURSELVES, "sub": sub, "who": login.who, "access": access,
            "iat": now as i64, "nbf": now as i64, "exp": until as i64, "jti": Uuid::new_v4(),
        });
        let scope = granted.iter().map(|one| format!("{}:{}:{}", one.kind, one.name, one.actions.join(",")));
        let scope = scope.collect::<Vec<_>>().join(" ");
        let seconds = (until as u64).saturating_sub(now as u64).max(SHORTEST);
        Some(Made { token: signer.sign(&claims)?, seconds, scope })
    }
}

/// What the rules allow of it.
fn cut(mut scope: Scope, rights: Rights<'_>) -> Scope {
    let may = |action: Action| rights.may(action, &scope.name);
    let actions: Vec<String> = match scope.kind.as_str() {
        "repository" => {
            let granted = WORDS.into_iter().filter(|(word, action)| scope.has(word) && may(*action));
            // Clients have one word for pulling and listing.
            let lists = scope.has("pull") && !may(Action::Pull) && may(Action::List);
            let lists = lists.then(|| LIST.to_owned());
            granted.map(|(word, _)| word.to_owned()).chain(lists).collect()
        }
        "registry" if scope.has("*") && sees_lists(rights) => vec!["*".to_owned()],
        _ => Vec::new(),
    };
    scope.actions = actions;
    scope
}

/// Each name once, with all that is asked of it.
fn together(asked: impl Iterator<Item = Scope>) -> Vec<Scope> {
    let mut all: Vec<Scope> = Vec::new();
    for scope in asked {
        match all.iter().position(|one| (&one.kind, &one.name) == (&scope.kind, &scope.name)) {
            Some(known) => all[known].actions.extend(scope.actions),
            None if all.len() < MOST_SCOPES => all.push(scope),
            None => {}
        }
    }
    all
}

fn sees_lists(rights: Rights<'_>) -> bool {
    !matches!(rights.who, Identity::Anonymous) || rights.policy.allows_somewhere(rights.who, Action::List)
}
