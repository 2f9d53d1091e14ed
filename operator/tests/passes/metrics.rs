//! What the operator counts of its passes.

use std::sync::Arc;

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

use crate::{
    watches::{operated, until},
    world::{OBJECT, SIX_LINES, World},
};

const PAUSED: &str = "privateregistry.dev/paused";

/// What a family without labels says; none, before it says anything.
fn said(metrics: &PrometheusHandle, family: &str) -> Option<u64> {
    let text = metrics.render();
    let line = text.lines().find_map(|line| line.strip_prefix(family)?.strip_prefix(' '));
    line.map(|value| value.parse().unwrap())
}

#[tokio::test]
async fn paused_registries_are_counted_while_they_are_paused() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let _recording = metrics::set_default_local_recorder(&recorder);
    let metrics = recorder.handle();
    let mut world = World::new(SIX_LINES);
    world.annotate(PAUSED, "true");
    let api = world.api.clone();
    let looked = async {
        until("the one that is paused", || said(&metrics, "preg_paused") == Some(1)).await;
        until("a watch", || api.watched("privateregistries")).await;
        for (paused, expected) in [("false", 0), ("true", 1)] {
            api.change(OBJECT, |object| object["metadata"]["annotations"][PAUSED] = paused.into());
            world.tell();
            until(paused, || said(&metrics, "preg_paused") == Some(expected)).await;
        }
    };
    operated(&world, &["tools"], &Arc::default(), looked).await;
}

// operator 62
#[tokio::test]
async fn passes_that_fail_are_counted_beside_those_that_do_not() {
    for refused in [false, true] {
        let recorder = PrometheusBuilder::new().build_recorder();
        let _recording = metrics::set_default_local_recorder(&recorder);
        let metrics = recorder.handle();
        let world = World::new(SIX_LINES);
        if refused {
            world.api.refuse("/services");
        }
        let looked = async {
            until("passes", || {
                let failed = said(&metrics, "preg_failed_passes_total");
                said(&metrics, "preg_passes_total") >= Some(2) && (failed >= Some(2)) == refused
            })
            .await;
            assert_eq!(said(&metrics, "preg_failed_passes_total").is_some(), refused, "{}", metrics.render());
        };
        operated(&world, &["tools"], &Arc::default(), looked).await;
    }
}
