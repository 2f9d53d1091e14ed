//! Networks, as `10.0.0.0/8` or one address.

use std::{fmt, net::IpAddr, str::FromStr};

use serde::{Deserialize, Serialize};

/// Every address that begins with the same bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Network {
    address: IpAddr,
    /// How many bits.
    prefix: u8,
}

impl Network {
    /// Whether the address is in it. An address of IPv4 that is written as one of IPv6 is one of IPv4.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(ours), IpAddr::V4(theirs)) => {
                self.same(ours.to_bits().into(), theirs.to_bits().into(), 32)
            }
            (IpAddr::V6(ours), IpAddr::V6(theirs)) => self.same(ours.to_bits(), theirs.to_bits(), 128),
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }

    /// One of IPv4 that is written as one of IPv6 is one of IPv4.
    fn canonical(self) -> Self {
        match self.address {
            IpAddr::V6(address) => match (address.to_ipv4_mapped(), self.prefix.checked_sub(96)) {
                (Some(address), Some(prefix)) => Self { address: address.into(), prefix },
                _ => self,
            },
            IpAddr::V4(_) => self,
        }
    }

    fn same(&self, ours: u128, theirs: u128, bits: u32) -> bool {
        // A shift by all bits there are is none: then every address is in it.
        let shift = bits - u32::from(self.prefix);
        (ours ^ theirs).checked_shr(shift).unwrap_or(0) == 0
    }
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is no network: write it as 10.0.0.0/8, fd00::/8 or one address");
        let (address, prefix) = text.split_once('/').map_or((text, None), |(a, p)| (a, Some(p)));
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let bits = if address.is_ipv4() { 32 } else { 128 };
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let prefix = match prefix {
            None => bits,
            Some(text) if digits(text) => text.parse().ok().filter(|p| *p <= bits).ok_or_else(wrong)?,
            Some(_) => return Err(wrong()),
        };
        let network = Self { address, prefix };
        let rest = match address {
            IpAddr::V4(address) => u128::from(address.to_bits()) << 96,
            IpAddr::V6(address) => address.to_bits(),
        };
        match rest.checked_shl(prefix.into()).unwrap_or(0) {
            0 => Ok(network.canonical()),
            _ => Err(format!("{text:?} has bits beyond its first {prefix}: write the network's own address")),
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

impl TryFrom<String> for Network {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Network> for String {
    fn from(network: Network) -> Self {
        network.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // registry TL8
    #[test]
    fn a_network_has_the_addresses_that_begin_as_it_does() {
        for (network, inside, outside) in [
            ("10.0.0.0/8", "10.255.1.2", "11.0.0.0"),
            ("192.0.2.128/25", "192.0.2.200", "192.0.2.127"),
            ("192.0.2.1", "192.0.2.1", "192.0.2.0"),
            ("192.0.2.1", "::ffff:192.0.2.1", "::1"),
            ("::ffff:192.0.2.1", "192.0.2.1", "192.0.2.0"),
            ("::ffff:10.0.0.0/104", "::ffff:10.255.1.2", "11.0.0.0"),
            ("::ffff:0:0/96", "203.0.113.9", "::1"),
            ("0.0.0.0/0", "203.0.113.9", "::"),
            ("fd00::/8", "fd12::1", "fe80::1"),
            ("::/0", "2001:db8::1", "127.0.0.1"),
            ("::1", "::1", "::2"),
        ] {
            let read: Network = network.parse().unwrap();
            assert!(read.contains(inside.parse().unwrap()), "{network} {inside}");
            assert!(!read.contains(outside.parse().unwrap()), "{network} {outside}");
            assert_eq!(read.to_string().parse::<Network>(), Ok(read));
        }
    }

    // registry TL8 CF2
    #[test]
    fn what_is_no_network_is_refused() {
        for (text, why) in [
            ("", "no network"),
            ("localhost", "no network"),
            ("10.0.0.0/33", "no network"),
            ("10.0.0.0/+8", "no network"),
            ("10.0.0.0/", "no network"),
            ("10.0.0.1/8", "bits beyond its first 8"),
            ("fd00::1/64", "bits beyond its first 64"),
            ("10.0.0.1/0", "bits beyond its first 0"),
            ("::ffff:0:0/95", "bits beyond its first 95"),
            ("::ffff:10.0.0.1/104", "bits beyond its first 104"),
        ] {
            let refused = text.parse::<Network>().unwrap_err();
            assert!(refused.contains(why), "{refused}");
        }
    }
}
