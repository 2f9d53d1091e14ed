//! The password file that pods read: the operator's accounts and a file of the user's own, merged and checked.
//! A line stays byte for byte while it verifies its password.

use crate::{
    crd::{auth::MinimumHash, condition::reason},
    private_registry::{
        accounts::{
            line::{self, Line, Strength},
            listing::{Unusable, listed},
            password,
        },
        error::{Problem, ResolveError},
    },
};

/// Accounts whose name starts so are the operator's own.
const RESERVED: &str = "preg-";

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
    pub unusable: Vec<Unusable>,
    /// What keeps an account from being as asked.
    pub problem: Option<Problem>,
}

/// A password file of the user's own, or that it cannot be had.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Own {
    /// There is none.
    #[default]
    None,
    /// Its content.
    File(OwnFile),
    /// It is named and is not there: its last lines stay, as far as they may log in.
    Missing(MinimumHash),
}

/// Accounts of the object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Accounts {
    /// Passwords; a name may come twice.
    pub known: Vec<Login>,
    /// Names whose password cannot be had: their last lines stay.
    pub missing: Vec<String>,
}

/// One password of one account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Login {
    /// Name of the account.
    pub user: String,
    /// The password.
    pub password: String,
    /// It was made just now.
    pub random: bool,
}

impl Accounts {
    fn has(&self, user: &str) -> bool {
        self.known.iter().any(|login| login.user == user) || self.missing.iter().any(|name| name == user)
    }
}

/// Stands between the operator's accounts and those of the own file.
const OWN: &str = "# from a password file of your own";

/// Merges the operator's accounts with a file of the user's own. Lines of `old` that still verify are kept; with
/// `verified`, all of them were made of these accounts, and nothing is computed. What cannot be had, or cannot be read,
/// leaves its own last lines as they are, and those of nobody else.
pub fn merge(old: &str, accounts: &Accounts, own: &Own, verified: bool) -> Result<Merged, ResolveError> {
    let mut merged = Merged::default();
    let (ours, theirs) = old.split_once(&format!("{OWN}\n")).unwrap_or((old, ""));
    let mut lines = account_lines(ours, accounts, verified)?;
    let last = |minimum| {
        let good = |line: &&str| !accounts.has(name(line)) && (minimum == MinimumHash::Any || strong(line));
        theirs.lines().filter(good).map(str::to_owned).collect()
    };
    let mut more: Vec<String> = match own {
        Own::None => vec![],
        Own::Missing(minimum) => last(*minimum),
        Own::File(file) => match read(file, accounts, &mut merged) {
            Ok(lines) => lines,
            Err(problem) => {
                merged.problem = Some(problem);
                last(file.minimum)
            }
        },
    };
    lines.sort_by(|a, b| name(a).cmp(name(b)));
    more.sort_by(|a, b| name(a).cmp(name(b)));
    merged.users = users(&lines) + users(&more);
    if !more.is_empty() {
        lines.push(OWN.to_owned());
    }
    merged.text = lines.iter().chain(&more).map(|line| format!("{line}\n")).collect();
    Ok(merged)
}

/// Lines of the operator's accounts.
fn account_lines(old: &str, accounts: &Accounts, verified: bool) -> Result<Vec<String>, ResolveError> {
    let kept = |line: &&str| match verified {
        true => accounts.has(name(line)),
        false => accounts.missing.iter().any(|user| user == name(line)),
    };
    let mut lines: Vec<String> = old.lines().filter(kept).map(str::to_owned).collect();
    if !verified {
        for Login { user, password, random } in &accounts.known {
            let same = old.lines().find(|line| password::verifies(line, user, password));
            let new = || password::line(user, password, *random);
            lines.push(same.map_or_else(new, |line| Ok(line.to_owned()))?);
        }
    }
    Ok(lines)
}

