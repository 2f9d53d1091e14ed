//! The keys that sign the registry's tokens: made once, replaced from time to time or when asked.

use crate::private_registry::{
    certificates::token_keys::{Other, TokenKeys, signs},
    credentials::Credentials,
    desired::{
        secrets::WISH,
        token_keys::{KEY, NEXT, OTHER, ROLE, SINCE, token_keys},
    },
    error::PassError,
    generated::keep,
    observe::{Reader, Stored},
};

/// The keys, where the registry gives tokens.
pub async fn keys(reader: &Reader<'_>, found: &mut Credentials) -> Result<(), PassError> {
    if reader.model.tokens().is_none() {
        return Ok(());
    }
    let (name, wish) = (reader.model.names.token_keys(), reader.model.wishes.rotate_credentials());
    let make = || Ok(token_keys(reader.model, &TokenKeys::new(reader.now, wish)?));
    let kept = keep(reader, &name, make).await?;
    let before = stored(&kept.stored, reader.now);
    let keys = match before.clone() {
        Some(keys) => keys.step(wish, reader.now)?,
        // What is no key signs nothing; the one beside it still tells good tokens from bad ones.
        None => TokenKeys { other: beside(&kept.stored, None), ..TokenKeys::new(reader.now, wish)? },
    };
    let signs_now = before.is_none_or(|before| before.key != keys.key);
    found.signed_anew = signs_now && !kept.created;
    found.due = [found.due, Some(keys.due())].into_iter().flatten().min();
    found.token_keys = Some(keys);
    Ok(())
}

/// The keys in a Secret; none: nothing in it can sign.
fn stored(secret: &Stored, now: i64) -> Option<TokenKeys> {
    let pem = |key| secret.text(key).filter(|pem| signs(pem));
    let key = pem(KEY)?;
    Some(TokenKeys {
        other: beside(secret, Some(&key)),
        key,
        since: secret.annotation(SINCE).and_then(|text| text.parse().ok()).unwrap_or(now),
        wish: secret.annotation(WISH).map(str::to_owned),
    })
}

/// The key beside `key`. What it is may have got lost: then it counts as the one before.
fn beside(secret: &Stored, key: Option<&String>) -> Option<Other> {
    let other = secret.text(OTHER).filter(|pem| signs(pem) && Some(pem) != key)?;
    match secret.annotation(ROLE) {
        Some(NEXT) if key.is_some() => Some(Other::Next(other)),
        _ => Some(Other::Previous(other)),
    }
}
