//! Where the audit log goes.

use std::{fs::OpenOptions, io, os::unix::fs::OpenOptionsExt as _, sync::Arc};

use anyhow::Context;
use registry_config::schema::Log;

use crate::audit::AuditLog;

/// The audit log that the configuration asks for. Nobody but its owner reads a new file.
pub fn open(config: &Log) -> anyhow::Result<Option<Arc<AuditLog>>> {
    let Some(section) = &config.audit else { return Ok(None) };
    let log = match &section.file {
        None => AuditLog::new(Box::new(io::stdout()), section.reads),
        Some(path) => {
            let file = OpenOptions::new().append(true).create(true).mode(0o600).open(path);
            let file =
                file.with_context(|| format!("cannot write to {} (log.audit.file)", path.display()))?;
            AuditLog::new(Box::new(file), section.reads)
        }
    };
    Ok(Some(Arc::new(log)))
}
