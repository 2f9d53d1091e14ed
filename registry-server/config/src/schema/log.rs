//! Section `log`.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Section `log`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// The least severe level that is written.
    pub level: Level,
    /// Shape of a line.
    pub formatter: Formatter,
    /// One line per request.
    pub accesslog: AccessLog,
    /// Who did what (*ours*); absent: nothing of that kind is written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audit: Option<AuditLog>,
}

/// `log.level`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Failures of the registry itself.
    Error,
    /// What an operator should look at.
    #[serde(alias = "warning")]
    Warn,
    /// What happens.
    #[default]
    Info,
    /// Why it happens.
    Debug,
}

/// `log.formatter`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Formatter {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// `log.accesslog`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AccessLog {
    /// No line per request.
    pub disabled: bool,
}

/// `log.audit` (*ours*).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AuditLog {
    /// The file that lines are appended to; absent: standard output.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<PathBuf>,
    /// Whether pulls and lists that were allowed are written as well.
    pub reads: bool,
}
