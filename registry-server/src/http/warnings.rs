//! `Warning` headers: what clients show to their users (distribution-spec, "Warnings").

use http::{HeaderValue, header::WARNING};

use crate::{
    http::{headers::Response, route::Route},
    settings::Warnings,
};

/// Adds what is to be said about this route, to whom may use it.
pub fn add(response: &mut Response, values: Vec<HeaderValue>) {
    for value in values {
        response.headers_mut().append(WARNING, value);
    }
}

/// The headers for this route.
pub fn about(route: Option<&Route>, warnings: &Warnings) -> Vec<HeaderValue> {
    let Some(route) = route.filter(|route| route.is_of_the_api()) else { return Vec::new() };
    let texts = warnings.about(route.repository().map(|name| name.as_str()));
    texts.filter_map(|text| header(text).parse().ok()).collect()
}

/// No host and no date: code 299 and a quoted string (RFC 9110, section 5.6.4).
fn header(text: &str) -> String {
    format!("299 - \"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    // registry J3
    #[test]
    fn quotes_of_a_warning_are_escaped() {
        assert_eq!(header("moves on Friday"), "299 - \"moves on Friday\"");
        assert_eq!(header(r#"say "a\b""#), r#"299 - "say \"a\\b\"""#);
    }
}
