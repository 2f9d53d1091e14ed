//! What follows its file while the server runs: accounts and the live settings.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, ensure};
use arc_swap::ArcSwap;
use registry_config::{
    check_certificates,
    schema::{Config, Htpasswd, MinimumHash},
};

use crate::{
    app::Environment,
    auth::{accounts::Accounts, htpasswd::Minimum},
    metrics,
    settings::Settings,
    telemetry,
    watched_file::{self, Contents, Verdict},
};

const ACCOUNTS_PERIOD: Duration = Duration::from_secs(5);
const LIVE_PERIOD: Duration = Duration::from_secs(10);

fn text(contents: &Contents) -> String {
    String::from_utf8_lossy(contents.first().map_or(&[][..], |c| c)).into_owned()
}

/// The accounts of the password file.
pub fn accounts(config: &Htpasswd) -> anyhow::Result<Arc<Accounts>> {
    let paths = vec![config.path.clone()];
    let contents = watched_file::read(&paths).context("auth.htpasswd.path")?;
    let minimum = match config.minimumhash {
        MinimumHash::Any => Minimum::Any,
        MinimumHash::Bcrypt => Minimum::Bcrypt,
    };
    let (path, realm) = (config.path.clone(), config.realm.clone());
    let accounts = Accounts::new(path, &text(&contents), minimum, realm);
    let accounts = accounts.context("auth.htpasswd.path")?;
    let accounts = Arc::new(accounts);
    let target = Arc::clone(&accounts);
    tokio::spawn(watched_file::follow(paths, ACCOUNTS_PERIOD, contents, move |now| {
        let taken =
            now.map_err(str::to_owned).and_then(|c| target.reload(&text(c)).map_err(|e| e.to_string()));
        match taken {
            Ok(()) => tracing::info!("accounts read again"),
            Err(reason) => {
                metrics::reload_failed("htpasswd");
                tracing::error!(reason, "accounts not taken over, the last good ones stay");
            }
        }
        Verdict::Settled
    }));
    Ok(accounts)
}

/// Rules may come before what they are about: a live file is replaced while servers run, and the main file when they do
/// not. Without the certificates nobody gets anything by them.
fn warn_of_nobody(config: &Config) {
    for told in check_certificates::nobody(config) {
        tracing::warn!("a rule is about nobody: {told}");
    }
}

/// The configuration as it is at the start, the live file included, and the settings that follow that file.
pub fn settings(
    config: &Config,
    environment: &Environment,
) -> anyhow::Result<(Config, Arc<ArcSwap<Settings>>)> {
    let Some(live) = &config.live else {
        let nobody = check_certificates::nobody(config);
        ensure!(nobody.is_empty(), "{}", nobody.join("; "));
        return Ok((config.clone(), Arc::new(ArcSwap::from_pointee(Settings::from_config(config)))));
    };
    let (main, environment, name) = (config.clone(), environment.clone(), live.path.display().to_string());
    let read = move |contents: &Contents| {
        let live = Config::live_from_yaml(&name, &text(contents), environment.iter().cloned());
        live.map(|live| main.clone().with_live(&live)).map_err(|errors| errors.to_string())
    };
    let paths = vec![live.path.clone()];
    let contents = watched_file::read(&paths).context("live.path")?;
    let first = read(&contents).map_err(anyhow::Error::msg)?;
    telemetry::set_level(first.log.level);
    warn_of_nobody(&first);
    let settings = Arc::new(ArcSwap::from_pointee(Settings::from_config(&first)));
    let target = Arc::clone(&settings);
    tokio::spawn(watched_file::follow(paths, LIVE_PERIOD, contents, move |now| {
        match now.map_err(str::to_owned).and_then(&read) {
            Ok(config) => {
                telemetry::set_level(config.log.level);
                warn_of_nobody(&config);
                target.store(Arc::new(Settings::from_config(&config)));
                tracing::info!("live settings read again");
            }
            Err(reason) => {
                metrics::reload_failed("live");
                tracing::error!(reason, "live settings not taken over, the last good ones stay");
            }
        }
        Verdict::Settled
    }));
    Ok((first, settings))
}
