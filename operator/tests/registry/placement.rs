//! Which store the pods get, and when the user is asked first.

use operator::{
    crd::condition::reason,
    private_registry::placement::{Decision, Present, decide},
};
use serde_json::{Value, json};

use crate::sample::{SIX_LINES, model_with};

/// A Deployment that records `store`, with `ready` pods.
fn deployment(store: &str, ready: i64) -> Value {
    json!({"metadata": {"annotations": {"privateregistry.dev/store": store}}, "status": {"readyReplicas": ready}})
}

fn claim(uid: &str) -> Value {
    json!({"metadata": {"uid": uid}, "spec": {"accessModes": ["ReadWriteOnce"]}})
}

fn decided(spec: &str, wishes: &[(&str, &str)], deployment: Option<Value>, claim: Option<Value>) -> Decision {
    let present = Present { deployment: deployment.as_ref(), claim: claim.as_ref() };
    decide(&model_with("team", spec, wishes), present)
}

fn why(decision: &Decision) -> Option<&'static str> {
    decision.problem.as_ref().map(|problem| problem.reason)
}

#[test]
fn a_first_claim_is_made_and_initialized_until_a_server_has_used_it() {
    let first = decided(SIX_LINES, &[], None, None);
    assert!(first.claim && first.initialize && !first.held && first.problem.is_none());
    let bound = decided(SIX_LINES, &[], None, Some(claim("1")));
    assert_eq!((bound.placement.recorded().as_str(), bound.initialize), ("claim/team-data/1", true));
    let used = decided(SIX_LINES, &[], Some(deployment("claim/team-data/1", 1)), Some(claim("1")));
    assert!(used.placement.initialized && !used.initialize);
}

// seed D11: what a server has used once is never initialized again, also by an object that was made anew
#[test]
fn a_used_claim_is_never_initialized_again() {
    let mut kept = claim("1");
    kept["metadata"]["annotations"] = json!({"privateregistry.dev/initialized": "true"});
    let back = decided(SIX_LINES, &[], None, Some(kept.clone()));
    assert!(back.placement.initialized && !back.initialize);
    let confirmed = decided(SIX_LINES, &[("accept-empty-store", "1")], None, Some(kept));
    assert!(confirmed.initialize);
}

// operator 97
#[test]
fn another_backend_is_held_until_the_user_confirms_it() {
    let ephemeral = "storage: {ephemeral: {}}";
    let running = || Some(deployment("claim/team-data/1", 1));
    let held = decided(ephemeral, &[], running(), None);
    assert_eq!(why(&held), Some(reason::BACKEND_CHANGED));
    assert_eq!(held.placement.recorded(), "claim/team-data/1");
    assert!(!held.held && !held.claim && held.placement.initialized);
    let message = &held.problem.as_ref().unwrap().message;
    assert!(message.contains("privateregistry.dev/accept-storage=ephemeral"), "{message}");

    let confirmed = decided(ephemeral, &[("accept-storage", "ephemeral")], running(), None);
    assert_eq!((why(&confirmed), confirmed.placement.recorded().as_str()), (None, "ephemeral"));
    let back = decided(SIX_LINES, &[], running(), Some(claim("1")));
    assert_eq!(why(&back), None);
    let other = decided(SIX_LINES, &[], Some(deployment("ephemeral", 1)), None);
    assert_eq!(
        (why(&other), other.claim, other.placement.recorded().as_str()),
        (Some(reason::BACKEND_CHANGED), false, "ephemeral")
    );
}

// operator 98
#[test]
fn a_lost_claim_is_never_replaced_by_an_empty_one() {
    let running = || Some(deployment("claim/team-data/1", 0));
    let gone = decided(SIX_LINES, &[], running(), None);
    assert_eq!((why(&gone), gone.held, gone.claim), (Some(reason::CLAIM_LOST), true, false));
    assert!(gone.problem.unwrap().message.contains("accept-empty-store=1"));
    let empty = decided(SIX_LINES, &[("accept-empty-store", "1")], running(), None);
    assert!(empty.claim && !empty.held && empty.initialize);

    let other = decided(SIX_LINES, &[], running(), Some(claim("2")));
    assert_eq!((why(&other), other.held), (Some(reason::CLAIM_LOST), true));
    let taken = decided(SIX_LINES, &[("accept-empty-store", "2")], running(), Some(claim("2")));
    assert_eq!(
        (why(&taken), taken.placement.recorded().as_str(), taken.initialize),
        (None, "claim/team-data/2", true)
    );
}

#[test]
fn an_existing_claim_is_checked_and_never_made() {
    let spec = "storage: {filesystem: {existingClaimName: old}}";
    let missing = decided(spec, &[], None, None);
    assert_eq!((why(&missing), missing.held, missing.claim), (Some(reason::CLAIM_NOT_FOUND), true, false));
    assert_eq!(decided(spec, &[], None, Some(claim("1"))).placement.recorded(), "claim/old/1");
    let narrow = decided(&format!("{{replicas: 2, {spec}}}"), &[], None, Some(claim("1")));
    assert_eq!((why(&narrow), narrow.held), (Some(reason::ACCESS_MODE_UNSUPPORTED), true));
    let wide = json!({"metadata": {"uid": "1"}, "spec": {"accessModes": ["ReadWriteMany"]}});
    assert_eq!(why(&decided(&format!("{{replicas: 2, {spec}}}"), &[], None, Some(wide))), None);
}

#[test]
fn an_ephemeral_store_needs_nothing() {
    let decision = decided("storage: {ephemeral: {}}", &[], Some(deployment("ephemeral", 1)), None);
    assert_eq!(
        (why(&decision), decision.held, decision.claim, decision.placement.uid),
        (None, false, false, None)
    );
}
