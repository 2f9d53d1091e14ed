//! Who asks, and whether the answer is yes.

use std::net::IpAddr;

use http::{HeaderMap, Method, StatusCode, header};

use crate::{
    auth::{
        access::{self, Access, Identity},
        accounts::{Accounts, Refusal},
        attempts,
        credentials::Credentials,
    },
    http::{error::ApiError, route::Route},
    oci::error_code::ErrorCode,
    settings::Settings,
};

/// The identity behind the headers; a challenge if there is none.
pub async fn identify(
    accounts: Option<&Accounts>,
    headers: &HeaderMap,
    from: IpAddr,
) -> Result<Identity, ApiError> {
    let Some(accounts) = accounts else { return Ok(Identity::Everybody) };
    let mut given = headers.get_all(header::AUTHORIZATION).iter();
    let credentials = match (given.next(), given.next()) {
        (Some(one), None) => Credentials::parse(one.as_bytes()),
        _ => None,
    };
    let identity = match credentials {
        Some(credentials) => accounts.verify(&credentials, from).await,
        None => Err(Refusal::Wrong),
    };
    identity.map_err(|refusal| match refusal {
        Refusal::Wrong => challenge(&accounts.realm),
        Refusal::TooMany => {
            let message = "too many wrong passwords for this account from this address";
            ApiError::new(StatusCode::TOO_MANY_REQUESTS, ErrorCode::TooManyRequests, message)
                .header(header::RETRY_AFTER, attempts::PERIOD.as_secs().to_string())
        }
    })
}

fn challenge(realm: &str) -> ApiError {
    let realm: String = realm.chars().filter(|c| !matches!(c, '"' | '\\') && !c.is_control()).collect();
    ApiError::new(StatusCode::UNAUTHORIZED, ErrorCode::Unauthorized, "authentication required")
        .header(header::WWW_AUTHENTICATE, format!("Basic realm=\"{realm}\""))
}

/// What a request wants to do.
fn wanted(route: &Route, method: &Method) -> Access {
    match (route, method) {
        (Route::Blob(..) | Route::Manifest(..), &Method::DELETE) => Access::Delete,
        (_, &Method::GET | &Method::HEAD) => Access::Read,
        _ => Access::Write,
    }
}

/// Refuses what the identity or the settings do not allow.
pub fn permit(
    identity: &Identity,
    accounts: Option<&Accounts>,
    settings: &Settings,
    (route, method): (&Route, &Method),
) -> Result<(), ApiError> {
    if !route.methods().split(", ").any(|known| known == method.as_str()) {
        return Err(ApiError::method(route.methods(), "method is not supported here"));
    }
    let access = wanted(route, method);
    let pull_only = accounts.map_or(&[][..], |accounts| &accounts.pull_only);
    if !access::allowed(identity, access, pull_only) {
        return Err(ApiError::new(StatusCode::FORBIDDEN, ErrorCode::Denied, "this account may pull only"));
    }
    match access {
        Access::Write | Access::Delete if settings.readonly => {
            Err(ApiError::method("GET, HEAD", "the registry is read-only"))
        }
        Access::Delete if !settings.delete => Err(ApiError::method("GET, HEAD", "deleting is switched off")),
        Access::Read | Access::Write | Access::Delete => Ok(()),
    }
}
