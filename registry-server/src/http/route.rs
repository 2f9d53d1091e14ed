//! Paths. Read from the right, because repository names may contain every word of the protocol.

use uuid::Uuid;

use crate::{
    http::query::decode,
    oci::{digest::Digest, error::ParseError, reference::Reference, repository_name::RepositoryName},
};

/// Everything that can be asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// `/`, which says what this is.
    Root,
    /// `/v1/_ping`
    FirstPing,
    /// `/v1/search`
    Search,
    /// `/token`, where this server gives tokens.
    Token,
    /// `/token/keys`, the keys that they are signed with.
    TokenKeys,
    /// `/v2/`
    Base,
    /// `/v2/_catalog`
    Catalog,
    /// `/v2/<name>/tags/list`
    Tags(RepositoryName),
    /// `/v2/<name>/manifests/<reference>`
    Manifest(RepositoryName, Reference),
    /// `/v2/<name>/referrers/<digest>`
    Referrers(RepositoryName, Digest),
    /// `/v2/<name>/blobs/<digest>`
    Blob(RepositoryName, Digest),
    /// `/v2/<name>/blobs/uploads/`
    Uploads(RepositoryName),
    /// `/v2/<name>/blobs/uploads/<id>`
    Upload(RepositoryName, Uuid),
}

/// Why a path is none of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RouteError {
    /// No such path.
    NotFound,
    /// A path of the first version of the API.
    FirstVersion,
    /// An upload id that we never gave.
    UploadId,
    /// A part of it is malformed.
    Malformed(ParseError),
}

impl From<ParseError> for RouteError {
    fn from(error: ParseError) -> Self {
        Self::Malformed(error)
    }
}

impl Route {
    /// Reads a path as it came.
    pub fn parse(raw: &str) -> Result<Self, RouteError> {
        let path = decode(raw).ok_or(RouteError::NotFound)?;
        if path == "/v2" || path == "/v2/" {
            return Ok(Self::Base);
        }
        if path == "/" {
            return Ok(Self::Root);
        }
        if path == "/v1/_ping" {
            return Ok(Self::FirstPing);
        }
        if path == "/token" {
            return Ok(Self::Token);
        }
        if path == "/token/keys" {
            return Ok(Self::TokenKeys);
        }
        if path == "/v1/search" {
            return Ok(Self::Search);
        }
        if path == "/v1" || path.starts_with("/v1/") {
            return Err(RouteError::FirstVersion);
        }
        let rest = path.strip_prefix("/v2/").ok_or(RouteError::NotFound)?;
        if rest == "_catalog" {
            return Ok(Self::Catalog);
        }
        let mut parts: Vec<&str> = rest.split('/').collect();
        if matches!(parts.as_slice(), [.., "blobs", "uploads", ""] | [.., "blobs", "uploads", _, ""]) {
            parts.pop();
        }
        match parts.as_slice() {
            [name @ .., "tags", "list"] => Ok(Self::Tags(repository(name)?)),
            [name @ .., "manifests", reference] => Ok(Self::Manifest(repository(name)?, reference.parse()?)),
            [name @ .., "referrers", digest] => Ok(Self::Referrers(repository(name)?, digest.parse()?)),
            [name @ .., "blobs", "uploads"] => Ok(Self::Uploads(repository(name)?)),
            [name @ .., "blobs", "uploads", id] => {
                let name = repository(name)?;
                let id = Uuid::try_parse(id).map_err(|_| RouteError::UploadId)?;
                Ok(Self::Upload(name, id))
            }
            [name @ .., "blobs", digest] => Ok(Self::Blob(repository(name)?, digest.parse()?)),
            _ => Err(RouteError::NotFound),
        }
    }

    /// Whether the answer depends on what is in the store.
    pub const fn is_about_content(&self) -> bool {
        !matches!(self, Self::Root | Self::FirstPing | Self::Token | Self::TokenKeys | Self::Base)
    }

    /// Whether it is below `/v2/`.
    pub const fn is_of_the_api(&self) -> bool {
        !matches!(self, Self::Root | Self::FirstPing | Self::Search | Self::Token | Self::TokenKeys)
    }

