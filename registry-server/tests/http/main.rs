//! Behaviours of the registry through a real listener. Ids in comments are those of the behaviour list.

#![allow(clippy::unwrap_used)] // A test may stop at once.

mod access;
mod blobs;
mod cached;
mod fixture;
mod lifecycle;
mod lists;
mod manifests;
mod names;
mod uploads;
