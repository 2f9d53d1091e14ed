//! A token server of the user's takes the place of accounts: the pods get its public keys from a ConfigMap.

use registry_config::schema::Config;
use serde_json::{Value, json};

use crate::{
    oidc::keys,
    world::{OBJECT, SIX_LINES, World},
};

const MAP: &str = "/api/v1/namespaces/tools/configmaps/auth-keys";
/// Secrets that are there because of accounts.
const ACCOUNTS: [&str; 3] = ["team-htpasswd", "team-pull", "team.admin"];

fn put(world: &World, key: &str, text: &str) {
    world.api.put(
        MAP,
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "auth-keys", "namespace": "tools"},
            "data": {key: text}}),
    );
}

fn external(issuer: &str, reference: &str) -> Value {
    json!({"token": {"external": {"realm": "https://auth.example.com/token", "service": "registry", "issuer": issuer,
        reference: {"name": "auth-keys", "key": if reference == "jwksRef" { "jwks.json" } else { "ca.crt" }}}}})
}

fn certificate() -> String {
    let key = rcgen::KeyPair::generate().unwrap();
    rcgen::CertificateParams::new(["auth".to_owned()]).unwrap().self_signed(&key).unwrap().pem()
}

/// What the ConfigMap holds that pods mount as this volume.
fn mounted(world: &World, volume: &str) -> Option<Value> {
    let objects = world.api.objects();
    let deployment = &objects["/apis/apps/v1/namespaces/tools/deployments/team-registry"];
    let volumes = deployment["spec"]["template"]["spec"]["volumes"].as_array().unwrap();
    let volume = volumes.iter().find(|found| found["name"] == volume)?;
    let name = volume["configMap"]["name"].as_str().unwrap();
    Some(objects.get(&format!("/api/v1/namespaces/tools/configmaps/{name}"))?["data"].clone())
}

/// A file of the server's that is in there.
fn file(world: &World, volume: &str, key: &str) -> Config {
    Config::from_yaml(key, mounted(world, volume).unwrap()[key].as_str().unwrap(), []).unwrap()
}

/// The boot file that pods are started with.
fn boot(world: &World) -> Config {
    file(world, "boot", "config.yml")
}

/// ConfigMaps of keys and of live settings, for whatever pods.
fn maps(world: &World) -> Vec<String> {
    let names = world.api.objects().into_keys();
    let names = names
        .filter_map(|path| path.strip_prefix("/api/v1/namespaces/tools/configmaps/team-").map(str::to_owned));
    names.filter(|name| name.starts_with("tokens-") || name.starts_with("live")).collect()
}

/// What the pods find in the file of keys that their boot file names.
fn handed_on(world: &World) -> Option<String> {
    let token = boot(world).token?;
    let path = token.jwks.or(token.rootcertbundle).unwrap();
    assert_eq!(path.parent().unwrap(), "/etc/registry/tokens");
    let data = mounted(world, "tokens")?;
    Some(data[path.file_name().unwrap().to_str().unwrap()].as_str()?.replace('\r', ""))
}

/// Those of [`ACCOUNTS`] that are there.
fn accounts(world: &World) -> Vec<&'static str> {
    let objects = world.api.objects();
    let there = |name: &&str| objects.contains_key(&format!("/api/v1/namespaces/tools/secrets/{name}"));
    ACCOUNTS.into_iter().filter(there).collect()
}

#[tokio::test]
async fn a_token_server_takes_the_place_of_accounts_and_gives_it_back() {
    let mut world = World::new(SIX_LINES);
    world.settle().await;
    assert_eq!(accounts(&world), ACCOUNTS);
    put(&world, "jwks.json", &keys("first"));
    world.set_spec("auth", external("auth.example.com", "jwksRef"));
    world.pass().await.unwrap();
    assert_eq!(accounts(&world), ACCOUNTS, "pods that have not been replaced need them");
    world.settle().await;
    let file = boot(&world);
    let token = file.token.clone().unwrap();
    assert!(file.auth.is_none());
    let said = (token.realm.as_str(), token.service.as_str(), token.issuer.as_str());
    assert_eq!(said, ("https://auth.example.com/token", "registry", "auth.example.com"));
    assert_eq!(handed_on(&world), Some(keys("first")));
    assert_eq!(accounts(&world), [""; 0]);
    assert_eq!(world.condition("Ready"), "True/AllReady");
    assert!(world.message("CredentialsReady").contains("https://auth.example.com/token"));
    assert!(world.api.objects()[OBJECT]["status"]["accounts"].is_null());
    put(&world, "jwks.json", &keys("second"));
    world.settle().await;
    assert_eq!(handed_on(&world), Some(keys("second")));
    assert_eq!(boot(&world), file, "running pods take it over");
    let certificate = certificate();
    // A key beside it is nobody's business.
    put(&world, "ca.crt", &format!("{certificate}{}", rcgen::KeyPair::generate().unwrap().serialize_pem()));
    world.set_spec("auth", external("auth.example.com", "rootCertBundleRef"));
    world.settle().await;
    assert!(boot(&world).token.unwrap().rootcertbundle.is_some());
    assert_eq!(handed_on(&world), Some(certificate.replace('\r', "")));
    world.set_spec("auth", json!({}));
    world.pass().await.unwrap();
    assert!(
        maps(&world).iter().any(|name| name.starts_with("tokens-")),
        "pods that have not been replaced need it"
    );
    world.settle().await;
    assert_eq!(maps(&world), ["live"]);
    assert_eq!(accounts(&world), ACCOUNTS);
    assert!(boot(&world).auth.is_some() && boot(&world).token.is_none());
}

