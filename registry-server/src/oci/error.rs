//! Why a text is not the thing that it should be.

/// Letters of a client's text that are told back: whoever wrote it knows the rest.
const TOLD: usize = 200;

/// The beginning of a text that a client has sent.
pub(in crate::oci) fn cut(text: &str) -> String {
    match text.char_indices().nth(TOLD) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

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
        Self::Malformed { field: Some(cut(field)), reason: reason.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oci::manifest::Manifest;

    // registry LM2: what is told of a manifest is not as long as what was sent
    #[test]
    fn of_a_long_text_the_beginning_is_told() {
        let long = "\u{7f}".repeat(1 << 20);
        let kind = |kind: &str| format!(r#"{{"schemaVersion":2,"mediaType":"{kind}","manifests":[]}}"#);
        let annotations = format!(r#"{{"schemaVersion":2,"manifests":[],"annotations":{{"{long}":"#);
        for (manifest, header) in [
            (kind(&long), None),
            (kind(&long), Some("application/vnd.oci.image.index.v1+json")),
            (kind("x"), Some(long.as_str())),
            (format!(r#"{{"schemaVersion":"{long}"}}"#), None),
            (format!(r#"{{"schemaVersion":2,"manifests":[{{"digest":"{long}","size":1}}]}}"#), None),
            (annotations, None),
        ] {
            let error = Manifest::parse(manifest.as_bytes(), header).unwrap_err();
            assert!(format!("{error} {error:?}").len() < 10_000, "{}", &error.to_string()[..300]);
        }
    }

    #[test]
    fn what_is_short_is_told_whole() {
        let exactly = "ä".repeat(TOLD);
        assert_eq!(cut(&exactly), exactly);
        assert_eq!(cut(&format!("{exactly}x")), format!("{exactly}…"));
    }
}
