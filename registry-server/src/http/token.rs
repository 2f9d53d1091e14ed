//! `GET /token` and `POST /token`, as distribution's token servers answer, and the keys of what they give.

use http::{HeaderValue, Method, StatusCode, header};
use serde_json::json;
use tokio::sync::Semaphore;

use crate::{
    auth::{
        access::Login,
        credentials::{Credentials, Shown},
        jwt,
        logins::{Logins, Way},
        token_maker::{self, TokenMaker, Wish},
    },
    http::{
        authorize, body,
        challenge::{Challenge, LOG_IN},
        door::Asked,
        error::ApiError,
        forwarded,
        headers::{self, Response},
        inbound::Inbound,
        query::Query,
        route::{Route, RouteError},
    },
    oci::error_code::ErrorCode,
};

const ENDS_SOON: &str = "the login counts for less than a minute more, and a token for no less: renew it";
/// Longest form.
const LARGEST: u64 = 64 << 10;
/// Forms of strangers that are longer than the usual ones wait for each other, so that they have bounded room.
const USUAL: u64 = 4 << 10;
static ROOM: Semaphore = Semaphore::const_new(128);

/// The route, which leads nowhere where this server gives no tokens.
pub fn where_given(route: Result<Route, RouteError>, logins: Option<&Logins>) -> Result<Route, RouteError> {
    let given = logins.is_some_and(|logins| matches!(logins.way, Way::BuiltIn(_)));
    if !given && route.as_ref().is_ok_and(is_about) { Err(RouteError::NotFound) } else { route }
}

/// Whether it is one of these.
pub const fn is_about(route: &Route) -> bool {
    matches!(route, Route::Token | Route::TokenKeys)
}

/// Answers at one of the two paths.
pub async fn answer(
    challenge: &Challenge<'_>,
    route: &Route,
    asked: &Asked,
    body: &mut Inbound,
    login: &mut Login,
) -> Result<Response, ApiError> {
    match (route, &asked.parts.method) {
        (Route::TokenKeys, &Method::GET | &Method::HEAD) => {
            let keys = json!({ "keys": challenge.logins.tokens.load().own_keys() });
            Ok(headers::json(&keys, "application/json"))
        }
        (Route::Token, &Method::GET | &Method::HEAD) => {
            *login = authorize::identify(Some(challenge), asked).await?;
            let scopes = scopes(asked.query.all("scope"));
            made(challenge, login, asked, &scopes, false)
        }
        (Route::Token, &Method::POST) => {
            let form = form(asked, body).await?;
            *login = by_form(challenge, &form, asked).await?;
            made(challenge, login, asked, &scopes(form.all("scope")), true)
        }
        _ => Err(ApiError::method(route.methods(), "method is not supported here")),
    }
}

/// Several parameters, or one with blanks in it, of which some clients make a `+`. No name has one.
fn scopes<'a>(given: impl Iterator<Item = &'a str>) -> Vec<String> {
    given.flat_map(|text| text.split([' ', '+'])).filter(|one| !one.is_empty()).map(str::to_owned).collect()
}

async fn form(asked: &Asked, body: &mut Inbound) -> Result<Query, ApiError> {
    let bad = |message: &str| ApiError::bad(ErrorCode::Unsupported, message);
    let kind = headers::text(&asked.parts.headers, header::CONTENT_TYPE).unwrap_or_default();
    if !kind.to_ascii_lowercase().starts_with("application/x-www-form-urlencoded") {
        return Err(bad("a form is expected, application/x-www-form-urlencoded"));
    }
    let whole =
        tokio::time::timeout(body.patience().form, body::whole_where_room(body, LARGEST, USUAL, &ROOM)).await;
    let whole = whole.map_err(|_| too_slow())?;
    let whole = whole.map_err(|_| bad("the form ends too early"))?;
    let whole = whole.ok_or_else(|| bad("the form is too long"))?;
    let text = std::str::from_utf8(&whole).map_err(|_| bad("the form is not UTF-8"))?;
    // In a form a blank may be a plus, and a plus never is.
    Ok(Query::parse(Some(&text.replace('+', "%20"))))
}

fn too_slow() -> ApiError {
    let slow = ApiError::new(StatusCode::REQUEST_TIMEOUT, ErrorCode::Unsupported, "the form takes too long");
    slow.header(header::CONNECTION, "close")
}

/// Whoever has sent name and password in the form. Other ways are for GET: who is told so goes on there.
async fn by_form(challenge: &Challenge<'_>, form: &Query, asked: &Asked) -> Result<Login, ApiError> {
    let bad = |message: &str| Err(ApiError::bad(ErrorCode::Unsupported, message));
    match (form.get("grant_type"), form.get("username"), form.get("password")) {
        (Some("password"), Some(user), Some(password)) => {
            let credentials = Credentials { user: user.to_owned(), password: password.to_owned() };
            authorize::judge(challenge, Shown::password_or_token(credentials), asked.client).await
        }
        (Some("password"), ..) => bad("username and password are missing"),
        _ => bad("grant_type is not supported: send password, or ask with GET"),
    }
}

fn made(
    challenge: &Challenge<'_>,
    login: &Login,
    asked: &Asked,
    scopes: &[String],
    says_scope: bool,
) -> Result<Response, ApiError> {
    let Way::BuiltIn(maker) = &challenge.logins.way else { return Err(RouteError::NotFound.into()) };
    // With a token of ours one could have the next one for ever.
    if login.grants.is_some() {
        return Err(challenge.refuse(LOG_IN, None));
    }
    let (tokens, now) = (challenge.logins.tokens.load(), jiff::Timestamp::now());
    let wish = Wish { login, policy: &asked.settings.policy, scopes };
    let seconds = now.as_millisecond() as f64 / 1000.0;
    if token_maker::ends_too_soon(login, seconds) {
        return Err(challenge.refuse(ENDS_SOON, None));
    }
    let signed = tokens.signer().and_then(|signer| maker.make(signer, &wish, seconds));
    let made = signed.ok_or_else(ApiError::internal)?;
    if made.token.len() > jwt::LONGEST {
        let message = "the token would be too long to be sent: whoever vouches for you names too many groups";
        return Err(ApiError::bad(ErrorCode::Unsupported, message));
    }
    let mut document = json!({
        "token": made.token, "access_token": made.token, "token_type": "Bearer",
        "expires_in": made.seconds, "issued_at": now.round(jiff::Unit::Second).unwrap_or(now).to_string(),
    });
    if says_scope {
        document["scope"] = made.scope.into();
    }
    let mut response = headers::json(&document, "application/json");
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// Where clients of this request get tokens, and what the registry is called there.
pub fn place(maker: &TokenMaker, asked: &Asked) -> (String, String) {
    let (headers, uri) = (&asked.parts.headers, &asked.parts.uri);
    let (peer, proxies) = (asked.peer, &asked.settings.proxies);
    let told = forwarded::host(peer, headers, proxies).filter(|name| is_host(name));
    let named =
        told.or(headers::text(headers, header::HOST)).or(uri.authority().map(http::uri::Authority::as_str));
    let host = named.filter(|name| is_host(name)).unwrap_or("localhost").to_owned();
    let known = maker.secure || maker.secure_host.as_ref() == Some(&host);
    let scheme = if known || forwarded::secure(peer, headers, proxies) { "https" } else { "http" };
    (maker.realm.clone().unwrap_or_else(|| format!("{scheme}://{host}/token")), host)
}

/// Whether it may be a host name or an address, perhaps with a port.
fn is_host(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b".-_:[]".contains(&b))
}
