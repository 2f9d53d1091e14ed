//! Who asks, and for what.

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identity {
    /// The registry has no accounts: everybody.
    Everybody,
    /// The registry has accounts, and this is none of them.
    Anonymous,
    /// An account.
    User(String),
}

impl Identity {
    /// How logs call it.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Everybody | Self::Anonymous => "-",
            Self::User(name) => name,
        }
    }
}

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Read manifests, blobs and referrers.
    Pull,
    /// Write them.
    Push,
    /// Delete them.
    Delete,
    /// See tags, and the repository in lists.
    List,
}

impl Action {
    /// What one is told who may not do it.
    pub const fn denied(self) -> &'static str {
        match self {
            Self::Pull => "this account may not pull from this repository",
            Self::Push => "this account may not push to this repository",
            Self::Delete => "this account may not delete in this repository",
            Self::List => "this account may not list this repository",
        }
    }

    /// Whether it leaves everything as it is.
    pub const fn reads(self) -> bool {
        matches!(self, Self::Pull | Self::List)
    }
}
