//! The password file that pods read: the operator's accounts and a file of the user's own, merged and checked.
//! A line stays byte for byte while it verifies its password.

use crate::{
    crd::{auth::MinimumHash, condition::reason},
    private_registry::{
        accounts::{
            line::{self, Line, Strength},
            password,
        },
        error::{Problem, ResolveError},
    },
};

/// Accounts whose name starts so are the operator's own.
const RESERVED: &str = "preg-";
/// Most line numbers that a message lists.
const LISTED: usize = 10;

/// A password file of the user's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnFile {
    /// Secret and key, for messages.
    pub place: String,
    /// Its content.
    pub content: Vec<u8>,
    /// The weakest hash that may log in.
    pub minimum: MinimumHash,
}

/// The file that pods read, and what to say about it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Merged {
    /// Lines sorted by name.
    pub text: String,
    /// Accounts that can log in.
    pub users: usize,
    /// Lines of the own file with a hash that is cheap to break.
    pub weak: Vec<usize>,
    /// Lines of the own file that nobody can log in with.
    pub unusable: usize,
    /// What keeps an account from being as asked.
    pub problem: Option<Problem>,
}

/// Merges `accounts` (name and password; a name may come twice) with `own`. Lines of `old` that still verify are kept;
/// with `verified`, all of them were made of these accounts, and nothing is computed. An own file that cannot be read
/// leaves `old` as it is.
pub fn merge(
    old: &str,
    accounts: &[(String, String)],
    own: Option<&OwnFile>,
    verified: bool,
) -> Result<Merged, ResolveError> {
    let mut merged = Merged::default();
    let mut lines = Vec::new();
    if let Some(own) = own {
        match read(own, accounts, &mut merged) {
            Ok(mut found) => lines.append(&mut found),
            Err(problem) if old.is_empty() => merged.problem = Some(problem),
            Err(problem) => {
                return Ok(Merged { text: old.into(), users: users(old), problem: Some(problem), ..merged });
            }
        }
    }
    if verified {
        let of_accounts = |line: &&str| accounts.iter().any(|(user, _)| name(line) == user);
        lines.extend(old.lines().filter(of_accounts).map(str::to_owned));
    } else {
        for (user, password) in accounts {
            let kept = old.lines().find(|line| password::verifies(line, user, password));
            lines.push(kept.map_or_else(|| password::line(user, password), |line| Ok(line.to_owned()))?);
        }
    }
    lines.sort_by(|a, b| name(a).cmp(name(b)));
    merged.text = lines.iter().map(|line| format!("{line}\n")).collect();
    merged.users = users(&merged.text);
    Ok(merged)
}

/// Lines of the own file that may log in.
fn read(own: &OwnFile, accounts: &[(String, String)], merged: &mut Merged) -> Result<Vec<String>, Problem> {
    let unreadable = |what: String| {
        let message = format!("{} {what}: mend it; the last good accounts stay", own.place);
        Problem::new(reason::HTPASSWD_UNREADABLE, message)
    };
    let text = std::str::from_utf8(&own.content).map_err(|_| unreadable("is not text".into()))?;
    let lines =
        line::parse(text).map_err(|broken| unreadable(format!("has no user:hash in {}", listed(&broken))))?;
    let taken = |line: &Line<'_>| {
        line.user.starts_with(RESERVED) || accounts.iter().any(|(name, _)| name == line.user)
    };
    let refused: Vec<usize> = lines.iter().filter(|line| taken(line)).map(|line| line.number).collect();
    if !refused.is_empty() {
        let message = format!(
            "{} of {} not used: names that start with {RESERVED} and those of auth.htpasswd.users are the operator's; \
             remove them there",
            listed(&refused),
            own.place
        );
        merged.problem = Some(Problem::new(reason::INVALID_USER, message));
    }
    let (strong, rest): (Vec<_>, Vec<_>) =
        lines.into_iter().filter(|line| !taken(line)).partition(|line| line.strength == Strength::Bcrypt);
    let (weak, unusable): (Vec<_>, Vec<_>) =
        rest.into_iter().partition(|line| line.strength == Strength::Weaker);
    merged.weak = weak.iter().map(|line| line.number).collect();
    merged.unusable = unusable.len();
    let weak = weak.into_iter().filter(|_| own.minimum == MinimumHash::Any);
    Ok(strong.into_iter().chain(weak).map(|line| line.text.to_owned()).collect())
}

fn name(line: &str) -> &str {
    line.split_once(':').map_or(line, |(name, _)| name)
}

