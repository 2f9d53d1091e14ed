//! Where a Redis server is, and how to log in. Files are read for every new connection.

use std::{
    io,
    path::{Path, PathBuf},
};

use redis::{
    Client, ClientTlsConfig, ConnectionAddr, IntoConnectionInfo, RedisConnectionInfo, RedisError,
    TlsCertificates,
};

/// Where the server is and how to log in.
#[derive(Clone, Debug)]
pub struct Address {
    /// Host name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Account, when the server has them.
    pub username: Option<String>,
    /// A file with the account.
    pub username_file: Option<PathBuf>,
    /// A file with the password.
    pub password_file: Option<PathBuf>,
    /// Database number.
    pub database: u8,
    /// TLS, unless the connection is plain.
    pub tls: Option<TlsFiles>,
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
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// A file of the login cannot be read.
    #[error("cannot read {}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// No answer in time.
    #[error("no answer in time")]
    Slow,
    /// Anything else.
    #[error(transparent)]
    Redis(#[from] RedisError),
}

async fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    tokio::fs::read(path).await.map_err(|source| Failure::File { path: path.to_owned(), source })
}

async fn word(path: &Path) -> Result<String, Failure> {
    Ok(String::from_utf8_lossy(&read(path).await?).trim_end().to_owned())
}

impl Address {
    /// A client that logs in with what the files say now.
    pub async fn client(&self) -> Result<Client, Failure> {
        let (host, port) = (self.host.clone(), self.port);
        let login = self.login().await?;
        let Some(tls) = &self.tls else {
            let target = ConnectionAddr::Tcp(host, port);
            return Ok(Client::open(target.into_connection_info()?.set_redis_settings(login))?);
        };
        let target = ConnectionAddr::TcpTls { host, port, insecure: false, tls_params: None };
        let target = target.into_connection_info()?.set_redis_settings(login);
        Ok(Client::build_with_tls(target, tls.certificates().await?)?)
    }

    async fn login(&self) -> Result<RedisConnectionInfo, Failure> {
        let mut login = RedisConnectionInfo::default().set_db(self.database.into());
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

impl TlsFiles {
    async fn certificates(&self) -> Result<TlsCertificates, Failure> {
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
