//! What is wrong with rules about names in certificates.

use crate::schema::{ClientIdentity, Config, Subject};

/// What is wrong with whom no certificate would name, as far as this file says. One without `http.tls` may be a live
/// file, which does not say.
pub fn in_file(config: &Config, subject: &Subject) -> Option<String> {
    config.http.tls.as_ref().and_then(|tls| wrong(tls.clientidentity, subject))
}

/// Rules about certificates that nobody has, of a configuration that is whole: each with its place, and why.
pub fn nobody(config: &Config) -> Vec<String> {
    let kind = config.http.tls.as_ref().map_or(ClientIdentity::None, |tls| tls.clientidentity);
    let mut found = Vec::new();
    for (rule, entry) in config.access.iter().enumerate() {
        for (index, subject) in entry.subjects.iter().enumerate() {
            found.extend(wrong(kind, subject).map(|why| format!("access.{rule}.subjects.{index}: {why}")));
        }
    }
    found
}

fn wrong(kind: ClientIdentity, subject: &Subject) -> Option<String> {
    let Subject::Certificate(name) = subject else { return None };
    let capital = |name: String| name.contains(|c: char| c.is_ascii_uppercase());
    match kind {
        ClientIdentity::None => {
            Some("certificates name nobody: set http.tls.clientcas and http.tls.clientidentity".to_owned())
        }
        ClientIdentity::Dns if capital(name.clone().into()) => {
            Some("names of hosts are compared in small letters: write it so".to_owned())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // registry CF2 TL4
    #[test]
    fn a_rule_about_a_certificate_that_names_nobody_is_told() {
        let file = |tls: &str, name: &str| {
            format!(
                "{tls}\naccess:\n- {{subjects: [authenticated, 'cert:{name}'], repositories: ['**'], actions: [pull]}}\n"
            )
        };
        let tls = |kind: &str| {
            format!("http: {{tls: {{certificate: c, key: k, clientcas: [a], clientidentity: {kind}}}}}")
        };
        for (kind, name, why) in
            [("none", "a", "http.tls.clientidentity"), ("dns", "*.Example.com", "small letters")]
        {
            let problems = Config::from_yaml("c.yml", &file(&tls(kind), name), []).expect_err(kind).0;
            assert_eq!((problems.len(), problems[0].key.as_str()), (1, "access.0.subjects.1"));
            assert!(problems[0].message.contains(why) && problems[0].position.is_some(), "{problems:?}");
        }
        let live = String::new();
        for (tls, name) in [(tls("dns"), "*.example.com"), (tls("uri"), "spiffe://A/b"), (live, "A")] {
            Config::from_yaml("c.yml", &file(&tls, name), []).expect(name);
        }
    }

    // registry CF2 TL4: only the whole configuration says whether there are certificates
    #[test]
    fn without_tls_a_rule_about_a_certificate_is_about_nobody() {
        let rule =
            |subjects: &str| format!("{{subjects: [{subjects}], repositories: ['**'], actions: [pull]}}");
        let rules = format!("access: [{}, {}]\n", rule("authenticated"), rule("'user:ann', 'cert:Builder'"));
        let read = |text: &str| Config::from_yaml("c.yml", text, []).unwrap();
        let tls = |kind: &str| {
            read(&format!(
                "http: {{tls: {{certificate: c, key: k, clientcas: [a], clientidentity: {kind}}}}}"
            ))
        };
        let live = read(&rules);
        for (main, why) in [
            (Config::default(), "set http.tls.clientcas and http.tls.clientidentity"),
            (tls("none"), "set http.tls.clientcas and http.tls.clientidentity"),
            (tls("dns"), "small letters"),
        ] {
            let found = nobody(&main.with_live(&live));
            assert_eq!(found.len(), 1, "{found:?}");
            assert!(found[0].starts_with("access.1.subjects.1: ") && found[0].contains(why), "{found:?}");
        }
        assert_eq!(nobody(&tls("uri").with_live(&live)), Vec::<String>::new());
        assert_eq!(nobody(&Config::default()), Vec::<String>::new());
    }
}
