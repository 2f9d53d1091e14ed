//! How deep a JSON text goes. A parser that skips what it does not know follows it to any depth, and those of clients
//! give up on it: what they could not read is not taken.

/// Deepest nesting that is taken.
pub const DEEPEST: usize = 100;

/// Whether the text has no more than [`DEEPEST`] objects and lists in each other.
pub fn is_flat_enough(text: &[u8]) -> bool {
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    for byte in text {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'[' | b'{' if !quoted => depth += 1,
            b']' | b'}' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEEPEST {
            return false;
        }
    }
    true
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
}
