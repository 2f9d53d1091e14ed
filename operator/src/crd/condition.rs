//! Condition types and reasons: a fixed list, so that scripts can rely on them.

/// Condition types, in the order in which `status.conditions` lists them.
pub mod kind {
    /// The registry is as the object says.
    pub const READY: &str = "Ready";
    /// The registry answers.
    pub const AVAILABLE: &str = "Available";
    /// Pods are being replaced.
    pub const PROGRESSING: &str = "Progressing";
    /// Something that does not stop the registry needs a look.
    pub const DEGRADED: &str = "Degraded";
    /// The store is there.
    pub const STORAGE_READY: &str = "StorageReady";
    /// The volume is on its way to another size.
    pub const VOLUME_RESIZING: &str = "VolumeResizing";
    /// The certificate is valid for every name.
    pub const CERTIFICATE_READY: &str = "CertificateReady";
    /// Accounts exist.
    pub const CREDENTIALS_READY: &str = "CredentialsReady";
    /// The cache answers.
    pub const CACHE_READY: &str = "CacheReady";
    /// The registry can be reached as asked.
    pub const EXPOSURE_READY: &str = "ExposureReady";

    /// All of them.
    pub const ALL: [&str; 10] = [
        READY,
        AVAILABLE,
        PROGRESSING,
        DEGRADED,
        STORAGE_READY,
        VOLUME_RESIZING,
        CERTIFICATE_READY,
        CREDENTIALS_READY,
        CACHE_READY,
        EXPOSURE_READY,
    ];
}

/// Reasons, each a word that never changes.
pub mod reason {
    macro_rules! reasons {
        ($($(#[$doc:meta])* $name:ident = $word:literal;)*) => {
            $($(#[$doc])* pub const $name: &str = $word;)*
        };
    }
    reasons! {
        /// A pass has not come that far.
        RECONCILING = "Reconciling";
        /// Every part that bears on readiness is true.
        ALL_READY = "AllReady";
        /// A field says what cannot be done.
        INVALID_SPEC = "InvalidSpec";
        /// The installed CRD is older than the operator.
        CRD_OUTDATED = "CRDOutdated";
        /// A child's name is taken by an object of somebody else.
        NAME_CONFLICT = "NameConflict";
        /// Zero pods were asked for.
        SUSPENDED = "Suspended";
        /// The user asked for no writes.
        PAUSED = "Paused";
        /// Pods answer.
        PODS_READY = "PodsReady";
        /// No pod answers.
        NO_READY_PODS = "NoReadyPods";
        /// The first pods are being made.
        CREATING = "Creating";
        /// Pods are being replaced.
        ROLLING_OUT = "RollingOut";
        /// All pods run the current template.
        ROLLED_OUT = "RolledOut";
        /// New pods do not become ready; old ones serve.
        ROLLOUT_BLOCKED = "RolloutBlocked";
        /// Nothing to look at.
        AS_EXPECTED = "AsExpected";
        /// The cache has been away for two minutes.
        CACHE_UNAVAILABLE = "CacheUnavailable";
        /// The certificate ends within a week.
        CERTIFICATE_EXPIRES_SOON = "CertificateExpiresSoon";
        /// The password file has hashes that are cheap to break.
        WEAK_PASSWORD_HASHES = "WeakPasswordHashes";
        /// The server ends again and again.
        RESTART_LOOP = "RestartLoop";
        /// The claim is bound, or the volume needs none.
        VOLUME_BOUND = "VolumeBound";
        /// The claim waits for a volume.
        VOLUME_PENDING = "VolumePending";
        /// No storage class of that name, or no default one.
        STORAGE_CLASS_NOT_FOUND = "StorageClassNotFound";
        /// The class cannot grow volumes.
        EXPANSION_NOT_SUPPORTED = "ExpansionNotSupported";
        /// The last try to grow the volume failed.
        EXPANSION_FAILED = "ExpansionFailed";
        /// The claim allows fewer nodes than the replicas need.
        ACCESS_MODE_UNSUPPORTED = "AccessModeUnsupported";
        /// The claim that the object names is not there.
        CLAIM_NOT_FOUND = "ClaimNotFound";
        /// A claim of that name belongs to somebody else.
        CLAIM_NOT_OURS = "ClaimNotOurs";
        /// The claim in use is gone, or another one has its name.
        CLAIM_LOST = "ClaimLost";
        /// The volume is not the one in use.
        STORE_MISMATCH = "StoreMismatch";
        /// The store is gone, or does not answer.
        STORE_UNAVAILABLE = "StoreUnavailable";
        /// The volume is almost full.
        STORAGE_NEARLY_FULL = "StorageNearlyFull";
        /// The object names another store than the one in use.
        BACKEND_CHANGED = "BackendChanged";
        /// The volume keeps its size.
        NOT_RESIZING = "NotResizing";
        /// The volume is growing.
        RESIZING = "Resizing";
        /// The volume has grown; its file system grows when a pod mounts it.
        FILE_SYSTEM_RESIZE_PENDING = "FileSystemResizePending";
        /// The operator made the certificate.
        ISSUED = "Issued";
        /// The user's certificate is served.
        PROVIDED = "Provided";
        /// There is none.
        DISABLED = "Disabled";
        /// A Secret, or a key of it, is missing.
        SECRET_NOT_FOUND = "SecretNotFound";
        /// The key belongs to another certificate.
        KEY_MISMATCH = "KeyMismatch";
        /// The key is one that clients refuse.
        KEY_TOO_WEAK = "KeyTooWeak";
        /// The certificates cannot be read or do not form a chain.
        CHAIN_INVALID = "ChainInvalid";
        /// The certificate lacks a host name.
        HOSTNAME_NOT_COVERED = "HostnameNotCovered";
        /// The certificate's time is over, or has not begun.
        EXPIRED = "Expired";
        /// Accounts exist.
        ACCOUNTS_READY = "AccountsReady";
        /// An account that cannot be as asked.
        INVALID_USER = "InvalidUser";
        /// The API server does not tell who signs the tokens of service accounts.
        ISSUER_UNAVAILABLE = "IssuerUnavailable";
        /// The password file cannot be read.
        HTPASSWD_UNREADABLE = "HtpasswdUnreadable";
        /// The cache answers.
        CONNECTED = "Connected";
        /// There is none.
        NOT_CONFIGURED = "NotConfigured";
        /// It does not answer.
        UNREACHABLE = "Unreachable";
        /// It refuses the password.
        AUTHENTICATION_FAILED = "AuthenticationFailed";
        /// It would refuse writes when full instead of forgetting.
        EVICTION_POLICY_UNSAFE = "EvictionPolicyUnsafe";
        /// It can be reached as asked.
        EXPOSED = "Exposed";
        /// The load balancer has no address yet.
        LOAD_BALANCER_PENDING = "LoadBalancerPending";
        /// Another registry had a name of this one first.
        HOSTNAME_TAKEN = "HostnameTaken";
    }
}
