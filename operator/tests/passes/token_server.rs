//! A token server of the user's takes the place of accounts: the pods get its public keys from a ConfigMap.

use registry_config::schema::Config;
use serde_json::{Value, json};

use crate::{
    oidc::keys,
    world::{OBJECT, SIX_LINES, World},
};

const MAP: &str = "/api/v1/namespaces/tools/configmaps/auth-keys";
const TOKENS: &str = "/api/v1/namespaces/tools/configmaps/team-tokens";
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

/// The boot file that pods are started with.
fn boot(world: &World) -> Config {
    let objects = world.api.objects();
    let deployment = &objects["/apis/apps/v1/namespaces/tools/deployments/team-registry"];
    let volumes = deployment["spec"]["template"]["spec"]["volumes"].as_array().unwrap();
    let name = volumes.iter().find(|volume| volume["name"] == "boot").unwrap()["configMap"]["name"]
        .as_str()
        .unwrap();
    let file = objects[&format!("/api/v1/namespaces/tools/configmaps/{name}")]["data"]["config.yml"].clone();
    Config::from_yaml("boot", file.as_str().unwrap(), []).unwrap()
}

/// What the pods find in the file of keys that their boot file names.
fn handed_on(world: &World) -> Option<String> {
    let token = boot(world).token?;
    let path = token.jwks.or(token.rootcertbundle).unwrap();
    assert_eq!(path.parent().unwrap(), "/etc/registry/tokens");
    let data = world.api.objects().get(TOKENS)?["data"].clone();
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
    assert!(world.api.objects().contains_key(TOKENS), "pods that have not been replaced need it");
    world.settle().await;
    assert!(!world.api.objects().contains_key(TOKENS));
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

// The server would take a token for two users.
#[tokio::test]
async fn a_token_server_is_no_issuer_of_oidc_or_the_cluster() {
    let mut world = World::new(SIX_LINES);
    let issuer = "https://token.example.com";
    for (path, value) in [
        ("/.well-known/openid-configuration", json!({"issuer": issuer})),
        ("/openid/v1/jwks", json!({"keys": []})),
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
