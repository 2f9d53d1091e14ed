//! Who asks, and whether the answer is yes.

use std::{net::IpAddr, sync::Arc};

use http::{Method, StatusCode, header};
use serde_json::json;

use crate::{
    auth::{
        access::{Action, Identity, Login},
        accounts::Refusal,
        attempts,
        certificate_names::CertificateNames,
        credentials::Shown,
        grants::Grants,
        policy::Rights,
    },
    http::{
        challenge::{Challenge, LOG_IN, Shortcoming, wanted},
        door::Asked,
        error::ApiError,
        route::Route,
    },
    oci::error_code::ErrorCode,
    settings::Settings,
};

/// Who is behind the request; a challenge if what it says is wrong.
///
/// Credentials in a header are of this request and meant, so that a certificate of the connection counts without them only.
pub async fn identify(challenge: Option<&Challenge<'_>>, asked: &Asked) -> Result<Login, ApiError> {
    let Some(challenge) = challenge else { return Ok(Identity::Everybody.into()) };
    let certificate = asked.parts.extensions.get::<Arc<CertificateNames>>().map(Arc::as_ref);
    let mut given = asked.parts.headers.get_all(header::AUTHORIZATION).iter();
    let shown = match (given.next(), given.next()) {
        (None, _) => return Ok(challenge.logins.without_credentials(certificate)),
        (Some(one), None) if Shown::is_nothing(one.as_bytes()) => {
            return Ok(challenge.logins.without_credentials(certificate));
        }
        (Some(one), None) => Shown::parse(one.as_bytes()),
        (Some(_), Some(_)) => None,
    };
    judge(challenge, shown, asked.client).await
}

/// Who is behind what was shown; a challenge if that is wrong.
pub async fn judge(challenge: &Challenge<'_>, shown: Option<Shown>, from: IpAddr) -> Result<Login, ApiError> {
    let login = match &shown {
        Some(shown) => challenge.logins.verify(shown, from).await,
        None => Err(Refusal::Wrong),
    };
    let refused = |refusal| match refusal {
        Refusal::Wrong => {
            challenge.refuse(LOG_IN, Some(Shortcoming::Invalid)).because("wrong password or unknown account")
        }
        Refusal::Token(fault) => challenge.refuse(fault.to_string(), Some(Shortcoming::Invalid)),
        Refusal::TooMany => {
            let message = "too many wrong passwords from this address: wait a minute";
            ApiError::new(StatusCode::TOO_MANY_REQUESTS, ErrorCode::TooManyRequests, message)
                .header(header::RETRY_AFTER, attempts::PERIOD.as_secs().to_string())
        }
    };
    let account = || shown.as_ref().and_then(|shown| challenge.logins.account(shown));
    login.map_err(|refusal| refused(refusal).account(account()))
}

/// Refuses who has to log in first, whatever is asked for.
pub fn admit(
    challenge: Option<&Challenge<'_>>,
    rights: Rights<'_>,
    asked: Option<(&Route, &Method)>,
) -> Result<(), ApiError> {
    let (Some(challenge), Identity::Anonymous, None) = (challenge, rights.who, rights.grants) else {
        return Ok(());
    };
    let admitted = asked.is_some_and(|(route, method)| match (route, wanted(route, method)) {
        (Route::FirstPing, _) => true,
        // Who has a password sends it only where it is asked for.
        (_, None) => false,
        (_, Some(action)) => granted(rights, action, route),
    });
    if admitted { Ok(()) } else { Err(challenge.refuse(LOG_IN, None)) }
}

/// Whether the token allows it, if it says what it allows.
fn in_scope(rights: Rights<'_>, action: Action, route: &Route) -> bool {
    rights.grants.is_none_or(|grants| match route.repository() {
        Some(name) => grants.allow(action, name.as_str()),
        None => grants.allow_catalog(),
    })
}

/// Whether there may be a token that allows it: another server's, of which nobody knows here, or one of ours, which has
/// what rules allow. Whoever has not logged in may do so.
fn could_be_given(rights: Rights<'_>, action: Action, route: &Route) -> bool {
    let elsewhere = rights.grants.is_none_or(Grants::say_all);
    let by_rules = Rights { grants: None, ..rights };
    elsewhere || matches!(rights.who, Identity::Anonymous) || granted(by_rules, action, route)
}

fn granted(rights: Rights<'_>, action: Action, route: &Route) -> bool {
    match route.repository() {
        Some(name) => rights.may(action, name.as_str()),
        // A list has what one may see.
        None => {
            let logged_in = rights.grants.is_some() || !matches!(rights.who, Identity::Anonymous);
            logged_in || rights.policy.allows_somewhere(rights.who, action)
        }
    }
}

/// Refuses what the identity does not allow.
pub fn permit(
    challenge: Option<&Challenge<'_>>,
    rights: Rights<'_>,
    (route, method): (&Route, &Method),
) -> Result<(), ApiError> {
    if !route.methods().split(", ").any(|known| known == method.as_str()) {
        return Err(ApiError::method(route.methods(), "method is not supported here"));
    }
    let Some(action) = wanted(route, method) else { return Ok(()) };
    let hopeless = !could_be_given(rights, action, route);
    if let Some(challenge) = challenge.filter(|_| !hopeless && !in_scope(rights, action, route)) {
        // Another token may help: clients get one on 401 only.
        return Err(challenge.refuse("the token does not allow this", Some(Shortcoming::Scope)));
    }
    if !granted(rights, action, route) {
        let repository = route.repository().map(|name| name.as_str());
        let why = rights.policy.refusal(rights.who, action, repository);
        let message = rights.policy.denied(rights.who, action);
        return Err(ApiError::new(StatusCode::FORBIDDEN, ErrorCode::Denied, message).because(why));
    }
    Ok(())
}

/// Refuses to push to a repository whose name clients could not write (distribution-spec, "Pulling manifests": many take 255
/// characters with the registry's host before it). What is there is served.
fn nameable(settings: &Settings, route: &Route) -> Result<(), ApiError> {
    let limit = settings.longest_name;
    match route.repository().map(|name| name.as_str().len()) {
        Some(length) if length > limit => {
            let message = "with the registry's host, this name is too long for clients";
            Err(ApiError::bad(ErrorCode::NameInvalid, message)
                .detail(json!({ "field": "name", "limit": limit })))
        }
        _ => Ok(()),
    }
}

/// Refuses what the settings do not allow anybody.
pub fn possible(settings: &Settings, (route, method): (&Route, &Method)) -> Result<(), ApiError> {
    match wanted(route, method) {
        // How far an upload is, may be asked.
        Some(Action::Push | Action::Delete)
            if settings.readonly && !matches!(*method, Method::GET | Method::HEAD) =>
        {
            Err(ApiError::method("GET, HEAD", "the registry is read-only"))
        }
        Some(Action::Delete) if !settings.delete => {
            Err(ApiError::method("GET, HEAD", "deleting is switched off"))
        }
        // An upload that has begun may end.
        Some(Action::Push) if !matches!(route, Route::Upload(..)) => nameable(settings, route),
        _ => Ok(()),
    }
}
