//! The keys at the top of the file, as the schema has them: none can be forgotten in a list kept by hand.

use serde::{
    Deserialize, Deserializer,
    de::{Error as _, Visitor, value::Error},
    forward_to_deserialize_any,
};

use crate::schema::Config;

/// Names of the fields of [`Config`].
pub fn keys() -> &'static [&'static str] {
    let mut keys: &'static [&'static str] = &[];
    // It has no values to give, so that this always ends in an error, after the names.
    let _ = Config::deserialize(Names(&mut keys));
    keys
}

/// Keeps the names that a struct asks for.
struct Names<'a>(&'a mut &'static [&'static str]);

impl<'de> Deserializer<'de> for Names<'_> {
    type Error = Error;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Error> {
        *self.0 = fields;
        Err(Error::custom("only the names are wanted"))
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
        Err(Error::custom("not a struct"))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lifted;

    // registry CF4
    #[test]
    fn every_field_of_the_schema_is_a_key() {
        let source = include_str!("schema/mod.rs");
        let body = source.split_once("pub struct Config {").unwrap().1.split_once("\n}").unwrap().0;
        let fields = body.lines().filter_map(|line| line.trim().strip_prefix("pub ")?.split(':').next());
        let written = |field| match field {
            "token" => lifted::TOKEN,
            "builtin" => lifted::BUILTIN,
            plain => plain,
        };
        assert_eq!(keys(), fields.map(written).collect::<Vec<_>>());
    }
}
