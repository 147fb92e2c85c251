//! People: who they are to each bot, and what an owner can do about them.
//!
//! An owner of one bot is an owner of all. Those named in `OWNER_TELEGRAM_IDS` are owners by configuration: their row never
//! says so, and taking an id off that list ends it. Not here: whether the actor may act; callers have checked that it is an owner.

use super::exchange::{Access, AccessChange, Actor, Change, Config, Sender};
use super::groups::GroupState;
use super::pairing::PairingState;
use super::settings::CLAIM_CODE;
use super::{Directory, DirectoryError, LIST_LIMIT, prompt, word};
use crate::store::{Row, Sql};
use crate::text::{Lang, access};
use serde::{Deserialize, Serialize};

/// What a person is to a bot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PersonState {
    Owner,
    Approved,
    /// Known, and not let in.
    Pending,
    Blocked,
}

impl PersonState {
    pub fn as_str(self) -> &'static str {
        match self {
            PersonState::Owner => "owner",
            PersonState::Approved => "approved",
            PersonState::Pending => "pending",
            PersonState::Blocked => "blocked",
        }
    }
}

/// A person as one bot knows them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    pub bot: String,
    pub user_id: i64,
    /// At most 64 characters on one line; empty when never seen.
    pub name: String,
    pub username: Option<String>,
    pub language_code: Option<String>,
    pub state: PersonState,
    /// When the state was reached, Unix milliseconds.
    pub since: i64,
    /// Who decided it, as in the audit.
    pub by: Option<String>,
}

const COLUMNS: &str = "bot, user_id, name, username, language_code, state, since, decided_by";

impl<S: Sql> Directory<S> {
    /// Everybody `bot` knows, latest change first, at most [`LIST_LIMIT`].
    pub fn people(&self, bot: &str, cfg: &Config<'_>) -> Result<Vec<Person>, DirectoryError> {
        let query = format!("SELECT {COLUMNS} FROM person WHERE bot = ?1 ORDER BY since DESC, user_id LIMIT ?2");
        let rows = self.sql.run(&query, &[bot.into(), LIST_LIMIT.into()])?;
        let mut people = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        let owners = self.owners(cfg)?;
        for person in people.iter_mut().filter(|person| owners.contains(&person.user_id)) {
            person.state = PersonState::Owner;
        }
        Ok(people)
    }

    /// Everybody one bot or all bots know, with the states as stored: those who may talk first, then the latest change.
    pub(super) fn everybody(&self, bot: Option<&str>, limit: i64) -> Result<Vec<Person>, DirectoryError> {
        let query = format!(
            "SELECT {COLUMNS} FROM person WHERE ?1 IS NULL OR bot = ?1 \
             ORDER BY state <> 'approved', state <> 'blocked', since DESC, user_id LIMIT ?2"
        );
        self.sql.run(&query, &[bot.into(), limit.into()])?.iter().map(read).collect()
    }

    /// Lets a person in, whether or not they asked. No change for owners and those already in.
    pub fn approve(
        &self,
        bot: &str,
        user_id: i64,
        actor: &Actor,
        cfg: &Config<'_>,
        now: i64,
    ) -> Result<Change, DirectoryError> {
        self.let_in(bot, user_id, actor, cfg, access::approved, now)
    }

    /// As [`Directory::approve`], with the words that the person reads.
    pub(super) fn let_in(
        &self,
        bot: &str,
        user_id: i64,
        actor: &Actor,
        cfg: &Config<'_>,
        words: fn(Lang) -> &'static str,
        now: i64,
    ) -> Result<Change, DirectoryError> {
        let before = self.person(bot, user_id)?;
        let mut notices = self.settle_pairing(bot, user_id, PairingState::Approved, actor, now)?;
        if self.is_owner(user_id, cfg)? || before.as_ref().is_some_and(|p| p.state == PersonState::Approved) {
            return Ok(Change { notices, access: Vec::new() });
        }
        self.put_state(bot, user_id, PersonState::Approved, actor, now)?;
        self.audit(Some(bot), actor, "approve", &user_id.to_string(), now)?;
        let told = words(prompt::lang_of(before.as_ref()));
        notices.extend(self.queue(prompt::line(bot, user_id, told), now)?);
        let in_private = Access::Open { require_mention: false };
        let mut access = vec![private_change(bot, user_id, in_private)];
        if before.is_some_and(|p| p.state == PersonState::Blocked) {
            access.extend(self.group_changes(bot, user_id, false)?);
        }
        Ok(Change { notices, access })
    }

