//! From the six lines to a running pod, on a real cluster, with real clients.

mod clients;
mod conformance;
mod life;
mod neighbours;
mod pods;
