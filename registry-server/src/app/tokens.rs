//! The issuers of the live settings and the files with their keys, both of which may change while the server runs.

use std::{
    collections::HashMap,
    fs::File,
    io::Read as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use arc_swap::ArcSwap;
use registry_config::schema::Config;

use crate::{
    auth::{
        issuer::{Issuer, Naming},
        key_set::KeySet,
        tokens::Tokens,
    },
    metrics,
    settings::{self, Settings},
};

const PERIOD: Duration = Duration::from_secs(5);
/// A larger file is no set of keys.
const LARGEST: u64 = 1 << 20;

type Issuers = Vec<(Issuer, Vec<PathBuf>)>;

/// A file as it was at the last look, and the last good keys of it.
struct Source {
    seen: Result<Vec<u8>, String>,
    keys: Option<Arc<KeySet>>,
}

/// What the last look has shown.
#[derive(Default)]
struct Known {
    issuers: Issuers,
    files: HashMap<PathBuf, Source>,
}

/// The tokens that are believed, by the settings and the files of each moment. Keys that cannot be read keep nobody out
/// but those that need them.
pub fn follow(settings: Arc<ArcSwap<Settings>>) -> Arc<ArcSwap<Tokens>> {
    let (mut known, first) = Known::default().look(settings.load().issuers.clone());
    let tokens = Arc::new(ArcSwap::from_pointee(first.unwrap_or_default()));
    let target = Arc::clone(&tokens);
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(PERIOD).await;
            let issuers = settings.load().issuers.clone();
            let Ok((next, changed)) = tokio::task::spawn_blocking(move || known.look(issuers)).await else {
                return;
            };
            known = next;
            if let Some(tokens) = changed {
                target.store(Arc::new(tokens));
                tracing::info!("issuers of tokens and their keys read again");
            }
        }
    });
    tokens
}

/// What keeps tokens of this configuration from being believed, each with the issuer that it is about.
pub fn problems(config: &Config) -> Vec<String> {
    let issuers = settings::issuers(config);
    let files = issuers.iter().flat_map(|(issuer, paths)| paths.iter().map(move |path| (issuer, path)));
    let problem = |(issuer, path): (&Issuer, &PathBuf)| {
        let parsed = read(path).and_then(|text| parse(issuer, path, &text));
        parsed.err().map(|why| format!("keys of {}: {why}", issuer.name()))
    };
    files.filter_map(problem).collect()
}

impl Known {
    /// The next look, and what follows from it if anything is new.
    fn look(mut self, issuers: Issuers) -> (Self, Option<Tokens>) {
        let mut changed = issuers != self.issuers;
        let mut files = HashMap::new();
        let named = issuers.iter().flat_map(|(issuer, paths)| paths.iter().map(move |path| (issuer, path)));
        for (issuer, path) in named {
            let seen = read(path);
            let file = match self.files.remove(path).or_else(|| files.remove(path)) {
                Some(file) if file.seen == seen => file,
                before => {
                    changed = true;
                    taken(issuer, path, seen, before.and_then(|file| file.keys))
                }
            };
            files.insert(path.clone(), file);
        }
        let keys = |path| files.get(path).and_then(|file: &Source| file.keys.clone());
        let trusted =
            issuers.iter().map(|(issuer, paths)| (issuer.clone(), paths.iter().filter_map(keys).collect()));
        let trusted = trusted.collect();
        (Self { issuers, files }, changed.then(|| Tokens::new(trusted)))
    }
}

/// A file that has changed. Its last good keys stay where the new ones are none.
fn taken(issuer: &Issuer, path: &Path, seen: Result<Vec<u8>, String>, before: Option<Arc<KeySet>>) -> Source {
    match seen.clone().and_then(|text| parse(issuer, path, &text)) {
        Ok(keys) => Source { seen, keys: Some(Arc::new(keys)) },
        Err(reason) => {
            metrics::reload_failed("jwks");
            let stays = if before.is_some() {
                "the last good ones stay"
            } else {
                "its tokens are refused until then"
            };
            tracing::error!(issuer = issuer.name(), reason, "keys not taken over, {stays}");
            Source { seen, keys: before }
        }
    }
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    let mut text = Vec::new();
    let read = File::open(path).and_then(|file| file.take(LARGEST + 1).read_to_end(&mut text));
    read.map_err(|why| format!("{}: {why}", path.display()))?;
    if text.len() as u64 > LARGEST {
        return Err(format!("{} is larger than {LARGEST} bytes", path.display()));
    }
    Ok(text)
}

fn parse(issuer: &Issuer, path: &Path, text: &[u8]) -> Result<KeySet, String> {
    let read = if issuer.naming == Naming::Ourselves { KeySet::own } else { KeySet::read };
    read(text).map_err(|why| format!("{} {why}", path.display()))
}
