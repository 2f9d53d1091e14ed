//! What the types cannot say about `oidc`, `serviceaccounts`, `auth.token` and the groups beside those of issuers.

use std::{collections::HashSet, path::Path, time::Duration};

use crate::{
    check_certificates,
    schema::{Config, Subject, Token},
};

/// Groups of issuers have such names, so that no issuer gives somebody a group of `groups`.
const OF_ISSUERS: &str = "oidc:";
/// What tokens of `auth.token.builtin` say of whom they come from.
const OURSELVES: &str = "registry-server";
/// As long as a DNS label.
const LONGEST_NAME: usize = 63;
/// How long a token may count.
const SHORTEST: Duration = Duration::from_secs(60);
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// Keys, list indices among them, and what is wrong with them.
pub fn check(config: &Config) -> Vec<(String, String)> {
    let mut problems = Vec::new();
    let (mut names, mut issuers) = (HashSet::new(), HashSet::new());
    issuers.extend(config.builtin.as_ref().map(|_| OURSELVES));
    for (index, entry) in config.oidc.iter().enumerate() {
        let mut wrong = |key: &str, what: String| problems.push((format!("oidc.{index}.{key}"), what));
        if !is_name(&entry.name) {
            wrong("name", "must be 1 to 63 small letters, digits and '-', not '-' at an end".to_owned());
        } else if !names.insert(&entry.name) {
            wrong("name", format!("{:?} comes twice: rules could not tell the two apart", entry.name));
        }
        if !entry.issuer.starts_with("https://") || entry.issuer.len() == "https://".len() {
            wrong("issuer", "must be an https URL: nobody else can say whose tokens these are".to_owned());
        }
        if entry.usernameclaim.is_empty() {
            wrong("usernameclaim", "must not be empty; leave it out for sub".to_owned());
        }
        if entry.groupsclaim.as_ref().is_some_and(String::is_empty) {
            wrong("groupsclaim", "must not be empty; leave it out for no groups".to_owned());
        }
        source(&entry.issuer, &entry.audiences, &entry.jwks, &mut issuers, &mut wrong);
    }
    if let Some(section) = &config.serviceaccounts {
        let mut wrong = |key: &str, what: String| problems.push((format!("serviceaccounts.{key}"), what));
        // A cluster may call itself by a word that is no URL.
        if section.issuer.is_empty() || section.issuer.starts_with("http:") {
            wrong("issuer", "must be what the cluster's API server says of itself, not http:".to_owned());
        }
        source(&section.issuer, &section.audiences, &section.jwks, &mut issuers, &mut wrong);
    }
    if let Some(section) = &config.token {
        let mut wrong = |key: &str, what: String| problems.push((format!("auth.token{key}"), what));
        if config.auth.is_some() {
            wrong(
                "",
                "stands beside auth.htpasswd: a registry asks for passwords or for tokens; leave one out"
                    .to_owned(),
            );
        }
        token(section, &mut issuers, &mut wrong);
    }
    if let Some(section) = &config.builtin {
        let mut wrong = |key: &str, what: &str| {
            problems.push((format!("auth.token.builtin{key}"), what.to_owned()));
        };
        if config.token.is_some() {
            wrong("", "stands alone in auth.token: either this server gives the tokens, or the one of realm");
        }
        if config.auth.is_none() {
            wrong("", "needs auth.htpasswd: nobody else could get a token");
        }
        if section.lifetime.0 < SHORTEST || section.lifetime.0 > LONGEST {
            wrong(".lifetime", "must be between 1m and 24h: until then whoever was removed may go on");
        }
        if section.realm.as_ref().is_some_and(|realm| !is_url(realm)) {
            wrong(".realm", "must be a URL with https:// or http://, without quotes");
        }
    }
    problems.extend(rules(config));
    for group in config.groups.keys().filter(|group| group.starts_with(OF_ISSUERS)) {
        let what = "groups that begin with oidc: are those of an issuer's tokens; call it otherwise";
        problems.push((format!("groups.{group}"), what.to_owned()));
    }
    problems
}

