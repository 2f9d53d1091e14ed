//! Tests of the whole chain against a real cluster, and of the server with every client.
//!
//! Those of the cluster know a kubeconfig (`KUBECONFIG`), the OCI layout of a small application image (`HELLO_LAYOUT`), the
//! registry server's image as an archive (`SERVER_ARCHIVE`), the folder in which the node's containerd looks for
//! registries (`CERTS_D`), and the programs on `PATH`: `kubectl`, `crane`, `skopeo`. How the cluster came to be is
//! not their business. Those with every client, `tests/clients`, need none of it.

pub mod authority;
pub mod children;
pub mod component;
pub mod kubectl;
pub mod layout;
pub mod load;
pub mod namespace;
pub mod object;
pub mod operator;
pub mod pod;
pub mod process;
pub mod registry;
pub mod secrets;
pub mod server;
