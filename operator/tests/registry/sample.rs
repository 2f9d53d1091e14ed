//! Objects as a user writes them, and what becomes of them with inputs that never change.

use operator::{
    crd::{registry::PrivateRegistry, storage::AccessMode},
    private_registry::{
        accounts::rotation::Account,
        certificates::{
            authority::Authority,
            inspect::Pair,
            token_keys::{Other, TokenKeys},
        },
        desired::{
            children::{Children, Inputs, children},
            deployment::Placement,
            redis_login::{RedisLogin, RedisLogins},
            server_access::Issuers,
            service_account::service_account,
            services,
            volume_claim::{Present, volume_claim},
        },
        model::{Model, TlsSource},
        resolve::{Defaults, resolve},
    },
};
use serde_json::{Value, json};

/// The shortest object.
pub const SIX_LINES: &str = "storage: {filesystem: {size: 1Gi}}";

/// The object `name` with `spec`, as the API server has it.
pub fn object(name: &str, spec: &str) -> PrivateRegistry {
    let spec: Value = serde_saphyr::from_str(spec).unwrap();
    serde_json::from_value(json!({"apiVersion": "privateregistry.dev/v1alpha1", "kind": "PrivateRegistry",
        "metadata": {"name": name, "namespace": "tools", "uid": "u", "generation": 1}, "spec": spec}))
    .unwrap()
}

/// Its model.
pub fn model(name: &str, spec: &str) -> Model {
    model_with(name, spec, &[])
}

/// Its model, with annotations of ours by key.
pub fn model_with(name: &str, spec: &str, wishes: &[(&str, &str)]) -> Model {
    let defaults =
        Defaults { image: "registry:1".into(), redis_image: "redis:7".into(), namespace: "operators".into() };
    let mut object = object(name, spec);
    let wish = |(key, value): &(&str, &str)| (format!("privateregistry.dev/{key}"), (*value).to_owned());
    object.metadata.annotations = Some(wishes.iter().map(wish).collect());
    resolve(&object, &defaults).unwrap()
}

/// Secrets, addresses and a place.
pub fn inputs(model: &Model) -> Inputs {
    let pair = |name: &str| Pair { certificate: format!("{name} certificate"), key: format!("{name} key") };
    let own = matches!(model.tls, TlsSource::SelfSigned(_));
    let accounts = model.token_server().is_none();
    let clients = model.spec.tls.as_ref().and_then(|tls| tls.client_ca_ref.as_ref());
    Inputs {
        authorities: model.authorities(&["10.96.0.7".into()], None, None),
        authority: own.then(|| Authority { current: pair("CA"), ..Authority::default() }),
        served: model.encrypted().then(|| (pair("served"), Some("CA certificate".to_owned()))),
        trust: own.then(|| "CA certificate".to_owned()),
        generated: model.users.iter().map(|user| (user.name.clone(), account("password"))).collect(),
        pull: accounts.then(|| account("pull password")),
        token_keys: model.tokens().map(|_| TokenKeys {
            key: "key".into(),
            other: Some(Other::Previous("previous key".into())),
            since: 0,
            wish: None,
        }),
        htpasswd: accounts.then(|| "admin:hash\n".into()),
        sources: "sources".into(),
        redis: RedisLogins {
            server: RedisLogin { username: "default".into(), password: "redis password".into() },
            sentinel: RedisLogin { username: "default".into(), password: "sentinel password".into() },
        },
        placement: Placement {
            store: model.store.clone(),
            uid: model.store.claim().map(|_| "claim-uid".to_owned()),
            initialized: true,
            shared: model
                .spec
                .storage
                .filesystem
                .as_ref()
                .is_some_and(|volume| volume.access_mode == AccessMode::ReadWriteMany),
            accepted: None,
        },
        held: false,
        issuers: Issuers {
            clients: clients.map(|_| "CA of clients".to_owned()),
            token_server: model.token_server().map(|_| "keys of the token server".to_owned()),
            ..Issuers::default()
        },
        initialize: false,
    }
}

fn account(password: &str) -> Account {
    Account { password: password.to_owned(), ..Account::default() }
}

/// All children in one list.
pub fn every_child(model: &Model) -> Vec<Value> {
    let Children {
        secrets,
        redis_auth,
        trust,
        clients,
        tokens,
        boot,
        live,
        service,
        network_policies,
        disruption_budget,
        redis,
        deployment,
    } = children(model, &inputs(model)).unwrap();
    let front = [Some(service), Some(services::admin(model)), service_account(model)];
    let mut all: Vec<Value> = front.into_iter().flatten().collect();
    all.extend(volume_claim(model, &Present::default()));
    all.extend(secrets);
    all.extend(redis_auth);
    all.extend([Some(boot), Some(live), trust, clients, tokens].into_iter().flatten());
    all.extend([disruption_budget, deployment].into_iter().flatten());
    all.extend(network_policies);
    all.extend(redis);
    all
}

/// `Kind/name` of a child.
pub fn key(child: &Value) -> String {
    format!("{}/{}", child["kind"].as_str().unwrap(), child["metadata"]["name"].as_str().unwrap())
}

/// The child `Kind/name`.
pub fn child(model: &Model, wanted: &str) -> Option<Value> {
    every_child(model).into_iter().find(|child| key(child) == wanted)
}

/// Keys of children that are not the same in both.
pub fn changed(before: &Model, after: &Model) -> Vec<String> {
    let (before, after) = (every_child(before), every_child(after));
    let missing = |one: &[Value], other: &[Value]| {
        one.iter().filter(|child| !other.contains(child)).map(key).collect::<Vec<_>>()
    };
    let mut all = missing(&before, &after);
    all.extend(missing(&after, &before));
    all.sort();
    all.dedup();
    all
}
