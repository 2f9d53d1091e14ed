//! Digests: the name of content.

use std::{fmt, str::FromStr};

use crate::oci::error::{ParseError, cut};

/// A hash function that digests may name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
}

impl Algorithm {
    /// Every algorithm, in the order in which stores are searched.
    pub const ALL: [Self; 2] = [Self::Sha256, Self::Sha512];

    /// The word before the colon.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }

    const fn digits(self) -> usize {
        match self {
            Self::Sha256 => 64,
            Self::Sha512 => 128,
        }
    }

    /// The algorithm of that name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|a| a.as_str() == text)
    }
}

/// `algorithm:hex`, both known to be well-formed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest {
    algorithm: Algorithm,
    hex: String,
}

impl Digest {
    /// The digest with this raw hash, which must be of the algorithm's length.
    pub(crate) fn from_hash(algorithm: Algorithm, hash: &[u8]) -> Self {
        Self { algorithm, hex: hex::encode(hash) }
    }

    /// The hash function.
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The part after the colon.
    pub fn hex(&self) -> &str {
        &self.hex
    }
}

impl FromStr for Digest {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let bad = || ParseError::Digest(cut(text));
        let (algorithm, hex) = text.split_once(':').ok_or_else(bad)?;
        let algorithm = Algorithm::parse(algorithm).ok_or_else(bad)?;
        let lower_hex = hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if hex.len() == algorithm.digits() && lower_hex {
            Ok(Self { algorithm, hex: hex.to_owned() })
        } else {
            Err(bad())
        }
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.algorithm.as_str(), self.hex)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // registry B16 C15 D11
    #[test]
    fn only_lower_case_digests_of_known_algorithms_are_taken() {
        let good = format!("sha256:{}", "a0".repeat(32));
        assert_eq!(good.parse::<Digest>().unwrap().to_string(), good);
        assert!(format!("sha512:{}", "a0".repeat(64)).parse::<Digest>().is_ok());
        for bad in ["", "sha256", "sha256:", "sha256:baddigeststring", "md5:d41d8cd98f00b204e9800998ecf8427e"]
        {
            assert!(bad.parse::<Digest>().is_err(), "{bad}");
        }
        assert!(format!("sha256:{}", "A0".repeat(32)).parse::<Digest>().is_err());
        assert!(format!("blake3:{}", "a0".repeat(32)).parse::<Digest>().is_err());
    }
}
