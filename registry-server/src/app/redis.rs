//! The Redis servers that the configuration names.

use anyhow::Context;
use registry_config::schema::{Config, Redis};

use crate::{
    app::secret,
    cache::redis_address::{Address, HostPort, Login, Servers, TlsFiles},
};

/// Where they are. Their secrets are there, and somebody has chosen them.
pub fn address(config: &Config) -> anyhow::Result<Address> {
    let redis = config.redis.as_ref().context("redis: the section is missing")?;
    let files = [
        ("redis.usernamefile", &redis.usernamefile),
        ("redis.passwordfile", &redis.passwordfile),
        ("redis.sentinelusernamefile", &redis.sentinelusernamefile),
        ("redis.sentinelpasswordfile", &redis.sentinelpasswordfile),
    ];
    for (key, file) in files {
        file.as_ref().map(|file| secret::read(key, file)).transpose()?;
    }
    Ok(Address {
        servers: servers(redis)?,
        login: Login {
            username: redis.username.clone(),
            username_file: redis.usernamefile.clone(),
            password_file: redis.passwordfile.clone(),
        },
        database: redis.db,
        tls: redis.tls.as_ref().map(|tls| TlsFiles {
            pair: tls.certificate.clone().zip(tls.key.clone()),
            authorities: tls.clientcas.clone(),
        }),
    })
}

fn servers(redis: &Redis) -> anyhow::Result<Servers> {
    let mut addresses =
        redis.addrs.iter().map(|address| host_port(address)).collect::<Result<Vec<_>, _>>()?;
    if let Some(master) = &redis.mastername {
        let login = Login {
            username: redis.sentinelusername.clone(),
            username_file: redis.sentinelusernamefile.clone(),
            password_file: redis.sentinelpasswordfile.clone(),
        };
        return Ok(Servers::Sentinels { addresses, master: master.clone(), login });
    }
    match addresses.len() {
        0 | 1 => Ok(Servers::One(addresses.pop().context("redis.addrs: no address")?)),
        _ => Ok(Servers::Cluster(addresses)),
    }
}

fn host_port(address: &str) -> anyhow::Result<HostPort> {
    let (host, port) = address.rsplit_once(':').context("redis.addrs: not host:port")?;
    Ok((host.trim_matches(['[', ']']).to_owned(), port.parse().context("redis.addrs: not host:port")?))
}
