//! The decision: may this identity do that?

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identity {
    /// The registry has no accounts: everybody.
    Everybody,
    /// An account.
    User(String),
}

impl Identity {
    /// How logs call it.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Everybody => "-",
            Self::User(name) => name,
        }
    }
}

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Look.
    Read,
    /// Push.
    Write,
    /// Delete content.
    Delete,
}

/// Whether the access is granted. `pull_only` names accounts that may look and nothing else.
pub fn allowed(identity: &Identity, access: Access, pull_only: &[String]) -> bool {
    match (identity, access) {
        (_, Access::Read) | (Identity::Everybody, _) => true,
        (Identity::User(user), Access::Write | Access::Delete) => !pull_only.contains(user),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // registry A7
    #[test]
    fn pull_only_accounts_read_and_never_write() {
        let pull_only = ["ci".to_owned()];
        let ci = Identity::User("ci".into());
        assert!(allowed(&ci, Access::Read, &pull_only));
        assert!(!allowed(&ci, Access::Write, &pull_only));
        assert!(!allowed(&ci, Access::Delete, &pull_only));
        assert!(allowed(&Identity::User("dev".into()), Access::Delete, &pull_only));
    }
}
