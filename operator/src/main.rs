//! The operator: `operator run` in the cluster, `operator crd` at build time.

use std::sync::Arc;

use anyhow::{Context as _, bail};
use clap::Parser;
use k8s_openapi::api::coordination::v1::Lease;
use kube::{Api, Client, Config, CustomResourceExt, client::ClientBuilder};
use metrics_exporter_prometheus::PrometheusBuilder;
use operator::{
    args::{Cli, Command, Run},
    cluster::{lease::Candidate, pulse::Pulse, requests::counted},
    crd::registry::PrivateRegistry,
    health,
    private_registry::controller,
    reference, selftest,
};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
};
use tower::util::MapRequestLayer;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    match Cli::parse().command {
        Command::Crd => {
            print!("{}", serde_saphyr::to_string(&PrivateRegistry::crd())?);
            Ok(())
        }
        Command::Reference => {
            print!("{}", reference::page());
            Ok(())
        }
        Command::Selftest(test) => {
            install_tls()?;
            let client = Client::try_default().await.context("failed to find the cluster")?;
            selftest::run(client, &test).await
        }
        Command::Run(run) => serve(run).await,
    }
}

fn install_tls() -> anyhow::Result<()> {
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    provider.install_default().ok().context("a TLS provider was installed already")
}

/// Serves probes at once, reconciles while it leads, ends when it no longer does.
async fn serve(run: Run) -> anyhow::Result<()> {
    install_tls()?;
    tracing_subscriber::fmt().json().with_max_level(run.log_level).init();
    let metrics = PrometheusBuilder::new().install_recorder()?;
    let pulse = Arc::new(Pulse::default());
    let probes = tokio::spawn(health::serve(run.health_addr, metrics, Arc::clone(&pulse)));
    let config = Config::infer().await.context("failed to find the cluster")?;
    let client = Client::try_from(config.clone())?;

    let candidate = || Candidate {
        api: Api::<Lease>::namespaced(client.clone(), &run.namespace),
        name: "privateregistry-operator".to_owned(),
        identity: run.pod_name.clone(),
    };
    let (leader, mut led) = watch::channel(false);
    let mut lease = tokio::spawn(candidate().run(leader, Arc::clone(&pulse)));
    let mut terminated = signal(SignalKind::terminate())?;
    tracing::info!(version = env!("CARGO_PKG_VERSION"), "waiting for the lease");
    tokio::select! {
        _ = led.wait_for(|leads| *leads) => tracing::info!("leading"),
        _ = terminated.recv() => return Ok(()),
    }
    let passes = ClientBuilder::try_from(config.clone())?.with_layer(&MapRequestLayer::new(counted)).build();
    let watching = ClientBuilder::try_from(config)?.with_layer(&pulse.watching()).build();
    tokio::select! {
        () = controller::run(&passes, &watching, &run) => bail!("the controller ended"),
        _ = &mut lease => bail!("the lease is lost: another pod takes over"),
        served = probes => bail!("failed to serve probes on {}: {served:?}", run.health_addr),
        _ = terminated.recv() => {
            // A renewal under way would take the lease back.
            lease.abort();
            Ok(candidate().release().await?)
        }
    }
}
