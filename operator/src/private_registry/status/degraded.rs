//! `Degraded`: something that does not stop the registry needs a look. A part that was lost a moment ago is no
//! degradation: a node's reboot takes a minute.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use crate::{
    crd::condition::{kind, reason},
    private_registry::{
        accounts::listing::listed,
        status::{observed::Observed, pods::restart_loop, verdict::Verdict},
        usage::percent,
    },
};

/// How long a part must be away, in seconds.
pub const PATIENCE: i64 = 120;
/// A certificate that ends so soon should be looked at, in seconds.
const SOON: i64 = 7 * 24 * 3600;
/// A volume that is so full should be looked at, in hundredths.
const FULL: u64 = 90;

/// `Degraded`, first cause first. `cache` is the condition of the cache as it is now, `before` what all of them were.
pub fn degraded(seen: &Observed, cache: &Condition, before: &[Condition], now: i64) -> Verdict {
    let yes = |reason, message: String| Verdict::yes(kind::DEGRADED, reason, message);
    if cache.status == "False" && now - cache.last_transition_time.0.as_second() >= PATIENCE {
        return yes(reason::CACHE_UNAVAILABLE, cache.message.clone());
    }
    if let Some(facts) = seen
        .certificate
        .facts
        .as_ref()
        .filter(|facts| facts.not_after - now < SOON && lives_long(facts.not_before, facts.not_after))
    {
        let days = (facts.not_after - now).max(0) / 86_400;
        let message = format!("the certificate that is served ends in {days} days: renew it");
        return yes(reason::CERTIFICATE_EXPIRES_SOON, message);
    }
    if let Some(file) = seen.credentials.file.as_ref().filter(|file| !file.weak.is_empty()) {
        let message = format!(
            "{} of the password file of your own can be broken cheaply by whoever gets the file: use bcrypt (htpasswd -B)",
            listed(&file.weak)
        );
        return yes(reason::WEAK_PASSWORD_HASHES, message);
    }
    let was =
        before.iter().any(|one| one.type_ == kind::DEGRADED && one.reason == reason::STORAGE_NEARLY_FULL);
    if let Some((claim, filled)) = nearly_full(seen, if was { FULL - 2 } else { FULL }) {
        let message = format!("claim {claim} is {filled} % full: delete images, or grow it");
        return yes(reason::STORAGE_NEARLY_FULL, message);
    }
    if let Some(problem) = restart_loop(&seen.pods) {
        return yes(problem.reason, problem.message);
    }
    if let Some(looped) = not_long_up(before, now) {
        return yes(reason::RESTART_LOOP, looped);
    }
    Verdict::no(kind::DEGRADED, reason::AS_EXPECTED, "nothing to look at")
}

/// The claim whose volume is nearly full, and how full it is, in hundredths.
fn nearly_full(seen: &Observed, from: u64) -> Option<(&str, u64)> {
    let claim = seen.claim.as_ref()?;
    let filled = percent(seen.used.as_ref()?, claim["status"]["capacity"]["storage"].as_str()?)?;
    (filled >= from).then(|| (claim["metadata"]["name"].as_str().unwrap_or_default(), filled))
}

/// A server that was in a loop and has been up for a moment may only be in its next round.
fn not_long_up(before: &[Condition], now: i64) -> Option<String> {
    let find = |kind: &str| before.iter().find(|one| one.type_ == kind);
    let looped = find(kind::DEGRADED).filter(|one| one.reason == reason::RESTART_LOOP)?;
    let up = find(kind::AVAILABLE).filter(|one| one.status == "True");
    let since = up.map_or(now, |one| one.last_transition_time.0.as_second());
    (now - since < PATIENCE).then(|| looped.message.clone())
}

/// A certificate that lives for a month or more should not be in its last week; one made for a few days is always.
fn lives_long(not_before: i64, not_after: i64) -> bool {
    not_after - not_before >= 4 * SOON
}
