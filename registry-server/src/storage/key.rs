//! What a key may be, the same for every store: what one cannot keep, none of them takes.

use crate::storage::error::StorageError;

/// Longest name between two `/`: that of a file.
const LONGEST_NAME: usize = 255;
/// Longest key: that of an object.
const LONGEST: usize = 1_024;

/// The key, unless a name in it leads elsewhere or can be no file's.
pub fn checked(key: &str) -> Result<&str, StorageError> {
    let fits = key.len() <= LONGEST && key.split('/').all(is_name);
    if fits { Ok(key) } else { Err(StorageError::Key { key: key.chars().take(LONGEST_NAME).collect() }) }
}

fn is_name(name: &str) -> bool {
    !matches!(name, "" | "." | "..") && name.len() <= LONGEST_NAME && !name.contains('\0')
}

/// The longest beginning of `text` that may stand in a question to any store. It comes before the text, or is it.
pub fn asked(text: &str) -> &str {
    let asked = |byte: u8| byte.is_ascii_graphic() && byte != b'/';
    let end = text.bytes().take(LONGEST_NAME).take_while(|byte| asked(*byte)).count();
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    // registry E7
    #[test]
    fn a_question_ends_before_what_a_store_may_not_take() {
        for (text, wanted) in [("a-b.c", "a-b.c"), ("a/../b", "a"), ("a\0b", "a"), ("ä", ""), ("..", "..")] {
            assert_eq!(asked(text), wanted, "{text:?}");
        }
        assert_eq!(asked(&"x".repeat(2_000)).len(), LONGEST_NAME);
    }
}
