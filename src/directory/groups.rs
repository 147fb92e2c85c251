//! Groups: closed until an owner admits them.
//!
//! Not here: how a group comes to be known (`member`), and who may talk inside an admitted one (everybody not blocked).

use super::exchange::{Access, AccessChange, Actor, Change};
use super::outbox::Notice;
use super::{Directory, DirectoryError, LIST_LIMIT, prompt, word};
use crate::store::{Row, Sql};
use crate::text::access::{self, Ending};
use serde::{Deserialize, Serialize};

/// What a group is to a bot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GroupState {
    /// Waits for an owner.
    Pending,
    Admitted,
    /// Refused: the bot leaves, and leaves again when a stranger brings it back.
    Blocked,
}

impl GroupState {
    pub fn as_str(self) -> &'static str {
        match self {
            GroupState::Pending => "pending",
            GroupState::Admitted => "admitted",
            GroupState::Blocked => "blocked",
        }
    }
}

/// A group as one bot knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    pub bot: String,
    /// Negative.
    pub chat_id: i64,
    pub title: String,
    pub state: GroupState,
    /// Answer only when addressed.
    pub require_mention: bool,
    /// The bot is in it; false: it left or was removed, and the state is kept.
    pub present: bool,
    /// When the state was reached, Unix milliseconds.
    pub since: i64,
    pub added_by: Option<i64>,
    /// Who admitted it, as in the audit.
    pub admitted_by: Option<String>,
    /// When owners were asked about it, Unix milliseconds.
    pub owners_told_at: Option<i64>,
}

const COLUMNS: &str =
    "bot, chat_id, title, state, require_mention, present, since, added_by, admitted_by, owners_told_at";

impl<S: Sql> Directory<S> {
    /// Groups `bot` knows, latest change first, at most [`LIST_LIMIT`].
    pub fn groups(&self, bot: &str) -> Result<Vec<Group>, DirectoryError> {
        let query = format!("SELECT {COLUMNS} FROM grp WHERE bot = ?1 ORDER BY since DESC, chat_id LIMIT ?2");
        self.sql.run(&query, &[bot.into(), LIST_LIMIT.into()])?.iter().map(read).collect()
    }

    /// One group.
    pub fn group(&self, bot: &str, chat_id: i64) -> Result<Option<Group>, DirectoryError> {
        let query = format!("SELECT {COLUMNS} FROM grp WHERE bot = ?1 AND chat_id = ?2");
        self.sql.run(&query, &[bot.into(), chat_id.into()])?.first().map(read).transpose()
    }

    /// Lets the bot talk in a group, known or not. No change if it may already.
    pub fn admit_group(&self, bot: &str, chat_id: i64, actor: &Actor, now: i64) -> Result<Change, DirectoryError> {
        let before = self.group(bot, chat_id)?;
        if before.as_ref().is_some_and(|group| group.state == GroupState::Admitted) {
            return Ok(Change::default());
        }
        self.sql.run(
            "INSERT INTO grp (bot, chat_id, title, state, since, admitted_by) VALUES (?1, ?2, '', 'admitted', ?3, ?4) \
             ON CONFLICT (bot, chat_id) DO UPDATE SET \
             state = excluded.state, since = excluded.since, admitted_by = excluded.admitted_by",
            &[bot.into(), chat_id.into(), now.into(), actor.to_string().into()],
        )?;
        self.audit(Some(bot), actor, "admit_group", &chat_id.to_string(), now)?;
        let require_mention = before.is_none_or(|group| group.require_mention);
        Ok(Change {
            notices: self.settle_group(bot, chat_id, Ending::Admitted, actor, now)?,
            access: vec![group_change(bot, chat_id, Access::Open { require_mention })],
        })
    }

    /// Shuts a group out and leaves it. No change if that was done before.
    pub fn block_group(&self, bot: &str, chat_id: i64, actor: &Actor, now: i64) -> Result<Change, DirectoryError> {
        let before = self.group(bot, chat_id)?;
        if before.is_some_and(|group| group.state == GroupState::Blocked) {
            return Ok(Change::default());
        }
        self.sql.run(
            "INSERT INTO grp (bot, chat_id, title, state, since) VALUES (?1, ?2, '', 'blocked', ?3) \
             ON CONFLICT (bot, chat_id) DO UPDATE SET state = excluded.state, since = excluded.since, admitted_by = NULL",
            &[bot.into(), chat_id.into(), now.into()],
        )?;
        self.audit(Some(bot), actor, "block_group", &chat_id.to_string(), now)?;
        let mut notices = self.settle_group(bot, chat_id, Ending::Left, actor, now)?;
        notices.extend(self.queue(prompt::leave(bot, chat_id), now)?);
        Ok(Change { notices, access: vec![group_change(bot, chat_id, Access::Closed)] })
    }

