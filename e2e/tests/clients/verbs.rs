//! What a client has done: its script says so, and the registry has to have seen it.

use std::collections::BTreeSet;

use anyhow::{Result, ensure};

use crate::place::{Place, USER};

/// The columns of `docs/reference/clients.md`.
#[derive(Clone, Copy)]
pub enum Verb {
    /// From one repository to another one.
    Copy,
    /// Manifests or tags.
    Delete,
    /// Tags or repositories.
    List,
    /// Content.
    Pull,
    /// Content.
    Push,
    /// A list of what refers to an image, which the audit log takes for a pull.
    Referrers,
}

impl Verb {
    /// As the page has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Copy => "copy",
            Self::Delete => "delete",
            Self::List | Self::Referrers => "list",
            Self::Pull => "pull",
            Self::Push => "push",
        }
    }

    /// As the audit log has it, where a copy is a push.
    fn action(self) -> &'static str {
        match self {
            Self::Copy => "push",
            Self::Referrers => "pull",
            _ => self.name(),
        }
    }
}

impl Place {
    /// Notes that the client has done this with a repository, or with none in particular. Fails if the registry knows nothing of it.
    pub fn did(&self, verb: Verb, repository: &str) -> Result<()> {
        ensure!(self.seen(verb, repository)?, "the registry has seen no {} of {repository:?}", verb.name());
        self.verbs.borrow_mut().insert(verb.name());
        Ok(())
    }

    /// Whether the registry has let the account do this.
    pub fn seen(&self, verb: Verb, repository: &str) -> Result<bool> {
        Ok(self.audited()?.iter().any(|line| {
            let done = line["user"] == USER && line["decision"] == "allowed";
            let of = line["repository"].as_str().unwrap_or_default();
            done && line["action"] == verb.action() && of == repository
        }))
    }

    /// Fails unless the registry has mounted this many blobs there, instead of taking them in once more.
    pub fn mounted(&self, repository: &str, blobs: usize) -> Result<()> {
        let lines = self.audited()?;
        let mounts = lines.iter().filter(|line| line["repository"] == repository && line["from"].is_string());
        let digests: BTreeSet<_> = mounts.map(|line| line["digest"].as_str()).collect();
        ensure!(digests.len() == blobs, "mounted into {repository} is {digests:?}");
        Ok(())
    }
}
