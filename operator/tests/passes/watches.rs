//! What wakes passes, and what happens to one watch when another is refused.

use std::{future::Future, sync::Arc, time::Duration};

use operator::{
    args::Run,
    cluster::watches::{Recorded, Watches},
    private_registry::controller,
};
use serde_json::json;

use crate::world::{OBJECT, SIX_LINES, World};

fn settings(namespaces: &[&str]) -> Run {
    Run {
        registry_image: "registry:1".into(),
        redis_image: "redis:7".into(),
        health_addr: ([127, 0, 0, 1], 0).into(),
        log_level: tracing::Level::INFO,
        namespace: "operators".into(),
        watch_namespaces: namespaces.iter().map(|name| (*name).to_owned()).collect(),
        pod_name: "operator-1".into(),
    }
}

/// Waits until it holds.
pub async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let waited = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), waited).await.unwrap_or_else(|_| panic!("{what}"));
}

/// An operator looks after these namespaces while `work` goes on.
pub async fn operated(
    world: &World,
    namespaces: &[&str],
    watches: &Arc<Watches>,
    work: impl Future<Output = ()>,
) {
    let (client, watching) = (world.api.client(), world.api.recorded(&Recorded(Arc::clone(watches))));
    let run = settings(namespaces);
    tokio::select! {
        () = controller::run(&client, &watching, &run) => panic!("the controller ended"),
        () = work => {}
    }
}

// operator 63
#[tokio::test]
async fn a_watch_that_is_refused_is_named_and_leaves_the_others() {
    let world = World::new(SIX_LINES);
    world.api.unlist("poddisruptionbudgets");
    let watches = Arc::new(Watches::default());
    let looked = async {
        until("no pass", || {
            world.api.objects().keys().any(|path| path.ends_with("deployments/team-registry"))
        })
        .await;
        until("no watch of claims", || {
            watches.all().contains_key("persistentvolumeclaims in tools") && watches.all().len() == 9
        })
        .await;
    };
    operated(&world, &["tools"], &watches, looked).await;
    let refused: Vec<(String, Option<String>)> =
        watches.all().into_iter().filter(|(_, trouble)| trouble.is_some()).collect();
    assert_eq!(
        json!(refused),
        json!([["poddisruptionbudgets.policy in tools", "403 Forbidden"]]),
        "{:?}",
        watches.all()
    );
    assert!(!world.api.objects()[OBJECT]["status"].is_null());
}
