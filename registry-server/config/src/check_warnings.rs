//! What is wrong with section `warnings`.

use crate::schema::Warning;

/// Clients ignore all warnings of an answer that has more bytes of them (distribution-spec, "Warnings").
const MOST: usize = 4096;
/// What stands around a text: `299 - "…"`.
const AROUND: usize = 8;

/// Keys and what is wrong with them.
pub fn check(warnings: &[Warning]) -> Vec<(String, String)> {
    let printable = |text: &str| text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
    let bad = |text: &str| text.trim().is_empty() || !printable(text);
    let texts = warnings.iter().map(|warning| warning.text.as_str());
    let wrong = texts.clone().enumerate().filter(|(_, text)| bad(text));
    let what = "must be printable ASCII in one line, and not empty: it goes into a header";
    let mut problems: Vec<_> =
        wrong.map(|(place, _)| (format!("warnings.{place}.text"), what.to_owned())).collect();
    let escaped = |text: &str| text.len() + text.matches(['"', '\\']).count();
    let all: usize = texts.map(|text| escaped(text) + AROUND).sum();
    if all > MOST {
        let what = format!("are {all} bytes as headers, and clients ignore more than {MOST}: say less");
        problems.push(("warnings".to_owned(), what));
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(texts: &[&str]) -> Vec<String> {
        let warning = |text: &&str| Warning { text: (*text).to_owned(), repositories: Vec::new() };
        let warnings: Vec<Warning> = texts.iter().map(warning).collect();
        check(&warnings).into_iter().map(|(key, _)| key).collect()
    }

    // registry J3
    #[test]
    fn warnings_fit_into_headers_that_clients_read() {
        let (most, more) = ("x".repeat(MOST - AROUND), "x".repeat(MOST - AROUND + 1));
        let escaped = "\"".repeat((MOST - AROUND) / 2);
        assert!(found(&["moves on \"Friday\"", "a\\b"]).is_empty());
        assert!(found(&[&most]).is_empty() && found(&[&escaped]).is_empty());
        assert_eq!(found(&[&more]), ["warnings"]);
        assert_eq!(found(&[&escaped, "x"]), ["warnings"]);
        assert_eq!(
            found(&["fine", "", " ", "a\nb", "é"]),
            ["1", "2", "3", "4"].map(|i| format!("warnings.{i}.text"))
        );
    }
}
