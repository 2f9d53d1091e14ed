//! Behaviours of the registry through a real listener. Ids in comments are those of the behaviour list.

#![expect(clippy::unwrap_used, reason = "a test may stop at once")]

mod access;
mod audit;
mod authority;
mod blobs;
mod cached;
mod caching;
#[path = "../canaries/mod.rs"]
mod canaries;
mod certificates;
mod client;
mod conditions;
mod conformance;
mod connections;
mod crashes;
mod dying;
mod faults;
mod fixture;
mod guarding;
mod hashing;
#[path = "../hooked/mod.rs"]
mod hooked;
mod hostile;
mod issuers;
mod lifecycle;
mod limited;
mod lists;
mod locations;
mod log_lines;
mod looked;
mod manifests;
mod names;
#[path = "../nginx/mod.rs"]
mod nginx;
#[path = "../object_store/mod.rs"]
mod object_store;
mod objects;
mod operations;
mod policy;
#[path = "../ports/mod.rs"]
mod ports;
mod proxies;
mod quotas;
mod redirects;
mod redis_groups;
mod redis_server;
mod seen;
mod short_logins;
mod slow;
#[path = "../sparse/mod.rs"]
mod sparse;
mod tls;
mod token_server;
mod tokens;
mod tokens_given;
mod told;
mod unreadable;
mod uploads;
