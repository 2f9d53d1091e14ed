//! Who asks, and whether the answer is yes.

use std::net::IpAddr;

use http::{HeaderMap, Method, StatusCode, header};

use crate::{
    auth::{
        access::{Action, Identity},
        accounts::Refusal,
        attempts,
        credentials::Shown,
        logins::Logins,
        policy::Rights,
    },
    http::{error::ApiError, route::Route},
    oci::error_code::ErrorCode,
    settings::Settings,
};

/// The identity behind the headers; a challenge if what they say is wrong.
pub async fn identify(
    logins: Option<&Logins>,
    headers: &HeaderMap,
    from: IpAddr,
) -> Result<Identity, ApiError> {
    let Some(logins) = logins else { return Ok(Identity::Everybody) };
    let mut given = headers.get_all(header::AUTHORIZATION).iter();
    let shown = match (given.next(), given.next()) {
        (None, _) => return Ok(Identity::Anonymous),
        (Some(one), None) if Shown::is_nothing(one.as_bytes()) => return Ok(Identity::Anonymous),
        (Some(one), None) => Shown::parse(one.as_bytes()),
        (Some(_), Some(_)) => None,
    };
    let identity = match shown {
        Some(shown) => logins.verify(&shown, from).await,
        None => Err(Refusal::Wrong),
    };
    identity.map_err(|refusal| match refusal {
        Refusal::Wrong => challenge(logins, "authentication required"),
        Refusal::Token(fault) => challenge(logins, fault.to_string()),
        Refusal::TooMany => {
            let message = "too many wrong passwords for this account from this address";
            ApiError::new(StatusCode::TOO_MANY_REQUESTS, ErrorCode::TooManyRequests, message)
                .header(header::RETRY_AFTER, attempts::PERIOD.as_secs().to_string())
        }
    })
}

fn challenge(logins: &Logins, message: impl Into<String>) -> ApiError {
    let realm = logins.accounts.realm.chars();
    let realm: String = realm.filter(|c| !matches!(c, '"' | '\\') && !c.is_control()).collect();
    ApiError::new(StatusCode::UNAUTHORIZED, ErrorCode::Unauthorized, message)
        .header(header::WWW_AUTHENTICATE, format!("Basic realm=\"{realm}\""))
}

/// What a request wants to do; nothing, when it only asks whether somebody is there.
fn wanted(route: &Route, method: &Method) -> Option<Action> {
    match (route, method) {
        (Route::FirstPing | Route::Base, _) => None,
        (Route::Catalog | Route::Search | Route::Tags(_), _) => Some(Action::List),
        (Route::Blob(..) | Route::Manifest(..), &Method::DELETE) => Some(Action::Delete),
        (_, &Method::GET | &Method::HEAD) if !matches!(route, Route::Upload(..)) => Some(Action::Pull),
        _ => Some(Action::Push),
    }
}

/// Refuses who has to log in first, whatever is asked for.
pub fn admit(
    logins: Option<&Logins>,
    rights: Rights<'_>,
    asked: Option<(&Route, &Method)>,
) -> Result<(), ApiError> {
    let (Some(logins), Identity::Anonymous) = (logins, rights.who) else { return Ok(()) };
    let admitted = asked.is_some_and(|(route, method)| match (route, wanted(route, method)) {
        (Route::FirstPing, _) => true,
        // Who has a password sends it only where it is asked for.
        (_, None) => false,
        (_, Some(action)) => granted(rights, action, route),
    });
    if admitted { Ok(()) } else { Err(challenge(logins, "authentication required")) }
}

fn granted(rights: Rights<'_>, action: Action, route: &Route) -> bool {
    match route.repository() {
        Some(name) => rights.may(action, name.as_str()),
        // A list has what one may see.
        None => {
            !matches!(rights.who, Identity::Anonymous) || rights.policy.allows_somewhere(rights.who, action)
        }
    }
}

/// Refuses what the identity or the settings do not allow.
pub fn permit(
    logins: Option<&Logins>,
    rights: Rights<'_>,
    settings: &Settings,
    (route, method): (&Route, &Method),
) -> Result<(), ApiError> {
    if !route.methods().split(", ").any(|known| known == method.as_str()) {
        return Err(ApiError::method(route.methods(), "method is not supported here"));
    }
    let Some(action) = wanted(route, method) else { return Ok(()) };
    let denied = |message: &str| Err(ApiError::new(StatusCode::FORBIDDEN, ErrorCode::Denied, message));
    if !action.reads() && logins.is_some_and(|logins| logins.accounts.pulls_only(rights.who)) {
        return denied("this account may pull only");
    }
    if !granted(rights, action, route) {
        return denied(action.denied());
    }
    match action {
        // How far an upload is, may be asked.
        Action::Push | Action::Delete
            if settings.readonly && !matches!(*method, Method::GET | Method::HEAD) =>
        {
            Err(ApiError::method("GET, HEAD", "the registry is read-only"))
        }
        Action::Delete if !settings.delete => Err(ApiError::method("GET, HEAD", "deleting is switched off")),
        Action::Pull | Action::List | Action::Push | Action::Delete => Ok(()),
    }
}
