//! What is secret stands in Secrets and nowhere else: not in other objects, in what they say of themselves, or in logs.

use std::{collections::BTreeMap, fs::OpenOptions, io::Write};

use anyhow::Result;
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::Value;

use crate::{
    kubectl::{get, kubectl},
    process::run,
};

/// What the operator has made; with those that people write beside them.
const OURS: &str = "app.kubernetes.io/managed-by=privateregistry-operator";
/// Shorter ones stand anywhere.
const SHORTEST: usize = 12;

/// Where something tells what one of the namespace's Secrets holds, and is none. What the operator logs is looked through
/// at the end of the suite, for what this writes down in the file that `CANARIES` names.
pub fn told(namespace: &str) -> Result<Vec<String>> {
    let secrets = secrets(&get(namespace, &["secrets"])?);
    if let Some(file) = std::env::var_os("CANARIES") {
        let lines: String = secrets.keys().map(|value| format!("{value}\n")).collect();
        OpenOptions::new().create(true).append(true).open(file)?.write_all(lines.as_bytes())?;
    }
    let ours = get(namespace, &["deployments,replicasets,pods,configmaps,services", "-l", OURS])?;
    let said = get(namespace, &["privateregistries,events"])?;
    let logs = [
        "-n",
        namespace,
        "logs",
        "-l",
        OURS,
        "--all-containers",
        "--tail=-1",
        "--ignore-errors",
        "--max-log-requests=99",
    ];
    let logs = run(&mut kubectl(&logs))?;
    let places = [("objects", ours.to_string()), ("status and Events", said.to_string()), ("logs", logs)];
    let found = places.iter().flat_map(|(place, text)| {
        let told = secrets.iter().filter(|(value, _)| text.contains(*value));
        told.map(move |(_, name)| format!("{place}: {name}"))
    });
    Ok(found.collect())
}

/// What nobody may know, and where it stands.
fn secrets(list: &Value) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    for secret in list["items"].as_array().into_iter().flatten() {
        for (key, value) in secret["data"].as_object().into_iter().flatten() {
            let bytes = STANDARD.decode(value.as_str().unwrap_or_default()).unwrap_or_default();
            for value in hidden(key, &String::from_utf8_lossy(&bytes)) {
                all.insert(
                    value,
                    format!("{}/{key}", secret["metadata"]["name"].as_str().unwrap_or_default()),
                );
            }
        }
    }
    all
}

/// The words of an entry that are secret.
fn hidden(key: &str, text: &str) -> Vec<String> {
    let lines = || text.lines().map(str::to_owned);
    let words: Vec<String> = match key {
        "password" | "previous" | "sentinel-password" => vec![text.trim().to_owned()],
        "htpasswd" => lines().filter_map(|line| Some(line.split_once(':')?.1.to_owned())).collect(),
        ".dockerconfigjson" => {
            let file: Value = serde_json::from_str(text).unwrap_or_default();
            let logins = file["auths"].as_object().into_iter().flatten();
            logins
                .flat_map(|(_, login)| [&login["password"], &login["auth"]])
                .filter_map(|one| Some(one.as_str()?.to_owned()))
                .collect()
        }
        key if key.ends_with(".key") || key.ends_with(".pem") => in_the_middle(text),
        _ => Vec::new(),
    };
    words.into_iter().filter(|word| word.len() >= SHORTEST).collect()
}

/// The line before the last one of a private key: the last one may be of its public half, which certificates hold as well, and so
/// may the first ones of an RSA key.
fn in_the_middle(text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with("--")).collect();
    lines.iter().rev().nth(1).or(lines.first()).map(|line| (*line).to_owned()).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_secret_of_an_entry() {
        let login = r#"{"auths":{"registry.example.com":
            {"username":"a-user-of-it","password":"of-the-login","auth":"YTpvZi10aGUtbG9naW4="}}}"#;
        for (key, text, expected) in [
            ("password", "correct horse\n", vec!["correct horse"]),
            ("password", "short", vec![]),
            ("username", "somebody-by-name", vec![]),
            ("htpasswd", "ann:$2b$04$abcdefgh\nno line\n", vec!["$2b$04$abcdefgh"]),
            (".dockerconfigjson", login, vec!["of-the-login", "YTpvZi10aGUtbG9naW4="]),
            (
                "tls.key",
                "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMG\n-----END PRIVATE KEY-----\n",
                vec!["MIGHAgEAMBMG"],
            ),
            ("tls.crt", "-----BEGIN CERTIFICATE-----\nMIIBszCCAVmg\n-----END CERTIFICATE-----\n", vec![]),
        ] {
            assert_eq!(hidden(key, text), expected, "{key}");
        }
    }
}
