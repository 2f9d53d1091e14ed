//! The certificate that is served: issued by the registry's own CA, or the user's after a check. Whatever is wrong with
//! an input, the last good certificate stays.

use crate::{
    crd::{condition::reason, tls::SelfSigned},
    private_registry::{
        certificates::{
            authority::{Authority, Lifetimes, Step},
            inspect::{self, Facts, Pair},
            issue::{self, GRACE},
            provided,
        },
        desired::secrets,
        error::{PassError, Problem, ResolveError},
        generated::keep,
        model::TlsSource,
        observe::{Reader, Stored},
    },
};

/// Events: reason and text.
type News = Vec<(&'static str, String)>;

/// What there is to serve and to say.
#[derive(Clone, Debug, Default)]
pub struct Certificate {
    /// The registry's own CA.
    pub authority: Option<Authority>,
    /// The certificate, and that of who signed it.
    pub served: Option<(Pair, Option<String>)>,
    /// What the certificate says.
    pub facts: Option<Facts>,
    /// Certificates to publish.
    pub trust: Option<String>,
    /// What is wrong with the input.
    pub problem: Option<Problem>,
    /// When the operator has to act next, in seconds since 1970.
    pub due: Option<i64>,
    /// What happened.
    pub news: News,
}

/// The certificate for `addresses` of the Service beside the registry's names.
pub async fn gather(reader: &Reader<'_>, addresses: &[String]) -> Result<Certificate, PassError> {
    let stored = || reader.secret_pair();
    match &reader.model.tls {
        TlsSource::Disabled => Ok(Certificate::default()),
        TlsSource::Provided(secret) => own(reader, secret, stored().await?).await,
        TlsSource::SelfSigned(settings) => signed(reader, settings, addresses, stored().await?).await,
    }
}

impl Reader<'_> {
    /// What is served now.
    async fn secret_pair(&self) -> Result<Option<Served>, PassError> {
        Ok(self.secret(&self.model.names.tls()).await?.and_then(|secret| {
            // A key that is another's, or no key, serves nobody.
            let pair = pair(&secret, "tls").filter(provided::fits)?;
            Some(Served { facts: inspect::first(&pair.certificate)?, pair, ca: secret.text("ca.crt") })
        }))
    }
}

/// What is served now.
struct Served {
    pair: Pair,
    ca: Option<String>,
    facts: Facts,
}

fn pair(secret: &Stored, prefix: &str) -> Option<Pair> {
    let (certificate, key) = (secret.text(&format!("{prefix}.crt"))?, secret.text(&format!("{prefix}.key"))?);
    Some(Pair { certificate, key })
}

impl Certificate {
    /// Serves what was served before, if there is anything.
    fn keep(self, last: Option<Served>) -> Self {
        match last {
            None => self,
            Some(last) => Self {
                trust: self.trust.or_else(|| last.ca.clone()),
                served: Some((last.pair, last.ca)),
                facts: Some(last.facts),
                ..self
            },
        }
    }
}

/// The user's certificate.
async fn own(reader: &Reader<'_>, name: &str, last: Option<Served>) -> Result<Certificate, PassError> {
    let missing = |what: &str| {
        let message =
            format!("{what}: make a Secret {name} of type kubernetes.io/tls with tls.crt and tls.key");
        Certificate {
            problem: Some(Problem::new(reason::SECRET_NOT_FOUND, message)),
            ..Certificate::default()
        }
    };
    let Some(secret) = reader.secret(name).await? else {
        return Ok(missing(&format!("spec.tls.secretRef: there is no Secret {name}")).keep(last));
    };
    let Some(given) = pair(&secret, "tls") else {
        return Ok(missing(&format!("spec.tls.secretRef: Secret {name} lacks tls.crt or tls.key")).keep(last));
    };
    // Certificates only: whatever else is in that file is not for everybody.
    let blocks = secret.text("ca.crt").and_then(|ca| inspect::chain(&ca));
    let ca = blocks.map(|blocks| blocks.into_iter().map(|(block, _)| block).collect::<String>());
    Ok(match provided::check(name, &given, &reader.model.required_hosts(), reader.now) {
        Ok((pair, facts)) => Certificate {
            trust: ca.clone(),
            served: Some((pair, ca)),
            facts: Some(facts),
            ..Certificate::default()
        },
        Err(problem) => Certificate { problem: Some(problem), ..Certificate::default() }.keep(last),
    })
}

