//! Durations as Go writes them: `5m`, `2160h`.

use std::borrow::Cow;

use registry_config::duration::GoDuration;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// A duration of an object: hours, minutes and seconds. The pattern keeps what CEL cannot read, such as `30d`, out, and what
/// would be longer than its longest duration of 292 years.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(transparent)]
pub struct Duration(String);

impl Duration {
    /// Seconds, rounded down. What the pattern let through always parses.
    pub fn seconds(&self) -> u64 {
        self.0.parse::<GoDuration>().map_or(0, |duration| duration.0.as_secs())
    }
}

impl From<&str> for Duration {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl JsonSchema for Duration {
    fn schema_name() -> Cow<'static, str> {
        "Duration".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "maxLength": 20,
            "pattern": "^([0-9]{1,6}h)?([0-9]{1,7}m)?([0-9]{1,9}s)?$",
            "minLength": 2,
        })
    }

    fn inline_schema() -> bool {
        true
    }
}
