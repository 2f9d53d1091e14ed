//! Where a key stands in a YAML text, for messages. Understands block style; anything else has no position.

/// Line and column, counted from 1, of the key at this path. List indices are numbers.
pub fn of(text: &str, path: &[String]) -> Option<(u64, u64)> {
    let (mut line, mut floor) = (0, None);
    let mut found = None;
    for step in path {
        let (at, column) = if let Ok(index) = step.parse::<usize>() {
            nth(text, line, floor, index)?
        } else {
            keyed(text, line, floor, step)?
        };
        found = Some((at as u64 + 1, column as u64 + 1));
        line = at + 1;
        floor = Some(column);
    }
    found
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// The first key of that name below a parent at column `floor`.
fn keyed(text: &str, from: usize, floor: Option<usize>, key: &str) -> Option<(usize, usize)> {
    let mut level = None;
    for (number, line) in text.lines().enumerate().skip(from) {
        let content = line.trim_start();
        if content.is_empty() || content.starts_with('#') || content.starts_with("---") {
            continue;
        }
        let column = indent(line);
        if floor.is_some_and(|floor| column <= floor) {
            return None;
        }
        if column != *level.get_or_insert(column) {
            continue;
        }
        let name = content.split(':').next().unwrap_or_default().trim().trim_matches(['"', '\'']);
        if name == key && content.contains(':') {
            return Some((number, column));
        }
    }
    None
}

/// The item of that index in a block list below a parent at column `floor`.
fn nth(text: &str, from: usize, floor: Option<usize>, index: usize) -> Option<(usize, usize)> {
    let items = text.lines().enumerate().skip(from).filter(|(_, line)| line.trim_start().starts_with('-'));
    let deep_enough = |(_, line): &(usize, &str)| floor.is_none_or(|floor| indent(line) >= floor);
    items.take_while(deep_enough).nth(index).map(|(number, line)| (number, indent(line)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_found_where_they_stand() {
        let text = "version: 0.1\n# note\nhttp:\n  addr: :5000\n  tls:\n    key: k\nredis:\n  addrs:\n    - a\n    - b\n";
        let at = |path: &str| of(text, &path.split('.').map(str::to_owned).collect::<Vec<_>>());
        assert_eq!(at("version"), Some((1, 1)));
        assert_eq!(at("http.tls.key"), Some((6, 5)));
        assert_eq!(at("redis.addrs.1"), Some((10, 5)));
        assert_eq!(at("http.key"), None);
    }
}