/// Rules about whom nobody can be: one that denies would deny nobody.
fn rules(config: &Config) -> Vec<(String, String)> {
    let mut problems = Vec::new();
    for (rule, entry) in config.access.iter().enumerate() {
        for (index, subject) in entry.subjects.iter().enumerate() {
            if let Some(what) =
                issuer(config, subject).or_else(|| check_certificates::in_file(config, subject))
            {
                problems.push((format!("access.{rule}.subjects.{index}"), what));
            }
        }
    }
    problems
}

/// What is wrong with whom an issuer would name that is not there.
fn issuer(config: &Config, subject: &Subject) -> Option<String> {
    let name = match subject {
        Subject::Oidc { issuer, .. } => issuer,
        Subject::Group(group) => group.strip_prefix(OF_ISSUERS)?.split(':').next()?,
        _ => return None,
    };
    let known = config.oidc.iter().any(|entry| entry.name == name);
    (!known).then(|| format!("there is no issuer {name:?} in oidc: add it, or correct the name"))
}

fn token<'a>(section: &'a Token, known: &mut HashSet<&'a str>, wrong: &mut impl FnMut(&str, String)) {
    if !is_url(&section.realm) {
        wrong(".realm", "must be the URL at which clients get tokens, with https:// or http://".to_owned());
    }
    for (key, text) in
        [(".realm", &section.realm), (".service", &section.service), (".issuer", &section.issuer)]
    {
        if text.is_empty() || is_quoted(text) {
            wrong(key, "must not be empty, and has no quotes, backslashes or control characters".to_owned());
        }
    }
    if !known.insert(&section.issuer) {
        wrong(".issuer", format!("{:?} comes twice: it says which entry a token is for", section.issuer));
    }
    if section.rootcertbundle.is_none() && section.jwks.is_none() {
        wrong("", "needs rootcertbundle or jwks: without keys no token can be verified".to_owned());
    }
}

fn is_url(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    rest.is_some_and(|rest| !rest.is_empty()) && !is_quoted(text)
}

/// Whether it could not stand between quotes of a header.
fn is_quoted(text: &str) -> bool {
    text.contains(['"', '\\']) || text.contains(char::is_control)
}

/// What every issuer has.
fn source<'a>(
    issuer: &'a str,
    audiences: &[String],
    jwks: &Path,
    known: &mut HashSet<&'a str>,
    wrong: &mut impl FnMut(&str, String),
) {
    if !known.insert(issuer) {
        wrong("issuer", format!("{issuer:?} comes twice: it says which entry a token is for"));
    }
    if audiences.is_empty() {
        wrong("audiences", "at least one, or tokens for others would be taken".to_owned());
    }
    if audiences.iter().any(String::is_empty) {
        wrong("audiences", "an audience is not empty".to_owned());
    }
    if jwks.as_os_str().is_empty() {
        wrong("jwks", "must name a file".to_owned());
    }
}

