//! The command line.

use std::net::SocketAddr;

use clap::{Args, Parser, Subcommand};

/// Runs private OCI registries on Kubernetes, one for each PrivateRegistry object.
#[derive(Parser, Debug)]
#[command(name = "operator", version)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Watch PrivateRegistry objects and keep them true, until SIGTERM.
    Run(Run),
    /// Make a registry, push an image to it and pull it back, and remove it: what `helm test` runs.
    Selftest(SelfTest),
    /// Print the CustomResourceDefinition, as YAML.
    Crd,
    /// Print the reference of its fields, as Markdown.
    Reference,
}

/// Settings of `run`.
#[derive(Args, Debug, Clone)]
pub struct Run {
    /// Image of the registry pods.
    #[arg(long, env = "REGISTRY_IMAGE")]
    pub registry_image: String,
    /// Image of managed Redis servers.
    #[arg(long, env = "REDIS_IMAGE")]
    pub redis_image: String,
    /// Where probes and metrics are served.
    #[arg(long, default_value = "0.0.0.0:8080")]
    pub health_addr: SocketAddr,
    /// What is logged: error, warn, info, debug or trace.
    #[arg(long, default_value = "info")]
    pub log_level: tracing::Level,
    /// Namespace of the operator: its lease is here, and its pods may reach every admin port.
    #[arg(long, env = "POD_NAMESPACE")]
    pub namespace: String,
    /// A namespace whose registries are looked after; given several times, those of several. Not given: every one.
    #[arg(long = "watch-namespace", value_name = "NAMESPACE")]
    pub watch_namespaces: Vec<String>,
    /// Name by which this pod holds the lease.
    #[arg(long, env = "POD_NAME")]
    pub pod_name: String,
}

/// Settings of `selftest`.
#[derive(Args, Debug, Clone)]
pub struct SelfTest {
    /// Namespace in which the registry is made: one that the operator looks after.
    #[arg(long)]
    pub namespace: String,
    /// Seconds within which it has to be Ready, and everything done but the removal, which takes a minute at most.
    #[arg(long, default_value_t = 180)]
    pub timeout: u64,
}
