//! Passwords and the files made of them.

use serde_json::json;

use crate::world::{SIX_LINES, World};

// operator 5: lines stay byte for byte, also when their Secret is written without a change of the password
#[tokio::test]
async fn a_password_line_stays_while_it_verifies() {
    let world = World::new(SIX_LINES);
    world.settle().await;
    let file = || world.secret("team-htpasswd", "htpasswd");
    let before = file();
    world.api.change("secrets/team.admin", |secret| secret["metadata"]["labels"]["mine"] = "yes".into());
    world.settle().await;
    assert_eq!(file(), before);
    world.set_secret("team.admin", "password", "another");
    world.settle().await;
    assert_ne!(file(), before);
    let kept = |text: &str| text.lines().find(|line| line.starts_with("preg-pull")).unwrap().to_owned();
    assert_eq!(kept(&file()), kept(&before));
}

// A file that somebody edited is made again from the passwords.
#[tokio::test]
async fn an_edited_password_file_is_put_back() {
    let world = World::new(SIX_LINES);
    world.settle().await;
    world.set_secret(
        "team-htpasswd",
        "htpasswd",
        "admin:$2b$10$forged\nmallory:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=\n",
    );
    world.settle().await;
    let file = world.secret("team-htpasswd", "htpasswd");
    assert!(!file.contains("mallory") && !file.contains("forged"), "{file}");
    assert_eq!(file.lines().count(), 2);
}

/// What in a Secret is no secret: certificates are published, and names are names.
const PUBLIC: [&str; 5] = ["ca.crt", "tls.crt", "next.crt", "previous.crt", "username"];

/// Every line that is secret, of every Secret of the registry.
fn secret_lines(world: &World) -> Vec<String> {
    let objects = world.api.objects();
    let all = objects.iter().filter_map(|(path, object)| Some((path.split("/secrets/").nth(1)?, object)));
    let keys = all.flat_map(|(name, object)| {
        object["data"].as_object().unwrap().keys().map(move |key| (name.to_owned(), key.clone()))
    });
    let mut lines = Vec::new();
    for (name, key) in keys.filter(|(_, key)| !PUBLIC.contains(&key.as_str())) {
        let text = world.secret(&name, &key);
        // A pull Secret is a document with a password in it, and with names.
        let words: Vec<&str> = if name.ends_with("-pull") {
            text.split('"').filter(|word| !word.contains('.')).collect()
        } else {
            text.lines().collect()
        };
        let secret = words.iter().filter(|word| word.len() > 24 && !word.starts_with('-'));
        lines.extend(secret.map(|word| (*word).to_owned()));
    }
    lines
}

// operator 121: what is in any Secret that the operator makes is nowhere else
#[tokio::test]
async fn no_secret_leaves_its_secret() {
    let mut world = World::new("{storage: {filesystem: {size: 1Gi}}, auth: {token: {builtIn: {}}}}");
    world.settle().await;
    world.annotate("privateregistry.dev/rotate-ca", "now");
    world.annotate("privateregistry.dev/rotate-credentials", "now");
    world.settle().await;
    let (values, objects) = (secret_lines(&world), world.api.objects());
    let names: Vec<&str> = objects.keys().filter_map(|path| path.split("/secrets/").nth(1)).collect();
    let kinds = [
        "team-ca",
        "team-htpasswd",
        "team-pull",
        "team-redisauth",
        "team-tls",
        "team-tokenkeys",
        "team.admin",
    ];
    assert_eq!(names, kinds);
    assert!(values.len() > 20, "only {} lines", values.len());
    let open = objects.iter().filter(|(path, _)| !path.contains("/secrets/"));
    for (path, object) in open {
        for value in &values {
            assert!(!object.to_string().contains(value), "{path}");
        }
    }
    for event in world.api.events() {
        assert!(values.iter().all(|value| !event.contains(value)), "{event}");
    }
}

// A kept Secret that lost its password waits for the user; a copy under another name is the user's.
#[tokio::test]
async fn secrets_of_accounts_and_copies_are_never_pruned() {
    let mut world = World::new(SIX_LINES);
    world.settle().await;
    let pull = world.api.objects()["/api/v1/namespaces/tools/secrets/team-pull"].clone();
    world.api.put("/api/v1/namespaces/tools/secrets/my-copy", pull);
    world.api.change("secrets/team.admin", |secret| {
        drop(secret["data"].as_object_mut().unwrap().remove("password"))
    });
    world.set_spec("readOnly", true.into());
    world.settle().await;
    assert_eq!(world.condition("CredentialsReady"), "False/SecretNotFound");
    let objects = world.api.objects();
    assert!(objects.contains_key("/api/v1/namespaces/tools/secrets/team.admin"));
    assert!(objects.contains_key("/api/v1/namespaces/tools/secrets/my-copy"));
}

// operator 94: another key of the same Secret is another password
#[tokio::test]
async fn another_key_of_the_same_secret_is_taken_over() {
    let users = |key: &str| json!({"htpasswd": {"users": [{"name": "dev", "passwordSecretRef": {"name": "pw", "key": key}}]}});
    let mut world = World::new("storage: {ephemeral: {}}");
    world.api.put(
        "/api/v1/namespaces/tools/secrets/pw",
        json!({"apiVersion": "v1", "kind": "Secret",
        "metadata": {"name": "pw", "namespace": "tools"}, "data": {"old": "b2xk", "new": "bmV3"}}),
    );
    world.set_spec("auth", users("old"));
    world.settle().await;
    let before = world.secret("team-htpasswd", "htpasswd");
    world.set_spec("auth", users("new"));
    world.settle().await;
    assert_ne!(world.secret("team-htpasswd", "htpasswd"), before);
}

// operator 46: both passwords work during the overlap, and pull Secrets follow at once
#[tokio::test]
async fn passwords_are_rotated_with_an_overlap() {
    let mut world = World::new(
        "{storage: {ephemeral: {}}, auth: {htpasswd: {users: [{name: ci, rotateEvery: 720h, overlap: 24h}, {name: ann}]}}}",
    );
    world.settle().await;
    let lines = |world: &World, user: &str| {
        let file = world.secret("team-htpasswd", "htpasswd");
        file.lines()
            .filter(|line| line.starts_with(&format!("{user}:")))
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let (first, ann) = (world.secret("team.ci", "password"), lines(&world, "ann"));
    world.now += 720 * 3600 + 1;
    world.settle().await;
    assert_ne!(world.secret("team.ci", "password"), first);
    assert_eq!(world.secret("team.ci", "previous"), first);
    assert_eq!((lines(&world, "ci").len(), lines(&world, "ann")), (2, ann));
    world.now += 24 * 3600 + 1;
    world.settle().await;
    assert_eq!(lines(&world, "ci").len(), 1);

    let pull = world.secret("team-pull", ".dockerconfigjson");
    world.annotate("privateregistry.dev/rotate-credentials", "now");
    world.settle().await;
    assert_ne!(world.secret("team-pull", ".dockerconfigjson"), pull);
    assert_eq!((lines(&world, "ann").len(), lines(&world, "preg-pull").len()), (2, 2));
    assert!(
        world.api.events().iter().any(|event| event.starts_with("CredentialsRotated")),
        "{:?}",
        world.api.events()
    );
}
