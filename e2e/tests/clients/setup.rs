//! What a registry of one script is started with.

use std::{env, fs, path::Path};

use anyhow::{Context, Result};
use e2e::{authority::Authority, process::run_with_input, server::ours};

use crate::{
    place::{PASSWORD, USER},
    ways::Way,
};

/// An address of this machine: clients ask less of a registry on loopback.
pub fn host() -> String {
    env::var("CLIENTS_HOST").unwrap_or_else(|_| "127.0.0.1".to_owned())
}

fn path(folder: &Path, name: &str) -> String {
    folder.join(name).display().to_string()
}

/// Puts there what the registry reads: the account, a certificate and the CA that signed it, and the key of tokens.
pub fn prepare(home: &Path) -> Result<()> {
    for folder in ["certs", "data", "files"] {
        fs::create_dir(home.join(folder))?;
    }
    run_with_input(ours()?.args(["htpasswd", "add", &path(home, "htpasswd"), USER]), PASSWORD)?;
    let authority = Authority::new()?;
    let (certificate, key) = authority.pair(&[host()])?;
    for (name, text) in [("certs/ca.crt", authority.pem()), ("crt", certificate), ("key", key)] {
        fs::write(home.join(name), text).with_context(|| name.to_owned())?;
    }
    fs::write(home.join("token-key"), rcgen::KeyPair::generate()?.serialize_pem())?;
    Ok(())
}

/// The registry's file.
pub fn config(home: &Path, way: Way) -> String {
    let at = |name| path(home, name);
    let tls = match way {
        Way::Direct => format!(", tls: {{certificate: '{}', key: '{}'}}", at("crt"), at("key")),
        _ => String::new(),
    };
    let tokens = match way {
        Way::NginxOfToday | Way::NginxUnknown => {
            format!(", token: {{builtin: {{key: '{}'}}}}", at("token-key"))
        }
        _ => String::new(),
    };
    let known = if way == Way::NginxUnknown { "192.0.2.1" } else { "127.0.0.1" };
    format!(
        "version: '0.1'\nlog: {{audit: {{file: 'DATA-audit', reads: true}}}}\ntrustedproxies: ['{known}']\n\
         storage: {{filesystem: {{rootdirectory: 'DATA'}}, delete: {{enabled: true}}}}\n\
         http: {{addr: 'ADDRESS'{tls}}}\nauth: {{htpasswd: {{path: '{}'}}{tokens}}}\n",
        at("htpasswd")
    )
}
