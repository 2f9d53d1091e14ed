//! Why a text is not the thing that it should be.

/// A text that does not follow its grammar.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// Not `sha256:` with 64 or `sha512:` with 128 lower-case hexadecimal digits.
    #[error("{0:?} is not a digest: sha256 and 64, or sha512 and 128 lower-case hexadecimal digits")]
    Digest(String),
    /// Not a repository name.
    #[error("{0:?} is not a repository name: lower-case components of a-z, 0-9 and single separators")]
    RepositoryName(String),
    /// Not a tag.
    #[error("{0:?} is not a tag: up to 128 letters, digits, '_', '.', '-', not starting with '.' or '-'")]
    Tag(String),
}

/// Why bytes are not a manifest that is taken here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// Not JSON, or a field has the wrong shape.
    #[error("manifest cannot be parsed: {reason}")]
    Malformed {
        /// Where, such as `layers[2].digest`; nothing: it is all of it.
        field: Option<String>,
        /// What is wrong.
        reason: String,
    },
    /// The first generation of Docker manifests.
    #[error("Docker schema 1 manifests are not supported")]
    SchemaOne,
    /// A type whose references are not known.
    #[error("media type {0:?} is not accepted; accepted are {accepted:?}", accepted = crate::oci::manifest::ACCEPTED)]
    MediaType(String),
    /// The header says one type and the body another.
    #[error("Content-Type says {header:?} and mediaType says {body:?}")]
    Mismatch {
        /// The request's header.
        header: String,
        /// The manifest's field.
        body: String,
    },
    /// A descriptor's embedded `data` is not what its digest or size says.
    #[error("{field} does not match the digest and size of its descriptor")]
    EmbeddedData {
        /// Where, such as `config.data`.
        field: String,
        /// The digest.
        digest: String,
    },
}

impl ManifestError {
    /// A field that is not as it should be.
    pub fn field(field: &str, reason: impl Into<String>) -> Self {
        Self::Malformed { field: Some(field.to_owned()), reason: reason.into() }
    }
}
