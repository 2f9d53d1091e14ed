//! `auth.token` stands beside `auth.htpasswd` in the file, and is a section of its own in the types: a file has one of the
//! two, and whoever writes passwords need not know about tokens.

use serde_json::{Value, json};

/// What the section is called once it is lifted.
pub const TOKEN: &str = "auth.token";

/// Lifts it out of `auth`, of which nothing is left where it stood alone. An empty one is there, too: without it the
/// registry would be open.
pub fn lift(value: &mut Value) {
    let Some(auth) = value.get_mut("auth").and_then(Value::as_object_mut) else { return };
    let Some(token) = auth.remove("token") else { return };
    let alone = auth.is_empty();
    let Some(all) = value.as_object_mut() else { return };
    if alone {
        all.remove("auth");
    }
    all.insert(TOKEN.to_owned(), if token.is_null() { json!({}) } else { token });
}

/// The path of a key as it stands in the file.
pub fn written(path: &[String]) -> Vec<String> {
    match path.split_first() {
        Some((first, rest)) if first == TOKEN => {
            first.split('.').map(str::to_owned).chain(rest.iter().cloned()).collect()
        }
        _ => path.to_vec(),
    }
}
