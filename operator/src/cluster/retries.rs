//! How long each object waits after a failure: its own count, so that one never slows another.

use std::{collections::HashMap, sync::Mutex, time::Duration};

use rand::Rng;

/// Failures in a row, by object.
#[derive(Default)]
pub struct Retries(Mutex<HashMap<String, u32>>);

impl Retries {
    /// The object failed once more: 1 s, 2 s, 4 s … up to five minutes, give or take a tenth, so that objects that failed
    /// together do not come back together.
    pub fn failed(&self, object: &str) -> Duration {
        let mut counts = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let count = counts.entry(object.to_owned()).or_default();
        *count += 1;
        let wait = Duration::from_secs((1u64 << (*count - 1).min(9)).min(300));
        wait.mul_f64(rand::rng().random_range(0.9..1.1))
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
        let waits = |object: &str| (0..12).map(|_| retries.failed(object).as_secs_f64()).collect::<Vec<_>>();
        let expected = [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300].map(f64::from);
        let (one, other) = (waits("a"), waits("b"));
        for wait in [&one, &other] {
            let near = |(wait, expected): (&f64, &f64)| (0.9..1.1).contains(&(wait / expected));
            assert!(wait.iter().zip(&expected).all(near), "{wait:?}");
        }
        assert!(one.iter().zip(&other).any(|(one, other)| one != other), "{one:?} {other:?}");
        retries.succeeded("a");
        assert!(retries.failed("a").as_secs_f64() < 1.2);
    }
}
