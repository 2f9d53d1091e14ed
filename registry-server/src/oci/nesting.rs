//! How deep a JSON text goes, and how long its numbers are. A parser that skips what it does not know follows it to any depth
//! and length, and those of clients give up on it: what they could not read is not taken.

/// Deepest nesting that is taken.
pub const DEEPEST: usize = 100;

/// Longest number that is taken, in bytes.
pub const LONGEST_NUMBER: usize = 1_000;

/// Whether the text has no more than [`DEEPEST`] objects and lists in each other.
pub fn is_flat_enough(text: &[u8]) -> bool {
    let mut depth = 0_usize;
    around_texts(text).all(|byte| {
        match byte {
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth <= DEEPEST
    })
}

/// Whether no number of the text is longer than [`LONGEST_NUMBER`].
pub fn has_short_numbers(text: &[u8]) -> bool {
    let mut length = 0_usize;
    around_texts(text).all(|byte| {
        length = if byte.is_ascii_digit() || b"+-.eE".contains(byte) { length + 1 } else { 0 };
        length <= LONGEST_NUMBER
    })
}

/// What is not between quotes.
fn around_texts(text: &[u8]) -> impl Iterator<Item = &u8> {
    let (mut quoted, mut escaped) = (false, false);
    text.iter().filter(move |byte| {
        let within = quoted;
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ => {}
        }
        !within
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    // registry D31
    #[test]
    fn depth_is_counted_outside_of_texts() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(is_flat_enough(nested(DEEPEST).as_bytes()));
        assert!(!is_flat_enough(nested(DEEPEST + 1).as_bytes()));
        assert!(is_flat_enough("[{}],".repeat(1_000).as_bytes()));
        assert!(is_flat_enough(format!(r#""\"{}""#, "[".repeat(1_000)).as_bytes()));
        assert!(!is_flat_enough(format!(r#""\\"{}"#, "[".repeat(1_000)).as_bytes()));
    }

    // registry D31
    #[test]
    fn numbers_are_counted_outside_of_texts() {
        let long = "9".repeat(LONGEST_NUMBER + 1);
        for number in [long.clone(), format!("-0.{long}"), format!("1e{long}")] {
            assert!(!has_short_numbers(format!("[1,{number}]").as_bytes()), "{number}");
        }
        for fine in
            [format!("[{}]", &long[1..]), format!(r#"["{long}"]"#), format!("[{}1]", "1,".repeat(2_000))]
        {
            assert!(has_short_numbers(fine.as_bytes()), "{fine}");
        }
    }
}
