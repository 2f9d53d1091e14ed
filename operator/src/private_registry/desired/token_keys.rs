//! The Secret of the keys that sign tokens.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::private_registry::{
    certificates::token_keys::{Other, TokenKeys},
    desired::{
        child::{Keep, metadata},
        secrets::{WISH, secret},
    },
    model::Model,
};

/// The key that signs; also the name of its file in pods.
pub const KEY: &str = "key.pem";
/// A key by which tokens may be signed as well. Pods name the file, so it is always there: alone, it is the same key.
pub const OTHER: &str = "other.pem";
/// On the Secret: what the other key is, [`NEXT`] or [`PREVIOUS`].
pub const ROLE: &str = "privateregistry.dev/other-key";
/// The other key signs next.
pub const NEXT: &str = "next";
/// The other key signed before.
pub const PREVIOUS: &str = "previous";
/// On the Secret: since when the keys are what they are, in seconds since 1970.
pub const SINCE: &str = "privateregistry.dev/keys-since";

/// The keys that sign tokens.
pub fn token_keys(model: &Model, keys: &TokenKeys) -> Value {
    let mut metadata = metadata(model, &model.names.token_keys(), Keep::Never);
    metadata["annotations"][SINCE] = keys.since.to_string().into();
    if let Some(wish) = &keys.wish {
        metadata["annotations"][WISH] = wish.clone().into();
    }
    let other = match &keys.other {
        Some(Other::Next(next)) => Some((NEXT, next)),
        Some(Other::Previous(previous)) => Some((PREVIOUS, previous)),
        None => None,
    };
    if let Some((role, _)) = other {
        metadata["annotations"][ROLE] = role.into();
    }
    let other = other.map_or(&keys.key, |(_, other)| other);
    secret(metadata, "Opaque", &BTreeMap::from([(KEY, keys.key.clone()), (OTHER, other.clone())]))
}
