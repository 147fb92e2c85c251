//! Pairing: a stranger gets a code, owners get a prompt, the first decision stands.
//!
//! Limits (OpenClaw's): a code lives one hour, at most three wait per bot, one prompt per sender and hour.
//! Not here: what approval means afterwards (`people`).

use super::code::{Code, PAIRING_LEN};
use super::exchange::{Actor, Change, Config, Knock, Reason, Sender};
use super::outbox::{Notice, NoticeState};
use super::{DAY, Directory, DirectoryError, HOUR, prompt, word};
use crate::store::{Row, Sql};
use crate::text::access::{self, Ending, Who};
use serde::{Deserialize, Serialize};

/// Most codes waiting per bot.
pub const MAX_WAITING: i64 = 3;
/// Most owners asked about one event.
pub(super) const MAX_OWNERS_TOLD: usize = 10;
const SAID: &str = "pairing";

/// State of a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PairingState {
    Waiting,
    Approved,
    Denied,
    Blocked,
    Expired,
}

impl PairingState {
    fn as_str(self) -> &'static str {
        match self {
            PairingState::Waiting => "waiting",
            PairingState::Approved => "approved",
            PairingState::Denied => "denied",
            PairingState::Blocked => "blocked",
            PairingState::Expired => "expired",
        }
    }

    fn ending(self) -> Ending {
        match self {
            PairingState::Approved => Ending::Approved,
            PairingState::Denied => Ending::Denied,
            PairingState::Blocked => Ending::Blocked,
            PairingState::Waiting | PairingState::Expired => Ending::Expired,
        }
    }
}

/// Somebody who waits for an owner's word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    pub code: String,
    pub user_id: i64,
    pub name: String,
    pub username: Option<String>,
    /// Unix milliseconds.
    pub created_at: i64,
    pub expires_at: i64,
}

/// What an owner says about a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    Approve,
    Deny,
    Block,
}

/// What came of a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decided {
    /// This decision stands.
    Now(Ending, Change),
    /// The code was decided, or had expired, before.
    Before(Ending),
    /// No such code for this bot.
    NoSuchCode,
}

struct Pairing {
    user_id: i64,
    state: PairingState,
}

impl<S: Sql> Directory<S> {
    /// Those who wait at `now`, oldest first.
    pub fn pending(&self, bot: &str, now: i64) -> Result<Vec<Pending>, DirectoryError> {
        let rows = self.sql.run(
            "SELECT p.code, p.user_id, coalesce(h.name, ''), h.username, p.created_at, p.expires_at FROM pairing p \
             LEFT JOIN person h ON h.bot = p.bot AND h.user_id = p.user_id \
             WHERE p.bot = ?1 AND p.state = 'waiting' AND p.expires_at > ?2 ORDER BY p.created_at",
            &[bot.into(), now.into()],
        )?;
        let pending = |row: &Row| {
            Ok(Pending {
                code: row.text(0)?.to_owned(),
                user_id: row.int(1)?,
                name: row.text(2)?.to_owned(),
                username: row.opt_text(3)?.map(str::to_owned),
                created_at: row.int(4)?,
                expires_at: row.int(5)?,
            })
        };
        rows.iter().map(pending).collect()
    }

    /// An owner decides about a code: from a button, the admin page, or a command.
    pub fn decide(
        &self,
        bot: &str,
        code: &Code,
        decision: Decision,
        actor: &Actor,
        cfg: &Config<'_>,
        now: i64,
    ) -> Result<Decided, DirectoryError> {
        self.expire_pairings(now)?;
        let Some(pairing) = self.pairing(bot, code)? else { return Ok(Decided::NoSuchCode) };
        if pairing.state != PairingState::Waiting {
            return Ok(Decided::Before(pairing.state.ending()));
        }
        let user_id = pairing.user_id;
        Ok(match decision {
            Decision::Approve => Decided::Now(Ending::Approved, self.approve(bot, user_id, actor, cfg, now)?),
            Decision::Deny => Decided::Now(Ending::Denied, self.deny(bot, user_id, actor, now)?),
            Decision::Block => Decided::Now(Ending::Blocked, self.block(bot, user_id, actor, cfg, now)?),
        })
    }

    /// A stranger knocks under the `pairing` policy.
    pub(super) fn start_pairing(
        &self,
        knock: &Knock,
        sender: &Sender,
        cfg: &Config<'_>,
        now: i64,
        random: [u8; 16],
    ) -> Result<(Reason, Vec<Notice>), DirectoryError> {
        self.expire_pairings(now)?;
        let bot = knock.bot.as_str();
        if self.said_lately(bot, SAID, sender.user_id, now)? {
            return Ok((Reason::PairingWaiting, Vec::new()));
        }
        let waiting =
            self.sql.run("SELECT count(*) FROM pairing WHERE bot = ?1 AND state = 'waiting'", &[bot.into()])?;
        if waiting.first().map(|row| row.int(0)).transpose()?.unwrap_or(0) >= MAX_WAITING {
            return Ok((Reason::PairingFull, Vec::new()));
        }
        let Some(code) = self.make_pairing(bot, sender.user_id, now, random)? else {
            return Ok((Reason::PairingFull, Vec::new()));
        };
        self.note_said(bot, SAID, sender.user_id, now)?;
        self.remember(bot, sender, now)?;

        let text = access::stranger_prompt(sender.lang(), code.as_str(), sender.user_id);
        let mut notices = Vec::new();
        notices.extend(self.queue(prompt::line(bot, sender.user_id, &text), now)?);
        let name = sender.display_name();
        let who = Who { name: &name, username: sender.username.as_deref(), user_id: sender.user_id };
        for owner in self.owners(cfg)?.into_iter().take(MAX_OWNERS_TOLD) {
            let lang = prompt::lang_of(self.person(bot, owner)?.as_ref());
            notices.extend(self.queue(prompt::pairing(bot, owner, lang, who, &code), now)?);
        }
        Ok((Reason::PairingStarted, notices))
    }

