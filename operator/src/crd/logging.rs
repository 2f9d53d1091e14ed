//! `spec.logging`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the registry logs. Level and access lines are taken over by running pods; format and audit lines replace them.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase", default)]
pub struct Logging {
    /// The least severe level that is written.
    pub level: LogLevel,
    /// Shape of a line.
    pub format: LogFormat,
    /// One line per request.
    pub access: AccessLines,
    /// One JSON line for each push, deletion, refusal and failed login: who did what, from where, and which rule decided.
    pub audit: AuditLines,
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

/// `logging.audit`.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AuditLines {
    /// None.
    #[default]
    Disabled,
    /// A line for each.
    Enabled,
    /// A line for each, and for each pull and list.
    EnabledWithReads,
}
