//! Condition types and reasons: a fixed list, so that scripts can rely on them.

/// Condition types.
pub mod kind {
    /// The registry is as the object says.
    pub const READY: &str = "Ready";
    /// The registry answers.
    pub const AVAILABLE: &str = "Available";
    /// Pods are being replaced.
    pub const PROGRESSING: &str = "Progressing";
    /// The store is there.
    pub const STORAGE_READY: &str = "StorageReady";
    /// The certificate is valid for every name.
    pub const CERTIFICATE_READY: &str = "CertificateReady";
    /// Accounts exist.
    pub const CREDENTIALS_READY: &str = "CredentialsReady";
}

/// Reasons, each a word that never changes.
pub mod reason {
    /// Every part that bears on readiness is true.
    pub const ALL_READY: &str = "AllReady";
    /// Pods answer.
    pub const PODS_READY: &str = "PodsReady";
    /// No pod answers.
    pub const NO_READY_PODS: &str = "NoReadyPods";
    /// Pods are being made or replaced.
    pub const ROLLING_OUT: &str = "RollingOut";
    /// All pods run the current template.
    pub const ROLLED_OUT: &str = "RolledOut";
    /// Zero pods were asked for.
    pub const SUSPENDED: &str = "Suspended";
    /// The claim is bound, or the volume needs none.
    pub const VOLUME_BOUND: &str = "VolumeBound";
    /// The claim waits for a volume.
    pub const VOLUME_PENDING: &str = "VolumePending";
    /// A claim of that name belongs to somebody else.
    pub const CLAIM_NOT_OURS: &str = "ClaimNotOurs";
    /// A child's name is taken by an object of somebody else.
    pub const NAME_CONFLICT: &str = "NameConflict";
    /// The certificate was made.
    pub const ISSUED: &str = "Issued";
    /// Accounts exist.
    pub const ACCOUNTS_READY: &str = "AccountsReady";
    /// A pass has not come that far.
    pub const RECONCILING: &str = "Reconciling";
}
