//! Explicit nulls: what tools write for fields that they know and have nothing to say of.

use std::{collections::BTreeMap, fs};

use anyhow::{Context, Result, ensure};
use e2e::{kubectl::kubectl, namespace::Namespace, process::run};
use serde_json::{Map, Value, json};

/// Every field of the API is in one of these shapes, of which each leaves out what does not go with the rest.
const SHAPES: [&[&str]; 4] = [
    &[
        "/storage/ephemeral",
        "/storage/filesystem/existingClaimName",
        "/cache/memory",
        "/cache/none",
        "/cache/redis/external",
        "/tls/secretRef",
        "/tls/disabled",
        "/auth/htpasswd/users/0/passwordSecretRef",
        "/auth/token/external",
    ],
    &[
        "/storage/filesystem",
        "/cache/memory",
        "/cache/none",
        "/cache/redis/managed",
        "/tls/selfSigned",
        "/tls/disabled",
        "/auth/htpasswd/users/0/rotateEvery",
        "/auth/token/external",
    ],
    &[
        "/storage/ephemeral",
        "/storage/filesystem/size",
        "/storage/filesystem/storageClassName",
        "/cache/redis",
        "/cache/none",
        "/tls",
        "/auth/htpasswd",
        "/auth/token/builtIn",
        "/auth/token/external/rootCertBundleRef",
        "/exposure/service/type",
        "/exposure/service/nodePort",
        "/exposure/service/loadBalancerClass",
        "/exposure/service/externalTrafficPolicy",
    ],
    &[
        "/storage/filesystem",
        "/cache/memory",
        "/cache/none",
        "/cache/redis/managed",
        "/cache/redis/external/mode",
        "/cache/redis/external/sentinelMaster",
        "/cache/redis/external/sentinelCredentialsSecretRef",
        "/tls",
        "/auth/htpasswd",
        "/auth/token/builtIn",
        "/auth/token/external/jwksRef",
    ],
];

/// Values of fields that a pattern or a rule is strict about.
const VALUES: [(&str, &str); 12] = [
    ("/trustedProxies/0", "10.244.0.0/16"),
    ("/oidc/0/issuer", "https://a"),
    ("/oidc/0/name", "a"),
    ("/builtIn/lifetime", "5m"),
    ("/external/realm", "https://a"),
    ("/rotateEvery", "720h"),
    ("/uploadExpiry", "168h"),
    ("/addresses/0", "a:1"),
    ("/subjects/0", "authenticated"),
    ("/external/mode", "Sentinel"),
    ("/service/type", "LoadBalancer"),
    ("/quota/repositories/0/size", "1Gi"),
];

/// A value for every field below `at`, but for those that are left out.
fn full(schema: &Value, at: &str, without: &[&str]) -> Value {
    if let Some(fields) = schema["properties"].as_object() {
        let named = fields.iter().map(|(name, field)| (name, field, format!("{at}/{name}")));
        let kept = named.filter(|(_, _, at)| !without.contains(&at.as_str()));
        return kept.map(|(name, field, at)| (name.clone(), full(field, &at, without))).collect();
    }
    let given = VALUES.iter().find(|(end, _)| at.ends_with(end)).map(|(_, value)| json!(value));
    match schema["type"].as_str() {
        _ if given.is_some() => given.unwrap_or_default(),
        _ if !schema["default"].is_null() => schema["default"].clone(),
        _ if schema["enum"].is_array() => schema["enum"][0].clone(),
        Some("array") => json!([full(&schema["items"], &format!("{at}/0"), without)]),
        Some("boolean") => json!(false),
        Some("integer") => json!(1),
        Some("string") => json!("x"),
        None if schema["x-kubernetes-int-or-string"] == true => json!("1Gi"),
        _ => json!({}),
    }
}

/// Where `value` has fields that it need not have.
fn optional(schema: &Value, value: &Value, at: &str, found: &mut Vec<String>) {
    let needed = schema["required"].as_array();
    for (name, field) in value.as_object().into_iter().flatten() {
        let (at, schema) = (format!("{at}/{name}"), &schema["properties"][name]);
        if schema.is_object() && !needed.is_some_and(|needed| needed.contains(&json!(name))) {
            found.push(at.clone());
        }
        optional(schema, field, &at, found);
    }
    for (number, item) in value.as_array().into_iter().flatten().enumerate() {
        optional(&schema["items"], item, &format!("{at}/{number}"), found);
    }
}

