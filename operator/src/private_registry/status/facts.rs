//! What `status` says beside conditions.

use k8s_openapi::jiff::Timestamp;
use sha2::{Digest, Sha256};

use crate::{
    cluster::deployment::count,
    crd::{
        exposure::ServiceType,
        status::{
            AccountsStatus, CaBundle, CertificateStatus, Endpoint, PrivateRegistryStatus, StorageStatus,
            Versions,
        },
    },
    private_registry::{
        certificates::inspect::Facts,
        model::{CacheKind, Model, TlsSource},
        status::{
            logins::{refused, token_server},
            observed::Observed,
            workload::selector,
        },
    },
};

/// `status.certificate.issuer` of the registry's own CA.
pub const SELF_SIGNED: &str = "selfSigned";

/// The status without conditions.
pub fn facts(model: &Model, seen: &Observed) -> PrivateRegistryStatus {
    let counted = |field| seen.deployment.as_ref().map_or(0, |deployment| count(deployment, field));
    let held = seen.held.clone().unwrap_or_default();
    PrivateRegistryStatus {
        url: Some(url(model, seen)),
        endpoints: if held.endpoints.is_empty() { endpoints(model, seen) } else { held.endpoints },
        replicas: counted("replicas"),
        ready_replicas: counted("readyReplicas"),
        selector: Some(selector(model)),
        ca_bundle: seen
            .certificate
            .trust
            .as_ref()
            .map(|bundle| CaBundle {
                config_map_name: model.names.trust(),
                key: "ca.crt".into(),
                sha256: hex::encode(Sha256::digest(bundle)),
            })
            .or(held.ca_bundle),
        certificate: seen
            .certificate
            .facts
            .as_ref()
            .filter(|_| seen.running.as_ref().is_none_or(|file| file.http.tls.is_some()))
            .map(|facts| certificate(model, facts))
            .or(held.certificate),
        accounts: match (token_server(model, seen), model.token_server()) {
            (Some(_), _) => None,
            (None, None) => Some(accounts(model, seen)),
            // Pods that stay for now have those of before.
            (None, Some(_)) => held.accounts,
        },
        storage: Some(storage(seen)),
        versions: Some(versions(model, held.versions.as_ref())),
        ..PrivateRegistryStatus::default()
    }
}

/// What runs; pods that are held are as they were.
fn versions(model: &Model, held: Option<&Versions>) -> Versions {
    let image = held.map_or(&model.image, |versions| &versions.image).clone();
    Versions {
        operator: env!("CARGO_PKG_VERSION").into(),
        registry: version(&image),
        image,
        redis: match held {
            Some(versions) => versions.redis.clone(),
            None => matches!(model.cache, CacheKind::ManagedRedis(_)).then(|| version(&model.redis_image)),
        },
    }
}

/// Length of a digest's beginning: the algorithm and twelve digits, as clients show it.
const SHORT: usize = "sha256:".len() + 12;

/// The version that an image reference names.
fn version(image: &str) -> String {
    if let Some((_, digest)) = image.split_once('@') {
        return digest.chars().take(SHORT).collect();
    }
    let name = image.rsplit('/').next().unwrap_or_default();
    name.split_once(':').map_or("latest", |(_, tag)| tag).to_owned()
}

/// Where clients go: a name of the user's leads to the nodes where the Service is of type NodePort.
pub fn url(model: &Model, seen: &Observed) -> String {
    if let Some(url) = seen.held.as_ref().and_then(|held| moved(model, held.url.as_ref()?)) {
        return url;
    }
    let port =
        seen.service["spec"]["ports"][0]["nodePort"].as_i64().and_then(|port| i32::try_from(port).ok());
    match (model.hostnames().first(), port) {
        (Some(host), Some(port)) if model.service.type_ == ServiceType::NodePort => model.url_at(host, port),
        _ => model.url(),
    }
}

/// The registry's name at the scheme and port of `url`: the Service and the pods stay, the certificate follows names.
fn moved(model: &Model, url: &str) -> Option<String> {
    let (scheme, authority) = url.split_once("://")?;
    let port = authority.rsplit_once(':').filter(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()));
    let port = port.map(|(_, port)| format!(":{port}")).unwrap_or_default();
    let host = model.hostnames().first().cloned().unwrap_or_else(|| model.names.service_host());
    Some(format!("{scheme}://{host}{port}"))
}

fn endpoints(model: &Model, seen: &Observed) -> Vec<Endpoint> {
    let mut all = vec![Endpoint { name: "service".into(), url: model.url_of(&model.names.service_host()) }];
    let balancer = &seen.service["status"]["loadBalancer"]["ingress"][0];
    if let Some(address) = balancer["hostname"].as_str().or_else(|| balancer["ip"].as_str())
        && model.service.type_ == ServiceType::LoadBalancer
    {
        all.push(Endpoint { name: "loadBalancer".into(), url: model.url_of(address) });
    }
    all
}

fn certificate(model: &Model, facts: &Facts) -> CertificateStatus {
    let (ip_addresses, dns_names) =
        facts.names.iter().cloned().partition(|name| name.parse::<std::net::IpAddr>().is_ok());
    let own = matches!(model.tls, TlsSource::SelfSigned(_));
    CertificateStatus {
        secret_name: model.names.tls(),
        issuer: if own { SELF_SIGNED } else { "secretRef" }.into(),
        dns_names,
        ip_addresses,
        not_before: timestamp(facts.not_before),
        not_after: timestamp(facts.not_after),
        renewal_time: own.then(|| timestamp(facts.renewal())),
    }
}

fn accounts(model: &Model, seen: &Observed) -> AccountsStatus {
    let number = |count: usize| i32::try_from(count).unwrap_or(i32::MAX);
    let file = seen.credentials.file.clone().unwrap_or_default();
    let admin = model.users.iter().any(|user| user.name == "admin" && user.password_secret_ref.is_none());
    AccountsStatus {
        admin_secret_name: admin.then(|| model.names.user("admin")),
        pull_secret_name: model.names.pull(),
        users: number(file.users),
        weak_hashes: number(file.weak.len()),
        unusable: number(refused(model, &file).len()),
    }
}

fn storage(seen: &Observed) -> StorageStatus {
    let placement = &seen.decision.placement;
    let location = placement.store.claim().map(str::to_owned);
    StorageStatus {
        backend: if location.is_some() { "filesystem" } else { "ephemeral" }.into(),
        capacity: seen
            .claim
            .as_ref()
            .and_then(|claim| claim["status"]["capacity"]["storage"].as_str().map(str::to_owned))
            .filter(|_| location.is_some()),
        used: seen.used.clone().filter(|_| location.is_some()),
        store_id: placement.uid.clone(),
        location,
    }
}

/// RFC 3339.
pub fn timestamp(seconds: i64) -> String {
    Timestamp::from_second(seconds).map(|time| time.to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    // seed S18
    #[test]
    fn the_version_is_what_the_reference_says() {
        for (image, expected) in [
            ("registry.example.com:5000/registry-server:1.2.0", "1.2.0"),
            ("registry.example.com:5000/registry-server", "latest"),
            ("registry-server:dev", "dev"),
            ("registry-server:1@sha256:0123456789abcdef0123456789abcdef", "sha256:0123456789ab"),
        ] {
            assert_eq!(version(image), expected, "{image}");
        }
    }
}
