//! A generated password is replaced from time to time, or when asked; for a while the old one works, too.

/// A generated account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// Its password.
    pub password: String,
    /// The password before, while it still works.
    pub previous: Option<String>,
    /// Since when the password is what it is, in seconds since 1970.
    pub since: i64,
    /// The password is not the first one.
    pub rotated: bool,
    /// Value of the annotation `rotate-credentials` that was carried out last.
    pub wish: Option<String>,
}

/// When passwords change, in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Schedule {
    /// How long a password is used; none: for ever.
    pub every: Option<u64>,
    /// How long the one before works beside it.
    pub overlap: u64,
}

impl Account {
    /// The account as it should be at `now`; the second value says whether it has a new password.
    pub fn step(
        mut self,
        schedule: Schedule,
        wish: Option<&str>,
        now: i64,
        make: impl FnOnce() -> String,
    ) -> (Self, bool) {
        let asked = wish.is_some() && wish != self.wish.as_deref();
        let over = schedule.every.is_some_and(|every| self.since + every.cast_signed() <= now);
        if asked || over {
            let previous = std::mem::replace(&mut self.password, make());
            let wish = wish.map(str::to_owned).or(self.wish);
            return (Self { previous: Some(previous), since: now, rotated: true, wish, ..self }, true);
        }
        if self.since + schedule.overlap.cast_signed() <= now {
            self.previous = None;
        }
        (self, false)
    }

    /// When the next step is due, in seconds since 1970.
    pub fn due(&self, schedule: Schedule) -> Option<i64> {
        let change = schedule.every.map(|every| self.since + every.cast_signed());
        let end = self.previous.as_ref().map(|_| self.since + schedule.overlap.cast_signed());
        [change, end].into_iter().flatten().min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: u64 = 86_400;
    const SCHEDULE: Schedule = Schedule { every: Some(30 * DAY), overlap: DAY };

    fn stepped(account: Account, wish: Option<&str>, now: i64) -> (Account, bool) {
        account.step(SCHEDULE, wish, now, || "new".to_owned())
    }

    // operator 46
    #[test]
    fn both_passwords_work_during_the_overlap() {
        let first = Account { password: "old".into(), ..Account::default() };
        let month = (30 * DAY).cast_signed();
        assert_eq!(first.due(SCHEDULE), Some(month));
        assert_eq!(stepped(first.clone(), None, month - 1), (first.clone(), false));
        let (second, rotated) = stepped(first, None, month);
        assert!(rotated);
        assert_eq!((second.password.as_str(), second.previous.as_deref()), ("new", Some("old")));
        let end = month + DAY.cast_signed();
        assert_eq!(second.due(SCHEDULE), Some(end));
        assert_eq!(stepped(second.clone(), None, end - 1).0.previous.as_deref(), Some("old"));
        assert_eq!(stepped(second, None, end).0.previous, None);
    }

    #[test]
    fn a_rotation_that_was_asked_for_is_carried_out_once() {
        let first = Account { password: "old".into(), ..Account::default() };
        let (second, rotated) = stepped(first, Some("monday"), 5);
        assert!(rotated);
        assert!(!stepped(second.clone(), Some("monday"), 6).1);
        assert!(stepped(second, Some("tuesday"), 6).1);
    }
}
