//! `auth.token` stands beside `auth.htpasswd` in the file, and is a section of its own in the types, and so is what stands in
//! it in place of another server: whoever writes passwords need not know about tokens.

use serde_json::{Map, Value};

/// What the section of a token server is called once it is lifted.
pub const TOKEN: &str = "auth.token";
/// The same of the section for tokens that this server gives itself.
pub const BUILTIN: &str = "auth.token.builtin";

/// Lifts them out of `auth`, of which nothing is left where they stood alone. An empty one is there, too: without it the
/// registry would be open.
pub fn lift(value: &mut Value) {
    let Some(auth) = value.get_mut("auth").and_then(Value::as_object_mut) else { return };
    let Some(mut token) = auth.remove("token") else { return };
    let alone = auth.is_empty();
    let Some(all) = value.as_object_mut() else { return };
    if alone {
        all.remove("auth");
    }
    let builtin = token.as_object_mut().and_then(|token| token.remove("builtin"));
    if builtin.is_none() || token.as_object().is_some_and(|rest| !rest.is_empty()) {
        all.insert(TOKEN.to_owned(), present(token));
    }
    if let Some(builtin) = builtin {
        all.insert(BUILTIN.to_owned(), present(builtin));
    }
}

fn present(section: Value) -> Value {
    if section.is_null() { Value::Object(Map::new()) } else { section }
}

/// The path of a key as it stands in the file.
pub fn written(path: &[String]) -> Vec<String> {
    match path.split_first() {
        Some((first, rest)) if [TOKEN, BUILTIN].contains(&first.as_str()) => {
            first.split('.').map(str::to_owned).chain(rest.iter().cloned()).collect()
        }
        _ => path.to_vec(),
    }
}
