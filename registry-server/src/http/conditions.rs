//! `If-Match` and `If-None-Match` of requests that write (registry H14; RFC 9110, sections 13.1.1 and 13.1.2).

use http::{HeaderMap, HeaderName, header};

use crate::{
    http::{door::Asked, headers},
    registry::condition::{Condition, Content, Terms},
};

/// What stands against what is asked.
pub fn terms(asked: &Asked) -> Terms {
    Terms { immutable: asked.settings.immutable.clone(), condition: condition(&asked.parts.headers) }
}

/// The conditions.
fn condition(headers: &HeaderMap) -> Condition {
    Condition {
        matches: content(headers, header::IF_MATCH, |tag| !tag.starts_with("W/")),
        matches_not: content(headers, header::IF_NONE_MATCH, |_| true),
    }
}

/// What a header names. It may name nothing that can be here, and then holds for nothing.
fn content(headers: &HeaderMap, name: HeaderName, counts: fn(&str) -> bool) -> Option<Content> {
    let values: Vec<_> =
        headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
    let tags = || values.iter().flat_map(|value| value.split(',')).map(str::trim);
    if values.is_empty() {
        return None;
    }
    if values.iter().any(|value| value.trim() == "*") {
        return Some(Content::Any);
    }
    Some(Content::OneOf(tags().filter(|tag| counts(tag)).map(headers::plain_tag).collect()))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    // registry H14
    #[test]
    fn what_a_condition_names_is_what_it_says() {
        let one_of = |tags: &[&str]| Some(Content::OneOf(tags.iter().map(ToString::to_string).collect()));
        for (value, matches, matches_not) in [
            (&b"\"a\""[..], one_of(&["a"]), one_of(&["a"])),
            (b"a", one_of(&["a"]), one_of(&["a"])),
            (b"\"a\", \"b\"", one_of(&["a", "b"]), one_of(&["a", "b"])),
            (b"*", Some(Content::Any), Some(Content::Any)),
            (b" * ", Some(Content::Any), Some(Content::Any)),
            (b"\"*\"", one_of(&["*"]), one_of(&["*"])),
            (b"\"a,*,b\"", one_of(&["a", "*", "b"]), one_of(&["a", "*", "b"])),
            (b"W/\"a\"", one_of(&[]), one_of(&["a"])),
            (b"\"\xff\"", one_of(&["\u{fffd}"]), one_of(&["\u{fffd}"])),
            (b"", one_of(&[""]), one_of(&[""])),
        ] {
            let mut headers = HeaderMap::new();
            for name in [header::IF_MATCH, header::IF_NONE_MATCH] {
                headers.insert(name, HeaderValue::from_bytes(value).unwrap());
            }
            let found = condition(&headers);
            let shown = String::from_utf8_lossy(value);
            assert_eq!((found.matches, found.matches_not), (matches, matches_not), "{shown}");
        }
        assert!(condition(&HeaderMap::new()).is_empty());
    }
}
