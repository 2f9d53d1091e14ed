//! How much of its volume a registry uses. It is no reason to write: it is rounded, and taken up every ten minutes at most.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use crate::{cluster::quantity::bytes, private_registry::server_probe::Filled};

/// How long what was said stays, in seconds.
const PERIOD: i64 = 600;
const MEBI: f64 = 1_048_576.0;

/// When usage was last taken up, by namespace and name of the registry.
#[derive(Default)]
pub struct Usages(Mutex<HashMap<String, i64>>);

impl Usages {
    /// What `status.storage.used` says at `now`: `before` or, when that is old enough, what `filled` says. `capacity` is that
    /// of the claim: a file system of another size is not the volume's alone, and how full it is says nothing.
    pub fn used(
        &self,
        key: &str,
        before: Option<String>,
        (filled, capacity): (Option<Filled>, Option<&str>),
        now: i64,
    ) -> Option<String> {
        let capacity = capacity.and_then(bytes)?;
        let Some(filled) = filled else { return before };
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if before.is_some() && taken.get(key).is_some_and(|taken| now - taken < PERIOD) {
            return before;
        }
        taken.insert(key.to_owned(), now);
        let used = scaled(filled, capacity)?;
        // What moves to and fro about a border stays on its side.
        let near =
            |said: &String| bytes(said).is_some_and(|said| (used - said as f64).abs() < step(capacity));
        before.filter(near).or_else(|| Some(rounded(used, capacity)))
    }

    /// The registry is gone.
    pub fn forget(&self, key: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }
}

/// What is used of the volume, in bytes: a file system keeps some of it for itself, and is full before it seems so.
fn scaled(filled: Filled, capacity: u64) -> Option<f64> {
    let capacity = capacity as f64;
    let own = (0.8..=1.05).contains(&(filled.capacity / capacity));
    own.then_some(filled.used / filled.capacity * capacity)
}

/// A hundredth of the capacity, in bytes.
fn step(capacity: u64) -> f64 {
    (capacity as f64 / 100.0).max(MEBI)
}

/// Rounded to a hundredth of the capacity, in mebibytes or, where that is exact enough, in gibibytes.
fn rounded(used: f64, capacity: u64) -> String {
    let step = step(capacity);
    let mebibytes = (used / step).round() * step / MEBI;
    if step >= MEBI * 1024.0 { format!("{:.0}Gi", mebibytes / 1024.0) } else { format!("{mebibytes:.0}Mi") }
}

/// Hundredths of `capacity` that `used` is; both are quantities.
pub fn percent(used: &str, capacity: &str) -> Option<u64> {
    (bytes(used)? * 100).checked_div(bytes(capacity)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIBI: f64 = 1024.0 * MEBI;

    #[test]
    fn usage_is_rounded_to_a_hundredth() {
        for (used, capacity, expected) in [
            (118.1, "512Gi", Some("118Gi")),
            (14.0, "16Gi", Some("14418Mi")),
            (0.0, "1Gi", Some("0Mi")),
            (0.5, "1Gi", Some("512Mi")),
            (0.004, "1Gi", Some("0Mi")),
            (0.006, "1Gi", Some("10Mi")),
            (1.0, "1Gi", Some("1024Mi")),
            (1.0, "no size", None),
        ] {
            let size = bytes(capacity).unwrap_or_default() as f64;
            let filled = Filled { used: used * GIBI * 0.95, capacity: size * 0.95 };
            let said = Usages::default().used("a/b", None, (Some(filled), Some(capacity)), 0);
            assert_eq!(said.as_deref(), expected, "{used} of {capacity}");
        }
        assert_eq!(percent("512Mi", "1Gi"), Some(50));
        assert_eq!(percent("1Gi", "0"), None);
    }

    #[test]
    fn a_file_system_that_is_not_the_volumes_says_nothing() {
        for (size, expected) in [(0.5, None), (0.95, Some("512Mi")), (250.0, None)] {
            let filled = Filled { used: size * GIBI / 2.0, capacity: size * GIBI };
            let said = Usages::default().used("a/b", None, (Some(filled), Some("1Gi")), 0);
            assert_eq!(said.as_deref(), expected, "{size}");
        }
        assert_eq!(Usages::default().used("a/b", Some("1Mi".into()), (None, None), 0), None);
    }

    #[test]
    fn usage_is_taken_up_every_ten_minutes() {
        let usages = Usages::default();
        let said = |before: Option<&str>, used: f64, now| {
            let filled = Filled { used: used * GIBI, capacity: GIBI };
            usages.used("a/b", before.map(str::to_owned), (Some(filled), Some("1Gi")), now)
        };
        assert_eq!(said(None, 0.5, 0).as_deref(), Some("512Mi"));
        assert_eq!(said(Some("512Mi"), 0.9, 599).as_deref(), Some("512Mi"));
        assert_eq!(said(Some("512Mi"), 0.75, 600).as_deref(), Some("768Mi"));
        // operator 112
        assert_eq!(said(Some("768Mi"), 0.756, 1200).as_deref(), Some("768Mi"));
        let nobody = usages.used("a/b", Some("768Mi".into()), (None, Some("1Gi")), 9999);
        assert_eq!(nobody.as_deref(), Some("768Mi"));
        usages.forget("a/b");
        assert_eq!(said(Some("768Mi"), 0.5, 601).as_deref(), Some("512Mi"));
    }
}