    /// Leaves a group and keeps it as one that waits: owners are asked again when somebody adds the bot.
    pub fn leave_group(&self, bot: &str, chat_id: i64, actor: &Actor, now: i64) -> Result<Change, DirectoryError> {
        let left = self.sql.run(
            "UPDATE grp SET state = 'pending', present = 0, admitted_by = NULL, owners_told_at = NULL, since = ?3 \
             WHERE bot = ?1 AND chat_id = ?2 AND state <> 'blocked' AND present = 1 RETURNING chat_id",
            &[bot.into(), chat_id.into(), now.into()],
        )?;
        if left.is_empty() {
            return Ok(Change::default());
        }
        self.audit(Some(bot), actor, "leave_group", &chat_id.to_string(), now)?;
        let mut notices = self.settle_group(bot, chat_id, Ending::Left, actor, now)?;
        notices.extend(self.queue(prompt::leave(bot, chat_id), now)?);
        Ok(Change { notices, access: vec![group_change(bot, chat_id, Access::Closed)] })
    }

    /// Forgets a group: it is unknown again, and closed.
    pub fn forget_group(&self, bot: &str, chat_id: i64, actor: &Actor, now: i64) -> Result<Change, DirectoryError> {
        let gone = self
            .sql
            .run("DELETE FROM grp WHERE bot = ?1 AND chat_id = ?2 RETURNING chat_id", &[bot.into(), chat_id.into()])?;
        if gone.is_empty() {
            return Ok(Change::default());
        }
        self.audit(Some(bot), actor, "forget_group", &chat_id.to_string(), now)?;
        Ok(Change { notices: Vec::new(), access: vec![group_change(bot, chat_id, Access::Closed)] })
    }

    /// Whether the bot answers only when addressed in this group.
    pub fn set_require_mention(
        &self,
        bot: &str,
        chat_id: i64,
        require_mention: bool,
        actor: &Actor,
        now: i64,
    ) -> Result<Change, DirectoryError> {
        let Some(group) = self.group(bot, chat_id)? else { return Err(DirectoryError::UnknownGroup) };
        if group.require_mention == require_mention {
            return Ok(Change::default());
        }
        self.sql.run(
            "UPDATE grp SET require_mention = ?3 WHERE bot = ?1 AND chat_id = ?2",
            &[bot.into(), chat_id.into(), require_mention.into()],
        )?;
        let what = if require_mention { "mention_on" } else { "mention_off" };
        self.audit(Some(bot), actor, what, &chat_id.to_string(), now)?;
        let mut change = Change::default();
        if group.state == GroupState::Admitted {
            change.access.push(group_change(bot, chat_id, Access::Open { require_mention }));
        }
        Ok(change)
    }

    /// A group became a supergroup and has another id (`migrate_to_chat_id`): its state goes with it.
    /// What is already known of the new id wins, except that a group merely pending yields.
    pub fn move_group(&self, bot: &str, from: i64, to: i64, now: i64) -> Result<Change, DirectoryError> {
        if self.group(bot, from)?.is_none() || from == to {
            return Ok(Change::default());
        }
        self.sql
            .run("DELETE FROM grp WHERE bot = ?1 AND chat_id = ?2 AND state = 'pending'", &[bot.into(), to.into()])?;
        self.sql.run(
            "UPDATE OR IGNORE grp SET chat_id = ?3, present = 1 WHERE bot = ?1 AND chat_id = ?2",
            &[bot.into(), from.into(), to.into()],
        )?;
        self.sql.run("DELETE FROM grp WHERE bot = ?1 AND chat_id = ?2", &[bot.into(), from.into()])?;
        self.audit(Some(bot), &Actor::System, "move_group", &format!("{from} {to}"), now)?;
        Ok(Change { notices: Vec::new(), access: vec![group_change(bot, from, Access::Closed)] })
    }

    /// Edits the prompts about a group.
    fn settle_group(
        &self,
        bot: &str,
        chat_id: i64,
        ending: Ending,
        actor: &Actor,
        now: i64,
    ) -> Result<Vec<Notice>, DirectoryError> {
        let title = self.group_title(bot, chat_id)?;
        let by = self.actor_name(bot, actor)?;
        self.edit_prompts(bot, &prompt::about_group(bot, chat_id), now, |lang| {
            access::group_prompt_decided(lang, &title, ending, by.as_deref())
        })
    }

    /// Title of a group, or its id.
    pub(super) fn group_title(&self, bot: &str, chat_id: i64) -> Result<String, DirectoryError> {
        let title = self.group(bot, chat_id)?.map(|group| group.title).filter(|title| !title.is_empty());
        Ok(title.unwrap_or_else(|| chat_id.to_string()))
    }
}

pub(super) fn group_change(bot: &str, chat_id: i64, access: Access) -> AccessChange {
    AccessChange { session_prefix: format!("{bot}:{chat_id}"), user_id: None, access }
}

fn read(row: &Row) -> Result<Group, DirectoryError> {
    Ok(Group {
        bot: row.text(0)?.to_owned(),
        chat_id: row.int(1)?,
        title: row.text(2)?.to_owned(),
        // A word of a newer release lets nobody in.
        state: word(row.text(3)?).unwrap_or(GroupState::Pending),
        require_mention: row.int(4)? != 0,
        present: row.int(5)? != 0,
        since: row.int(6)?,
        added_by: row.opt_int(7)?,
        admitted_by: row.opt_text(8)?.map(str::to_owned),
        owners_told_at: row.opt_int(9)?,
    })
}
