//! Which store the pods get, and when the user is asked first.

use operator::{
    crd::condition::reason,
    private_registry::placement::{Decision, Present, decide},
};
use serde_json::{Value, json};

use crate::sample::{SIX_LINES, model_with};

/// A Deployment that records `store`, with `ready` pods.
fn deployment(store: &str, ready: i64) -> Value {
    json!({"metadata": {"annotations": {"privateregistry.dev/store": store}, "generation": 1}, "spec": {"replicas": 1},
        "status": {"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "readyReplicas": ready}})
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
    // A pod that is ready on another store, because it is still one of before, has not used this one.
    for (field, value) in [("updatedReplicas", 0), ("replicas", 2), ("observedGeneration", 0)] {
        let mut rolling = deployment("claim/team-data/1", 1);
        rolling["status"][field] = value.into();
        let decision = decided(SIX_LINES, &[], Some(rolling), Some(claim("1")));
        assert!(!decision.placement.initialized && decision.initialize, "{field}");
    }
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

// seed D11: a confirmation counts once; the next time somebody has to look again
#[test]
fn an_accepted_empty_store_is_accepted_once() {
    let wish = [("accept-empty-store", "1")];
    let pending = decided(SIX_LINES, &wish, Some(deployment("claim/team-data/1", 0)), Some(claim("1")));
    assert!(pending.initialize);
    let works = decided(SIX_LINES, &wish, Some(deployment("claim/team-data/1", 1)), Some(claim("1")));
    assert!(!works.initialize);
    assert_eq!(works.placement.accepted.as_deref(), Some("1"));
    let mut recorded = deployment("claim/team-data/1", 0);
    recorded["metadata"]["annotations"]["privateregistry.dev/accepted-empty-store"] = "1".into();
    recorded["metadata"]["annotations"]["privateregistry.dev/store-initialized"] = "true".into();
    let later = decided(SIX_LINES, &wish, Some(recorded), Some(claim("1")));
    assert!(!later.initialize && later.placement.accepted.as_deref() == Some("1"));
}

// operator 98: the value that the message names is enough, also for the claim that is made then
#[test]
fn the_value_of_the_message_is_enough() {
    let wish = [("accept-empty-store", "1")];
    let running = || Some(deployment("claim/team-data/1", 0));
    assert!(decided(SIX_LINES, &wish, running(), None).claim);
    let made = decided(SIX_LINES, &wish, running(), Some(claim("2")));
    assert_eq!((why(&made), made.initialize), (None, true));
}

// guarantee 6: the volume goes with the last pod that uses it
#[test]
fn a_claim_that_is_being_deleted_holds_everything() {
    let mut going = claim("1");
    going["metadata"]["deletionTimestamp"] = "2027-01-01T00:00:00Z".into();
    let decision = decided(SIX_LINES, &[], Some(deployment("claim/team-data/1", 1)), Some(going));
    assert_eq!((why(&decision), decision.held), (Some(reason::CLAIM_LOST), true));
    assert!(decision.problem.unwrap().message.contains("Do not restart the pod"));
}

// Pods that share no store are not one registry: a held change does not bring its replicas along.
#[test]
fn a_held_store_keeps_its_number_of_pods() {
    let shared = "{replicas: 3, storage: {filesystem: {size: 1Gi, accessMode: ReadWriteMany}}}";
    let mut running = deployment("ephemeral", 1);
    running["spec"]["strategy"]["type"] = "Recreate".into();
    let held = decided(shared, &[], Some(running), None);
    assert_eq!((why(&held), held.placement.shared), (Some(reason::BACKEND_CHANGED), false));
    let model = model_with("team", shared, &[]);
    let deployment =
        operator::private_registry::desired::deployment::deployment(&model, &held.placement, "c");
    assert_eq!(
        (&deployment["spec"]["replicas"], &deployment["spec"]["strategy"]["type"]),
        (&json!(1), &json!("Recreate"))
    );
}
