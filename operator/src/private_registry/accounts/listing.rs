//! How messages name lines of a password file: by their numbers, and never by what they say.

/// Most line numbers that a message lists.
const LISTED: usize = 10;

/// A line that nobody can log in with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unusable {
    /// Counted from 1.
    pub line: usize,
    /// Why, in the registry's own words: nothing of the line.
    pub reason: &'static str,
}

/// `line 3` or `lines 3, 5, 8`; at most ten.
pub fn listed(lines: &[usize]) -> String {
    let numbers: Vec<String> = lines.iter().take(LISTED).map(usize::to_string).collect();
    let more = if lines.len() > LISTED { " and more" } else { "" };
    format!("line{} {}{more}", if lines.len() == 1 { "" } else { "s" }, numbers.join(", "))
}

/// `lines 3, 8 (malformed bcrypt hash), line 5 (DES crypt is not accepted)`; the first ten lines at most.
pub fn explained(lines: &[Unusable]) -> String {
    let mut groups: Vec<(&str, Vec<usize>)> = Vec::new();
    for Unusable { line, reason } in lines.iter().take(LISTED) {
        match groups.iter_mut().find(|(known, _)| known == reason) {
            Some((_, numbers)) => numbers.push(*line),
            None => groups.push((reason, vec![*line])),
        }
    }
    let groups: Vec<String> =
        groups.iter().map(|(reason, numbers)| format!("{} ({reason})", listed(numbers))).collect();
    format!("{}{}", groups.join(", "), if lines.len() > LISTED { " and more" } else { "" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_list_ten_lines_at_most() {
        assert_eq!(listed(&[3]), "line 3");
        assert_eq!(listed(&(1..=12).collect::<Vec<_>>()), "lines 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and more");
    }

    #[test]
    fn each_line_has_its_reason() {
        let unusable = |(line, reason)| Unusable { line, reason };
        let told = |lines: Vec<_>| explained(&lines.into_iter().map(unusable).collect::<Vec<_>>());
        assert_eq!(told(vec![(3, "a"), (5, "b"), (8, "a")]), "lines 3, 8 (a), line 5 (b)");
        let last = told((1..=11).map(|line| (line, if line < 10 { "a" } else { "b" })).collect());
        assert_eq!(last, "lines 1, 2, 3, 4, 5, 6, 7, 8, 9 (a), line 10 (b) and more");
    }
}