    /// Closes what a person has waiting and edits its prompts. Nothing waiting: nothing happens.
    pub(super) fn settle_pairing(
        &self,
        bot: &str,
        user_id: i64,
        state: PairingState,
        actor: &Actor,
        now: i64,
    ) -> Result<Vec<Notice>, DirectoryError> {
        let rows = self.sql.run(
            "UPDATE pairing SET state = ?3 WHERE bot = ?1 AND user_id = ?2 AND state = 'waiting' RETURNING code",
            &[bot.into(), user_id.into(), state.as_str().into()],
        )?;
        let mut notices = Vec::new();
        for row in rows {
            let Some(code) = Code::pairing(row.text(0)?) else { continue };
            let person = self.person(bot, user_id)?;
            let by = self.actor_name(bot, actor)?;
            let about = prompt::about_pairing(&code);
            notices.extend(self.edit_prompts(bot, &about, now, |lang| {
                access::owner_prompt_decided(lang, prompt::who(person.as_ref(), user_id), state.ending(), by.as_deref())
            })?);
        }
        Ok(notices)
    }

    /// Edits every prompt about `about`; one that has not left yet is cancelled.
    pub(super) fn edit_prompts(
        &self,
        bot: &str,
        about: &str,
        now: i64,
        text: impl Fn(crate::text::Lang) -> String,
    ) -> Result<Vec<Notice>, DirectoryError> {
        let mut notices = Vec::new();
        for shown in self.prompts(about)? {
            match (shown.state, shown.message_id) {
                (NoticeState::Waiting, _) => self.cancel(shown.id)?,
                (NoticeState::Sent, Some(message_id)) => {
                    let lang = prompt::lang_of(self.person(bot, shown.chat_id)?.as_ref());
                    notices.extend(self.queue(prompt::edit(bot, shown.chat_id, message_id, &text(lang)), now)?);
                }
                _ => {}
            }
        }
        Ok(notices)
    }

    /// Name of a Telegram actor, if known.
    pub(super) fn actor_name(&self, bot: &str, actor: &Actor) -> Result<Option<String>, DirectoryError> {
        let Actor::Telegram(id) = actor else { return Ok(None) };
        Ok(self.person(bot, *id)?.map(|person| person.name).filter(|name| !name.is_empty()))
    }

    /// Ends codes whose hour is over, forgets who asked with them, and drops what is a day older.
    fn expire_pairings(&self, now: i64) -> Result<(), DirectoryError> {
        let rows = self.sql.run(
            "UPDATE pairing SET state = 'expired' WHERE state = 'waiting' AND expires_at <= ?1 RETURNING bot, user_id",
            &[now.into()],
        )?;
        for row in rows {
            self.sql.run(
                "DELETE FROM person WHERE bot = ?1 AND user_id = ?2 AND state = 'pending'",
                &[row.text(0)?.into(), row.int(1)?.into()],
            )?;
        }
        self.sql.run("DELETE FROM pairing WHERE expires_at <= ?1", &[(now - DAY).into()])?;
        Ok(())
    }

    fn make_pairing(
        &self,
        bot: &str,
        user_id: i64,
        now: i64,
        random: [u8; 16],
    ) -> Result<Option<Code>, DirectoryError> {
        // Two draws: a code that is still remembered is not given out again.
        for bytes in random.chunks(PAIRING_LEN) {
            let code = Code::from_random(bytes);
            let made = self.sql.run(
                "INSERT INTO pairing (code, bot, user_id, state, created_at, expires_at) \
                 VALUES (?1, ?2, ?3, 'waiting', ?4, ?5) ON CONFLICT (code) DO NOTHING RETURNING code",
                &[code.as_str().into(), bot.into(), user_id.into(), now.into(), (now + HOUR).into()],
            )?;
            if !made.is_empty() {
                return Ok(Some(code));
            }
        }
        Ok(None)
    }

    /// Whose code it is.
    pub(super) fn pairing_user(&self, bot: &str, code: &Code) -> Result<Option<i64>, DirectoryError> {
        Ok(self.pairing(bot, code)?.map(|pairing| pairing.user_id))
    }

    fn pairing(&self, bot: &str, code: &Code) -> Result<Option<Pairing>, DirectoryError> {
        let rows = self.sql.run(
            "SELECT user_id, state FROM pairing WHERE code = ?1 AND bot = ?2",
            &[code.as_str().into(), bot.into()],
        )?;
        let Some(row) = rows.first() else { return Ok(None) };
        // A word of a newer release cannot be decided here.
        let state = word(row.text(1)?).unwrap_or(PairingState::Expired);
        Ok(Some(Pairing { user_id: row.int(0)?, state }))
    }
}
