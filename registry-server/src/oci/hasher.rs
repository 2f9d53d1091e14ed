//! Hashing that can be put down and picked up by another process.

use sha2::{Digest as _, Sha256, Sha512, digest::common::hazmat::SerializableState};

use crate::oci::digest::{Algorithm, Digest};

/// A digest in the making.
#[derive(Clone)]
pub enum Hasher {
    /// SHA-256.
    Sha256(Box<Sha256>),
    /// SHA-512.
    Sha512(Box<Sha512>),
}

impl Hasher {
    /// Nothing hashed yet.
    pub fn new(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Sha256 => Self::Sha256(Box::default()),
            Algorithm::Sha512 => Self::Sha512(Box::default()),
        }
    }

    /// The digest of `bytes`.
    pub fn digest(algorithm: Algorithm, bytes: &[u8]) -> Digest {
        let mut hasher = Self::new(algorithm);
        hasher.update(bytes);
        hasher.finish()
    }

    /// What the digest will name.
    pub const fn algorithm(&self) -> Algorithm {
        match self {
            Self::Sha256(_) => Algorithm::Sha256,
            Self::Sha512(_) => Algorithm::Sha512,
        }
    }

    /// Takes in more content.
    pub fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha256(h) => h.update(bytes),
            Self::Sha512(h) => h.update(bytes),
        }
    }

    /// The digest of everything taken in.
    pub fn finish(self) -> Digest {
        match self {
            Self::Sha256(h) => Digest::from_hash(Algorithm::Sha256, &h.finalize()),
            Self::Sha512(h) => Digest::from_hash(Algorithm::Sha512, &h.finalize()),
        }
    }

    /// The state, for [`Hasher::restore`].
    pub fn save(&self) -> Vec<u8> {
        match self {
            Self::Sha256(h) => h.serialize().to_vec(),
            Self::Sha512(h) => h.serialize().to_vec(),
        }
    }

    /// A hasher in the state that [`Hasher::save`] gave; nothing if the bytes are not one.
    pub fn restore(algorithm: Algorithm, state: &[u8]) -> Option<Self> {
        match algorithm {
            Algorithm::Sha256 => {
                Some(Self::Sha256(Box::new(Sha256::deserialize(state.try_into().ok()?).ok()?)))
            }
            Algorithm::Sha512 => {
                Some(Self::Sha512(Box::new(Sha512::deserialize(state.try_into().ok()?).ok()?)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_saved_state_continues_where_it_stopped() {
        for algorithm in Algorithm::ALL {
            let mut first = Hasher::new(algorithm);
            first.update(&[7; 1000]);
            let mut second = Hasher::restore(algorithm, &first.save()).unwrap();
            second.update(&[8; 77]);
            let whole = [[7; 1000].as_slice(), &[8; 77]].concat();
            assert_eq!(second.finish(), Hasher::digest(algorithm, &whole));
            assert!(Hasher::restore(algorithm, b"short").is_none());
        }
    }
}