/// Lines of the own file that may log in.
fn read(own: &OwnFile, accounts: &Accounts, merged: &mut Merged) -> Result<Vec<String>, Problem> {
    let unreadable = |what: String| {
        let message = format!("{} {what}: mend it; the last good accounts stay", own.place);
        Problem::new(reason::HTPASSWD_UNREADABLE, message)
    };
    let text = std::str::from_utf8(&own.content).map_err(|_| unreadable("is not text".into()))?;
    let lines =
        line::parse(text).map_err(|broken| unreadable(format!("has no user:hash in {}", listed(&broken))))?;
    let taken = |line: &Line<'_>| line.user.starts_with(RESERVED) || accounts.has(line.user);
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
    let (mut strong, mut weak) = (Vec::new(), Vec::new());
    for line in lines.into_iter().filter(|line| !taken(line)) {
        match line.strength {
            Strength::Bcrypt => strong.push(line),
            Strength::Weaker => weak.push(line),
            Strength::Unusable(reason) => merged.unusable.push(Unusable { line: line.number, reason }),
        }
    }
    merged.weak = weak.iter().map(|line| line.number).collect();
    let weak = weak.into_iter().filter(|_| own.minimum == MinimumHash::Any);
    Ok(strong.into_iter().chain(weak).map(|line| line.text.to_owned()).collect())
}

fn strong(line: &str) -> bool {
    line::parse(line).is_ok_and(|lines| lines.iter().all(|line| line.strength == Strength::Bcrypt))
}

fn name(line: &str) -> &str {
    line.split_once(':').map_or(line, |(name, _)| name)
}

