//! A token server of the user's takes the place of accounts. The test plays it: it signs tokens by a key of its own.

use std::{fs, process::Command, time::Duration};

use anyhow::{Context, Result, ensure};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use e2e::{
    kubectl::{apply, get},
    namespace::Namespace,
    object::{patch, settled, until},
    process::{eventually, must_fail, run, run_with_input},
    registry::{Registry, hello_layout},
};
use serde_json::json;
use tempfile::TempDir;

use crate::{clients::six_line_registry, token_service::challenge};

const REALM: &str = "https://auth.example.com/token";
const SERVICE: &str = "registry.example.com";
const MANIFEST: &str = "/v2/team/hello/manifests/1";

/// A key that signs tokens, and a certificate of it.
struct Signer(TempDir);

impl Signer {
    fn new() -> Result<Self> {
        let signer = Self(tempfile::tempdir()?);
        let certificate = ["-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", "/CN=auth"];
        let mut openssl = signer.openssl("req");
        run(openssl.args(certificate).args(["-keyout", "key.pem", "-out", "cert.pem"]))?;
        Ok(signer)
    }

    fn openssl(&self, what: &str) -> Command {
        let mut openssl = Command::new("openssl");
        openssl.arg(what).current_dir(self.0.path());
        openssl
    }

    fn certificate(&self) -> Result<String> {
        Ok(fs::read_to_string(self.0.path().join("cert.pem"))?)
    }

    /// Its public key, a JWK set.
    fn keys(&self) -> Result<String> {
        let said = run(self.openssl("x509").args(["-noout", "-modulus", "-in", "cert.pem"]))?;
        let modulus = hex::decode(said.trim().strip_prefix("Modulus=").context("no modulus")?)?;
        let key = json!({"kty": "RSA", "use": "sig", "n": URL_SAFE_NO_PAD.encode(modulus), "e": "AQAB"});
        Ok(json!({"keys": [key]}).to_string())
    }

    /// A token of `ann`, who may do `actions` in `team/hello`.
    fn token(&self, actions: &[&str]) -> Result<String> {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_secs();
        let claims = json!({"iss": "auth.example.com", "aud": SERVICE, "sub": "ann", "iat": now, "nbf": now, "exp": now + 3600,
            "access": [{"type": "repository", "name": "team/hello", "actions": actions}]});
        let part = |part: serde_json::Value| URL_SAFE_NO_PAD.encode(part.to_string());
        let text = format!("{}.{}", part(json!({"alg": "RS256", "typ": "JWT"})), part(claims));
        fs::write(self.0.path().join("text"), &text)?;
        run(self.openssl("dgst").args(["-sha256", "-sign", "key.pem", "-out", "signature", "text"]))?;
        let signature = fs::read(self.0.path().join("signature"))?;
        Ok(format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }

    /// Where crane finds such a token.
    fn docker_config(&self, registry: &Registry, actions: &[&str]) -> Result<String> {
        let auths = json!({"auths": {&registry.address: {"registrytoken": self.token(actions)?}}});
        fs::write(self.0.path().join("config.json"), auths.to_string())?;
        Ok(self.0.path().display().to_string())
    }
}

/// Status code of a pull with a token.
fn status(registry: &Registry, token: &str) -> Result<String> {
    let mut curl = Command::new("curl");
    curl.args(["-sS", "-K", "-", "-o", "/dev/null", "-w", "%{http_code}", "--max-time", "10", "--cacert"]);
    curl.arg(registry.ca_file()).arg(format!("https://{}{MANIFEST}", registry.address));
    run_with_input(&mut curl, &format!("header = \"Authorization: Bearer {token}\"\n"))
}

fn put(namespace: &str, key: &str, text: &str) -> Result<()> {
    let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "auth-keys"}, "data": {key: text}});
    apply(namespace, &map.to_string()).map(drop)
}

/// `spec.auth` with the token server, whose keys are in ConfigMap `auth-keys`.
fn external(reference: &str) -> String {
    let mut server = json!({"realm": REALM, "service": SERVICE, "issuer": "auth.example.com",
        "jwksRef": null, "rootCertBundleRef": null});
    server[reference] = json!({"name": "auth-keys"});
    json!({"auth": {"token": {"external": server}}}).to_string()
}

