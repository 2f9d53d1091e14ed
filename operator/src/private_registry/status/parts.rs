//! `CertificateReady`, `CredentialsReady`, `CacheReady` and `ExposureReady`.

use crate::{
    cluster::deployment::count,
    crd::{
        condition::{kind, reason},
        exposure::ServiceType,
    },
    private_registry::{
        accounts::file::listed,
        hostnames::Taken,
        model::{CacheKind, Model, TlsSource},
        redis_probe::Answer,
        status::{facts::url, observed::Observed, verdict::Verdict},
    },
};

/// `CertificateReady`.
pub fn certificate(model: &Model, seen: &Observed) -> Verdict {
    if let Some(problem) = &seen.certificate.problem {
        return Verdict::problem(kind::CERTIFICATE_READY, problem);
    }
    match &model.tls {
        TlsSource::Disabled => {
            let message = "spec.tls.disabled: passwords travel unencrypted between clients and pods";
            Verdict::yes(kind::CERTIFICATE_READY, reason::DISABLED, message)
        }
        TlsSource::SelfSigned(_) => {
            let message =
                format!("signed by the registry's own CA, which ConfigMap {} publishes", model.names.trust());
            Verdict::yes(kind::CERTIFICATE_READY, reason::ISSUED, message)
        }
        TlsSource::Provided(secret) => {
            Verdict::yes(kind::CERTIFICATE_READY, reason::PROVIDED, format!("from Secret {secret}"))
        }
    }
}

/// `CredentialsReady`.
pub fn credentials(model: &Model, seen: &Observed) -> Verdict {
    if let Some(problem) = seen.credentials.problem.as_ref().or(seen.issuer.as_ref()) {
        return Verdict::problem(kind::CREDENTIALS_READY, problem);
    }
    if let Some(server) = model.token_server() {
        let message = format!(
            "there are no accounts: tokens of {} count, which clients get at {}",
            server.issuer, server.realm
        );
        return Verdict::yes(kind::CREDENTIALS_READY, reason::ACCOUNTS_READY, message);
    }
    let file = seen.credentials.file.clone().unwrap_or_default();
    let mut message = format!("{} accounts can log in, one of them for pulls only", file.users);
    if !file.unusable.is_empty() {
        let lines = listed(&file.unusable);
        message +=
            &format!("; nobody can with {lines} of the password file: make them anew with htpasswd -B");
    }
    Verdict::yes(kind::CREDENTIALS_READY, reason::ACCOUNTS_READY, message)
}

/// `CacheReady`: never what makes a registry not ready.
pub fn cache(model: &Model, seen: &Observed) -> Verdict {
    match &model.cache {
        CacheKind::None => Verdict::yes(kind::CACHE_READY, reason::NOT_CONFIGURED, "spec.cache.none"),
        CacheKind::Memory(_) => {
            Verdict::yes(kind::CACHE_READY, reason::CONNECTED, "each pod remembers metadata by itself")
        }
        CacheKind::ManagedRedis(_) if model.spec.suspend && seen.held.is_none() => Verdict::yes(
            kind::CACHE_READY,
            reason::NOT_CONFIGURED,
            "the registry is suspended, and its Redis with it",
        ),
        CacheKind::ManagedRedis(_) => {
            let name = model.names.redis();
            if seen.held.is_some() && seen.redis.is_none() {
                let message = format!("Redis {name} comes with the pods that use it");
                return Verdict::unknown(kind::CACHE_READY, reason::RECONCILING, message);
            }
            let answers = seen.redis.as_ref().is_some_and(|redis| count(redis, "readyReplicas") > 0);
            if answers && seen.told.as_ref().is_some_and(|told| told.redis == Some(false)) {
                let message = format!(
                    "Redis {name} is ready, and the registry gets no answer from it; it goes on without, slower. A new \
                     password takes up to two minutes; else see the registry's log and kubectl get networkpolicies"
                );
                return Verdict::no(kind::CACHE_READY, reason::UNREACHABLE, message);
            }
            if answers {
                return Verdict::yes(kind::CACHE_READY, reason::CONNECTED, format!("Redis {name} is ready"));
            }
            let message = format!(
                "Redis {name} does not answer; the registry goes on without it, slower. See: kubectl describe deployment {name}"
            );
            Verdict::no(kind::CACHE_READY, reason::UNREACHABLE, message)
        }
        CacheKind::ExternalRedis(external) => {
            let address = external.addresses.join(", ");
            match &seen.external_redis {
                None => Verdict::unknown(
                    kind::CACHE_READY,
                    reason::RECONCILING,
                    format!("{address} was not asked yet"),
                ),
                Some(Answer::Good) => {
                    Verdict::yes(kind::CACHE_READY, reason::CONNECTED, format!("Redis at {address} answers"))
                }
                Some(Answer::Bad(problem)) => Verdict::problem(kind::CACHE_READY, problem),
            }
        }
    }
}

/// `ExposureReady`.
pub fn exposure(model: &Model, seen: &Observed) -> Verdict {
    if let Some(Taken { hostname, by }) = &seen.hostname_taken {
        let message = format!(
            "spec.exposure.hostnames: {hostname} is a name of PrivateRegistry {by}, which was there first: take it out here \
             or there"
        );
        return Verdict::no(kind::EXPOSURE_READY, reason::HOSTNAME_TAKEN, message);
    }
    let waiting = seen.held.is_none()
        && model.service.type_ == ServiceType::LoadBalancer
        && seen.service["status"]["loadBalancer"]["ingress"].as_array().is_none_or(Vec::is_empty);
    if waiting {
        let name = model.names.registry();
        let message = format!(
            "Service {name} has no address from a load balancer yet; see: kubectl describe service {name}"
        );
        return Verdict::no(kind::EXPOSURE_READY, reason::LOAD_BALANCER_PENDING, message);
    }
    Verdict::yes(kind::EXPOSURE_READY, reason::EXPOSED, format!("reached at {}", url(model, seen)))
}