/// `value` without nulls and with the defaults that the schema gives to what is absent.
fn plain(schema: &Value, value: &mut Value) {
    if let Some(fields) = value.as_object_mut() {
        fields.retain(|_, field| !field.is_null());
        for (name, schema) in schema["properties"].as_object().into_iter().flatten() {
            if !fields.contains_key(name) && !schema["default"].is_null() {
                fields.insert(name.clone(), schema["default"].clone());
            }
        }
        fields.iter_mut().for_each(|(name, field)| plain(&schema["properties"][name], field));
    }
    value.as_array_mut().into_iter().flatten().for_each(|item| plain(&schema["items"], item));
}

fn fields_at<'a>(spec: &'a mut Value, path: &'a str) -> Result<(&'a mut Map<String, Value>, &'a str)> {
    let (parent, name) = path.rsplit_once('/').context("no path")?;
    Ok((spec.pointer_mut(parent).and_then(Value::as_object_mut).context("no object")?, name))
}

/// What the API server makes of each spec that it takes.
fn taken(namespace: &str, specs: &[Value]) -> Result<BTreeMap<usize, Value>> {
    let object = |(number, spec): (usize, &Value)| {
        json!({"apiVersion": "privateregistry.dev/v1alpha1", "kind": "PrivateRegistry",
            "metadata": {"name": format!("n-{number}")}, "spec": spec})
    };
    let objects: Vec<Value> = specs.iter().enumerate().map(object).collect();
    let file = tempfile::NamedTempFile::new()?;
    fs::write(file.path(), json!({"apiVersion": "v1", "kind": "List", "items": objects}).to_string())?;
    let create = ["-n", namespace, "create", "--dry-run=server", "--validate=strict", "-o", "json", "-f"];
    let said = kubectl(&create).arg(file.path()).output()?;
    let mut found = BTreeMap::new();
    for object in serde_json::Deserializer::from_slice(&said.stdout).into_iter::<Value>() {
        let object = object?;
        let name = object["metadata"]["name"].as_str().context("no name")?;
        found.insert(name.trim_start_matches("n-").parse()?, object["spec"].clone());
    }
    Ok(found)
}

// operator 84: for every optional field of the printed API, however deep, an explicit null is what absence is
#[test]
fn an_explicit_null_of_any_field_is_absence() -> Result<()> {
    let namespace = Namespace::create("e2e-nulls-of-all")?;
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../crds/privateregistries.privateregistry.dev.yaml");
    let read = ["create", "--dry-run=client", "--validate=false", "-o", "json", "-f", file];
    let crd: Value = serde_json::from_str(&run(&mut kubectl(&read))?)?;
    let schema = &crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"];
    let mut every = Vec::new();
    optional(schema, &full(schema, "", &[]), "", &mut every);
    let mut proven = Vec::new();
    for without in SHAPES {
        let spec = full(schema, "", without);
        let mut paths = Vec::new();
        optional(schema, &spec, "", &mut paths);
        paths.extend(without.iter().map(|path| (*path).to_owned()));
        paths.retain(|path| !proven.contains(path));
        let (mut nulls, mut absent) = (vec![spec.clone(); paths.len()], vec![spec; paths.len()]);
        for (at, path) in paths.iter().enumerate() {
            let (fields, name) = fields_at(&mut nulls[at], path)?;
            fields.insert(name.to_owned(), Value::Null);
            let (fields, name) = fields_at(&mut absent[at], path)?;
            fields.remove(name);
        }
        let mut with_nulls = taken(namespace.name(), &nulls)?;
        for (at, mut expected) in taken(namespace.name(), &absent)? {
            let mut found =
                with_nulls.remove(&at).with_context(|| format!("{} = null was refused", paths[at]))?;
            plain(schema, &mut found);
            plain(schema, &mut expected);
            ensure!(found == expected, "{} = null: {found} is not {expected}", paths[at]);
            proven.push(paths[at].clone());
        }
        ensure!(with_nulls.is_empty(), "null was taken where absence was refused");
    }
    every.retain(|path| !proven.contains(path));
    ensure!(every.is_empty(), "never null: {every:?}");
    println!("{} fields", proven.len());
    Ok(())
}
