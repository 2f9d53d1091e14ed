//! What must be in a repository before a manifest that names it is taken.

use std::sync::Arc;

use crate::oci::manifest::Descriptor;

/// What must be there. By default everything that an image is made of, and nothing that an index names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completeness {
    /// Config and layers of an image.
    pub layers: bool,
    /// Children of an index.
    pub children: Children,
}

/// What an image runs on, as image indexes say it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Platform {
    /// `amd64`.
    pub architecture: String,
    /// `linux`.
    pub os: String,
}

/// Which children of an index must be there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Children {
    /// None: an index may be pushed first, or stay an index of what is elsewhere.
    #[default]
    None,
    /// Every one.
    All,
    /// Those of these platforms.
    Of(Arc<[Platform]>),
}

impl Default for Completeness {
    fn default() -> Self {
        Self { layers: true, children: Children::None }
    }
}

impl Platform {
    fn is_of(&self, child: &Descriptor) -> bool {
        child.platform.as_ref().is_some_and(|found| {
            found.get("architecture").is_some_and(|word| word == self.architecture.as_str())
                && found.get("os").is_some_and(|word| word == self.os.as_str())
        })
    }
}

impl Children {
    /// Whether an index is refused without this child.
    pub fn include(&self, child: &Descriptor) -> bool {
        match self {
            Self::None => false,
            Self::All => true,
            Self::Of(platforms) => platforms.iter().any(|one| one.is_of(child)),
        }
    }
}