/// It stands between colons in subjects of rules.
fn is_name(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let ends = text.starts_with('-') || text.ends_with('-');
    (1..=LONGEST_NAME).contains(&text.len()) && text.bytes().all(plain) && !ends
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "{name: forge, issuer: 'https://forge.example.com', audiences: [r], jwks: /k}";

    // registry CF2 AU10
    #[test]
    fn what_would_take_tokens_of_anybody_is_told_with_its_place() {
        let cluster = "serviceaccounts:\n  {issuer: kubernetes, audiences: [r], jwks: /k}\n";
        let with = |key: &str, value: &str| {
            let entry = format!("{GOOD}, {key}: {value}").replace("}, ", ", ") + "}";
            let entry = entry.replace("name: forge, ", if key == "name" { "" } else { "name: forge, " });
            match key {
                "issuer" => entry.replace("issuer: 'https://forge.example.com', ", ""),
                "audiences" => entry.replace("audiences: [r], ", ""),
                "jwks" => entry.replace("jwks: /k, ", ""),
                _ => entry,
            }
        };
        for (entry, key, why) in [
            (with("name", "''"), "oidc.0.name", "must be 1 to 63"),
            (with("name", "a:b"), "oidc.0.name", "must be 1 to 63"),
            (with("name", "A"), "oidc.0.name", "must be 1 to 63"),
            (with("name", "-a"), "oidc.0.name", "must be 1 to 63"),
            (with("issuer", "'http://forge.example.com'"), "oidc.0.issuer", "must be an https URL"),
            (with("issuer", "'https://'"), "oidc.0.issuer", "must be an https URL"),
            (with("issuer", "forge"), "oidc.0.issuer", "must be an https URL"),
            (with("audiences", "[]"), "oidc.0.audiences", "at least one"),
            (with("audiences", "['']"), "oidc.0.audiences", "not empty"),
            (with("jwks", "''"), "oidc.0.jwks", "must name a file"),
            (with("usernameclaim", "''"), "oidc.0.usernameclaim", "leave it out"),
            (with("groupsclaim", "''"), "oidc.0.groupsclaim", "leave it out"),
            (with("url", "x"), "oidc.0.url", "unknown field"),
            (format!("{GOOD}\n- {GOOD}"), "oidc.1.name", "comes twice"),
            (format!("{GOOD}\n- {GOOD}"), "oidc.1.issuer", "comes twice"),
        ] {
            let text = format!("oidc:\n- {entry}\n{cluster}");
            let problems = Config::from_yaml("c.yml", &text, []).expect_err(&entry).0;
            let found =
                problems.iter().find(|p| p.key == key).unwrap_or_else(|| panic!("{entry}: {problems:?}"));
            assert!(found.message.contains(why) && found.position.is_some(), "{found}");
        }
        Config::from_yaml("c.yml", &format!("oidc:\n- {GOOD}\n{cluster}"), []).unwrap();
        for (cluster, key) in [
            ("{issuer: 'http://x', audiences: [r], jwks: /k}", "serviceaccounts.issuer"),
            ("{issuer: '', audiences: [r], jwks: /k}", "serviceaccounts.issuer"),
            ("{issuer: 'https://forge.example.com', audiences: [r], jwks: /k}", "serviceaccounts.issuer"),
            ("{issuer: x, audiences: [], jwks: /k}", "serviceaccounts.audiences"),
        ] {
            let text = format!("oidc: [{GOOD}]\nserviceaccounts: {cluster}\n");
            let problems = Config::from_yaml("c.yml", &text, []).expect_err(cluster).0;
            assert_eq!(problems.iter().map(|p| p.key.as_str()).collect::<Vec<_>>(), [key]);
        }
    }

    // registry CF2 CF4 A5
    #[test]
    fn a_token_server_is_named_as_in_distribution() {
        let good = "{realm: 'https://auth/token', service: r, issuer: i, rootcertbundle: /c}";
        let (config, told) = Config::read("c.yml", &format!("auth:\n  token: {good}\n"), []).unwrap();
        assert!(told.is_empty() && config.auth.is_none() && !config.is_open());
        let token = config.token.clone().unwrap();
        assert_eq!((token.service.as_str(), token.rootcertbundle), ("r", Some("/c".into())));
        assert_eq!(Config::from_yaml("c.yml", &config.to_yaml().unwrap(), []).unwrap(), config);
        // As distribution's documentation shows it for containers.
        let variable = |key: &str, value: &str| (format!("REGISTRY_AUTH{key}"), value.to_owned());
        let variables = [
            variable("", "token"),
            variable("_TOKEN_REALM", "https://auth/token"),
            variable("_TOKEN_SERVICE", "r"),
            variable("_TOKEN_ISSUER", "i"),
            variable("_TOKEN_ROOTCERTBUNDLE", "/c"),
        ];
        assert_eq!(Config::from_yaml("c.yml", "", variables).unwrap(), config);
        let with = |from: &str, to: &str| format!("auth:\n  token:\n    {}", good.replace(from, to));
        for (text, key, why, position) in [
            (with("'https://auth/token'", "/token"), "auth.token.realm", "must be the URL", (3, 6)),
            (with("'https://auth/token'", "'https://a\"'"), "auth.token.realm", "no quotes", (3, 6)),
            (with("service: r", "service: ''"), "auth.token.service", "must not be empty", (3, 35)),
            (with(", rootcertbundle: /c", ""), "auth.token", "needs rootcertbundle or jwks", (2, 3)),
            (with("issuer: i", "issuer: i, relam: x"), "auth.token.relam", "unknown field", (3, 58)),
            (
                with("issuer: i", "issuer: i, signingalgorithms: [HS256]"),
                "auth.token.signingalgorithms.0",
                "unknown variant",
                (3, 78),
            ),
            (
                with("issuer: i", "issuer: i, autoredirect: true"),
                "auth.token.autoredirect",
                "not supported: ",
                (3, 58),
            ),
            ("auth:\n  token:\n".to_owned(), "auth.token", "missing field `realm`", (2, 3)),
            (with("", "") + "\n  htpasswd: {path: p}\n", "auth.token", "passwords or for tokens", (2, 3)),
        ] {
            let problems = Config::from_yaml("c.yml", &text, []).expect_err(&text).0;
            let found = problems.iter().find(|p| p.key == key && p.message.contains(why));
            let found = found.unwrap_or_else(|| panic!("{text}: {problems:?}"));
            assert_eq!(found.position, Some(position), "{found}");
        }
        let beside =
            format!("auth: {{token: {good}}}\nserviceaccounts: {{issuer: i, audiences: [r], jwks: /k}}\n");
        assert!(Config::from_yaml("c.yml", &beside, []).unwrap_err().to_string().contains("comes twice"));
    }

    // registry CF2 A8
    #[test]
    fn tokens_of_ones_own_need_accounts_and_end_soon() {
        let file =
            |builtin: &str| format!("auth:\n  htpasswd: {{path: p}}\n  token:\n    builtin: {builtin}\n");
        let config = Config::from_yaml("c.yml", &file("{key: /k, previous: /p}"), []).unwrap();
        assert_eq!(config.builtin.as_ref().unwrap().lifetime.0, Duration::from_secs(300));
        assert!(config.token.is_none() && config.auth.is_some());
        assert_eq!(Config::from_yaml("c.yml", &config.to_yaml().unwrap(), []).unwrap(), config);
        for (text, key, why) in [
            (file("{key: /k, lifetime: 59s}"), "auth.token.builtin.lifetime", "between 1m and 24h"),
            (file("{key: /k, lifetime: 25h}"), "auth.token.builtin.lifetime", "between 1m and 24h"),
            (file("{key: /k, realm: /token}"), "auth.token.builtin.realm", "must be a URL"),
            (file("{key: /k, keys: x}"), "auth.token.builtin.keys", "unknown field"),
            (file(""), "auth.token.builtin", "missing field `key`"),
            (
                file("{key: /k}").replace("  htpasswd: {path: p}\n", ""),
                "auth.token.builtin",
                "needs auth.htpasswd",
            ),
            (
                file("{key: /k}") + "serviceaccounts: {issuer: registry-server, audiences: [r], jwks: /j}\n",
                "serviceaccounts.issuer",
                "comes twice",
            ),
            (
                file("{key: /k}") + "    realm: 'https://a'\n    service: s\n    issuer: i\n    jwks: /j\n",
                "auth.token.builtin",
                "stands alone",
            ),
        ] {
            let problems = Config::from_yaml("c.yml", &text, []).expect_err(&text).0;
            let found = problems.iter().find(|p| p.key == key && p.message.contains(why));
            assert!(
                found.unwrap_or_else(|| panic!("{text}: {problems:?}")).position.is_some(),
                "{problems:?}"
            );
        }
    }

    #[test]
    fn a_rule_about_an_issuer_that_is_not_there_is_told() {
        let file = |subject: &str| {
            format!(
                "oidc: [{GOOD}]\naccess:\n- {{subjects: [authenticated, '{subject}'], repositories: ['**'], actions: [pull], effect: deny}}\n"
            )
        };
        for subject in ["oidc:froge:bad", "group:oidc:froge:dev"] {
            let problems = Config::from_yaml("c.yml", &file(subject), []).expect_err(subject).0;
            assert_eq!(problems[0].key, "access.0.subjects.1");
            assert!(
                problems[0].message.contains("\"froge\"") && problems[0].position.is_some(),
                "{problems:?}"
            );
        }
        for subject in ["oidc:forge:bad", "group:oidc:forge:dev", "group:dev", "serviceaccount:a/b"] {
            Config::from_yaml("c.yml", &file(subject), []).expect(subject);
        }
    }

    #[test]
    fn a_group_of_ones_own_is_not_called_like_an_issuers() {
        let problems = Config::from_yaml("c.yml", "groups:\n  oidc:forge:dev: [ann]\n", []).unwrap_err().0;
        assert_eq!((problems[0].key.as_str(), problems[0].position), ("groups.oidc:forge:dev", Some((2, 3))));
    }
}
