//! Certificates of clients: the pods get the CA from a ConfigMap of the user's.

use base64::{Engine, engine::general_purpose::STANDARD};
use registry_config::schema::{ClientAuth, ClientIdentity, Config};
use serde_json::{Value, json};

use crate::world::{SIX_LINES, World};

const MAP: &str = "/api/v1/namespaces/tools/configmaps/build-ca";
const CLIENTS: &str = "/api/v1/namespaces/tools/configmaps/team-clients";

fn certificate(name: &str) -> String {
    let key = rcgen::KeyPair::generate().unwrap();
    rcgen::CertificateParams::new([name.to_owned()]).unwrap().self_signed(&key).unwrap().pem()
}

fn block(der: &[u8]) -> String {
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", STANDARD.encode(der))
}

/// A certificate with a byte too many: some readers take it, and the server does not.
fn longer() -> Vec<u8> {
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = rcgen::CertificateParams::new(["ca".to_owned()]).unwrap().self_signed(&key).unwrap();
    [certificate.der().as_ref(), &[0]].concat()
}

fn put(world: &World, text: &str) {
    world.api.put(
        MAP,
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "build-ca", "namespace": "tools"},
            "data": {"ca.crt": text}}),
    );
}

fn tls(identity: &str) -> Value {
    json!({"clientCARef": {"name": "build-ca", "key": "ca.crt", "identity": identity}})
}

fn handed_on(world: &World) -> Option<String> {
    world.api.objects().get(CLIENTS)?["data"]["ca.crt"].as_str().map(str::to_owned)
}

/// The boot file that pods are started with.
fn boot(world: &World) -> Config {
    let objects = world.api.objects();
    let deployment = &objects["/apis/apps/v1/namespaces/tools/deployments/team-registry"];
    let volumes = deployment["spec"]["template"]["spec"]["volumes"].as_array().unwrap();
    let boot = volumes.iter().find(|volume| volume["name"] == "boot").unwrap();
    let name = boot["configMap"]["name"].as_str().unwrap();
    let file = objects[&format!("/api/v1/namespaces/tools/configmaps/{name}")]["data"]["config.yml"].clone();
    Config::from_yaml("boot", file.as_str().unwrap(), []).unwrap()
}

#[tokio::test]
async fn clients_are_asked_for_certificates_of_the_ca_that_the_object_names() {
    let mut world = World::new(SIX_LINES);
    world.settle().await;
    assert_eq!(boot(&world).http.tls.unwrap().clientcas, Vec::<std::path::PathBuf>::new());
    let (first, second) = (certificate("first"), certificate("second"));
    // A key beside it is nobody's business.
    put(&world, &format!("{first}{}", rcgen::KeyPair::generate().unwrap().serialize_pem()));
    for (identity, kind) in
        [("URI", ClientIdentity::Uri), ("DNS", ClientIdentity::Dns), ("Email", ClientIdentity::Email)]
    {
        world.set_spec("tls", tls(identity));
        world.settle().await;
        let served = boot(&world).http.tls.unwrap();
        assert_eq!(served.clientcas, [std::path::PathBuf::from("/etc/registry/clients/ca.crt")]);
        assert_eq!((served.clientauth, served.clientidentity), (ClientAuth::VerifyClientCertIfGiven, kind));
    }
    assert_eq!(handed_on(&world).map(|text| text.replace('\r', "")), Some(first.replace('\r', "")));
    let before = boot(&world);
    put(&world, &second);
    world.settle().await;
    assert_eq!(handed_on(&world).map(|text| text.replace('\r', "")), Some(second.replace('\r', "")));
    assert_eq!(boot(&world), before, "running pods take it over");
    world.set_spec("tls", json!({}));
    world.pass().await.unwrap();
    assert!(handed_on(&world).is_some(), "pods that have not been replaced need it");
    world.settle().await;
    assert_eq!(handed_on(&world), None);
}

// guarantee 5: a bad CA never replaces a good one
#[tokio::test]
async fn a_ca_that_is_none_leaves_the_last_one_and_is_waited_for() {
    let mut world = World::new(SIX_LINES);
    world.set_spec("tls", tls("URI"));
    world.settle().await;
    assert_eq!(world.condition("CredentialsReady"), "False/IssuerUnavailable");
    assert!(world.message("CredentialsReady").contains("no key ca.crt in a ConfigMap build-ca"));
    assert!(
        boot(&world).http.tls.unwrap().clientcas.is_empty(),
        "a file that is not there keeps pods from starting"
    );
    let good = certificate("good");
    put(&world, &good);
    world.settle().await;
    assert_eq!(world.condition("Ready"), "True/AllReady");
    let before = boot(&world);
    for bad in ["", "no certificate", &block(b"123"), &block(&longer())] {
        put(&world, bad);
        world.settle().await;
        assert_eq!(world.condition("CredentialsReady"), "False/IssuerUnavailable", "{bad}");
        assert!(world.message("CredentialsReady").contains("has no readable certificate"));
        assert_eq!(handed_on(&world).map(|text| text.replace('\r', "")), Some(good.replace('\r', "")));
        assert_eq!(boot(&world), before);
    }
}

/// A pass fails, and the condition says why and of which rule.
async fn refused(world: &World, why: &str) {
    let error = world.pass().await.unwrap_err();
    world.fail(&error).await;
    assert_eq!(world.condition("Ready"), "False/InvalidSpec");
    let message = world.message("Ready");
    assert!(message.contains("rule 1") && message.contains(why), "{message}");
}

#[tokio::test]
async fn rules_about_certificates_that_nobody_can_show_are_refused() {
    let mut world = World::new(SIX_LINES);
    let rules = |name: &str| json!({"access": [{"subjects": ["cert:deploy.example.com", format!("cert:{name}")], "repositories": ["**"], "actions": ["Pull"]}]});
    world.settle().await;
    world.set_spec("auth", rules("spiffe://example.com/ci"));
    refused(&world, "spec.tls.clientCARef").await;
    put(&world, &certificate("ca"));
    world.set_spec("tls", tls("DNS"));
    world.set_spec("auth", rules("Build.example.com"));
    refused(&world, "small letters").await;
    world.set_spec("auth", rules("build.example.com"));
    world.settle().await;
    assert_eq!(world.condition("Ready"), "True/AllReady");
}
