//! `CertificateReady`, `CacheReady` and `ExposureReady`.

use crate::{
    cluster::deployment::count,
    crd::{
        condition::{kind, reason},
        exposure::ServiceType,
    },
    private_registry::{
        hostnames::Taken,
        model::{CacheKind, Model, TlsSource},
        redis_probe::Answer,
        status::{
            facts::{SELF_SIGNED, url},
            observed::Observed,
            verdict::Verdict,
        },
    },
};

/// `CertificateReady`.
pub fn certificate(model: &Model, seen: &Observed) -> Verdict {
    if let Some(problem) = &seen.certificate.problem {
        return Verdict::problem(kind::CERTIFICATE_READY, problem);
    }
    if let Some(stays) = certificate_before(model, seen) {
        return stays;
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

/// Pods that stay for now serve what they served before, encrypted or not.
fn certificate_before(model: &Model, seen: &Observed) -> Option<Verdict> {
    let encrypted = seen.running.as_ref()?.http.tls.is_some();
    if encrypted == model.encrypted() {
        return None;
    }
    let (reason, message) = if encrypted {
        let before = seen.held.as_ref().and_then(|held| held.certificate.as_ref());
        let own = before.is_none_or(|before| before.issuer == SELF_SIGNED);
        let message = format!(
            "the pods go on with the certificate in Secret {} until such as speak plain HTTP take their place",
            model.names.tls()
        );
        (if own { reason::ISSUED } else { reason::PROVIDED }, message)
    } else {
        let message = "passwords travel unencrypted between clients and pods until these are replaced";
        (reason::DISABLED, message.to_owned())
    };
    Some(Verdict::yes(kind::CERTIFICATE_READY, reason, message))
}

/// `CacheReady`: never what makes a registry not ready.
pub fn cache(model: &Model, seen: &Observed) -> Verdict {
    match &model.cache {
        CacheKind::None | CacheKind::Memory(_)
            if seen.running.as_ref().is_some_and(|file| file.redis.is_some()) =>
        {
            let message = "the pods go on with their Redis until they are replaced";
            Verdict::unknown(kind::CACHE_READY, reason::RECONCILING, message)
        }
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
