//! Where a key stands in a YAML text, for messages.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, SeqAccess, Visitor},
};
use serde_saphyr::{Location, Spanned};

/// Line and column, counted from 1, of the key at this path. List indices are numbers.
pub fn of(text: &str, path: &[String]) -> Option<(u64, u64)> {
    let mut node: Node = serde_saphyr::from_str(text).ok()?;
    let mut found = None;
    for step in path {
        let below = node.0.into_iter().find(|(name, ..)| name == step);
        let (_, at, next) = below?;
        (found, node) = (Some(at), next);
    }
    found.map(|at| (at.line(), at.column()))
}

/// What is below a place: names or indices, where each stands, and what is below it.
#[derive(Default)]
struct Node(Vec<(String, Location, Node)>);

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Below)
    }
}

struct Below;

/// Below a value there is nothing.
macro_rules! nothing {
    ($($visit:ident: $value:ty),*) => {
        $(fn $visit<E: de::Error>(self, _: $value) -> Result<Node, E> {
            Ok(Node::default())
        })*
    };
}

impl<'de> Visitor<'de> for Below {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("YAML")
    }

    nothing!(visit_bool: bool, visit_i64: i64, visit_i128: i128, visit_u64: u64, visit_u128: u128, visit_f64: f64);
    nothing!(visit_str: &str, visit_bytes: &[u8]);

    fn visit_unit<E: de::Error>(self) -> Result<Node, E> {
        Ok(Node::default())
    }

    fn visit_none<E: de::Error>(self) -> Result<Node, E> {
        Ok(Node::default())
    }

    fn visit_some<D: Deserializer<'de>>(self, some: D) -> Result<Node, D::Error> {
        Node::deserialize(some)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Node, A::Error> {
        let mut below = Vec::new();
        while let Some(item) = items.next_element::<Spanned<Node>>()? {
            below.push((below.len().to_string(), item.referenced, item.value));
        }
        Ok(Node(below))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Node, A::Error> {
        let mut below = Vec::new();
        while let Some(key) = entries.next_key::<Spanned<String>>()? {
            below.push((key.value, key.referenced, entries.next_value()?));
        }
        Ok(Node(below))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_found_where_they_stand() {
        let text = "version: 0.1\n# note\nhttp:\n  addr: :5000\n  tls:\n    key: k\nredis:\n  addrs:\n    - a\n    - b\n";
        let at = |path: &str| of(text, &path.split('.').map(str::to_owned).collect::<Vec<_>>());
        assert_eq!(at("version"), Some((1, 1)));
        assert_eq!(at("http.tls.key"), Some((6, 5)));
        assert_eq!(at("redis.addrs.1"), Some((10, 7)));
        assert_eq!(at("http.key"), None);
    }

    // registry CF2 CF8
    #[test]
    fn keys_are_found_in_braces_too() {
        let text = "storage: {inmemory: {}, delete: {enabled: no}}\nhttp:\n  {addr: x,\n   tls: {clientcas: [a, b]}}\n";
        let at = |path: &str| of(text, &path.split('.').map(str::to_owned).collect::<Vec<_>>());
        assert_eq!(at("storage.delete"), Some((1, 25)));
        assert_eq!(at("storage.delete.enabled"), Some((1, 34)));
        assert_eq!(at("http.tls"), Some((4, 4)));
        assert_eq!(at("http.tls.clientcas.1"), Some((4, 25)));
        assert_eq!(of("a: 'x: {b: 1}'", &["a".into(), "b".into()]), None);
    }
}
