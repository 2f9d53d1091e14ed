//! From the section `storage.s3` to a bucket.

use std::path::PathBuf;

use anyhow::Context;
use registry_config::schema::{S3, Secret, Storage};

use crate::{
    app::secret,
    storage::s3_client::{Encryption, Options},
};

/// What the section `storage.s3`, and of `storage` what belongs to it, say to a client of the bucket.
pub fn options(section: &S3, storage: &Storage) -> anyhow::Result<Options> {
    let key = |key: &str, inline: &Option<Secret>, file: &Option<PathBuf>| match (inline, file) {
        (Some(secret), _) => Ok(Some(secret.0.clone())),
        (None, Some(file)) => secret::read(key, file).map(Some),
        (None, None) => anyhow::Ok(None),
    };
    let access = key("storage.s3.accesskeyfile", &section.accesskey, &section.accesskeyfile)?;
    let secret = key("storage.s3.secretkeyfile", &section.secretkey, &section.secretkeyfile)?;
    let authorities = section
        .cafile
        .as_ref()
        .map(|file| std::fs::read(file).with_context(|| format!("storage.s3.cafile: {}", file.display())));
    Ok(Options {
        endpoint: endpoint(section),
        public_endpoint: storage.redirect.as_ref().and_then(|redirect| redirect.publicendpoint.clone()),
        region: section.region.clone(),
        bucket: section.bucket.clone(),
        root: format!("/{}", section.rootdirectory.trim_matches('/')),
        path_style: section.forcepathstyle.unwrap_or(section.regionendpoint.is_some()),
        keys: access.zip(secret),
        authorities: authorities.transpose()?,
        encryption: match (section.encrypt, &section.keyid) {
            (false, _) => Encryption::None,
            (true, None) => Encryption::Store,
            (true, Some(key)) => Encryption::Managed(key.clone()),
        },
        storage_class: section.storageclass.clone(),
        acl: section.objectacl.clone(),
        piece: usize::try_from(section.chunksize).context("storage.s3.chunksize")?,
    })
}

fn endpoint(section: &S3) -> Option<String> {
    let scheme = if section.secure { "https" } else { "http" };
    match &section.regionendpoint {
        Some(url) if url.contains("://") => Some(url.clone()),
        Some(host) => Some(format!("{scheme}://{host}")),
        None if section.secure => None,
        None => Some(format!("http://s3.{}.amazonaws.com", section.region)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_of_the_store_follows_from_the_section() {
        let at = |regionendpoint: Option<&str>, secure| {
            let regionendpoint = regionendpoint.map(str::to_owned);
            endpoint(&S3 { region: "r".into(), regionendpoint, secure, ..S3::default() })
        };
        assert_eq!(at(None, true), None);
        assert_eq!(at(None, false).unwrap(), "http://s3.r.amazonaws.com");
        assert_eq!(at(Some("minio:9000"), true).unwrap(), "https://minio:9000");
        assert_eq!(at(Some("minio:9000"), false).unwrap(), "http://minio:9000");
        assert_eq!(at(Some("http://minio"), false).unwrap(), "http://minio");
    }
}