    /// Refuses somebody who asked. They may ask again after an hour.
    pub fn deny(&self, bot: &str, user_id: i64, actor: &Actor, now: i64) -> Result<Change, DirectoryError> {
        let notices = self.settle_pairing(bot, user_id, PairingState::Denied, actor, now)?;
        let gone = self.sql.run(
            "DELETE FROM person WHERE bot = ?1 AND user_id = ?2 AND state = 'pending' RETURNING user_id",
            &[bot.into(), user_id.into()],
        )?;
        if !gone.is_empty() {
            self.audit(Some(bot), actor, "deny", &user_id.to_string(), now)?;
        }
        Ok(Change { notices, access: Vec::new() })
    }

    /// Shuts a person out: private messages and admitted groups.
    pub fn block(
        &self,
        bot: &str,
        user_id: i64,
        actor: &Actor,
        cfg: &Config<'_>,
        now: i64,
    ) -> Result<Change, DirectoryError> {
        let mut change = self.disown(user_id, cfg)?;
        if self.person(bot, user_id)?.is_some_and(|p| p.state == PersonState::Blocked) {
            return Ok(change);
        }
        self.put_state(bot, user_id, PersonState::Blocked, actor, now)?;
        self.audit(Some(bot), actor, "block", &user_id.to_string(), now)?;
        change.notices.extend(self.settle_pairing(bot, user_id, PairingState::Blocked, actor, now)?);
        change.access.push(private_change(bot, user_id, Access::Closed));
        change.access.extend(self.group_changes(bot, user_id, true)?);
        Ok(change.without_repeats())
    }

    /// Ends a block: the person is a stranger again.
    pub fn unblock(&self, bot: &str, user_id: i64, actor: &Actor, now: i64) -> Result<Change, DirectoryError> {
        let gone = self.sql.run(
            "DELETE FROM person WHERE bot = ?1 AND user_id = ?2 AND state = 'blocked' RETURNING user_id",
            &[bot.into(), user_id.into()],
        )?;
        if gone.is_empty() {
            return Ok(Change::default());
        }
        self.audit(Some(bot), actor, "unblock", &user_id.to_string(), now)?;
        Ok(Change { notices: Vec::new(), access: self.group_changes(bot, user_id, false)? })
    }

    /// Forgets a person, whatever they were: they are a stranger again. Takes ownership with it.
    pub fn remove(
        &self,
        bot: &str,
        user_id: i64,
        actor: &Actor,
        cfg: &Config<'_>,
        now: i64,
    ) -> Result<Change, DirectoryError> {
        let mut change = self.disown(user_id, cfg)?;
        change.notices.extend(self.settle_pairing(bot, user_id, PairingState::Denied, actor, now)?);
        let gone = self
            .sql
            .run("DELETE FROM person WHERE bot = ?1 AND user_id = ?2 RETURNING state", &[bot.into(), user_id.into()])?;
        if gone.is_empty() && change.access.is_empty() {
            return Ok(change);
        }
        self.audit(Some(bot), actor, "remove", &user_id.to_string(), now)?;
        change.access.push(private_change(bot, user_id, Access::Closed));
        Ok(change.without_repeats())
    }

    /// Whether the person owns every bot here.
    pub fn is_owner(&self, user_id: i64, cfg: &Config<'_>) -> Result<bool, DirectoryError> {
        if cfg.owners.contains(&user_id) {
            return Ok(true);
        }
        let query = "SELECT 1 FROM person WHERE state = 'owner' AND user_id = ?1 LIMIT 1";
        Ok(!self.sql.run(query, &[user_id.into()])?.is_empty())
    }

