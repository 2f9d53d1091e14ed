//! The keys that sign the registry's tokens: made once, replaced from time to time or when asked.

use crate::private_registry::{
    certificates::token_keys::{Other, TokenKeys, signs},
    credentials::Credentials,
    desired::{
        secrets::WISH,
        token_keys::{KEY, NEXT, OTHER, PREVIOUS, ROLE, SINCE, token_keys},
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
    let before = stored(&kept.stored);
    let keys = match before.clone() {
        Some(keys) => keys.step(wish, reader.now)?,
        // What is no key signs nothing.
        None => TokenKeys::new(reader.now, wish)?,
    };
    let signs_now = before.is_none_or(|before| before.key != keys.key);
    found.signed_anew = signs_now && !kept.created;
    found.due = [found.due, Some(keys.due())].into_iter().flatten().min();
    found.token_keys = Some(keys);
    Ok(())
}

/// The keys in a Secret; none: nothing in it can sign.
fn stored(secret: &Stored) -> Option<TokenKeys> {
    let pem = |key| secret.text(key).filter(|pem| signs(pem));
    let made = secret.metadata.creation_timestamp.as_ref().map_or(0, |time| time.0.as_second());
    Some(TokenKeys {
        key: pem(KEY)?,
        other: match secret.annotation(ROLE) {
            Some(NEXT) => pem(OTHER).map(Other::Next),
            Some(PREVIOUS) => pem(OTHER).map(Other::Previous),
            _ => None,
        },
        since: secret.annotation(SINCE).and_then(|text| text.parse().ok()).unwrap_or(made),
        wish: secret.annotation(WISH).map(str::to_owned),
    })
}
