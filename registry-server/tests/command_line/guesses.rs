//! Section 9, AU4: whoever guesses does not learn which accounts there are.

use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::running::Running;

const GUESSES: usize = 50;
/// Fewer wrong passwords for each of them than an account may have.
const ACCOUNTS: usize = 5;
const HASHES: &str = "registry_password_hashes_total";

/// How many hashes a password was compared with in these logins, which are all answered so.
fn hashed(running: &Running, logins: impl Iterator<Item = String>, status: u16) -> f64 {
    let count = || running.metric(HASHES).unwrap_or_default();
    let before = count();
    for login in logins {
        let get = format!("GET /v2/ HTTP/1.1\nauthorization: Basic {}", STANDARD.encode(login));
        let answer = running.ask(&get);
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
    }
    count() - before
}

// registry AU4: shown by what is done, and not by how long it took
#[test]
fn a_name_that_is_no_account_costs_as_many_hashes_as_a_wrong_password() {
    let folder = tempfile::tempdir().unwrap();
    let hash = bcrypt::hash("secret-canary", 4).unwrap();
    let lines: String = (0..ACCOUNTS).map(|number| format!("account{number}:{hash}\n")).collect();
    std::fs::write(folder.path().join("htpasswd"), lines).unwrap();
    let text = "storage: {inmemory: {}}\nauth: {htpasswd: {path: htpasswd}}\n";
    std::fs::write(folder.path().join("c.yml"), text).unwrap();
    let running = Running::start(folder.path(), &["c.yml"]);
    let wrong = |name: &'static str, names: usize| {
        (0..GUESSES).map(move |guess| format!("{name}{}:guess{guess}", guess % names))
    };
    assert_eq!(hashed(&running, wrong("account", ACCOUNTS), 401), GUESSES as f64);
    assert_eq!(hashed(&running, wrong("nobody", GUESSES), 401), GUESSES as f64);
    // The hash that it was compared with is somebody else's, and opens nothing.
    let right = |name: &str| std::iter::once(format!("{name}:secret-canary"));
    assert_eq!(hashed(&running, right("nobody"), 401), 1.0);
    assert_eq!(hashed(&running, right("account0").chain(right("account0")), 200), 1.0);
}
