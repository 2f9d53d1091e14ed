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

// operator 121: secret values are in Secrets and nowhere else
#[tokio::test]
async fn no_secret_leaves_its_secret() {
    let world = World::new(SIX_LINES);
    world.settle().await;
    let mut values = vec![world.secret("team.admin", "password"), world.secret("team-redisauth", "password")];
    values.push(world.secret("team-tls", "tls.key").lines().nth(1).unwrap().to_owned());
    values.push(world.secret("team-ca", "tls.key").lines().nth(1).unwrap().to_owned());
    let objects = world.api.objects();
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
