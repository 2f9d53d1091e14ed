//! Blobs that nobody has to push, and that take no room on the disk.

use std::{
    fs::{self, File},
    path::Path,
};

use registry_server::{
    oci::{digest::Algorithm, hasher::Hasher},
    registry::layout,
};

/// Puts a blob of so many zeros into the folder of a store; gives the path at which it is read. Its digest is that of
/// something else, which nobody looks at who reads it.
pub fn blob(store: &Path, name: &str, size: u64) -> String {
    let digest = Hasher::digest(Algorithm::Sha256, size.to_string().as_bytes());
    let link = store.join(layout::link(&layout::layer(&name.parse().unwrap(), &digest)));
    let data = store.join(layout::blob(&digest));
    for file in [&link, &data] {
        fs::create_dir_all(file.parent().unwrap()).unwrap();
    }
    fs::write(link, digest.to_string()).unwrap();
    File::create(data).unwrap().set_len(size).unwrap();
    format!("/v2/{name}/blobs/{digest}")
}
