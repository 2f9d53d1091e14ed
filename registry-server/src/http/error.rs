//! The table from errors to statuses and codes. Causes of server errors go to the log, never to a client.

use axum::body::Body;
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde_json::{Value, json};

use crate::{
    http::{headers::Response, route::RouteError},
    oci::{
        error::{ManifestError, ParseError},
        error_code::ErrorCode,
    },
    registry::{error::RegistryError, trouble::Trouble},
};

/// Seconds after which a store that did not answer may do so again.
const RETRY_AFTER: &str = "5";

/// An answer that is not a success.
#[derive(Debug)]
pub struct ApiError {
    status: StatusCode,
    code: ErrorCode,
    message: String,
    detail: Vec<Value>,
    headers: Vec<(HeaderName, String)>,
    /// In a box: results are moved a lot, and few are refusals.
    told: Box<Told>,
}

/// Of more missing contents than this the others are not named: nobody reads on, and each costs more room in the answer than
/// in the manifest.
const MOST_TOLD: usize = 1_000;

/// What the audit log is told about a refusal, and the client is not.
#[derive(Clone, Debug, Default)]
pub struct Told {
    /// What refused; nothing: the message says it.
    pub reason: Option<String>,
    /// The account whose password was not shown.
    pub account: Option<String>,
}

impl ApiError {
    /// An error without detail of its own.
    pub fn new(status: StatusCode, code: ErrorCode, message: impl Into<String>) -> Self {
        let (message, told) = (message.into(), Box::default());
        Self { status, code, message, detail: Vec::new(), headers: Vec::new(), told }
    }

    /// One entry of `errors` with this detail.
    pub fn detail(mut self, detail: Value) -> Self {
        self.detail.push(detail);
        self
    }

    /// With a header.
    pub fn header(mut self, name: HeaderName, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// With what refused, for the audit log.
    pub fn because(mut self, reason: impl Into<String>) -> Self {
        self.told.reason = Some(reason.into());
        self
    }

    /// With the account that somebody could not log in to, for the audit log.
    pub fn account(mut self, name: Option<String>) -> Self {
        self.told.account = name;
        self
    }

    /// What the audit log is told.
    pub fn told(&self) -> Told {
        let reason = self.told.reason.clone().unwrap_or_else(|| self.message.clone());
        Told { reason: Some(reason), account: self.told.account.clone() }
    }

    /// The method means nothing here, or is switched off.
    pub fn method(allow: &'static str, message: &str) -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, ErrorCode::Unsupported, message)
            .header(header::ALLOW, allow)
    }

    /// The chunk does not continue the upload.
    pub fn range(message: impl Into<String>) -> Self {
        Self::new(StatusCode::RANGE_NOT_SATISFIABLE, ErrorCode::BlobUploadInvalid, message)
    }

    /// A bad request.
    pub fn bad(code: ErrorCode, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    /// A parameter of the query is malformed.
    pub fn parameter(name: &'static str) -> impl Fn(ParseError) -> Self {
        move |error| malformed(&error, json!({ "parameter": name, "reason": error.to_string() }))
    }

    /// Our failure.
    pub fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, ErrorCode::Unknown, "the registry failed")
    }

    /// The store cannot be used now.
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, ErrorCode::Unavailable, message)
            .header(header::RETRY_AFTER, RETRY_AFTER)
    }

    /// Whether it says that something is not there, which is so in the right store only.
    pub fn tells_of_absence(&self) -> bool {
        matches!(self.status, StatusCode::NOT_FOUND | StatusCode::PRECONDITION_FAILED)
            || self.code == ErrorCode::ManifestBlobUnknown
    }

    /// The response; server errors carry the request's id, and others without detail what was asked.
    pub fn into_response(mut self, request_id: &str, asked: impl FnOnce() -> Value) -> Response {
        if self.status.is_server_error() {
            self.detail = vec![json!({ "requestId": request_id })];
        } else if self.detail.is_empty() {
            self.detail.push(asked());
        }
        let body = document(self.code, &self.message, &self.detail);
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = self.status;
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        for (name, value) in self.headers {
            if let Ok(value) = value.parse() {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}

/// The body of an error, one entry for each detail (distribution-spec, "Error Codes").
pub fn document(code: ErrorCode, message: &str, details: &[Value]) -> String {
    let entry = |detail| json!({ "code": code.as_str(), "message": message, "detail": detail });
    let errors: Vec<Value> = details.iter().map(entry).collect();
    json!({ "errors": errors }).to_string()
}

fn malformed(error: &ParseError, detail: Value) -> ApiError {
    let code = match error {
        ParseError::Digest(_) => ErrorCode::DigestInvalid,
        ParseError::RepositoryName(_) | ParseError::Tag(_) => ErrorCode::NameInvalid,
    };
    ApiError::bad(code, "malformed").detail(detail)
}

/// Of a path.
impl From<ParseError> for ApiError {
    fn from(error: ParseError) -> Self {
        let field = match &error {
            ParseError::Digest(_) => "digest",
            ParseError::RepositoryName(_) => "name",
            ParseError::Tag(_) => "reference",
        };
        malformed(&error, json!({ "field": field, "reason": error.to_string() }))
    }
}

impl From<RouteError> for ApiError {
    fn from(error: RouteError) -> Self {
        match error {
            RouteError::Malformed(error) => error.into(),
            RouteError::NotFound | RouteError::FirstVersion => Self::new(
                StatusCode::NOT_FOUND,
                ErrorCode::NameUnknown,
                "no such path; the API is below /v2/",
            ),
            RouteError::UploadId => RegistryError::UploadUnknown.into(),
        }
    }
}

impl From<ManifestError> for ApiError {
    fn from(error: ManifestError) -> Self {
        let detail = match &error {
            ManifestError::Malformed { field: Some(field), reason } => {
                json!({ "field": field, "reason": reason })
            }
            ManifestError::Malformed { field: None, reason } => json!({ "reason": reason }),
            ManifestError::SchemaOne => json!({ "accepted": crate::oci::manifest::ACCEPTED }),
            ManifestError::MediaType(found) => {
                json!({ "found": found, "accepted": crate::oci::manifest::ACCEPTED })
            }
            ManifestError::Mismatch { header, body } => json!({ "contentType": header, "mediaType": body }),
            ManifestError::EmbeddedData { field, digest } => json!({ "field": field, "digest": digest }),
        };
        Self::bad(ErrorCode::ManifestInvalid, error.to_string()).detail(detail)
    }
}

impl From<Trouble> for ApiError {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Wrong => Self::unavailable(trouble.to_string()),
            // What it lacks is for the log and the probes.
            Trouble::Gone(_) | Trouble::Silent => Self::unavailable(Trouble::Silent.to_string()),
        }
    }
}

