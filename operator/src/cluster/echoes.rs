//! What a watch tells of an object that a pass has just written is an echo: whoever wrote it knows it already. A new registry
//! is a dozen writes, each of which would have it looked at once more.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

/// The `resourceVersion` of each object that was written and that no watch has told of since, by uid.
#[derive(Debug, Default)]
pub struct Echoes(Mutex<HashMap<String, String>>);

impl Echoes {
    /// Takes note of an object as the API server had it after a write.
    pub fn expect(&self, written: &ObjectMeta) {
        if let (Some(uid), Some(version)) = (&written.uid, &written.resource_version) {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(uid.clone(), version.clone());
        }
    }

    /// Whether what a watch tells is what was written, and no more. It is so once: what is told again, or of another
    /// version, is news.
    pub fn heard(&self, told: &ObjectMeta) -> bool {
        let Some(uid) = &told.uid else { return false };
        let expected = self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(uid);
        expected.is_some() && expected == told.resource_version
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(uid: &str, version: &str) -> ObjectMeta {
        ObjectMeta { uid: Some(uid.into()), resource_version: Some(version.into()), ..ObjectMeta::default() }
    }

    #[test]
    fn what_was_written_is_no_news_once() {
        let echoes = Echoes::default();
        echoes.expect(&object("a", "5"));
        assert!(!echoes.heard(&object("b", "5")), "another object");
        assert!(echoes.heard(&object("a", "5")));
        assert!(!echoes.heard(&object("a", "5")), "told again after the watch broke");
        echoes.expect(&object("a", "7"));
        assert!(!echoes.heard(&object("a", "8")), "somebody else has changed it since");
        assert!(!echoes.heard(&object("a", "7")), "nothing is remembered of what was told");
    }
}
