//! How clients are told to log in, and for what.

use http::{Method, StatusCode, header};

use crate::{
    auth::{
        access::Action,
        logins::{Logins, Way},
    },
    http::{door::Asked, error::ApiError, query::Query, route::Route, token},
    oci::{error_code::ErrorCode, repository_name::RepositoryName},
};

/// What is said to whoever has shown nothing, or something of nobody that is known.
pub const LOG_IN: &str = "authentication required";

/// Why a token did not do (RFC 6750, section 3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shortcoming {
    /// It is none, or none that counts.
    Invalid,
    /// It does not allow what is asked.
    Scope,
}

/// What clients have to get for one request.
pub struct Challenge<'a> {
    /// Who may log in.
    pub logins: &'a Logins,
    /// What asks for a token; none: a password is asked for.
    bearer: Option<String>,
}

/// What a request wants to do; nothing, when it only asks whether somebody is there.
pub fn wanted(route: &Route, method: &Method) -> Option<Action> {
    match (route, method) {
        (Route::Root | Route::FirstPing | Route::Base | Route::Token | Route::TokenKeys, _) => None,
        (Route::Catalog | Route::Search | Route::Tags(_), _) => Some(Action::List),
        (Route::Blob(..) | Route::Manifest(..), &Method::DELETE) => Some(Action::Delete),
        (_, &Method::GET | &Method::HEAD) if !matches!(route, Route::Upload(..)) => Some(Action::Pull),
        _ => Some(Action::Push),
    }
}

/// The scope that a token needs, as distribution writes it. Who mounts a blob may pull it where it is, too.
fn scope(route: &Route, method: &Method, query: &Query) -> Option<String> {
    let action = match wanted(route, method)? {
        Action::Pull | Action::List => "pull",
        Action::Push => "pull,push",
        Action::Delete => "delete",
    };
    let Some(name) = route.repository() else { return Some("registry:catalog:*".to_owned()) };
    let mut scope = format!("repository:{name}:{action}");
    let mounts = matches!(route, Route::Uploads(_)) && query.get("mount").is_some();
    let from = query.get("from").filter(|_| mounts).and_then(|from| from.parse::<RepositoryName>().ok());
    if let Some(from) = from.filter(|from| from != name) {
        scope += &format!(" repository:{from}:pull");
    }
    Some(scope)
}

impl<'a> Challenge<'a> {
    /// The one for this request; for a path that means nothing, without a scope.
    pub fn new(logins: &'a Logins, route: Option<&Route>, asked: &Asked) -> Self {
        let scope = || route.and_then(|route| scope(route, &asked.parts.method, &asked.query));
        let bearer = match (&logins.way, route) {
            (Way::Password(_), _) | (_, Some(Route::Token)) => None,
            (Way::Token { realm, service }, _) => Some(bearer(realm, service, scope())),
            (Way::BuiltIn(maker), _) => {
                let (realm, service) = token::place(maker, asked);
                Some(bearer(&realm, &service, scope()))
            }
        };
        Self { logins, bearer }
    }

    /// 401, because nothing was shown, or something that did not do.
    pub fn refuse(&self, message: impl Into<String>, why: Option<Shortcoming>) -> ApiError {
        let challenge = match (&self.bearer, self.logins.realm()) {
            (Some(bearer), _) => format!("{bearer}{}", why.map_or("", Shortcoming::error)),
            (None, realm) => format!("Basic realm=\"{}\"", plain(realm)),
        };
        ApiError::new(StatusCode::UNAUTHORIZED, ErrorCode::Unauthorized, message)
            .header(header::WWW_AUTHENTICATE, challenge)
    }
}

impl Shortcoming {
    const fn error(self) -> &'static str {
        match self {
            Self::Invalid => ",error=\"invalid_token\"",
            Self::Scope => ",error=\"insufficient_scope\"",
        }
    }
}

fn bearer(realm: &str, service: &str, scope: Option<String>) -> String {
    let challenge = format!("Bearer realm=\"{}\",service=\"{}\"", plain(realm), plain(service));
    scope.map_or(challenge.clone(), |scope| format!("{challenge},scope=\"{scope}\""))
}

/// What may stand between quotes.
fn plain(text: &str) -> String {
    text.chars().filter(|c| !matches!(c, '"' | '\\') && !c.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    // registry A5 A11
    #[test]
    fn a_scope_says_what_a_token_needs() {
        let digest = format!("sha256:{}", "0".repeat(64));
        let blob = format!("/v2/a/b/blobs/{digest}");
        let upload = "/v2/a/blobs/uploads/00000000-0000-4000-8000-000000000000";
        for (method, path, query, expected) in [
            ("GET", "/v2/", "", None),
            ("GET", "/v2/_catalog", "", Some("registry:catalog:*")),
            ("GET", "/v1/search", "q=a", Some("registry:catalog:*")),
            ("GET", "/v2/a/tags/list", "", Some("repository:a:pull")),
            ("HEAD", "/v2/a/manifests/t", "", Some("repository:a:pull")),
            ("PUT", "/v2/a/manifests/t", "", Some("repository:a:pull,push")),
            ("DELETE", "/v2/a/manifests/t", "", Some("repository:a:delete")),
            ("GET", &blob, "", Some("repository:a/b:pull")),
            ("DELETE", &blob, "", Some("repository:a/b:delete")),
            ("GET", &format!("/v2/a/referrers/{digest}"), "", Some("repository:a:pull")),
            ("POST", "/v2/a/blobs/uploads/", "", Some("repository:a:pull,push")),
            ("PATCH", upload, "", Some("repository:a:pull,push")),
            ("DELETE", upload, "", Some("repository:a:pull,push")),
            (
                "POST",
                "/v2/a/blobs/uploads/",
                "mount=x&from=b/c",
                Some("repository:a:pull,push repository:b/c:pull"),
            ),
            ("POST", "/v2/a/blobs/uploads/", "mount=x&from=a", Some("repository:a:pull,push")),
            ("POST", "/v2/a/blobs/uploads/", "from=b", Some("repository:a:pull,push")),
            ("POST", "/v2/a/blobs/uploads/", "mount=x&from=b%22,scope=%22c", Some("repository:a:pull,push")),
            ("PATCH", upload, "mount=x&from=b", Some("repository:a:pull,push")),
        ] {
            let found =
                scope(&Route::parse(path).unwrap(), &method.parse().unwrap(), &Query::parse(Some(query)));
            assert_eq!(found.as_deref(), expected, "{method} {path} {query}");
        }
    }
}
