//! A certificate of the user's own: checked before any pod sees it.

use rustls::crypto::aws_lc_rs::sign::any_supported_type;
use rustls_pki_types::{PrivateKeyDer, pem::PemObject};

use crate::{
    crd::condition::reason,
    private_registry::{
        certificates::inspect::{self, Facts, Pair},
        error::Problem,
    },
};

/// Clients of today refuse shorter RSA keys.
const RSA_BITS: usize = 2048;

/// Whether the key is that of the first certificate.
pub fn fits(pair: &Pair) -> bool {
    let key = PrivateKeyDer::from_pem_slice(pair.key.as_bytes()).ok();
    let public = key.and_then(|key| any_supported_type(&key).ok()?.public_key().map(|key| key.to_vec()));
    let facts = inspect::first(&pair.certificate);
    facts.zip(public).is_some_and(|(facts, public)| facts.public_key == public)
}

/// Checks `pair` from Secret `secret` for `hosts` at `now`. The chain comes back in the order that TLS wants.
pub fn check(secret: &str, pair: &Pair, hosts: &[String], now: i64) -> Result<(Pair, Facts), Problem> {
    let problem = |why, what: String| {
        Problem::new(why, format!("Secret {secret}: {what}; the last good certificate stays"))
    };
    let chain = inspect::chain(&pair.certificate).ok_or_else(|| {
        problem(reason::CHAIN_INVALID, "tls.crt has no readable certificate: give PEM".into())
    })?;
    if let Some(bits) = chain.iter().filter_map(|(_, facts)| facts.rsa_bits).find(|bits| *bits < RSA_BITS) {
        let what =
            format!("an RSA key of {bits} bits, which clients refuse: use {RSA_BITS} or more, or ECDSA");
        return Err(problem(reason::KEY_TOO_WEAK, what));
    }
    let key = PrivateKeyDer::from_pem_slice(pair.key.as_bytes())
        .map_err(|_| problem(reason::KEY_MISMATCH, "tls.key has no readable private key: give PEM".into()))?;
    let signer = any_supported_type(&key).map_err(|_| {
        problem(reason::KEY_TOO_WEAK, "tls.key is of a kind that TLS cannot use: use RSA or ECDSA".into())
    })?;
    let public = signer.public_key().map(|key| key.to_vec()).unwrap_or_default();
    let (ordered, leaf) = order(chain, &public).map_err(|(why, what)| problem(why, what.into()))?;
    sound(&leaf, hosts, now).map_err(|(why, what)| problem(why, what))?;
    Ok((Pair { certificate: ordered, key: pair.key.clone() }, leaf))
}

/// The certificate of the key first, then each one's signer.
fn order(
    mut chain: Vec<(String, Facts)>,
    public: &[u8],
) -> Result<(String, Facts), (&'static str, &'static str)> {
    let leaf = chain.iter().position(|(_, facts)| facts.public_key == public);
    let leaf =
        leaf.ok_or((reason::KEY_MISMATCH, "tls.key belongs to none of the certificates in tls.crt"))?;
    let (mut text, facts) = chain.swap_remove(leaf);
    let mut last = facts.clone();
    while let Some(signer) = chain.iter().position(|(_, facts)| facts.subject == last.issuer) {
        let (block, facts) = chain.swap_remove(signer);
        text.push_str(&block);
        last = facts;
    }
    if !chain.is_empty() {
        return Err((
            reason::CHAIN_INVALID,
            "tls.crt holds certificates that do not sign one another: remove the others",
        ));
    }
    Ok((text, facts))
}

fn sound(leaf: &Facts, hosts: &[String], now: i64) -> Result<(), (&'static str, String)> {
    if !leaf.version_3 {
        return Err((
            reason::CHAIN_INVALID,
            "the certificate is X.509 v1, which clients refuse: make a v3 one".into(),
        ));
    }
    let missing: Vec<&str> = hosts.iter().map(String::as_str).filter(|host| !leaf.covers(host)).collect();
    if !missing.is_empty() {
        let what = format!("the certificate has no subjectAltName for {}: add it", missing.join(", "));
        return Err((reason::HOSTNAME_NOT_COVERED, what));
    }
    if leaf.not_after <= now {
        return Err((reason::EXPIRED, "the certificate has expired: renew it".into()));
    }
    if leaf.not_before > now {
        return Err((
            reason::EXPIRED,
            "the certificate is not valid yet: check the clock of who made it".into(),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::private_registry::certificates::issue;

    const NOW: i64 = 1_800_000_000;

    fn pair(authority: &Pair, names: &[&str], lifetime: u64) -> Pair {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        issue::leaf(authority, &names, NOW, lifetime).unwrap()
    }

    fn refused(pair: &Pair, now: i64) -> &'static str {
        check("own", pair, &["registry.example.com".into()], now).unwrap_err().reason
    }

    // operator 92, seed D12
    #[test]
    fn what_clients_would_refuse_is_refused() {
        let authority = issue::authority("ca", NOW, 10_000).unwrap();
        let good = pair(&authority, &["registry.example.com"], 3600);
        assert!(check("own", &good, &["registry.example.com".into()], NOW).is_ok());
        let other = Pair { key: authority.key.clone(), ..good.clone() };
        assert_eq!(refused(&other, NOW), reason::KEY_MISMATCH);
        assert_eq!(refused(&Pair { key: "none".into(), ..good.clone() }, NOW), reason::KEY_MISMATCH);
        assert_eq!(refused(&Pair { certificate: "none".into(), ..good.clone() }, NOW), reason::CHAIN_INVALID);
        assert_eq!(
            refused(&pair(&authority, &["other.example.com"], 3600), NOW),
            reason::HOSTNAME_NOT_COVERED
        );
        assert_eq!(refused(&good, NOW + 3600), reason::EXPIRED);
        assert_eq!(refused(&good, NOW - 7200), reason::EXPIRED);
    }

    // operator 92: the order is mended when it can be, and strangers are not
    #[test]
    fn a_chain_in_the_wrong_order_is_mended() {
        let authority = issue::authority("ca", NOW, 10_000).unwrap();
        let leaf = pair(&authority, &["registry.example.com"], 3600);
        let reversed =
            Pair { certificate: format!("{}{}", authority.certificate, leaf.certificate), ..leaf.clone() };
        let (mended, _) = check("own", &reversed, &[], NOW).unwrap();
        assert_eq!(inspect::first(&mended.certificate), inspect::first(&leaf.certificate));
        assert_eq!(mended.certificate.matches("BEGIN").count(), 2);
        let stranger = issue::authority("other", NOW, 10_000).unwrap();
        let mixed = Pair { certificate: format!("{}{}", leaf.certificate, stranger.certificate), ..leaf };
        assert_eq!(refused(&mixed, NOW), reason::CHAIN_INVALID);
    }
}
