//! `CredentialsReady`: who can log in at the pods that run. Those that stay for now let in whom they let in before.

use crate::{
    crd::{
        auth::MinimumHash,
        condition::{kind, reason},
    },
    private_registry::{
        accounts::{
            file::Merged,
            listing::{Unusable, explained},
        },
        model::Model,
        status::{observed::Observed, verdict::Verdict},
    },
};

/// `CredentialsReady`.
pub fn credentials(model: &Model, seen: &Observed) -> Verdict {
    if let Some(problem) = seen.credentials.problem.as_ref().or(seen.issuer.as_ref()) {
        return Verdict::problem(kind::CREDENTIALS_READY, problem);
    }
    let now = token_server(model, seen);
    let mut message = match now {
        Some((issuer, realm)) => {
            format!("there are no accounts: tokens of {issuer} count, which clients get at {realm}")
        }
        None => accounts(model, seen),
    };
    let then = wanted(model);
    if now != then {
        let comes = then.map_or_else(|| "accounts".to_owned(), |(issuer, _)| format!("tokens of {issuer}"));
        message += &format!("; {comes} take their place when the pods are replaced");
    }
    Verdict::yes(kind::CREDENTIALS_READY, reason::ACCOUNTS_READY, message)
}

/// The token server that pods have in the place of accounts, if they do: what it calls itself, and where clients get tokens.
pub fn token_server<'a>(model: &'a Model, seen: &'a Observed) -> Option<(&'a str, &'a str)> {
    match &seen.running {
        Some(file) => file.token.as_ref().map(|server| (server.issuer.as_str(), server.realm.as_str())),
        None => wanted(model),
    }
}

fn wanted(model: &Model) -> Option<(&str, &str)> {
    model.token_server().map(|server| (server.issuer.as_str(), server.realm.as_str()))
}

/// How many accounts there are: in the file of this pass or, when pods are to come that have none, as was said before.
fn accounts(model: &Model, seen: &Observed) -> String {
    let before = seen.held.as_ref().and_then(|held| held.accounts.as_ref());
    let Some(file) = &seen.credentials.file else {
        return before.map_or_else(|| "accounts can log in".to_owned(), |before| counted(before.users));
    };
    let mut message = counted(file.users);
    let refused = refused(model, file);
    if !refused.is_empty() {
        let lines = explained(&refused);
        message +=
            &format!("; nobody can with {lines} of the password file: make them anew with htpasswd -B");
    }
    message
}

/// Lines of the own file that nobody can log in with, also where that is because of what `minimumHash` asks.
pub fn refused(model: &Model, file: &Merged) -> Vec<Unusable> {
    let htpasswd = model.spec.auth.as_ref().and_then(|auth| auth.htpasswd.as_ref());
    let floor = htpasswd.is_some_and(|htpasswd| htpasswd.minimum_hash == MinimumHash::Bcrypt);
    let weak = file.weak.iter().filter(|_| floor);
    let weak = weak.map(|line| Unusable { line: *line, reason: "weaker than auth.htpasswd.minimumHash" });
    let mut all: Vec<_> = file.unusable.iter().copied().chain(weak).collect();
    all.sort_by_key(|one| one.line);
    all
}

fn counted(users: impl std::fmt::Display) -> String {
    format!("{users} accounts can log in, one of them for pulls only")
}
