//! Section 9: lines of a password file, seen from outside.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;

use crate::{
    running::{Running, eventually},
    server,
};

// registry A16 CF5: nobody could log in, and the servers before this one still know the last good accounts
#[test]
fn a_password_file_without_a_usable_line_ends_the_start_and_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let (file, config) = (folder.path().join("htpasswd"), folder.path().join("c.yml"));
    let text = format!("storage: {{inmemory: }}\nauth: {{htpasswd: {{path: '{}'}}}}\n", file.display());
    std::fs::write(&config, text).unwrap();
    let many: String = (1..=12).map(|i| format!("user{i}:plain\n")).collect();
    for (lines, told) in [
        ("", &["it is empty"][..]),
        ("# nobody yet\n\n", &["it is empty"]),
        (
            "des:rl5uQmS3bzBLU\n\nhunter2\nann:$2y$05$short\n",
            &[
                "line 1 (des): DES crypt is not accepted; line 3: no user name; line 4 (ann): malformed bcrypt hash",
            ],
        ),
        (&many, &["line 10 (user10): plain text or unknown hash; and 2 more"]),
    ] {
        std::fs::write(&file, lines).unwrap();
        let output = server().arg("serve").arg(&config).assert().code(78);
        let error = String::from_utf8_lossy(&output.get_output().stderr).into_owned();
        let named = format!("auth.htpasswd.path: {} has no usable account: ", file.display());
        assert!(error.contains(&named), "{error}");
        for told in told {
            assert!(error.contains(told), "{told} in {error}");
        }
        assert!(!error.contains("hunter2") && !error.contains("rl5u"), "{error}");
    }
}

/// A line of each kind that logs in with `secret`.
fn good_lines() -> String {
    let hash = bcrypt::hash_with_result("secret", 4).unwrap();
    let bcrypt = [bcrypt::Version::TwoY, bcrypt::Version::TwoA, bcrypt::Version::TwoB];
    let mut good = bcrypt.map(|version| hash.format_for_version(version)).to_vec();
    good.extend([
        "$apr1$abcdefgh$h9FWgUz3n9YxylKLlR5SQ/".to_owned(),
        "$1$abcdefgh$cHJi5PXp/ki/ktXzqlk6I1".to_owned(),
        "{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=".to_owned(),
        "$5$abcdefgh$gruCpC7VkOTspMQTTSAR8mtlO9Upms.fwqE5y16JVM.".to_owned(),
        "$6$abcdefgh$ltjgWl6579NluT/Vi1nwEvcil.G5Nbc4NiXZaNGStk8PSwGfQv72N2CKPPrVACtLtip/cZ/1GM/O6IND4WQhG."
            .to_owned(),
    ]);
    good.iter().enumerate().map(|(i, hash)| format!("user{i}:{hash}\n")).collect()
}

// registry A16: below the floor of bcrypt, at the start and when the file changes
#[test]
fn a_hash_below_the_minimum_does_not_log_in() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("htpasswd");
    std::fs::write(&file, good_lines()).unwrap();
    let config = format!(
        "log: {{formatter: json}}\nstorage: {{inmemory: }}\n\
         auth: {{htpasswd: {{path: '{}', minimumhash: bcrypt}}}}\n",
        file.display()
    );
    std::fs::write(folder.path().join("c.yml"), config).unwrap();
    let running = Running::start(folder.path(), &["c.yml"]);
    let counted = |lines: usize| {
        running.admin("/metrics").contains(&format!("registry_htpasswd_unusable_lines {lines}\n"))
    };
    let logins = || (0..8).map(|i| login(&running, &format!("user{i}"))).collect::<Vec<_>>();
    assert!(counted(5));
    assert_eq!(logins(), ["200", "200", "200", "401", "401", "401", "401", "401"]);
    std::fs::write(&file, format!("{}late:{{SHA}}5en6G6MezRroT3XKqkdPOmY/BfQ=\n", good_lines())).unwrap();
    eventually(|| counted(6));
    assert_eq!((login(&running, "late").as_str(), login(&running, "user0").as_str()), ("401", "200"));
}

/// The status that `user` gets with the right password.
fn login(running: &Running, user: &str) -> String {
    let login = STANDARD.encode(format!("{user}:secret"));
    let answer = running.ask(&format!("GET /v2/ HTTP/1.1\nauthorization: Basic {login}"));
    answer.split(' ').nth(1).unwrap().to_owned()
}

// registry A16
#[test]
fn lines_that_cannot_be_used_are_told_and_the_others_log_in() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("htpasswd");
    let (good, bad) = (good_lines(), "des:rl5uQmS3bzBLU\nplain:secret\ngarbage\n");
    std::fs::write(&file, format!("{bad}{good}")).unwrap();
    let config = format!(
        "log: {{formatter: json}}\nstorage: {{inmemory: }}\nauth: {{htpasswd: {{path: '{}'}}}}\n",
        file.display()
    );
    std::fs::write(folder.path().join("c.yml"), config).unwrap();
    let running = Running::start(folder.path(), &["c.yml"]);
    let login = |user: &str| login(&running, user);
    for i in 0..8 {
        assert_eq!(login(&format!("user{i}")), "200", "user{i}");
    }
    for user in ["des", "plain", "garbage"] {
        assert_eq!(login(user), "401", "{user}");
    }
    let counted = |lines: usize| {
        running.admin("/metrics").contains(&format!("registry_htpasswd_unusable_lines {lines}\n"))
    };
    assert!(counted(3));
    std::fs::write(
        &file,
        format!("{good}{bad}late:{{SHA}}5en6G6MezRroT3XKqkdPOmY/BfQ=\nworse:$2y$05$short\n"),
    )
    .unwrap();
    eventually(|| counted(4));
    assert_eq!(
        (login("late").as_str(), login("user0").as_str(), login("worse").as_str()),
        ("200", "200", "401")
    );
    let (code, log) = running.end();
    assert_eq!(code, Some(0));
    let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let told: Vec<_> = lines.filter(|line| line["message"] == "password line is not used").collect();
    let told: Vec<_> = told
        .iter()
        .map(|line| {
            assert_eq!(line["file"], file.to_str().unwrap());
            (line["line"].as_u64().unwrap(), line["user"].as_str().unwrap(), line["reason"].as_str().unwrap())
        })
        .collect();
    let (des, plain) = ("DES crypt is not accepted", "plain text or unknown hash");
    assert_eq!(
        told,
        [
            (1, "des", des),
            (2, "plain", plain),
            (3, "", "no user name"),
            (9, "des", des),
            (10, "plain", plain),
            (11, "", "no user name"),
            (13, "worse", "malformed bcrypt hash"),
        ]
    );
    assert!(!log.contains("secret"), "{log}");
}
