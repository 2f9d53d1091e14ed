//! How long each object waits after a failure: its own count, so that one never slows another.

use std::{collections::HashMap, sync::Mutex, time::Duration};

/// Failures in a row, by object.
#[derive(Default)]
pub struct Retries(Mutex<HashMap<String, u32>>);

impl Retries {
    /// The object failed once more: 1 s, 2 s, 4 s … up to five minutes.
    pub fn failed(&self, object: &str) -> Duration {
        let mut counts = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let count = counts.entry(object.to_owned()).or_default();
        *count += 1;
        Duration::from_secs((1u64 << (*count - 1).min(9)).min(300))
    }

    /// The object succeeded or went: its next failure counts as the first.
    pub fn succeeded(&self, object: &str) {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).remove(object);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // operator 62
    #[test]
    fn retries_of_one_object_grow_to_five_minutes_and_start_over_after_a_success() {
        let retries = Retries::default();
        let waits: Vec<u64> = (0..12).map(|_| retries.failed("a").as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
        assert_eq!(retries.failed("b").as_secs(), 1);
        retries.succeeded("a");
        assert_eq!(retries.failed("a").as_secs(), 1);
    }
}
