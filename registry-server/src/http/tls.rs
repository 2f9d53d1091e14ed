//! The server's certificate and its clients' authorities, and taking over new ones.

use std::{sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use jiff::Timestamp;
use rustls::ServerConfig;

use crate::{
    http::{
        certificate::{Inspected, Weakness},
        error::chain,
        tls_config::{Built, Files, TlsError},
    },
    metrics,
    watched_file::{self, Contents, Verdict},
};

/// How often the files are looked at.
const PERIOD: Duration = Duration::from_secs(5);

/// What new connections are accepted with.
pub type Current = Arc<ArcSwap<ServerConfig>>;

/// Reads the files and follows them: bad ones are refused and the last good state kept.
///
/// At the start there is no better certificate, so one that clients may refuse is served, with a warning.
pub fn start(files: Files) -> Result<Current, TlsError> {
    let paths = files.paths();
    let contents = watched_file::read(&paths).map_err(TlsError::Read)?;
    let Built { config, certificate } = files.build(&contents, Timestamp::now().as_second())?;
    for weakness in &certificate.weaknesses {
        tracing::warn!("clients will refuse the certificate: {weakness}");
    }
    tell(&certificate);
    let current: Current = Arc::new(ArcSwap::from(config));
    let target = Arc::clone(&current);
    let mut refused = None;
    tokio::spawn(watched_file::follow(paths, PERIOD, contents, move |now| {
        match replacement(&files, now, Timestamp::now().as_second()) {
            Ok(Built { config, certificate }) => {
                target.store(config);
                tell(&certificate);
                refused = None;
                tracing::info!("new certificate");
                Verdict::Settled
            }
            Err((reason, verdict)) => {
                if refused.as_ref() != Some(&reason) {
                    metrics::reload_failed("tls");
                    tracing::error!(reason, "new certificate refused, the old one stays");
                    refused = Some(reason);
                }
                verdict
            }
        }
    }));
    Ok(current)
}

/// A replacement must be without fault. One whose time has not come is looked at again.
fn replacement(
    files: &Files,
    contents: Result<&Contents, &str>,
    now: i64,
) -> Result<Built, (String, Verdict)> {
    let contents = contents.map_err(|reason| (reason.to_owned(), Verdict::Settled))?;
    let built = files.build(contents, now).map_err(|error| (chain(&error), Verdict::Settled))?;
    match built.certificate.weaknesses.first() {
        None => Ok(built),
        Some(Weakness::NotYetValid) => Err((Weakness::NotYetValid.to_string(), Verdict::Later)),
        Some(weakness) => Err((weakness.to_string(), Verdict::Settled)),
    }
}

fn tell(certificate: &Inspected) {
    metrics::certificate(certificate.expires, certificate.weaknesses.len());
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    use super::*;

    fn pair(names: &[&str]) -> Contents {
        let mut params =
            CertificateParams::new(names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>()).unwrap();
        (params.not_before, params.not_after) = (date_time_ymd(2030, 1, 1), date_time_ymd(2031, 1, 1));
        let key = KeyPair::generate().unwrap();
        vec![params.self_signed(&key).unwrap().pem().into(), key.serialize_pem().into()]
    }

    // registry TL3 TL7
    #[test]
    fn a_replacement_is_without_fault() {
        let files = Files {
            certificate: "crt".into(),
            key: "key".into(),
            client_authorities: Vec::new(),
            clients_need_certificates: true,
            only_newest_protocol: false,
        };
        let verdict = |contents: &Contents, year| {
            let now = date_time_ymd(year, 6, 1).unix_timestamp();
            replacement(&files, Ok(contents), now).map(|_| ())
        };
        let good = pair(&["localhost"]);
        assert_eq!(verdict(&good, 2030), Ok(()));
        let (reason, later) = verdict(&good, 2029).unwrap_err();
        assert_eq!((reason.as_str(), later), ("it is not valid yet", Verdict::Later));
        for (bad, year, wanted) in [
            (good.clone(), 2031, "expired"),
            (pair(&[]), 2030, "subjectAltName"),
            (vec![good[0].clone(), pair(&["localhost"])[1].clone()], 2030, "not the key of"),
            (
                vec![include_bytes!("../../tests/certificates/rsa-1024.pem").to_vec(), vec![]],
                2030,
                "1024 bits",
            ),
            (
                vec![include_bytes!("../../tests/certificates/version-1.pem").to_vec(), vec![]],
                2030,
                "version 1",
            ),
            (vec![b"garbage".to_vec(), good[1].clone()], 2030, "no certificate"),
        ] {
            let (reason, verdict) = verdict(&bad, year).unwrap_err();
            assert!(reason.contains(wanted), "{reason}");
            assert_eq!(verdict, Verdict::Settled);
        }
    }
}
