//! The image that the clients push: made here, so that nothing is fetched.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};
use e2e::process::run;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
/// More than clients and proxies keep in one buffer.
const LARGE: usize = 2 << 20;

/// An index of two platforms, each with a large layer that both have and a small one of its own.
pub struct Image {
    /// The OCI layout, in which the index is called `1`.
    pub layout: PathBuf,
    /// Of the index.
    pub digest: String,
    /// The part for this machine.
    pub native: Native,
}

/// Of one platform.
pub struct Native {
    /// Digest of its manifest.
    pub manifest: String,
    /// Digest of its configuration.
    pub config: String,
    /// Digests of its layers, unpacked.
    pub layers: Vec<String>,
}

/// A file in the image.
pub const GREETING: &str = "hello.txt";

impl Image {
    /// What this file holds on this machine.
    pub fn greeting() -> String {
        format!("hello on {}\n", native_architecture())
    }

    /// Makes it below `folder`.
    pub fn make(folder: &Path) -> Result<Self> {
        let layout = folder.join("layout");
        fs::create_dir_all(layout.join("blobs/sha256"))?;
        let base = layer(folder, &layout, "large.bin", &noise())?;
        let mut native = None;
        let mut manifests = Vec::new();
        for architecture in ["amd64", "arm64"] {
            let text = format!("hello on {architecture}\n");
            let own = layer(folder, &layout, GREETING, text.as_bytes())?;
            let (manifest, config) = platform(&layout, architecture, &[&base, &own])?;
            if architecture == native_architecture() {
                let layers = vec![base.1.clone(), own.1];
                native = Some(Native { manifest: digest(&manifest), config: digest(&config), layers });
            }
            manifests.push(manifest);
        }
        let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests});
        let mut index = blob(&layout, INDEX, index.to_string().as_bytes())?;
        let digest = digest(&index);
        index["annotations"] = json!({"org.opencontainers.image.ref.name": "1"});
        let top = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [index]});
        fs::write(layout.join("index.json"), top.to_string())?;
        fs::write(layout.join("oci-layout"), r#"{"imageLayoutVersion": "1.0.0"}"#)?;
        Ok(Self { layout, digest, native: native.context("no image for this machine")? })
    }

    /// The whole of it as one file.
    pub fn archive(&self, file: &Path) -> Result<()> {
        run(Command::new("tar").arg("-cf").arg(file).arg("-C").arg(&self.layout).arg(".")).map(drop)
    }
}

/// This machine's, as images name it.
fn native_architecture() -> &'static str {
    if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" }
}

fn digest(descriptor: &Value) -> String {
    descriptor["digest"].as_str().unwrap_or_default().to_owned()
}

fn sha256(bytes: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(bytes)))
}

/// Bytes that nothing makes smaller.
fn noise() -> Vec<u8> {
    let mut state = 1_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    std::iter::repeat_with(&mut next).take(LARGE).collect()
}

/// Puts a blob into the layout, and gives what names it.
fn blob(layout: &Path, kind: &str, bytes: &[u8]) -> Result<Value> {
    let digest = sha256(bytes);
    fs::write(layout.join("blobs/sha256").join(digest.trim_start_matches("sha256:")), bytes)?;
    Ok(json!({"mediaType": kind, "digest": digest, "size": bytes.len()}))
}

/// A layer of one file, and the digest of what it is when it is unpacked.
fn layer(folder: &Path, layout: &Path, name: &str, content: &[u8]) -> Result<(Value, String)> {
    fs::write(folder.join(name), content)?;
    let tar = folder.join("layer.tar");
    let always = ["--mtime=@0", "--owner=0", "--group=0", "--numeric-owner", "--mode=0644", "-cf"];
    run(Command::new("tar").args(always).arg(&tar).arg("-C").arg(folder).arg(name))?;
    let unpacked = sha256(&fs::read(&tar)?);
    run(Command::new("gzip").arg("-nf").arg(&tar))?;
    Ok((blob(layout, LAYER, &fs::read(folder.join("layer.tar.gz"))?)?, unpacked))
}

/// Manifest and configuration for one architecture.
fn platform(layout: &Path, architecture: &str, layers: &[&(Value, String)]) -> Result<(Value, Value)> {
    let (packed, unpacked): (Vec<&Value>, Vec<&String>) = layers.iter().map(|(one, two)| (one, two)).unzip();
    let config = json!({"architecture": architecture, "os": "linux", "config": {"Cmd": ["/hello.txt"]},
        "rootfs": {"type": "layers", "diff_ids": unpacked}});
    let config = blob(layout, CONFIG, config.to_string().as_bytes())?;
    let manifest = json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": packed});
    let mut manifest = blob(layout, MANIFEST, manifest.to_string().as_bytes())?;
    manifest["platform"] = json!({"architecture": architecture, "os": "linux"});
    Ok((manifest, config))
}
