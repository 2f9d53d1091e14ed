//! What is wrong with a store as a whole.

use crate::{registry::error::RegistryError, storage::error::Gone};

/// What a look at the store has shown.
pub type Seen = Result<(), Trouble>;

/// Why nothing is said about what is in the store, and nothing is written into it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// It carries another identity than the configuration says, or none.
    #[error("the store is not the expected one")]
    Wrong,
    /// There is none.
    #[error(transparent)]
    Gone(Gone),
    /// It does not answer, or refuses us.
    #[error("the store does not answer")]
    Silent,
}

impl Trouble {
    /// How metrics call it.
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Wrong => "wrong",
            Self::Gone(_) => "gone",
            Self::Silent => "silent",
        }
    }
}

impl From<RegistryError> for Trouble {
    fn from(error: RegistryError) -> Self {
        match &error {
            RegistryError::WrongStore { .. } => Self::Wrong,
            RegistryError::Trouble(trouble) => *trouble,
            other => other.store_is_gone().map_or(Self::Silent, Self::Gone),
        }
    }
}
