//! Percent-encoding and query strings. A `+` stays one: media types have it.

/// The decoded text; nothing if it is not UTF-8 or an escape is broken.
pub fn decode(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let pair = [bytes.next()?, bytes.next()?];
            out.push(hex::decode(pair).ok()?[0]);
        } else {
            out.push(byte);
        }
    }
    String::from_utf8(out).ok()
}

/// The text with everything escaped that has a meaning in a query.
pub fn encode(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~:/".contains(&b);
    text.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

/// The parameters of a query, in order.
#[derive(Clone, Debug, Default)]
pub struct Query(Vec<(String, String)>);

impl Query {
    /// Reads what follows the question mark.
    pub fn parse(text: Option<&str>) -> Self {
        let pairs = text.unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
        let pair = |pair: &str| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            Some((decode(key)?, decode(value).unwrap_or_else(|| value.to_owned())))
        };
        Self(pairs.filter_map(pair).collect())
    }

    /// The first value of a parameter.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|(k, _)| k == key).map(|(_, v)| v.as_str())
    }

    /// All values of a parameter.
    pub fn all<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(k, _)| k == key).map(|(_, v)| v.as_str())
    }

    /// The query with one parameter replaced, encoded.
    pub fn with(&self, key: &str, value: &str) -> String {
        let others = self.0.iter().filter(|(k, _)| k != key).map(|(k, v)| (k.as_str(), v.as_str()));
        let pairs = others.chain([(key, value)]).map(|(k, v)| format!("{}={}", encode(k), encode(v)));
        pairs.collect::<Vec<_>>().join("&")
    }
}
