//! Where Redis servers are, and how to log in. Files are read for every new connection.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use redis::{ClientTlsConfig, ConnectionAddr, RedisConnectionInfo, RedisError, TlsCertificates};

/// Which servers there are, and how to log in.
#[derive(Clone, Debug)]
pub struct Address {
    /// Which servers.
    pub servers: Servers,
    /// Account at the servers that keep the values.
    pub login: Login,
    /// Database number.
    pub database: u8,
    /// TLS to all of them, unless connections are plain.
    pub tls: Option<TlsFiles>,
}

/// Host name or address, and port.
pub type HostPort = (String, u16);

/// Which servers keep the values, or know who does.
#[derive(Clone, Debug)]
pub enum Servers {
    /// The one server.
    One(HostPort),
    /// Sentinels, which know the master.
    Sentinels {
        /// Where they are.
        addresses: Vec<HostPort>,
        /// What they call the master.
        master: String,
        /// Account at the Sentinels.
        login: Login,
    },
    /// Some nodes of a cluster, which know the others.
    Cluster(Vec<HostPort>),
}

/// An account.
#[derive(Clone, Debug, Default)]
pub struct Login {
    /// Its name, when the server has accounts.
    pub username: Option<String>,
    /// A file with the name.
    pub username_file: Option<PathBuf>,
    /// A file with the password.
    pub password_file: Option<PathBuf>,
}

/// PEM files of a connection over TLS.
#[derive(Clone, Debug)]
pub struct TlsFiles {
    /// Our certificate and its key, if the server asks for them.
    pub pair: Option<(PathBuf, PathBuf)>,
    /// Authorities that may have signed the server's certificate.
    pub authorities: Vec<PathBuf>,
}

/// Why a call to the server gave nothing.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Failure {
    /// A file of the login cannot be read.
    #[error("cannot read {}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: Arc<io::Error>,
    },
    /// No answer in time.
    #[error("no answer in time")]
    Slow,
    /// The task that connects has ended too early.
    #[error("connecting broke off")]
    BrokenOff,
    /// Anything else.
    #[error(transparent)]
    Redis(#[from] RedisError),
}

async fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let failure = |source| Failure::File { path: path.to_owned(), source: Arc::new(source) };
    tokio::fs::read(path).await.map_err(failure)
}

async fn word(path: &Path) -> Result<String, Failure> {
    Ok(String::from_utf8_lossy(&read(path).await?).trim_end().to_owned())
}

impl Login {
    /// What the files say now.
    pub async fn read(&self) -> Result<RedisConnectionInfo, Failure> {
        let mut login = RedisConnectionInfo::default();
        if let Some(username) = &self.username {
            login = login.set_username(username);
        }
        if let Some(file) = &self.username_file {
            login = login.set_username(word(file).await?);
        }
        if let Some(file) = &self.password_file {
            login = login.set_password(word(file).await?);
        }
        Ok(login)
    }
}

impl Address {
    /// The certificates as the files have them now; nothing where connections are plain.
    pub async fn certificates(&self) -> Result<Option<TlsCertificates>, Failure> {
        match &self.tls {
            Some(tls) => tls.read().await.map(Some),
            None => Ok(None),
        }
    }

    /// A server as the client library names it.
    pub fn target(&self, (host, port): &HostPort) -> ConnectionAddr {
        let (host, port) = (host.clone(), *port);
        match self.tls {
            Some(_) => ConnectionAddr::TcpTls { host, port, insecure: false, tls_params: None },
            None => ConnectionAddr::Tcp(host, port),
        }
    }
}

impl TlsFiles {
    async fn read(&self) -> Result<TlsCertificates, Failure> {
        let mut authorities = Vec::new();
        for file in &self.authorities {
            authorities.extend(read(file).await?);
            authorities.push(b'\n');
        }
        let client_tls = match &self.pair {
            Some((certificate, key)) => {
                let (client_cert, client_key) = (read(certificate).await?, read(key).await?);
                Some(ClientTlsConfig { client_cert, client_key })
            }
            None => None,
        };
        Ok(TlsCertificates { client_tls, root_cert: Some(authorities) })
    }
}
