//! The specification's error codes, and the two of a server error.

/// What a client finds in `errors[].code`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorCode {
    /// Unknown blob.
    BlobUnknown,
    /// Upload out of order or otherwise broken.
    BlobUploadInvalid,
    /// Unknown upload session.
    BlobUploadUnknown,
    /// Digest malformed, or not the content's.
    DigestInvalid,
    /// A manifest names content that is missing.
    ManifestBlobUnknown,
    /// Manifest malformed.
    ManifestInvalid,
    /// Unknown manifest.
    ManifestUnknown,
    /// Repository name or tag malformed.
    NameInvalid,
    /// Unknown repository.
    NameUnknown,
    /// Lengths contradict each other.
    SizeInvalid,
    /// No or wrong credentials.
    Unauthorized,
    /// Known, and not allowed.
    Denied,
    /// A limit of requests is reached.
    TooManyRequests,
    /// Operation switched off or meaningless.
    Unsupported,
    /// Our failure.
    Unknown,
    /// Our failure, for a while.
    Unavailable,
}

impl ErrorCode {
    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BlobUnknown => "BLOB_UNKNOWN",
            Self::BlobUploadInvalid => "BLOB_UPLOAD_INVALID",
            Self::BlobUploadUnknown => "BLOB_UPLOAD_UNKNOWN",
            Self::DigestInvalid => "DIGEST_INVALID",
            Self::ManifestBlobUnknown => "MANIFEST_BLOB_UNKNOWN",
            Self::ManifestInvalid => "MANIFEST_INVALID",
            Self::ManifestUnknown => "MANIFEST_UNKNOWN",
            Self::NameInvalid => "NAME_INVALID",
            Self::NameUnknown => "NAME_UNKNOWN",
            Self::SizeInvalid => "SIZE_INVALID",
            Self::Unauthorized => "UNAUTHORIZED",
            Self::Denied => "DENIED",
            Self::TooManyRequests => "TOOMANYREQUESTS",
            Self::Unsupported => "UNSUPPORTED",
            Self::Unknown => "UNKNOWN",
            Self::Unavailable => "UNAVAILABLE",
        }
    }
}