fn users(lines: &[String]) -> usize {
    let mut names: Vec<_> = lines.iter().map(|line| name(line)).collect();
    names.sort_unstable();
    names.dedup();
    names.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accounts(all: &[(&str, &str)]) -> Accounts {
        let login = |(user, password): &(&str, &str)| Login {
            user: (*user).into(),
            password: (*password).into(),
            random: false,
        };
        Accounts { known: all.iter().map(login).collect(), missing: vec![] }
    }

    fn own(text: &str, minimum: MinimumHash) -> Own {
        let place = "key htpasswd of Secret team-accounts".into();
        Own::File(OwnFile { place, content: text.into(), minimum })
    }

    fn merged(old: &str, accounts: &Accounts, own: &Own) -> Merged {
        merge(old, accounts, own, false).unwrap()
    }

    const WEAK: &str = "ann:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=";

    // operator 45, operator 5
    #[test]
    fn lines_stay_while_they_verify_and_go_with_their_account() {
        let first = merged("", &accounts(&[("ci", "one"), ("admin", "two")]), &Own::None).text;
        assert!(first.starts_with("admin:$2"));
        assert_eq!(merged(&first, &accounts(&[("admin", "two"), ("ci", "one")]), &Own::None).text, first);
        let changed = merged(&first, &accounts(&[("admin", "three")]), &Own::None);
        assert!(password::verifies(changed.text.trim(), "admin", "three"), "{changed:?}");
        assert_eq!(changed.users, 1);
    }

    // What nobody can guess need not be slow to guess; what somebody may have chosen has to be.
    #[test]
    fn only_passwords_that_were_just_made_are_cheap() {
        for (random, cost) in [(true, "$04$"), (false, "$10$")] {
            let login = Login { user: "admin".into(), password: "p".into(), random };
            let made = merged("", &Accounts { known: vec![login], missing: vec![] }, &Own::None);
            assert!(made.text.contains(cost), "{}", made.text);
        }
    }

    // operator 46, operator 5
    #[test]
    fn two_passwords_of_one_account_are_two_lines_and_stay() {
        let both = accounts(&[("ci", "new"), ("ci", "old")]);
        let first = merged("", &both, &Own::None);
        assert_eq!((first.text.lines().count(), first.users), (2, 1));
        assert_eq!(merge(&first.text, &both, &Own::None, true).unwrap(), first);
        assert_eq!(merged(&first.text, &both, &Own::None), first);
    }

    // operator 5: a line that verifies nothing would be replaced, if anybody looked
    #[test]
    fn nothing_is_computed_while_the_sources_are_the_same() {
        let old = "ci:$2y$05$abcdefghijklmnopqrstuuJ1x1Yx1Yx1Yx1Yx1Yx1Yx1Yx1Yx1Yxu\n";
        let accounts = accounts(&[("ci", "one")]);
        assert_eq!(merge(old, &accounts, &Own::None, true).unwrap().text, old);
        assert_ne!(merged(old, &accounts, &Own::None).text, old);
    }

    // operator 95
    #[test]
    fn weak_lines_are_counted_and_refused_when_bcrypt_is_asked_for() {
        let text = format!("{WEAK}\nbob:rqXexS6ZhobKA\n");
        let any = merged("", &Accounts::default(), &own(&text, MinimumHash::Any));
        let des = vec![Unusable { line: 2, reason: "DES crypt is not accepted" }];
        assert_eq!((any.text, any.weak, &any.unusable), (format!("{OWN}\n{WEAK}\n"), vec![1], &des));
        let bcrypt = merged("", &Accounts::default(), &own(&text, MinimumHash::Bcrypt));
        assert_eq!((bcrypt.text.as_str(), bcrypt.weak.as_slice(), bcrypt.unusable), ("", &[1][..], des));
    }

    // operator 96
    #[test]
    fn names_of_the_operator_are_refused_in_a_file_of_ones_own() {
        let text = format!("preg-pull:{{SHA}}0000000000000000000000000000\n{WEAK}\n");
        let merged = merged("", &accounts(&[("preg-pull", "p")]), &own(&text, MinimumHash::Any));
        assert_eq!(merged.problem.as_ref().map(|problem| problem.reason), Some(reason::INVALID_USER));
        assert!(merged.problem.unwrap().message.starts_with("line 1 of"));
        assert_eq!(merged.users, 2);
        assert!(merged.text.contains("preg-pull:$2"), "{}", merged.text);
    }

    // operator 94: the last good lines of the file stay, and the operator's accounts go on changing
    #[test]
    fn a_file_that_cannot_be_had_keeps_its_last_lines_and_nobody_elses() {
        let good = merged("", &accounts(&[("admin", "a"), ("gone", "g")]), &own(WEAK, MinimumHash::Any));
        let unreadable = OwnFile { place: "p".into(), content: vec![0xff], minimum: MinimumHash::Any };
        for broken in [
            own("<html>", MinimumHash::Any),
            own("\u{0}\n:", MinimumHash::Any),
            Own::File(unreadable),
            Own::Missing(MinimumHash::Any),
        ] {
            let kept = merged(&good.text, &accounts(&[("admin", "b")]), &broken);
            assert!(kept.text.contains(WEAK) && !kept.text.contains("gone:"), "{broken:?}: {}", kept.text);
            assert!(kept.text.lines().any(|line| password::verifies(line, "admin", "b")), "{}", kept.text);
            if broken != Own::Missing(MinimumHash::Any) {
                assert_eq!(kept.problem.map(|problem| problem.reason), Some(reason::HTPASSWD_UNREADABLE));
            }
        }
    }

    // operator 95: what may not log in does not, also while the file cannot be had
    #[test]
    fn weak_lines_of_a_file_that_is_away_go_when_bcrypt_is_asked_for() {
        let strong = password::line("bob", "b", false).unwrap();
        let text = format!("{WEAK}\n{strong}\n");
        let good = merged("", &Accounts::default(), &own(&text, MinimumHash::Any));
        for broken in [own("<html>", MinimumHash::Bcrypt), Own::Missing(MinimumHash::Bcrypt)] {
            let kept = merged(&good.text, &Accounts::default(), &broken);
            assert_eq!(kept.text, format!("{OWN}\n{strong}\n"), "{broken:?}");
        }
    }

    // guarantee 5: an account whose password cannot be had logs in as before
    #[test]
    fn a_missing_password_keeps_its_last_line() {
        let first = merged("", &accounts(&[("admin", "a"), ("dev", "d")]), &Own::None);
        let missing = Accounts { missing: vec!["dev".into()], ..accounts(&[("admin", "b")]) };
        let kept = merged(&first.text, &missing, &Own::None);
        let line = |text: &str| text.lines().find(|line| line.starts_with("dev:")).unwrap().to_owned();
        assert_eq!(line(&kept.text), line(&first.text));
        assert!(kept.text.lines().any(|line| password::verifies(line, "admin", "b")));
        assert_eq!(merge(&kept.text, &missing, &Own::None, true).unwrap().text, kept.text);
    }
}
