//! What came of trying what the pods are to run.

/// What came of a trial.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trial {
    /// It runs; what its pod says, if it says anything.
    Runs(Option<String>),
    /// It cannot start, and why.
    Failed(String),
}
