//! Leadership by a Lease, KEP-589 semantics: others are judged by our own monotonic clock, a replace carries
//! the `resourceVersion`, and a leader that cannot renew steps down before its lease ends.

use std::{sync::Arc, time::Duration};

use k8s_openapi::{
    api::coordination::v1::{Lease, LeaseSpec},
    apimachinery::pkg::apis::meta::v1::MicroTime,
};
use kube::{
    Api,
    api::{ObjectMeta, PostParams},
};
use tokio::{
    sync::watch,
    time::{Instant, timeout},
};

use crate::cluster::pulse::Pulse;

/// How long a lease holds without renewal.
const HOLDS: Duration = Duration::from_secs(15);
/// A leader that has not renewed for this long steps down.
const DEADLINE: Duration = Duration::from_secs(10);
/// Time between two attempts, and the limit of one.
const RETRY: Duration = Duration::from_secs(2);

/// One candidate.
pub struct Candidate {
    /// Leases of the operator's namespace.
    pub api: Api<Lease>,
    /// Name of the lease.
    pub name: String,
    /// Who we are: the pod's name.
    pub identity: String,
}

/// The holder as last seen, and since when by our clock.
struct Seen {
    holder: Option<String>,
    renewed: Option<MicroTime>,
    at: Instant,
}

impl Candidate {
    /// Runs until leadership, once gained, is lost; tells `leader` when it is gained, and `pulse` that it lives.
    pub async fn run(self, leader: watch::Sender<bool>, pulse: Arc<Pulse>) {
        let (mut seen, mut renewed) = (None, Instant::now());
        let leading = metrics::gauge!("preg_leading");
        leading.set(0);
        loop {
            let began = Instant::now();
            let attempt = timeout(RETRY, self.attempt(&mut seen)).await;
            pulse.beat(matches!(attempt, Ok(Ok(_))));
            match attempt {
                Ok(Ok(true)) => {
                    // What the API server recorded is no older than this.
                    renewed = began;
                    leader.send_if_modified(|led| !std::mem::replace(led, true));
                    leading.set(1);
                }
                Ok(Ok(false)) if *leader.borrow() => return,
                Ok(Ok(false)) => {}
                Ok(Err(error)) => tracing::warn!(%error, "failed to renew the lease"),
                Err(_) => tracing::warn!("renewing the lease took too long"),
            }
            // The next look is a pause and an attempt away: both fit before the lease ends.
            if *leader.borrow() && renewed.elapsed() >= DEADLINE {
                return;
            }
            tokio::time::sleep(RETRY).await;
        }
    }

    /// Gives the lease back, so that the next leader need not wait.
    pub async fn release(&self) -> Result<(), kube::Error> {
        let mut lease = self.api.get(&self.name).await?;
        let spec = lease.spec.get_or_insert_default();
        if spec.holder_identity.as_deref() == Some(&self.identity) {
            spec.holder_identity = None;
            self.api.replace(&self.name, &PostParams::default(), &lease).await?;
        }
        Ok(())
    }

    async fn attempt(&self, seen: &mut Option<Seen>) -> Result<bool, kube::Error> {
        let Some(mut lease) = self.api.get_opt(&self.name).await? else {
            let metadata = ObjectMeta { name: Some(self.name.clone()), ..ObjectMeta::default() };
            let lease = Lease { metadata, spec: Some(self.spec(&LeaseSpec::default())) };
            return won(self.api.create(&PostParams::default(), &lease).await);
        };
        let spec = lease.spec.clone().unwrap_or_default();
        if seen
            .as_ref()
            .is_none_or(|old| old.holder != spec.holder_identity || old.renewed != spec.renew_time)
        {
            *seen = Some(Seen {
                holder: spec.holder_identity.clone(),
                renewed: spec.renew_time.clone(),
                at: Instant::now(),
            });
        }
        let other = spec
            .holder_identity
            .as_deref()
            .is_some_and(|holder| !holder.is_empty() && holder != self.identity);
        if other && seen.as_ref().is_some_and(|seen| seen.at.elapsed() < HOLDS) {
            return Ok(false);
        }
        lease.spec = Some(self.spec(&spec));
        won(self.api.replace(&self.name, &PostParams::default(), &lease).await)
    }

    fn spec(&self, old: &LeaseSpec) -> LeaseSpec {
        let now = MicroTime(k8s_openapi::jiff::Timestamp::now());
        let ours = old.holder_identity.as_deref() == Some(&self.identity);
        LeaseSpec {
            holder_identity: Some(self.identity.clone()),
            lease_duration_seconds: i32::try_from(HOLDS.as_secs()).ok(),
            acquire_time: if ours { old.acquire_time.clone() } else { Some(now.clone()) },
            renew_time: Some(now),
            lease_transitions: Some(old.lease_transitions.unwrap_or(0) + i32::from(!ours)),
            ..LeaseSpec::default()
        }
    }
}

/// A conflict means that somebody else was faster.
fn won(result: Result<Lease, kube::Error>) -> Result<bool, kube::Error> {
    match result {
        Ok(_) => Ok(true),
        Err(kube::Error::Api(status)) if status.code == 409 => Ok(false),
        Err(error) => Err(error),
    }
}