/// Whether Secrets of accounts are there.
fn accounts(namespace: &str) -> Result<bool> {
    let all = get(namespace, &["secrets"])?["items"].to_string();
    Ok(["team-htpasswd", "team-pull", "team.admin"].iter().any(|name| all.contains(name)))
}

#[test]
fn clients_come_with_tokens_of_a_server_that_the_object_names() -> Result<()> {
    let namespace = Namespace::create("e2e-token-server")?;
    let registry = six_line_registry(namespace.name())?;
    let image = registry.reference("team/hello:1");
    run(&mut registry.crane(&["push", &hello_layout()?, &image]))?;

    // Until there are keys, those who could log in go on.
    patch(namespace.name(), "team", &external("jwksRef"))?;
    let said = until(namespace.name(), "team", "CredentialsReady", "False/IssuerUnavailable")?;
    ensure!(said.contains("jwks.json") && said.contains("auth-keys"), "{said}");
    ensure!(
        registry.status_of(MANIFEST, "admin", &registry.password)? == "200",
        "accounts are gone too early"
    );

    let (signer, other) = (Signer::new()?, Signer::new()?);
    put(namespace.name(), "jwks.json", &signer.keys()?)?;
    settled(namespace.name(), "team")?;
    let asked = eventually(Duration::from_secs(30), "the challenge", || {
        Ok(challenge(&registry).ok().filter(|asked| asked.contains("Bearer")))
    })?;
    ensure!(asked.contains(&format!("realm=\"{REALM}\",service=\"{SERVICE}\"")), "{asked}");
    for (what, token, expected) in [
        ("its token", signer.token(&["pull"])?, "200"),
        ("one that says nothing", signer.token(&[])?, "401"),
        ("one of somebody else", other.token(&["pull"])?, "401"),
    ] {
        let status = status(&registry, &token)?;
        ensure!(status == expected, "{what}: {status} and not {expected}");
    }
    ensure!(registry.status_of(MANIFEST, "admin", &registry.password)? == "401", "accounts still log in");
    let may = |actions: &[&str]| signer.docker_config(&registry, actions);
    run(registry.crane(&["validate", "--remote", &image]).env("DOCKER_CONFIG", may(&["pull"])?))?;
    must_fail(registry.crane(&["tag", &image, "two"]).env("DOCKER_CONFIG", may(&["pull"])?))?;
    run(registry.crane(&["tag", &image, "two"]).env("DOCKER_CONFIG", may(&["pull", "push"])?))?;
    eventually(Duration::from_secs(60), "Secrets of accounts to go", || {
        Ok((!accounts(namespace.name())?).then_some(()))
    })?;

    // Another key, by its certificate: the file is another one, so pods are replaced.
    put(namespace.name(), "ca.crt", &other.certificate()?)?;
    patch(namespace.name(), "team", &external("rootCertBundleRef"))?;
    settled(namespace.name(), "team")?;
    eventually(Duration::from_secs(30), "the other key", || {
        Ok((status(&registry, &other.token(&["pull"])?)? == "200").then_some(()))
    })?;
    // And back: this time running pods follow.
    let pods = registry.pods()?;
    put(namespace.name(), "ca.crt", &signer.certificate()?)?;
    eventually(Duration::from_secs(120), "the first key", || {
        let (good, bad) =
            (status(&registry, &signer.token(&["pull"])?)?, status(&registry, &other.token(&["pull"])?)?);
        Ok((good == "200" && bad == "401").then_some(()))
    })?;
    ensure!(pods == registry.pods()?, "pods were replaced");

    // Without the section there are accounts again, with new passwords.
    patch(namespace.name(), "team", r#"{"auth": null}"#)?;
    settled(namespace.name(), "team")?;
    let again = Registry::ready(namespace.name(), "team")?;
    ensure!(again.password != registry.password, "an old password");
    ensure!(again.status_of(MANIFEST, "admin", &again.password)? == "200", "admin cannot log in");
    Ok(())
}
