//! `spec.logging`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the registry logs. Level and access lines are taken over by running pods; the format replaces them.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase", default)]
pub struct Logging {
    /// The least severe level that is written.
    pub level: LogLevel,
    /// Shape of a line.
    pub format: LogFormat,
    /// One line per request.
    pub access: AccessLines,
}

/// `logging.level`.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogLevel {
    /// Failures of the registry itself.
    Error,
    /// What somebody should look at.
    Warn,
    /// What happens.
    #[default]
    Info,
    /// Why it happens.
    Debug,
}

/// `logging.format`.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// One JSON object a line.
    #[default]
    JSON,
    /// For people.
    Text,
}

/// `logging.access`.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AccessLines {
    /// A line for each request.
    #[default]
    Enabled,
    /// None.
    Disabled,
}
