//! What a script leaves in the engine and in its folders, which goes with the script.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Result;
use e2e::process::run;

use crate::{docker::docker, place::Place};

/// The CA of one registry, told to the engine until this goes.
pub struct Trust {
    folder: PathBuf,
    made: Vec<PathBuf>,
}

impl Trust {
    /// Tells it, and says nothing about other registries.
    pub fn tell(place: &Place) -> Result<Self> {
        let folder = Path::new("/etc/docker/certs.d").join(&place.address);
        let made = folder.ancestors().take_while(|above| !above.exists()).map(Path::to_owned).collect();
        fs::create_dir_all(&folder)?;
        fs::copy(place.ca(), folder.join("ca.crt"))?;
        Ok(Self { folder, made })
    }
}

impl Drop for Trust {
    fn drop(&mut self) {
        let _ = fs::remove_file(self.folder.join("ca.crt"));
        // What others have put there meanwhile stays.
        for folder in &self.made {
            let _ = fs::remove_dir(folder);
        }
    }
}

/// Names of images in the engine.
pub struct Images<'a>(pub &'a Place, pub Vec<String>);

impl Drop for Images<'_> {
    fn drop(&mut self) {
        for name in &self.1 {
            let _ = run(&mut docker(self.0, &["rmi", "-f", name]));
        }
    }
}
