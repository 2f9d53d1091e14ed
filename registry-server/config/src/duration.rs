//! Durations as Go writes them (`1h30m`, `250ms`), which is how distribution's files spell them.

use std::{fmt, str::FromStr, time::Duration};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A non-negative duration, read from and written as a Go duration string.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct GoDuration(pub Duration);

/// The text is not a Go duration such as `30s`, `5m` or `1h30m`.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{0:?} is not a duration: write a number with a unit (ms, s, m, h), such as 30s or 1h30m")]
pub struct ParseDurationError(String);

impl GoDuration {
    /// A duration of whole seconds.
    pub const fn from_secs(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }
}

impl FromStr for GoDuration {
    type Err = ParseDurationError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad = || ParseDurationError(text.to_owned());
        if text == "0" {
            return Ok(Self(Duration::ZERO));
        }
        let (mut rest, mut total) = (text, Duration::ZERO);
        while !rest.is_empty() {
            let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(bad)?;
            let (number, tail) = rest.split_at(digits);
            let letters = tail.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(tail.len());
            let (unit, tail) = tail.split_at(letters);
            total = total.checked_add(part(number, unit).ok_or_else(bad)?).ok_or_else(bad)?;
            rest = tail;
        }
        if text.is_empty() { Err(bad()) } else { Ok(Self(total)) }
    }
}

fn part(number: &str, unit: &str) -> Option<Duration> {
    let nanos: u32 = match unit {
        "ns" => 1,
        "us" | "µs" => 1_000,
        "ms" => 1_000_000,
        "s" | "m" | "h" => 1_000_000_000,
        _ => return None,
    };
    let times: u64 = match unit {
        "m" => 60,
        "h" => 3600,
        _ => 1,
    };
    if let Ok(whole) = number.parse::<u64>() {
        let unit = Duration::from_nanos(u64::from(nanos));
        let (high, low) = (whole.checked_mul(times)? / 1_000_000_000, (whole * times % 1_000_000_000) as u32);
        return unit
            .checked_mul(1_000_000_000)?
            .checked_mul(u32::try_from(high).ok()?)?
            .checked_add(unit * low);
    }
    let seconds = number.parse::<f64>().ok()? * f64::from(nanos) / 1e9 * times as f64;
    Duration::try_from_secs_f64(seconds).ok()
}

impl fmt::Display for GoDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0.as_secs(), self.0.subsec_nanos()) {
            (s, 0) => write!(f, "{s}s"),
            (_, n) if n % 1_000_000 == 0 => write!(f, "{}ms", self.0.as_millis()),
            _ => write!(f, "{}ns", self.0.as_nanos()),
        }
    }
}

impl Serialize for GoDuration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for GoDuration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_go_writes() {
        for (text, millis) in
            [("0", 0), ("30s", 30_000), ("1h30m", 5_400_000), ("250ms", 250), ("1.5m", 90_000)]
        {
            assert_eq!(text.parse(), Ok(GoDuration(Duration::from_millis(millis))), "{text}");
        }
        for text in ["", "5", "30d", "s", "-1s", "1h-5m", "99999999999999999h"] {
            assert!(text.parse::<GoDuration>().is_err(), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn what_is_written_reads_back(nanos in 0..u64::MAX / 1000) {
            let written = GoDuration(Duration::from_millis(nanos / 1_000_000));
            proptest::prop_assert_eq!(written.to_string().parse::<GoDuration>(), Ok(written));
        }
    }
}