/// A certificate of the registry's own CA.
async fn signed(
    reader: &Reader<'_>,
    settings: &SelfSigned,
    addresses: &[String],
    last: Option<Served>,
) -> Result<Certificate, PassError> {
    let (name, now) = (&reader.model.names.name, reader.now);
    let lifetimes = Lifetimes {
        authority: settings.ca_lifetime.seconds(),
        leaf: settings.certificate_lifetime.seconds(),
    };
    let Some(stored) = stored(reader, lifetimes).await? else { return Ok(half(reader).keep(last)) };
    let (authority, step) = stored.step(name, now, lifetimes, reader.model.wishes.rotate_ca())?;
    let mut news: News = told(step).into_iter().collect();
    let wanted = names(reader, addresses);
    let (pair, facts) = match last {
        Some(last) if fits(&last, &authority, &wanted, lifetimes, now) => (last.pair, last.facts),
        last => {
            let pair = issue::leaf(&authority.current, &wanted, now, lifetimes.leaf)?;
            let facts = inspect::first(&pair.certificate);
            let facts = facts.ok_or_else(|| ResolveError::ReadCertificate(reader.model.names.tls()))?;
            let word = if last.is_some() { "CertificateRenewed" } else { "CertificateIssued" };
            news.push((word, format!("certificate for {}", wanted.join(", "))));
            (pair, facts)
        }
    };
    Ok(Certificate {
        due: Some(facts.renewal().min(authority.due(lifetimes))),
        trust: Some(authority.bundle()),
        served: Some((pair, Some(authority.current.certificate.clone()))),
        facts: Some(facts),
        authority: Some(authority),
        problem: None,
        news,
    })
}

/// The registry's own CA as its Secret has it, made where there is none; none: one of its halves cannot be read.
async fn stored(reader: &Reader<'_>, lifetimes: Lifetimes) -> Result<Option<Authority>, PassError> {
    let model = reader.model;
    // What was asked for before there was a CA is done by making one.
    let make = || {
        let first = Authority::new(&model.names.name, reader.now, lifetimes)?;
        let rotated = model.wishes.rotate_ca().map(str::to_owned);
        Ok(secrets::authority(model, &Authority { rotated, ..first }))
    };
    Ok(authority(&keep(reader, &model.names.ca(), make).await?.stored))
}

fn half(reader: &Reader<'_>) -> Certificate {
    let message = format!(
        "Secret {} lacks a readable tls.crt or tls.key: put them back, or delete the Secret to have a new CA made",
        reader.model.names.ca()
    );
    Certificate { problem: Some(Problem::new(reason::CHAIN_INVALID, message)), ..Certificate::default() }
}

fn told(step: Step) -> Option<(&'static str, String)> {
    let note = match step {
        Step::None => return None,
        Step::Announced => "a new CA is published; it signs after the old one was replaced at clients",
        Step::Promoted => "the new CA signs from now on; the old one stays published until it ends",
    };
    Some(("CARotated", note.into()))
}

/// Every name and address under which the registry is reached.
fn names(reader: &Reader<'_>, addresses: &[String]) -> Vec<String> {
    let mut all = reader.model.hosts();
    all.extend_from_slice(addresses);
    all.sort();
    all.dedup();
    all
}

/// Whether what is served needs no new certificate.
fn fits(last: &Served, authority: &Authority, wanted: &[String], lifetimes: Lifetimes, now: i64) -> bool {
    let life = lifetimes.leaf.cast_signed() + GRACE;
    last.facts.names == wanted
        && last.ca.as_ref() == Some(&authority.current.certificate)
        && last.facts.not_after - last.facts.not_before == life
        && last.facts.renewal() > now
}

fn authority(secret: &Stored) -> Option<Authority> {
    Some(Authority {
        current: pair(secret, "tls").filter(issue::signs)?,
        next: pair(secret, "next").filter(issue::signs),
        previous: secret.text("previous.crt"),
        rotated: secret.annotation(secrets::ROTATED).map(str::to_owned),
    })
}