// guarantee 5: running pods are not replaced by such as let nobody in, and bad keys never replace good ones
#[tokio::test]
async fn until_there_are_keys_all_stays_as_it_is() {
    let mut world = World::new(SIX_LINES);
    world.settle().await;
    let before = (boot(&world), world.secret("team.admin", "password"));
    for (reference, bad, said) in [
        ("jwksRef", "no json", "is no JSON"),
        ("jwksRef", r#"{"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}"#, "private key"),
        ("rootCertBundleRef", "no certificate", "has no readable certificate"),
    ] {
        world.api.remove(MAP);
        world.set_spec("auth", external("auth.example.com", reference));
        world.settle().await;
        let message = world.message("CredentialsReady");
        assert!(message.contains("in a ConfigMap auth-keys") && message.contains(reference), "{message}");
        put(&world, if reference == "jwksRef" { "jwks.json" } else { "ca.crt" }, bad);
        world.settle().await;
        assert_eq!(world.condition("CredentialsReady"), "False/IssuerUnavailable");
        let message = world.message("CredentialsReady");
        assert!(message.contains(said) && !message.contains("c2VjcmV0"), "{message}");
        assert_eq!((boot(&world), world.secret("team.admin", "password")), before);
        assert_eq!(accounts(&world), ACCOUNTS);
        assert_eq!(world.api.objects()[OBJECT]["status"]["accounts"]["adminSecretName"], "team.admin");
    }
    world.set_spec("auth", external("auth.example.com", "jwksRef"));
    put(&world, "jwks.json", &keys("good"));
    world.settle().await;
    let good = boot(&world);
    put(&world, "jwks.json", "no json");
    world.settle().await;
    assert_eq!(world.condition("CredentialsReady"), "False/IssuerUnavailable");
    assert_eq!(handed_on(&world), Some(keys("good")));
    // What another server has signed by is nobody's word for the next one.
    world.set_spec("auth", external("other.example.com", "jwksRef"));
    world.settle().await;
    assert_eq!((boot(&world), handed_on(&world)), (good, Some(keys("good"))));
}

/// The pods are not replaced for now.
fn hold(world: &mut World) {
    world.set_spec("image", json!({"reference": "knows-less:1"}));
}

/// They are from now on.
async fn let_go(world: &mut World) {
    assert_eq!(world.condition("Progressing"), "False/RolloutBlocked");
    world.set_spec("image", Value::Null);
    world.settle().await;
    assert_eq!(world.condition("Ready"), "True/AllReady");
}

// guarantee 5: a pod that stays for now and is started again finds the keys that its boot file names
#[tokio::test]
async fn pods_that_stay_keep_the_keys_that_they_were_started_with() {
    let mut world = World::new(SIX_LINES);
    put(&world, "jwks.json", &keys("first"));
    world.set_spec("auth", external("auth.example.com", "jwksRef"));
    world.settle().await;
    let before = boot(&world);
    let certificate = certificate();
    for (issuer, reference, key, text) in [
        ("other.example.com", "jwksRef", "jwks.json", keys("second")),
        ("auth.example.com", "rootCertBundleRef", "ca.crt", certificate.clone()),
    ] {
        put(&world, key, &text);
        hold(&mut world);
        world.set_spec("auth", external(issuer, reference));
        world.settle().await;
        assert_eq!((boot(&world), handed_on(&world)), (before.clone(), Some(keys("first"))), "{issuer}");
    }
    let_go(&mut world).await;
    assert_ne!(boot(&world), before);
    assert_eq!(handed_on(&world), Some(certificate.replace('\r', "")));
    let left = maps(&world);
    assert!(left.len() == 2 && left[0].starts_with("livetokens-"), "{left:?}");
}

// guarantee 5: accounts of pods that stay for now may do what they might before, and not everything because a token server
// is to decide
#[tokio::test]
async fn rules_and_groups_stay_with_the_pods_that_have_accounts() {
    let mut world = World::new(SIX_LINES);
    let rule = json!({"subjects": ["group:ops"], "repositories": ["team/**"], "actions": ["Push"]});
    let accounts = json!({"htpasswd": {"users": [{"name": "ann", "groups": ["ops"]}]}, "access": [rule]});
    world.set_spec("auth", accounts.clone());
    world.settle().await;
    let live = |world: &World| file(world, "live", "live.yml");
    let before = live(&world);
    assert!(!before.access.is_empty() && !before.groups.is_empty());
    world.set_spec("auth", external("auth.example.com", "jwksRef"));
    world.settle().await;
    assert_eq!(world.condition("CredentialsReady"), "False/IssuerUnavailable");
    assert_eq!(live(&world), before, "there are no keys yet");
    put(&world, "jwks.json", &keys("first"));
    hold(&mut world);
    world.settle().await;
    assert_eq!(live(&world), before, "pods stay");
    let_go(&mut world).await;
    assert!(live(&world).access.is_empty() && live(&world).groups.is_empty());
    hold(&mut world);
    world.set_spec("auth", accounts);
    world.settle().await;
    assert!(
        boot(&world).token.is_some() && live(&world).access.is_empty(),
        "rules for accounts are none for tokens"
    );
    let_go(&mut world).await;
    assert_eq!((live(&world), maps(&world)), (before, vec!["live".to_owned()]));
}

// guarantee 5: users of one server are nobody to the next one, whatever they are called
#[tokio::test]
async fn rules_stay_with_the_pods_of_the_token_server_that_they_were_made_for() {
    let mut world = World::new(SIX_LINES);
    put(&world, "jwks.json", &keys("first"));
    let rule = json!({"subjects": ["user:ann"], "repositories": ["team/**"], "actions": ["Push"]});
    let mut ruled = external("auth.example.com", "jwksRef");
    ruled["access"] = json!([rule]);
    world.set_spec("auth", ruled);
    world.settle().await;
    let live = |world: &World| file(world, "live", "live.yml");
    let before = live(&world);
    assert!(!before.access.is_empty());
    hold(&mut world);
    world.set_spec("auth", external("other.example.com", "jwksRef"));
    world.settle().await;
    assert_eq!(live(&world), before, "pods stay");
    let_go(&mut world).await;
    assert!(live(&world).access.is_empty());
    assert_eq!(maps(&world).len(), 2, "{:?}", maps(&world));
}

#[tokio::test]
async fn status_says_who_can_log_in_at_pods_that_stay() {
    let mut world = World::new(SIX_LINES);
    world.settle().await;
    let said = |world: &World| {
        let accounts = world.api.objects()[OBJECT]["status"]["accounts"].clone();
        (world.message("CredentialsReady"), accounts)
    };
    let before = said(&world);
    assert!(before.0.starts_with("2 accounts can log in"), "{}", before.0);
    put(&world, "jwks.json", &keys("first"));
    hold(&mut world);
    world.set_spec("auth", external("auth.example.com", "jwksRef"));
    world.settle().await;
    let comes = "tokens of auth.example.com take their place when the pods are replaced";
    assert_eq!(said(&world), (format!("{}; {comes}", before.0), before.1.clone()));
    let_go(&mut world).await;
    let replaced = said(&world);
    assert!(replaced.0.contains("no accounts: tokens of auth.example.com count") && replaced.1.is_null());
    for (auth, comes) in
        [(external("other.example.com", "jwksRef"), "tokens of other.example.com"), (json!({}), "accounts")]
    {
        hold(&mut world);
        world.set_spec("auth", auth);
        world.settle().await;
        let message = format!("{}; {comes} take their place when the pods are replaced", replaced.0);
        assert_eq!(said(&world), (message, Value::Null));
    }
    let_go(&mut world).await;
    assert_eq!(said(&world), before);
}

// The server would take a token for two users.
#[tokio::test]
async fn a_token_server_is_no_issuer_of_oidc_or_the_cluster() {
    let mut world = World::new(SIX_LINES);
    let issuer = "https://token.example.com";
    for (path, value) in [
        ("/.well-known/openid-configuration", json!({"issuer": issuer})),
        ("/openid/v1/jwks", serde_json::from_str(&keys("cluster")).unwrap()),
    ] {
        world.api.keep(path, value);
    }
    put(&world, "jwks.json", &keys("first"));
    let oidc = json!([{"name": "forge", "issuer": issuer, "audiences": ["r"], "jwksRef": {"name": "auth-keys", "key": "jwks.json"},
        "usernameClaim": "sub"}]);
    for (field, value, said) in [
        ("oidc", oidc, "twice: a token would be two users"),
        ("serviceAccounts", json!({"audiences": ["r"]}), "which is this cluster"),
    ] {
        let mut auth = external(issuer, "jwksRef");
        auth[field] = value;
        world.set_spec("auth", auth);
        let error = world.pass().await.unwrap_err();
        world.fail(&error).await;
        assert_eq!(world.condition("Ready"), "False/InvalidSpec");
        let message = world.message("Ready");
        assert!(message.contains("auth.token.external") && message.contains(said), "{message}");
    }
}
