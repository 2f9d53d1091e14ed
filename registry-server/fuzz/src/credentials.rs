//! `Authorization` headers: what is read is what was written, and what nobody could have written by the book is nothing.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use registry_server::auth::{
    credentials::{Credentials, Shown},
    jwt,
};

/// Longest name and longest password, as the page on the server's configuration has them.
const LONGEST: (usize, usize) = (255, 1_024);

/// Takes the bytes for a header, and for what somebody sends as name and password.
pub fn check(bytes: &[u8]) {
    if let Some(shown) = Shown::parse(bytes) {
        taken(bytes, &shown);
    }
    let encoded = STANDARD.encode(bytes);
    let header = |scheme: &str| format!("{scheme} {encoded}").into_bytes();
    assert_eq!(Shown::is_nothing(&header("Basic")), bytes == b":");
    let shown = Shown::parse(&header("Basic"));
    assert!(shown == Shown::parse(&header("bAsIc")), "RFC 9110, section 11.1: schemes have no case");
    let written = std::str::from_utf8(bytes).ok().and_then(|text| text.split_once(':'));
    let Some((user, password)) = written else {
        assert!(shown.is_none(), "RFC 7617, section 2: a colon stands between name and password");
        return;
    };
    let fits = (1..=LONGEST.0).contains(&user.len()) && password.len() <= LONGEST.1;
    let token = Some(password).filter(|password| jwt::is_shaped(password));
    let credentials = Credentials { user: user.to_owned(), password: password.to_owned() };
    let shown = shown.as_ref();
    assert_eq!(shown.and_then(Shown::password), fits.then_some(&credentials), "{user:?}");
    assert_eq!(shown.and_then(Shown::token), token, "{user:?}");
}

fn taken(header: &[u8], shown: &Shown) {
    let text = std::str::from_utf8(header).expect("a header that is taken is text").trim_start();
    let scheme = text.split(' ').next().unwrap_or_default();
    match (shown.token(), shown.password()) {
        (None, None) => panic!("{text:?} shows nothing"),
        (token, None) if scheme.eq_ignore_ascii_case("bearer") => {
            assert!(token.is_some_and(|token| text.contains(token) && jwt::is_shaped(token)));
        }
        _ => assert!(scheme.eq_ignore_ascii_case("basic"), "{scheme:?}"),
    }
}