    /// Whether the answer is a list, which says by what it has not that there is no more.
    pub const fn lists(&self) -> bool {
        matches!(self, Self::Search | Self::Catalog | Self::Tags(_) | Self::Referrers(..))
    }

    /// The repository that it is about, if it is about one.
    pub const fn repository(&self) -> Option<&RepositoryName> {
        match self {
            Self::Root
            | Self::FirstPing
            | Self::Token
            | Self::TokenKeys
            | Self::Search
            | Self::Base
            | Self::Catalog => None,
            Self::Tags(name)
            | Self::Manifest(name, _)
            | Self::Referrers(name, _)
            | Self::Blob(name, _)
            | Self::Uploads(name)
            | Self::Upload(name, _) => Some(name),
        }
    }

    /// How metrics call it.
    pub const fn label(&self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::FirstPing => "v1",
            Self::Token => "token",
            Self::TokenKeys => "token_keys",
            Self::Search => "search",
            Self::Base => "base",
            Self::Catalog => "catalog",
            Self::Tags(_) => "tags",
            Self::Manifest(..) => "manifest",
            Self::Referrers(..) => "referrers",
            Self::Blob(..) => "blob",
            Self::Uploads(_) => "uploads",
            Self::Upload(..) => "upload",
        }
    }

    /// The repository, and what of it is asked for.
    pub fn content(&self) -> (Option<String>, Option<String>) {
        let part = match self {
            Self::Root
            | Self::FirstPing
            | Self::Token
            | Self::TokenKeys
            | Self::Search
            | Self::Base
            | Self::Catalog
            | Self::Tags(_)
            | Self::Uploads(_) => None,
            Self::Manifest(_, Reference::Tag(tag)) => Some(tag.to_string()),
            Self::Manifest(_, Reference::Digest(digest))
            | Self::Referrers(_, digest)
            | Self::Blob(_, digest) => Some(digest.to_string()),
            Self::Upload(_, id) => Some(id.to_string()),
        };
        (self.repository().map(ToString::to_string), part)
    }

    /// Methods that it knows.
    pub const fn methods(&self) -> &'static str {
        match self {
            Self::Root
            | Self::FirstPing
            | Self::TokenKeys
            | Self::Search
            | Self::Base
            | Self::Catalog
            | Self::Tags(_)
            | Self::Referrers(..) => "GET, HEAD",
            Self::Token => "GET, HEAD, POST",
            Self::Manifest(..) => "GET, HEAD, PUT, DELETE",
            Self::Blob(..) => "GET, HEAD, DELETE",
            Self::Uploads(_) => "POST",
            Self::Upload(..) => "GET, HEAD, PATCH, PUT, DELETE",
        }
    }
}

fn repository(parts: &[&str]) -> Result<RepositoryName, ParseError> {
    parts.join("/").parse()
}

#[cfg(test)]
mod tests {
    use super::*;

    // registry E1 E5 C2
    #[test]
    fn paths_are_read_from_the_right() {
        let name = |route: Route| match route {
            Route::Manifest(name, _) | Route::Tags(name) | Route::Uploads(name) => name.to_string(),
            other => panic!("{other:?}"),
        };
        for (path, want) in [
            ("/v2/foo/manifests/bar/manifests/latest", "foo/manifests/bar"),
            ("/v2/a/b/c/d/e/f/g/h/i/j/tags/list", "a/b/c/d/e/f/g/h/i/j"),
            ("/v2/a/blobs/uploads", "a"),
            ("/v2/a/blobs/uploads/", "a"),
            ("/v2/a/blobs/uploads/tags/list", "a/blobs/uploads"),
        ] {
            assert_eq!(name(Route::parse(path).unwrap()), want, "{path}");
        }
    }

    // registry E7
    #[test]
    fn no_path_leaves_the_store() {
        for path in [
            "/v2/../../etc/passwd/manifests/x",
            "/v2/a/%2e%2e/b/manifests/x",
            "/v2/a//b/manifests/x",
            "/v2/a\\b/manifests/x",
            "/v2/a%00b/manifests/x",
            "/v2/a/manifests/..",
            "/v2/a/blobs/uploads/..",
            "/v2/a/blobs/uploads/%2e%2e%2fx",
            "/v1/x",
            "/v2/%zz",
        ] {
            assert!(Route::parse(path).is_err(), "{path}");
        }
    }
}
