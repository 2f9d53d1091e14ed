//! Two orders of names: by their bytes, as lists are answered, and by the bytes of whole keys, as object stores sort.
//!
//! They differ where a name goes on with a byte below `/`: `a` comes before `a-b`, and `a-b/` before `a/`.

/// Beginnings of `name` that come before it and have keys that come after its own.
pub fn turned_around(name: &str) -> impl Iterator<Item = &str> {
    let ends = name.bytes().enumerate().skip(1).filter(|(_, byte)| *byte < b'/');
    ends.filter_map(|(end, _)| name.get(..end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beginnings_before_a_dash_or_a_dot_are_turned_around() {
        assert_eq!(turned_around("1.2-rc_1").collect::<Vec<_>>(), ["1", "1.2"]);
        assert_eq!(turned_around("-a/b").collect::<Vec<_>>(), Vec::<&str>::new());
    }
}