    /// Whether anybody owns the bots.
    pub fn has_owner(&self, cfg: &Config<'_>) -> Result<bool, DirectoryError> {
        if !cfg.owners.is_empty() {
            return Ok(true);
        }
        Ok(!self.sql.run("SELECT 1 FROM person WHERE state = 'owner' LIMIT 1", &[])?.is_empty())
    }

    /// Owners by configuration, then by claim.
    pub fn owners(&self, cfg: &Config<'_>) -> Result<Vec<i64>, DirectoryError> {
        let query = "SELECT DISTINCT user_id FROM person WHERE state = 'owner' ORDER BY user_id LIMIT ?1";
        let mut owners: Vec<i64> = cfg.owners.to_vec();
        for row in self.sql.run(query, &[LIST_LIMIT.into()])? {
            let owner = row.int(0)?;
            if !owners.contains(&owner) {
                owners.push(owner);
            }
        }
        Ok(owners)
    }

    pub(super) fn person(&self, bot: &str, user_id: i64) -> Result<Option<Person>, DirectoryError> {
        let query = format!("SELECT {COLUMNS} FROM person WHERE bot = ?1 AND user_id = ?2");
        self.sql.run(&query, &[bot.into(), user_id.into()])?.first().map(read).transpose()
    }

    /// Keeps name, username and language as last seen; a person not known yet becomes pending. Writes only on change.
    pub(super) fn remember(&self, bot: &str, sender: &Sender, now: i64) -> Result<(), DirectoryError> {
        let name = sender.display_name();
        if let Some(known) = self.person(bot, sender.user_id)?
            && known.name == name
            && known.username == sender.username
            && known.language_code == sender.language_code
        {
            return Ok(());
        }
        self.sql.run(
            "INSERT INTO person (bot, user_id, name, username, language_code, state, since) \
             VALUES (?1, ?2, ?3, ?4, ?5, 'pending', ?6) ON CONFLICT (bot, user_id) DO UPDATE SET \
             name = excluded.name, username = excluded.username, language_code = excluded.language_code",
            &[
                bot.into(),
                sender.user_id.into(),
                name.into(),
                sender.username.clone().into(),
                sender.language_code.clone().into(),
                now.into(),
            ],
        )?;
        Ok(())
    }

    pub(super) fn put_state(
        &self,
        bot: &str,
        user_id: i64,
        state: PersonState,
        actor: &Actor,
        now: i64,
    ) -> Result<(), DirectoryError> {
        self.sql.run(
            "INSERT INTO person (bot, user_id, name, state, since, decided_by) VALUES (?1, ?2, '', ?3, ?4, ?5) \
             ON CONFLICT (bot, user_id) DO UPDATE SET \
             state = excluded.state, since = excluded.since, decided_by = excluded.decided_by",
            &[bot.into(), user_id.into(), state.as_str().into(), now.into(), actor.to_string().into()],
        )?;
        Ok(())
    }

    /// Makes an approved person an owner, of every bot. No change for owners.
    pub fn promote(
        &self,
        bot: &str,
        user_id: i64,
        actor: &Actor,
        cfg: &Config<'_>,
        now: i64,
    ) -> Result<Change, DirectoryError> {
        if self.is_owner(user_id, cfg)? {
            return Ok(Change::default());
        }
        if self.person(bot, user_id)?.is_none_or(|person| person.state != PersonState::Approved) {
            return Err(DirectoryError::NotApproved);
        }
        self.put_state(bot, user_id, PersonState::Owner, actor, now)?;
        self.forget_setting(CLAIM_CODE)?;
        self.audit(Some(bot), actor, "promote", &user_id.to_string(), now)?;
        let access =
            self.bots_of(user_id)?.iter().map(|bot| private_change(bot, user_id, Access::Owner(true))).collect();
        Ok(Change { notices: Vec::new(), access })
    }

