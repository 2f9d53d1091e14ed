//! One condition before it has a time.

use k8s_openapi::{
    apimachinery::pkg::apis::meta::v1::{Condition, Time},
    jiff::Timestamp,
};

use crate::private_registry::error::Problem;

/// What a condition says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Its type.
    pub kind: &'static str,
    /// True, False or, when nothing is known, Unknown.
    pub state: Option<bool>,
    /// Word from the fixed list.
    pub reason: &'static str,
    /// What is, and what to do.
    pub message: String,
}

impl Verdict {
    /// A condition that is True.
    pub fn yes(kind: &'static str, reason: &'static str, message: impl Into<String>) -> Self {
        Self { kind, state: Some(true), reason, message: message.into() }
    }

    /// A condition that is False.
    pub fn no(kind: &'static str, reason: &'static str, message: impl Into<String>) -> Self {
        Self { kind, state: Some(false), reason, message: message.into() }
    }

    /// A condition of which nothing is known yet.
    pub fn unknown(kind: &'static str, reason: &'static str, message: impl Into<String>) -> Self {
        Self { kind, state: None, reason, message: message.into() }
    }

    /// A condition that a problem makes False.
    pub fn problem(kind: &'static str, problem: &Problem) -> Self {
        Self::no(kind, problem.reason, problem.message.clone())
    }

    /// The condition; its time of transition is that of `before` while the state stays.
    pub fn condition(self, before: Option<&Condition>, generation: Option<i64>, now: Timestamp) -> Condition {
        let status = self.state.map_or("Unknown", |state| if state { "True" } else { "False" });
        let kept = before.filter(|condition| condition.status == status);
        Condition {
            type_: self.kind.into(),
            status: status.into(),
            reason: self.reason.into(),
            // The API takes 32 KiB; nobody reads that much.
            message: self.message.chars().take(1024).collect(),
            observed_generation: generation,
            last_transition_time: kept.map_or(Time(now), |condition| condition.last_transition_time.clone()),
        }
    }
}