impl From<RegistryError> for ApiError {
    fn from(error: RegistryError) -> Self {
        use RegistryError as E;
        let message = error.to_string();
        let unknown = |code| Self::new(StatusCode::NOT_FOUND, code, message.clone());
        match error {
            E::NameUnknown => unknown(ErrorCode::NameUnknown),
            E::BlobUnknown => unknown(ErrorCode::BlobUnknown),
            E::ManifestUnknown => unknown(ErrorCode::ManifestUnknown),
            E::UploadUnknown => unknown(ErrorCode::BlobUploadUnknown),
            E::OutOfOrder { received } => {
                Self::range(message).detail(json!({ "header": "Content-Range", "received": received }))
            }
            E::DigestMismatch { wanted, actual } => {
                Self::bad(ErrorCode::DigestInvalid, "content is not what the digest names")
                    .detail(json!({ "wanted": wanted.to_string(), "actual": actual.to_string() }))
            }
            E::BlobTooLarge { limit } => {
                Self::new(StatusCode::PAYLOAD_TOO_LARGE, ErrorCode::SizeInvalid, message)
                    .detail(json!({ "limit": limit }))
            }
            E::TooManyPieces { most } => {
                Self::new(StatusCode::PAYLOAD_TOO_LARGE, ErrorCode::SizeInvalid, message)
                    .detail(json!({ "pieces": most }))
            }
            E::SizeMismatch { .. } | E::Body(_) => Self::bad(ErrorCode::SizeInvalid, message),
            E::ManifestInvalid(error) => error.into(),
            E::ContentMissing(missing) => missing
                .into_iter()
                .take(MOST_TOLD)
                .fold(Self::bad(ErrorCode::ManifestBlobUnknown, message), |error, digest| {
                    error.detail(json!({ "digest": digest.to_string() }))
                }),
            E::OverQuota { limit, used } => Self::new(StatusCode::FORBIDDEN, ErrorCode::Denied, message)
                .detail(json!({ "limit": limit, "used": used })),
            E::ImmutableTag { tag, current } => Self::new(StatusCode::CONFLICT, ErrorCode::Denied, message)
                .detail(json!({ "tag": tag.to_string(), "digest": current.to_string() })),
            E::Referenced { by } => {
                let by: Vec<String> = by.iter().map(ToString::to_string).collect();
                Self::method("GET, HEAD", "still referenced").detail(json!({ "referencedBy": by }))
            }
            E::Precondition => Self::new(StatusCode::PRECONDITION_FAILED, ErrorCode::Denied, message),
            E::NoKey(_) => Self::bad(ErrorCode::NameInvalid, message),
            E::Damaged { key } => {
                tracing::error!(key, "a link in the store is damaged");
                Self::internal()
            }
            E::WrongStore { .. } => Trouble::Wrong.into(),
            E::Trouble(trouble) => trouble.into(),
            E::NoSpace(error) => {
                tracing::error!(cause = chain(&error), "no space left");
                Self::new(StatusCode::INSUFFICIENT_STORAGE, ErrorCode::Unavailable, message)
            }
            E::Unavailable(error) => {
                tracing::error!(cause = chain(&error), "the store does not answer");
                Self::unavailable(message)
            }
            E::Storage(error) => {
                tracing::error!(cause = chain(&error), "the store failed");
                Self::internal()
            }
        }
    }
}

/// An error and what caused it, for the log.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::error::StorageError;

    // registry E7
    #[test]
    fn a_name_that_no_store_can_keep_is_the_clients_fault() {
        let error = RegistryError::from(StorageError::Key { key: "..".into() });
        let answer = ApiError::from(error);
        assert_eq!((answer.status, answer.code), (StatusCode::BAD_REQUEST, ErrorCode::NameInvalid));
    }
}