fn users(text: &str) -> usize {
    let mut names: Vec<_> = text.lines().map(name).collect();
    names.sort_unstable();
    names.dedup();
    names.len()
}

/// `line 3` or `lines 3, 5, 8`; at most ten.
pub fn listed(lines: &[usize]) -> String {
    let numbers: Vec<String> = lines.iter().take(LISTED).map(usize::to_string).collect();
    let more = if lines.len() > LISTED { " and more" } else { "" };
    format!("line{} {}{more}", if lines.len() == 1 { "" } else { "s" }, numbers.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accounts(all: &[(&str, &str)]) -> Vec<(String, String)> {
        all.iter().map(|(user, password)| ((*user).into(), (*password).into())).collect()
    }

    fn own(text: &str, minimum: MinimumHash) -> OwnFile {
        OwnFile { place: "key htpasswd of Secret team-accounts".into(), content: text.into(), minimum }
    }

    fn merged(old: &str, accounts: &[(String, String)], own: Option<&OwnFile>) -> Merged {
        merge(old, accounts, own, false).unwrap()
    }

    const WEAK: &str = "ann:{SHA}0000000000000000000000000000";

    // operator 45, operator 5
    #[test]
    fn lines_stay_while_they_verify_and_go_with_their_account() {
        let first = merged("", &accounts(&[("ci", "one"), ("admin", "two")]), None).text;
        assert!(first.starts_with("admin:$2"));
        assert_eq!(merged(&first, &accounts(&[("admin", "two"), ("ci", "one")]), None).text, first);
        let changed = merged(&first, &accounts(&[("admin", "three")]), None);
        assert!(password::verifies(changed.text.trim(), "admin", "three"), "{changed:?}");
        assert_eq!(changed.users, 1);
    }

    // operator 46, operator 5
    #[test]
    fn two_passwords_of_one_account_are_two_lines_and_stay() {
        let both = accounts(&[("ci", "new"), ("ci", "old")]);
        let first = merged("", &both, None);
        assert_eq!((first.text.lines().count(), first.users), (2, 1));
        assert_eq!(merge(&first.text, &both, None, true).unwrap(), first);
        assert_eq!(merged(&first.text, &both, None), first);
    }

    // operator 95
    #[test]
    fn weak_lines_are_counted_and_refused_when_bcrypt_is_asked_for() {
        let text = format!("{WEAK}\nbob:rqXexS6ZhobKA\n");
        let any = merged("", &[], Some(&own(&text, MinimumHash::Any)));
        assert_eq!(
            (any.text.as_str(), any.weak.as_slice(), any.unusable),
            (format!("{WEAK}\n").as_str(), &[1][..], 1)
        );
        let bcrypt = merged("", &[], Some(&own(&text, MinimumHash::Bcrypt)));
        assert_eq!((bcrypt.text.as_str(), bcrypt.weak.as_slice(), bcrypt.unusable), ("", &[1][..], 1));
    }

    // operator 96
    #[test]
    fn names_of_the_operator_are_refused_in_a_file_of_ones_own() {
        let text = format!("preg-pull:{{SHA}}0000000000000000000000000000\n{WEAK}\n");
        let merged = merged("", &accounts(&[("preg-pull", "p")]), Some(&own(&text, MinimumHash::Any)));
        assert_eq!(merged.problem.as_ref().map(|problem| problem.reason), Some(reason::INVALID_USER));
        assert!(merged.problem.unwrap().message.starts_with("line 1 of"));
        assert_eq!(merged.users, 2);
        assert!(merged.text.contains("preg-pull:$2"), "{}", merged.text);
    }

    // operator 94
    #[test]
    fn a_file_that_cannot_be_read_leaves_the_last_good_one() {
        let good = merged("", &accounts(&[("admin", "a")]), Some(&own(WEAK, MinimumHash::Any)));
        for broken in ["<html>", "\u{0}\n:"] {
            let kept = merged(&good.text, &accounts(&[("admin", "b")]), Some(&own(broken, MinimumHash::Any)));
            assert_eq!(kept.text, good.text);
            assert_eq!(kept.problem.map(|problem| problem.reason), Some(reason::HTPASSWD_UNREADABLE));
        }
        let bytes = OwnFile { content: vec![0xff], ..own("", MinimumHash::Any) };
        assert_eq!(merged(&good.text, &[], Some(&bytes)).text, good.text);
    }

    #[test]
    fn messages_list_ten_lines_at_most() {
        assert_eq!(listed(&[3]), "line 3");
        assert_eq!(listed(&(1..=12).collect::<Vec<_>>()), "lines 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and more");
    }
}