    /// Ends an ownership; the person stays approved with the bots that had made them an owner. No change for others.
    pub fn demote(&self, user_id: i64, actor: &Actor, cfg: &Config<'_>, now: i64) -> Result<Change, DirectoryError> {
        if !self.may_disown(user_id, cfg)? {
            return Ok(Change::default());
        }
        self.sql.run(
            "UPDATE person SET state = 'approved', since = ?2, decided_by = ?3 WHERE user_id = ?1 AND state = 'owner'",
            &[user_id.into(), now.into(), actor.to_string().into()],
        )?;
        self.audit(None, actor, "demote", &user_id.to_string(), now)?;
        let mut change = Change::default();
        for bot in self.bots_of(user_id)? {
            // To other bots they were somebody only as an owner.
            let stays = self.person(&bot, user_id)?.is_some_and(|person| person.state == PersonState::Approved);
            change.access.push(private_change(
                &bot,
                user_id,
                if stays { Access::Owner(false) } else { Access::Closed },
            ));
        }
        Ok(change)
    }

    /// Takes a claimed ownership away on every bot; no change for people who own nothing.
    fn disown(&self, user_id: i64, cfg: &Config<'_>) -> Result<Change, DirectoryError> {
        let mut change = Change::default();
        if !self.may_disown(user_id, cfg)? {
            return Ok(change);
        }
        self.sql
            .run("UPDATE person SET state = 'pending' WHERE user_id = ?1 AND state = 'owner'", &[user_id.into()])?;
        for bot in self.bots_of(user_id)? {
            change.access.push(private_change(&bot, user_id, Access::Closed));
            change.access.extend(self.group_changes(&bot, user_id, true)?);
        }
        Ok(change)
    }

    /// Whether the person owns the bots by claim or by promotion, and is not the last who owns them.
    fn may_disown(&self, user_id: i64, cfg: &Config<'_>) -> Result<bool, DirectoryError> {
        if cfg.owners.contains(&user_id) {
            return Err(DirectoryError::ConfiguredOwner);
        }
        if !self.is_owner(user_id, cfg)? {
            return Ok(false);
        }
        if !self.owners(cfg)?.iter().any(|owner| *owner != user_id) {
            return Err(DirectoryError::LastOwner);
        }
        Ok(true)
    }

    /// The bots that know the person.
    fn bots_of(&self, user_id: i64) -> Result<Vec<String>, DirectoryError> {
        let rows = self.sql.run(
            "SELECT bot FROM person WHERE user_id = ?1 ORDER BY bot LIMIT ?2",
            &[user_id.into(), LIST_LIMIT.into()],
        )?;
        Ok(rows.iter().map(|row| row.text(0).map(str::to_owned)).collect::<Result<_, _>>()?)
    }

    /// What changes for one person in each admitted group of `bot`.
    fn group_changes(&self, bot: &str, user_id: i64, closed: bool) -> Result<Vec<AccessChange>, DirectoryError> {
        let groups = self.groups(bot)?;
        let admitted = groups.into_iter().filter(|group| group.state == GroupState::Admitted && group.present);
        let change = |group: super::Group| AccessChange {
            session_prefix: format!("{bot}:{}", group.chat_id),
            user_id: Some(user_id),
            access: if closed { Access::Closed } else { Access::Open { require_mention: group.require_mention } },
        };
        Ok(admitted.map(change).collect())
    }
}

fn private_change(bot: &str, user_id: i64, access: Access) -> AccessChange {
    AccessChange { session_prefix: format!("{bot}:{user_id}"), user_id: None, access }
}

fn read(row: &Row) -> Result<Person, DirectoryError> {
    Ok(Person {
        bot: row.text(0)?.to_owned(),
        user_id: row.int(1)?,
        name: row.text(2)?.to_owned(),
        username: row.opt_text(3)?.map(str::to_owned),
        language_code: row.opt_text(4)?.map(str::to_owned),
        // A word of a newer release lets nobody in.
        state: word(row.text(5)?).unwrap_or(PersonState::Blocked),
        since: row.int(6)?,
        by: row.opt_text(7)?.map(str::to_owned),
    })
}
