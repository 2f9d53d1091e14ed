//! The registry server's command line.

use std::{
    io::Read,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, bail};
use clap::{Parser, Subcommand};
use registry_config::{check_certificates, error::Problem, schema::Config};
use registry_server::{
    app::{self, Environment, Server, open_files, tokens},
    auth::{error::AuthError, htpasswd, htpasswd_file},
    telemetry,
};
use tokio::{signal::unix, sync::watch};

/// `EX_CONFIG` of sysexits.
const CONFIGURATION: u8 = 78;

#[derive(Parser)]
#[command(name = "registry-server", version, about = "An OCI distribution registry that runs anywhere")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve images until SIGTERM. Variables such as REGISTRY_HTTP_ADDR override keys of the file.
    Serve {
        /// Configuration file; without one: 127.0.0.1:5000 and ./data, open to everybody on this machine.
        config: Option<PathBuf>,
        /// Listen to other machines without accounts.
        #[arg(long)]
        allow_anonymous_writes: bool,
    },
    /// Work with configuration files.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Work with password files.
    #[command(subcommand)]
    Htpasswd(HtpasswdCommand),
}

#[derive(Subcommand)]
enum ConfigCommand {
    /// Check a file and print what it means.
    Validate {
        /// The file.
        file: PathBuf,
    },
    /// Print the configuration that is used without a file.
    PrintDefault,
}

#[derive(Subcommand)]
enum HtpasswdCommand {
    /// Add an account or replace its password, which is read from standard input.
    Add {
        /// The file; made if it is missing.
        file: PathBuf,
        /// The account.
        user: String,
    },
    /// Check the password on standard input.
    Verify {
        /// The file.
        file: PathBuf,
        /// The account.
        user: String,
    },
}

fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Serve { config, allow_anonymous_writes } => serve(config.as_deref(), allow_anonymous_writes),
        Command::Config(ConfigCommand::Validate { file }) => validate(&file),
        Command::Config(ConfigCommand::PrintDefault) => print(&Config::standalone()),
        Command::Htpasswd(HtpasswdCommand::Add { file, user }) => add(&file, &user),
        Command::Htpasswd(HtpasswdCommand::Verify { file, user }) => verify(&file, &user),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.is::<Misconfigured>() => {
            eprintln!("{error:#}");
            ExitCode::from(CONFIGURATION)
        }
        Err(error) => {
            eprintln!("registry-server: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The configuration is at fault.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Misconfigured(String);

fn environment() -> Environment {
    std::env::vars().filter(|(name, _)| name.starts_with("REGISTRY_")).collect()
}

/// The configuration, and keys of its file that change nothing.
fn configuration(file: Option<&Path>) -> anyhow::Result<(Config, Vec<Problem>)> {
    let (name, text) = match file {
        None => ("(default)".to_owned(), Config::standalone().to_yaml().map_err(|e| e.to_string())),
        Some(file) => {
            let name = file.display().to_string();
            (name.clone(), std::fs::read_to_string(file).map_err(|e| format!("{name}: {e}")))
        }
    };
    let read = Config::read(&name, &text.map_err(Misconfigured)?, environment());
    Ok(read.map_err(|errors| Misconfigured(errors.to_string()))?)
}

/// What the file means; what is odd about it goes to standard error.
fn validate(file: &Path) -> anyhow::Result<()> {
    let (config, odd) = configuration(Some(file))?;
    // A file for live.path is right without TLS, and nobody sees that it is one.
    let nobody =
        check_certificates::nobody(&config).into_iter().map(|told| format!("{}: {told}", file.display()));
    for told in odd.iter().map(Problem::to_string).chain(open(&config)).chain(nobody) {
        eprintln!("warning: {told}");
    }
    let unusable = tokens::problems(&config);
    if !unusable.is_empty() {
        let told: Vec<String> = unusable.iter().map(|what| format!("{}: {what}", file.display())).collect();
        bail!(Misconfigured(told.join("\n")));
    }
    print(&config.redacted())
}

/// That everybody may push and delete.
fn open(config: &Config) -> Option<String> {
    app::open_to_strangers(config).then(|| {
        format!(
            "http.addr: {} is reachable from other machines and there is no section auth: everybody could push \
             and delete. Configure auth.htpasswd, listen on 127.0.0.1, or start with --allow-anonymous-writes",
            config.http.addr
        )
    })
}

fn print(config: &Config) -> anyhow::Result<()> {
    print!("{}", config.to_yaml()?);
    Ok(())
}

fn serve(file: Option<&Path>, allow_anonymous_writes: bool) -> anyhow::Result<()> {
    let (config, odd) = configuration(file)?;
    telemetry::install(&config.log);
    for told in odd {
        tracing::warn!("{told}");
    }
    if let Some(open) = open(&config).filter(|_| !allow_anonymous_writes) {
        bail!(Misconfigured(open));
    }
    if let Err(error) = open_files::take_all() {
        tracing::warn!(%error, "the limit of open files stays as it is");
    }
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
        let server = Server::start(&config, &environment()).await;
        let server = server.map_err(|error| Misconfigured(format!("{error:#}")))?;
        tracing::info!(address = %server.address()?, "serving");
        server.run(stop_on_signal()?).await;
        Ok(())
    })
}

/// Turns true on the first SIGTERM or SIGINT; the second ends the process.
fn stop_on_signal() -> anyhow::Result<watch::Receiver<bool>> {
    let (stop, stopped) = watch::channel(false);
    let mut terminate = unix::signal(unix::SignalKind::terminate())?;
    let mut interrupt = unix::signal(unix::SignalKind::interrupt())?;
    tokio::spawn(async move {
        loop {
            tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
            if stop.send_replace(true) {
                std::process::exit(1);
            }
            tracing::info!("ending: waiting for running requests");
        }
    });
    Ok(stopped)
}

fn password() -> anyhow::Result<String> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).context("cannot read the password from standard input")?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

fn add(file: &Path, user: &str) -> anyhow::Result<()> {
    Ok(htpasswd_file::add(file, user, &password()?)?)
}

fn verify(file: &Path, user: &str) -> anyhow::Result<()> {
    let text =
        std::fs::read_to_string(file).map_err(|source| AuthError::Read { path: file.to_owned(), source })?;
    let (accounts, unusable) = htpasswd::parse(&text, htpasswd::Minimum::Any);
    for bad in unusable.iter().filter(|bad| bad.user == user) {
        eprintln!("{}:{}: {}", file.display(), bad.line, bad.reason);
    }
    let password = password()?;
    if accounts.iter().any(|(name, hash)| name == user && hash.verify(&password)) {
        println!("password of {user} is right");
        Ok(())
    } else {
        bail!("wrong password or unknown account {user}")
    }
}
