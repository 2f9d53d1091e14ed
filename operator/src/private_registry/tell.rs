//! Events: what happened to a registry, told once.

use k8s_openapi::api::core::v1::ObjectReference;
use kube::{
    Resource,
    api::DynamicObject,
    runtime::events::{Event, EventType, Recorder},
};

use crate::{crd::registry::PrivateRegistry, private_registry::error::terminating};

/// What an Event says.
pub struct News<'a> {
    /// Whether it is good.
    pub type_: EventType,
    /// Word from the fixed list.
    pub reason: &'a str,
    /// For people.
    pub note: String,
    /// The child that it is about: keeps Events of one reason apart.
    pub child: Option<&'a DynamicObject>,
}

/// An Event is news, not state: one that cannot be written is logged.
pub async fn tell(recorder: &Recorder, object: &PrivateRegistry, news: News<'_>) {
    let secondary = news.child.map(|child| {
        let types = child.types.clone().unwrap_or_default();
        ObjectReference {
            api_version: Some(types.api_version),
            kind: Some(types.kind),
            name: child.metadata.name.clone(),
            namespace: child.metadata.namespace.clone(),
            uid: child.metadata.uid.clone(),
            ..ObjectReference::default()
        }
    });
    let note = news.note.chars().take(1000).collect();
    let event = Event {
        type_: news.type_,
        reason: news.reason.into(),
        note: Some(note),
        action: "Reconcile".into(),
        secondary,
    };
    match recorder.publish(&event, &object.object_ref(&())).await {
        Ok(()) => {}
        // Nobody will read it: it goes with the namespace.
        Err(kube::Error::Api(status)) if terminating(&status) => {}
        Err(error) => tracing::warn!(%error, reason = news.reason, "failed to write an Event"),
    }
}
