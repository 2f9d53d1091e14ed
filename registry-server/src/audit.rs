//! The audit log: who did what, one JSON object a line.

use std::{
    io::{self, Write},
    net::IpAddr,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use serde::Serialize;

use crate::metrics;

/// One line. Field names are those of the line; what is not known is left out.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Record {
    /// When it was answered: RFC 3339, in UTC.
    pub time: String,
    /// The request's name, as in the access log.
    pub request_id: String,
    /// Who, as rules and the access log call them; `-` is nobody that is known.
    pub user: String,
    /// From where.
    pub address: IpAddr,
    /// What.
    pub action: Deed,
    /// How it was asked for.
    pub method: String,
    /// To which repository.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repository: Option<String>,
    /// To which content.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// To which tags.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// The repository that a blob was mounted from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// What came of it.
    pub decision: Decision,
    /// The answer's status; 0 when nobody waited for it.
    pub status: u16,
    /// Which rule refused, or what failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What somebody wanted to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Deed {
    /// Say who they are, and nothing else.
    Login,
    /// Read content.
    Pull,
    /// See names.
    List,
    /// Write.
    Push,
    /// Delete.
    Delete,
}

impl Deed {
    /// Whether it changes what is in the registry.
    pub const fn writes(self) -> bool {
        matches!(self, Self::Push | Self::Delete)
    }
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Decision {
    /// It was done.
    Allowed,
    /// Whoever asked may not do it, or not now.
    Denied,
    /// It was allowed, and could not be done.
    Failed,
    /// Whoever asked left before there was an answer: it may have been done.
    Unknown,
}

/// Takes records, in the order in which they come.
pub struct AuditLog {
    /// Whether reads that were allowed are wanted.
    pub reads: bool,
    sink: Mutex<Sink>,
    failing: AtomicBool,
}

impl AuditLog {
    /// Lines go to `sink`.
    pub fn new(sink: Box<dyn Write + Send>, reads: bool) -> Self {
        Self { reads, sink: Mutex::new(Sink { out: sink, torn: false }), failing: AtomicBool::new(false) }
    }

    /// Writes the line, whole. One that cannot be written is counted, and the first of several is told: the registry goes on.
    pub fn write(&self, record: &Record) {
        let written = serde_json::to_vec(record).map_err(Into::into).and_then(|mut line| {
            line.push(b'\n');
            self.sink.lock().unwrap_or_else(PoisonError::into_inner).put(&line)
        });
        let failed_before = self.failing.swap(written.is_err(), Ordering::Relaxed);
        if let Err(error) = written {
            metrics::audit_failed();
            if !failed_before {
                tracing::error!(%error, "log.audit: a line could not be written and is lost; make room for it");
            }
        }
    }
}

/// Where lines go.
struct Sink {
    out: Box<dyn Write + Send>,
    /// Whether it ends within a line, of which the rest did not come.
    torn: bool,
}

impl Sink {
    /// Adds the line. What is there of one that failed is ended first, so that it spoils no other.
    fn put(&mut self, line: &[u8]) -> io::Result<()> {
        if self.torn {
            self.out.write_all(b"\n")?;
            self.torn = false;
        }
        let mut rest = line;
        while !rest.is_empty() {
            match self.out.write(rest) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(taken) => rest = &rest[taken..],
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
            self.torn = !rest.is_empty();
        }
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    /// Keeps what was written, until it is full.
    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>, usize);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let mut kept = self.0.lock().unwrap();
            if kept.len() + bytes.len() > self.1 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            kept.extend(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn record() -> Record {
        Record {
            time: "2030-01-01T00:00:00Z".into(),
            request_id: "r".into(),
            user: "ann\n".into(),
            address: [192, 0, 2, 1].into(),
            action: Deed::Push,
            method: "PUT".into(),
            repository: Some("team/app".into()),
            digest: None,
            tags: vec!["v1".into()],
            from: None,
            decision: Decision::Denied,
            status: 403,
            reason: Some("rule 2 of access denies it".into()),
        }
    }

    // registry OB8
    #[test]
    fn a_record_is_one_line() {
        let sink = Kept(Arc::default(), 10_000);
        let log = AuditLog::new(Box::new(sink.clone()), false);
        log.write(&record());
        log.write(&record());
        let text = String::from_utf8(sink.0.lock().unwrap().clone()).unwrap();
        let line = concat!(
            r#"{"time":"2030-01-01T00:00:00Z","request_id":"r","user":"ann\n","address":"192.0.2.1","#,
            r#""action":"push","method":"PUT","repository":"team/app","tags":["v1"],"decision":"denied","#,
            r#""status":403,"reason":"rule 2 of access denies it"}"#
        );
        assert_eq!(text, format!("{line}\n{line}\n"));
    }

    /// Takes this many bytes, then fails once, then takes everything.
    struct Full(Kept, Option<usize>);

    impl Write for Full {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            match self.1 {
                None => self.0.write(bytes),
                Some(0) => {
                    self.1 = None;
                    Err(io::ErrorKind::StorageFull.into())
                }
                Some(room) => {
                    let taken = room.min(bytes.len());
                    self.1 = Some(room - taken);
                    self.0.write(&bytes[..taken])
                }
            }
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    // registry OB8
    #[test]
    fn a_line_that_was_written_by_half_spoils_no_other() {
        for (taken, left) in [(0, ""), (3, "{\"a\n")] {
            let kept = Kept(Arc::default(), 10_000);
            let mut sink = Sink { out: Box::new(Full(kept.clone(), Some(taken))), torn: false };
            let written = [1, 2, 3].map(|n| sink.put(format!("{{\"a\":{n}}}\n").as_bytes()).is_ok());
            let text = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
            assert_eq!((written, text), ([false, true, true], format!("{left}{{\"a\":2}}\n{{\"a\":3}}\n")));
        }
    }

    // registry OB8 ST2
    #[test]
    fn a_line_that_is_lost_is_counted() {
        let lost = || metrics::install().render().contains("registry_audit_errors_total 2");
        metrics::install();
        let log = AuditLog::new(Box::new(Kept::default()), false);
        log.write(&record());
        log.write(&record());
        assert!(lost());
    }
}
