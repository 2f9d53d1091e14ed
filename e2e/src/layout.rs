//! OCI layouts: images as folders.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context, Result};

/// Manifests, configurations and layers of an OCI layout, by their digests.
pub fn contents(layout: &Path) -> Result<BTreeMap<String, Vec<u8>>> {
    let folder = layout.join("blobs/sha256");
    let files = fs::read_dir(&folder).with_context(|| format!("no {}", folder.display()))?;
    files
        .map(|file| {
            let file = file?;
            Ok((file.file_name().to_string_lossy().into_owned(), fs::read(file.path())?))
        })
        .collect()
}
