//! What one Worker isolate remembers of the Directory's verdicts, so that a known sender costs no call and a stranger at
//! most one a minute. In memory only, bounded; forgetting is always safe.

use std::collections::HashMap;

use super::{AccessChange, Reason, Verdict};

/// Most entries of each kind. When full, the ones that ended are dropped, then all.
const CAPACITY: usize = 10_000;

/// How an update of somebody we may know is to be treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Memory {
    /// Admitted: no question needed.
    Known,
    /// Refused a moment ago: do not ask again, except about what still passes.
    Quiet { passes: Passes },
    /// Ask.
    Unknown,
}

/// What a refused sender may still say at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passes {
    Nothing,
    /// A claim code: the bot has no owner.
    ClaimCode,
    /// An invite code: they were told to wait for an owner's word.
    Invite,
}

impl Passes {
    fn after(reason: Reason) -> Passes {
        match reason {
            Reason::NoOwner | Reason::WrongClaim => Passes::ClaimCode,
            Reason::PairingStarted | Reason::PairingWaiting | Reason::PairingFull | Reason::NotAllowed => {
                Passes::Invite
            }
            _ => Passes::Nothing,
        }
    }
}

#[derive(Debug, Default)]
pub struct Recall {
    /// Session name → admitted until.
    known: HashMap<String, i64>,
    /// `{bot}:{user or chat}` → quiet until, and what passes.
    quiet: HashMap<String, (i64, Passes)>,
}

impl Recall {
    /// What is remembered. `subject` is the sender as `{bot}:{user}`, `chat` the chat as `{bot}:{chat}`.
    pub fn look_up(&self, session: &str, subject: &str, chat: &str, now: i64) -> Memory {
        if self.known.get(session).is_some_and(|&until| until > now) {
            return Memory::Known;
        }
        let quiet = |key: &str| self.quiet.get(key).filter(|(until, _)| *until > now).map(|(_, passes)| *passes);
        match quiet(subject).or_else(|| quiet(chat)) {
            Some(passes) => Memory::Quiet { passes },
            None => Memory::Unknown,
        }
    }

    /// Remembers a verdict.
    pub fn note(&mut self, session: &str, subject: &str, chat: &str, verdict: &Verdict, now: i64) {
        make_room(&mut self.known, |&until| until > now);
        make_room(&mut self.quiet, |&(until, _)| until > now);
        match verdict {
            Verdict::Admit(admission) => {
                self.known.insert(session.to_owned(), now.saturating_add(admission.good_for_ms));
            }
            Verdict::Refuse { reason: Reason::Claimed, .. } => {
                self.quiet.clear();
            }
            Verdict::Refuse { reason, quiet_for_ms } => {
                let key = if reason.concerns_chat() { chat } else { subject };
                self.quiet.insert(key.to_owned(), (now.saturating_add(*quiet_for_ms), Passes::after(*reason)));
            }
        }
    }

    /// Forgets what a change made untrue.
    pub fn forget(&mut self, change: &AccessChange) {
        let prefix = change.session_prefix.as_str();
        let under = |key: &str| key.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with(':'));
        self.known.retain(|session, _| !under(session));
        self.quiet.retain(|key, _| !under(key));
    }

    /// The object does not know this session (its store is new): ask again.
    pub fn forget_session(&mut self, session: &str) {
        self.known.remove(session);
    }
}

fn make_room<V>(map: &mut HashMap<String, V>, alive: impl Fn(&V) -> bool) {
    if map.len() >= CAPACITY {
        map.retain(|_, value| alive(value));
    }
    if map.len() >= CAPACITY {
        map.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::{Access, Admission};

    fn refuse(reason: Reason) -> Verdict {
        Verdict::Refuse { reason, quiet_for_ms: reason.quiet_for_ms() }
    }

    fn admit() -> Verdict {
        Verdict::Admit(Admission {
            owner: true,
            require_mention: false,
            bot_username: None,
            bot_user_id: None,
            good_for_ms: 1_000,
        })
    }

    #[test]
    fn a_stranger_is_asked_about_once_a_minute() {
        for (reason, passes) in [
            (Reason::PairingStarted, Passes::Invite),
            (Reason::PairingWaiting, Passes::Invite),
            (Reason::PairingFull, Passes::Invite),
            (Reason::NotAllowed, Passes::Invite),
            (Reason::Blocked, Passes::Nothing),
            (Reason::DmDisabled, Passes::Nothing),
        ] {
            let mut recall = Recall::default();
            recall.note("main:5", "main:5", "main:5", &refuse(reason), 0);
            assert_eq!(recall.look_up("main:5", "main:5", "main:5", 59_999), Memory::Quiet { passes });
            assert_eq!(recall.look_up("main:5", "main:5", "main:5", 60_000), Memory::Unknown);
        }
    }

    #[test]
    fn an_unknown_group_is_quiet_for_all_its_members() {
        let mut recall = Recall::default();
        recall.note("main:-9", "main:5", "main:-9", &refuse(Reason::GroupUnknown), 0);
        assert!(matches!(recall.look_up("main:-9:3", "main:6", "main:-9", 10), Memory::Quiet { .. }));
        assert_eq!(recall.look_up("main:5", "main:5", "main:5", 10), Memory::Unknown);
    }

    #[test]
    fn a_code_may_pass_while_there_is_no_owner() {
        let mut recall = Recall::default();
        recall.note("main:5", "main:5", "main:5", &refuse(Reason::NoOwner), 0);
        assert_eq!(recall.look_up("main:5", "main:5", "main:5", 10), Memory::Quiet { passes: Passes::ClaimCode });
        recall.note("main:5", "main:5", "main:5", &refuse(Reason::Claimed), 20);
        assert_eq!(recall.look_up("main:5", "main:5", "main:5", 30), Memory::Unknown);
    }

    #[test]
    fn who_came_in_with_an_invite_is_asked_about_at_once() {
        let mut recall = Recall::default();
        recall.note("main:5", "main:5:5", "main:5", &refuse(Reason::PairingStarted), 0);
        recall.note("main:5", "main:5:5", "main:5", &refuse(Reason::Invited), 10);
        assert_eq!(recall.look_up("main:5", "main:5:5", "main:5", 10), Memory::Unknown);
    }

    #[test]
    fn changes_are_forgotten_by_session_prefix() {
        let mut recall = Recall::default();
        for session in ["main:5", "main:5:7", "main:55"] {
            recall.note(session, session, session, &admit(), 0);
        }
        recall.forget(&AccessChange { session_prefix: "main:5".into(), user_id: None, access: Access::Closed });
        let memory = |session: &str| recall.look_up(session, "x", "y", 10);
        assert_eq!(
            (memory("main:5"), memory("main:5:7"), memory("main:55")),
            (Memory::Unknown, Memory::Unknown, Memory::Known)
        );
        assert_eq!(recall.look_up("main:55", "x", "y", 1_000), Memory::Unknown);
    }
}
