//! What passes share.

use std::sync::Arc;

use kube::{Client, runtime::events::Recorder};

use crate::{
    cluster::echoes::Echoes,
    private_registry::{hostnames::Registries, resolve::Defaults, usage::Usages},
};

/// What passes share.
pub struct Context {
    /// The cluster.
    pub client: Client,
    /// Events.
    pub recorder: Recorder,
    /// What the operator's release decides.
    pub defaults: Defaults,
    /// Objects outside namespaces may be read.
    pub cluster_wide: bool,
    /// All registries, for what two of them may want.
    pub registries: Registries,
    /// When it was last said how full their volumes are.
    pub usages: Usages,
    /// Their own writes, of which the watches tell.
    pub echoes: Arc<Echoes>,
}
