//! Everybody who may come in: accounts with a password, users that others vouch for, and whoever a token server lets.

use std::{
    net::IpAddr,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use arc_swap::ArcSwap;

use crate::auth::{
    access::{Identity, Login},
    accounts::{Accounts, Refusal},
    certificate_names::{CertificateNames, NameKind},
    credentials::Shown,
    token_maker::TokenMaker,
    tokens::Tokens,
};

/// Who may come in.
pub struct Logins {
    /// How one logs in whom no other issuer vouches for.
    pub way: Way,
    /// Whose tokens are taken.
    pub tokens: Arc<ArcSwap<Tokens>>,
    /// Which name in a client's certificate says who it is; nothing: none does.
    pub certificates: Option<NameKind>,
}

/// What clients are asked for.
pub enum Way {
    /// A password of these accounts.
    Password(Arc<Accounts>),
    /// A token of a token server, which is one of the issuers.
    Token {
        /// Where it is.
        realm: String,
        /// What it calls this registry.
        service: String,
    },
    /// A token that this server gives; a password does as well.
    BuiltIn(TokenMaker),
}

impl Way {
    /// The accounts with a password, if there are any.
    fn accounts(&self) -> Option<&Accounts> {
        match self {
            Self::Password(accounts) => Some(accounts),
            Self::BuiltIn(maker) => Some(&maker.accounts),
            Self::Token { .. } => None,
        }
    }
}

impl Logins {
    /// Who has shown this, which came from this address. A token that is wrong counts as no guess: nobody guesses
    /// signatures, and its sender cannot lock anybody out.
    pub async fn verify(&self, shown: &Shown, from: IpAddr) -> Result<Login, Refusal> {
        if let Some(token) = shown.token()
            && let Some(judged) = self.tokens.load_full().identify(token, now()).await
        {
            return judged.map_err(Refusal::Token);
        }
        match (self.way.accounts(), shown.password()) {
            (Some(accounts), Some(password)) => Ok(accounts.verify(password, from).await?.into()),
            _ => Err(Refusal::Wrong),
        }
    }

    /// The account whose password this would be. What is no account's name may be a secret in the wrong place.
    pub fn account(&self, shown: &Shown) -> Option<String> {
        let (accounts, password) = (self.way.accounts()?, shown.password()?);
        accounts.know(&password.user).then(|| password.user.clone())
    }

    /// Who has shown nothing but a certificate, if anything. It may have expired since the connection began.
    pub fn without_credentials(&self, certificate: Option<&CertificateNames>) -> Login {
        let named = self.certificates.zip(certificate.filter(|names| names.until as f64 > now())).and_then(
            |(kind, names)| {
                let who = Identity::Certificate(names.only(kind)?.to_owned());
                Some(Login { who, grants: None, until: Some(names.until as f64) })
            },
        );
        named.unwrap_or_else(|| Identity::Anonymous.into())
    }

    /// What the registry is called where a password is asked for.
    pub fn realm(&self) -> &str {
        self.way.accounts().map_or("Registry", |accounts| &accounts.realm)
    }
}

/// Seconds of Unix time.
fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |passed| passed.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair, SanType, date_time_ymd};

    use super::*;

    /// The names in a certificate that expires in this year.
    fn names(until: i32) -> CertificateNames {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.subject_alt_names = vec![SanType::DnsName("builder".try_into().unwrap())];
        (params.not_before, params.not_after) = (date_time_ymd(1999, 1, 1), date_time_ymd(until, 1, 1));
        let certificate = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
        CertificateNames::read(certificate.der()).unwrap()
    }

    // registry TL4: connections live longer than some certificates
    #[test]
    fn a_certificate_names_nobody_once_it_has_expired() {
        let way = Way::Token { realm: "https://auth.example.com".into(), service: "r".into() };
        let tokens = Arc::new(ArcSwap::from_pointee(Tokens::default()));
        let logins = Logins { way, tokens, certificates: Some(NameKind::Dns) };
        let builder = Identity::Certificate("builder".into());
        for (until, who) in [(2000, Identity::Anonymous), (2999, builder)] {
            assert_eq!(logins.without_credentials(Some(&names(until))).who, who);
        }
    }
}
