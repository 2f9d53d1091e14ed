//! Keys of the registry's own tokens are replaced: the next one is known before it signs, and the one before is believed
//! while a token of it may be about.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, Result, ensure};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use e2e::{
    kubectl::get,
    namespace::Namespace,
    object::{patch, patch_any, settled},
    process::{eventually, run},
    registry::{Registry, hello_layout, pushes},
};
use serde_json::{Value, json};

use crate::clients::six_line_registry;

/// A kubelet that was not told hands files over within that time.
const HANDED_OVER: Duration = Duration::from_secs(120);
/// On the Secret: since when the keys are what they are.
const SINCE: &str = "privateregistry.dev/keys-since";
const MANIFEST: &str = "/v2/team/hello/manifests/1";

/// The key that signs, and the one beside it, of one moment.
fn keys(namespace: &str) -> Result<(String, String)> {
    let stored = get(namespace, &["secret", "team-tokenkeys"])?;
    let key = |name: &str| stored["data"][name].as_str().map(str::to_owned).context("no such key");
    Ok((key("key.pem")?, key("other.pem")?))
}

/// Waits until the two keys are others, and gives them.
fn step_from(namespace: &str, before: &(String, String)) -> Result<(String, String)> {
    eventually(Duration::from_secs(60), "the next step of the keys", || {
        Ok(Some(keys(namespace)?).filter(|now| now != before))
    })
}

/// Lets the keys look older: the operator waits for a while before each step, and reads there since when.
fn pass(namespace: &str, seconds: i64) -> Result<()> {
    let stored = get(namespace, &["secret", "team-tokenkeys"])?;
    let since = stored["metadata"]["annotations"][SINCE].as_str().context("nothing says since when")?;
    let since = (since.parse::<i64>()? - seconds).to_string();
    let older = json!({"metadata": {"annotations": {SINCE: since}}});
    patch_any(namespace, &["secret", "team-tokenkeys"], &older.to_string())
}

/// A token that pulls, and the name of the key that signed it.
fn token(registry: &Registry) -> Result<(String, String)> {
    let made = registry.read("/token?service=registry&scope=repository:team/hello:pull")?;
    let token = made["token"].as_str().context("no token")?.to_owned();
    let header = BASE64_URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap_or_default())?;
    let header: Value = serde_json::from_slice(&header)?;
    let signer = header["kid"].as_str().context("no name of a key")?.to_owned();
    Ok((token, signer))
}

/// Waits until the registry names these keys, the one that signs first.
fn names(registry: &Registry, expected: &[&str]) -> Result<()> {
    eventually(HANDED_OVER, &format!("the registry to have {expected:?}"), || {
        let set = registry.read("/token/keys")?;
        let names: Vec<&str> =
            set["keys"].as_array().into_iter().flatten().filter_map(|key| key["kid"].as_str()).collect();
        ensure!(names == expected, "it has {names:?}");
        Ok(Some(()))
    })
}

/// Waits until the registry has a second key, and gives its name.
fn announced(registry: &Registry, first: &str) -> Result<String> {
    let next = eventually(HANDED_OVER, "the registry to have a second key", || {
        Ok(registry.read("/token/keys")?["keys"][1]["kid"].as_str().map(str::to_owned))
    })?;
    names(registry, &[first, &next])?;
    Ok(next)
}

/// Asks for a new key, which pods know before it signs, and gives its name.
fn announce(namespace: &str, registry: &Registry, first: &str) -> Result<String> {
    let alone = keys(namespace)?;
    let wish = r#"{"metadata": {"annotations": {"privateregistry.dev/rotate-credentials": "now"}}}"#;
    patch_any(namespace, &["preg", "team"], wish)?;
    ensure!(step_from(namespace, &alone)?.0 == alone.0, "it signs before pods know it");
    let next = announced(registry, first)?;
    ensure!(token(registry)?.1 == first, "the next key signs already");
    Ok(next)
}

/// The two keys change places.
fn swap(namespace: &str, registry: &Registry, first: &str, next: &str) -> Result<()> {
    let known = keys(namespace)?;
    pass(namespace, 601)?;
    ensure!(step_from(namespace, &known)? == (known.1, known.0), "the keys have not changed places");
    names(registry, &[next, first])
}

/// The key of before goes.
fn forget(namespace: &str, registry: &Registry, next: &str) -> Result<()> {
    let swapped = keys(namespace)?;
    pass(namespace, 25 * 3600 + 1)?;
    let last = step_from(namespace, &swapped)?;
    ensure!(last == (swapped.0.clone(), swapped.0), "the key of before is still there");
    names(registry, &[next])
}

// registry A9: a new key costs nobody a request, and a token counts while it lives, whichever key signs now
#[test]
fn a_key_of_tokens_is_replaced_and_no_token_is_lost() -> Result<()> {
    let namespace = Namespace::create("e2e-token-keys")?;
    let registry = Arc::new(six_line_registry(namespace.name())?);
    patch(namespace.name(), "team", r#"{"auth": {"token": {"builtIn": {"lifetime": "1h"}}}}"#)?;
    settled(namespace.name(), "team")?;
    run(&mut registry.crane(&["push", &hello_layout()?, &registry.reference("team/hello:1")]))?;
    let ((old, first), pods, load) = (token(&registry)?, registry.pods()?, pushes(&registry)?);

    let next = announce(namespace.name(), &registry, &first)?;
    swap(namespace.name(), &registry, &first, &next)?;
    let (new, signer) = token(&registry)?;
    ensure!(signer == next, "{signer} signs, and not {next}");
    let statuses = || -> Result<[String; 2]> {
        Ok([registry.status_with(MANIFEST, &old)?, registry.status_with(MANIFEST, &new)?])
    };
    let both = statuses()?;
    ensure!(both == ["200", "200"], "old and new token after the swap: {both:?}");
    load.finish()?;

    forget(namespace.name(), &registry, &next)?;
    let both = statuses()?;
    ensure!(both == ["401", "200"], "old and new token at the end: {both:?}");
    ensure!(pods == registry.pods()?, "pods were replaced");
    Ok(())
}
