//! From the six lines to a running pod, on a real cluster, with real clients.

mod adoption;
mod clients;
mod conformance;
mod life;
mod live;
mod neighbours;
mod pods;
mod rules;
