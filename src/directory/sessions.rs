//! The conversations that exist, and changes of access on their way to them.
//!
//! No platform call lists objects by name (cloudflare.md §1.2), so the Directory keeps the names it admitted. A change
//! is a row until the conversation has taken it over.

use super::{Access, AccessChange, Change, Directory, DirectoryError, LIST_LIMIT};
use crate::store::Sql;

/// A change for one conversation, not yet taken over by it.
#[derive(Debug, Clone, PartialEq)]
pub struct Push {
    pub id: i64,
    pub session: String,
    pub change: AccessChange,
}

impl<S: Sql> Directory<S> {
    /// Remembers that `session` of `bot` was admitted. A new one is told whom to ignore: blocks from before it existed
    /// were pushed to others only.
    pub fn note_session(&self, bot: &str, session: &str, now: i64) -> Result<(), DirectoryError> {
        let known = self.sql.run("SELECT 1 FROM session WHERE name = ?1", &[session.into()])?;
        if !known.is_empty() {
            return Ok(());
        }
        self.list_conversation(session, now)?;
        let blocked = self.sql.run(
            "SELECT user_id FROM person WHERE bot = ?1 AND state = 'blocked' LIMIT ?2",
            &[bot.into(), LIST_LIMIT.into()],
        )?;
        for row in &blocked {
            let change =
                AccessChange { session_prefix: session.to_owned(), user_id: Some(row.int(0)?), access: Access::Closed };
            self.queue_push(&change, now)?;
        }
        Ok(())
    }

    /// Queues `change` for every conversation it means.
    pub fn queue_push(&self, change: &AccessChange, now: i64) -> Result<(), DirectoryError> {
        let json = serde_json::to_string(change).unwrap_or_default();
        let prefix = change.session_prefix.as_str();
        self.sql.run(
            "INSERT INTO push (session, change, created_at) SELECT name, ?2, ?3 FROM session
             WHERE name = ?1 OR substr(name, 1, length(?1) + 1) = ?1 || ':'",
            &[prefix.into(), json.into(), now.into()],
        )?;
        Ok(())
    }

    /// Queues every change of access that `change` brought.
    pub fn queue_pushes(&self, change: &Change, now: i64) -> Result<(), DirectoryError> {
        change.access.iter().try_for_each(|change| self.queue_push(change, now))
    }

    /// The oldest change still on its way.
    pub fn next_push(&self) -> Result<Option<Push>, DirectoryError> {
        let rows = self.sql.run("SELECT id, session, change FROM push ORDER BY id LIMIT 1", &[])?;
        let Some(row) = rows.first() else { return Ok(None) };
        let id = row.int(0)?;
        match serde_json::from_str(row.text(2)?) {
            Ok(change) => Ok(Some(Push { id, session: row.text(1)?.to_owned(), change })),
            Err(_) => {
                // Written by a release that spoke otherwise; admissions run out by themselves.
                self.pushed(id)?;
                Ok(None)
            }
        }
    }

    /// The conversation has taken it over.
    pub fn pushed(&self, id: i64) -> Result<(), DirectoryError> {
        self.sql.run("DELETE FROM push WHERE id = ?1", &[id.into()])?;
        Ok(())
    }

    /// Counts an update of a kind we do not act on and that belongs to no conversation.
    pub fn note_unknown(&self, bot: &str, kind: &str, update_id: i64, now: i64) -> Result<(), DirectoryError> {
        let kind: String = kind.chars().take(64).collect();
        self.sql.run(
            "INSERT INTO unknown_update (bot, kind, count, last_update_id, last_at) VALUES (?1, ?2, 1, ?3, ?4)
             ON CONFLICT (bot, kind) DO UPDATE SET count = count + 1, last_update_id = ?3, last_at = ?4",
            &[bot.into(), kind.into(), update_id.into(), now.into()],
        )?;
        // A sender of made-up kinds cannot fill the table: the rarest go first.
        self.sql.run(
            "DELETE FROM unknown_update WHERE rowid NOT IN
             (SELECT rowid FROM unknown_update ORDER BY last_at DESC LIMIT 200)",
            &[],
        )?;
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::directory::{Actor, Config};
    use crate::store::native::Sqlite;

    #[test]
    fn a_change_reaches_every_topic_of_its_chat_and_no_other_chat() {
        let directory = Directory::new(Sqlite::memory().unwrap()).unwrap();
        for session in ["main:5", "main:5:7", "main:55", "work:5"] {
            directory.note_session("main", session, 1).unwrap();
            directory.note_session("main", session, 2).unwrap();
        }
        let change = AccessChange { session_prefix: "main:5".into(), user_id: None, access: Access::Closed };
        directory.queue_push(&change, 3).unwrap();
        let mut reached = Vec::new();
        while let Some(push) = directory.next_push().unwrap() {
            assert_eq!(push.change, change);
            directory.pushed(push.id).unwrap();
            reached.push(push.session);
        }
        reached.sort();
        assert_eq!(reached, ["main:5", "main:5:7"]);
    }

    #[test]
    fn a_new_conversation_is_told_who_was_blocked_before() {
        let directory = Directory::new(Sqlite::memory().unwrap()).unwrap();
        directory.block("main", 66, &Actor::System, &Config::default(), 1).unwrap();
        directory.note_session("main", "main:-9", 2).unwrap();
        let push = directory.next_push().unwrap().unwrap();
        assert_eq!((push.session.as_str(), push.change.user_id), ("main:-9", Some(66)));
        directory.pushed(push.id).unwrap();
        directory.note_session("main", "main:-9", 3).unwrap();
        assert_eq!(directory.next_push().unwrap(), None);
    }

    #[test]
    fn unknown_kinds_are_counted() {
        let directory = Directory::new(Sqlite::memory().unwrap()).unwrap();
        directory.note_unknown("main", "poll", 4, 1).unwrap();
        directory.note_unknown("main", "poll", 5, 2).unwrap();
        let rows = directory.sql.run("SELECT count, last_update_id FROM unknown_update", &[]).unwrap();
        assert_eq!(
            (rows.len(), rows.first().unwrap().int(0).unwrap(), rows.first().unwrap().int(1).unwrap()),
            (1, 2, 5)
        );
    }
}
