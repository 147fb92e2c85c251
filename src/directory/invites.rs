//! Invitations: links `https://t.me/<bot>?start=<code>` that let so many people in, without an owner's tap.
//!
//! A code has 128 random bits, and only its hash is stored: it is shown once, when it is made. A code that opens nothing
//! (wrong, expired, used up, revoked) is treated as any stranger's text, so nobody can find out whether it exists.
//! Guessing: after 5 such codes of one sender within an hour even a good one opens nothing for them. There is no limit
//! for all senders together, as claims have one: 128 bits cannot be guessed, and strangers could lock the door with it.
//! Not here: what approval means (`people`), and policies (`knock`): a code counts under `pairing` and `allowlist` only.

use super::exchange::{Actor, Config, Knock, Reason, Sender};
use super::outbox::Notice;
use super::pairing::MAX_OWNERS_TOLD;
use super::{Directory, DirectoryError, HOUR, LIST_LIMIT, prompt};
use crate::store::{Row, Sql, StoreError, all_or_nothing};
use crate::text::access;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::HashMap;

/// Most people one link lets in.
pub const MAX_USES: i64 = 50;
/// Longest life of a link, in days.
pub const MAX_DAYS: i64 = 365;
/// Life of a link unless said otherwise, in days.
pub const USUAL_DAYS: i64 = 7;
/// Longest note, in characters.
pub const MAX_NOTE: usize = 200;
/// Codes that open nothing, per sender and hour.
pub const MAX_WRONG_PER_SENDER: i64 = 5;
/// Links kept, newest first; older ones end.
const KEEP: i64 = 200;
/// Length of a code: 16 bytes in hex. Telegram takes 64 characters of `A-Za-z0-9_-`.
const CODE_LEN: usize = 32;

/// A link, without its code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invite {
    pub id: i64,
    pub bot: String,
    /// The maker's own words; may be empty.
    pub note: String,
    /// How many people it lets in.
    pub uses: i64,
    pub used: i64,
    /// Unix milliseconds.
    pub created_at: i64,
    /// As in the audit.
    pub created_by: String,
    pub expires_at: i64,
    pub revoked_at: Option<i64>,
    pub state: InviteState,
    /// Who came in with it, first to last.
    pub people: Vec<Invited>,
}

/// Whether a link still opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InviteState {
    Open,
    UsedUp,
    Expired,
    Revoked,
}

/// Somebody who came in with a link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invited {
    pub user_id: i64,
    /// Empty: not known any more.
    pub name: String,
    /// Unix milliseconds.
    pub at: i64,
}

/// What a link is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewInvite<'a> {
    pub bot: &'a str,
    pub note: &'a str,
    /// 1 to [`MAX_USES`]; clamped.
    pub uses: i64,
    /// 1 to [`MAX_DAYS`]; clamped.
    pub days: i64,
}

/// The invite code in `/start <code>`, also as `/start@bot <code>`; whether it is any good is not known yet.
pub fn code_in(text: &str) -> Option<&str> {
    let rest = text.trim().strip_prefix("/start")?;
    let (bot, code) = rest.split_once(' ')?;
    let code = code.trim();
    ((bot.is_empty() || bot.starts_with('@')) && is_code(code)).then_some(code)
}

fn is_code(text: &str) -> bool {
    text.len() == CODE_LEN && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The JSON of an update without the invite codes in it: wherever `/start` is followed by one, an admitted person may
/// have sent it, and a conversation keeps what it is sent.
pub fn without_codes(json: String) -> String {
    const START: &str = "/start";
    let mut kept = String::new();
    let mut rest = json.as_str();
    while let Some((before, after)) = rest.split_once(START) {
        kept.push_str(before);
        kept.push_str(START);
        let word = after.find(' ').unwrap_or(after.len());
        let (bot, tail) = after.split_at(word);
        let code = tail.trim_start_matches(' ').get(..CODE_LEN).filter(|code| is_code(code));
        match code {
            Some(code) if bot.is_empty() || bot.starts_with('@') => {
                kept.push_str(bot);
                rest = tail.trim_start_matches(' ').strip_prefix(code).unwrap_or_default();
            }
            _ => rest = after,
        }
    }
    if kept.is_empty() {
        return json;
    }
    kept.push_str(rest);
    kept
}

fn hash(code: &str) -> String {
    hex(&Sha256::digest(code.to_ascii_lowercase().as_bytes()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl<S: Sql> Directory<S> {
    /// Makes a link and returns its id and its code, which is not kept.
    pub fn make_invite(
        &self,
        invite: &NewInvite<'_>,
        actor: &Actor,
        now: i64,
        random: [u8; 16],
    ) -> Result<(i64, String), DirectoryError> {
        let code = hex(&random);
        let note: String = invite.note.trim().chars().take(MAX_NOTE).collect();
        let expires_at = now + invite.days.clamp(1, MAX_DAYS) * super::DAY;
        let rows = self.sql.run(
            "INSERT INTO invite (bot, hash, note, uses, created_at, created_by, expires_at) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) RETURNING id",
            &[
                invite.bot.into(),
                hash(&code).into(),
                note.into(),
                invite.uses.clamp(1, MAX_USES).into(),
                now.into(),
                actor.to_string().into(),
                expires_at.into(),
            ],
        )?;
        let id = rows.first().ok_or(StoreError::Shape { index: 0 })?.int(0)?;
        self.sql.run("DELETE FROM invite WHERE id <= ?1", &[(id - KEEP).into()])?;
        self.sql.run("DELETE FROM invite_use WHERE invite <= ?1", &[(id - KEEP).into()])?;
        self.audit(Some(invite.bot), actor, "invite", &id.to_string(), now)?;
        Ok((id, code))
    }

    /// Ends a link; false if there is none, or it was revoked before.
    pub fn revoke_invite(&self, id: i64, actor: &Actor, now: i64) -> Result<bool, DirectoryError> {
        let rows = self.sql.run(
            "UPDATE invite SET revoked_at = ?2 WHERE id = ?1 AND revoked_at IS NULL RETURNING bot",
            &[id.into(), now.into()],
        )?;
        let Some(row) = rows.first() else { return Ok(false) };
        self.audit(Some(row.text(0)?), actor, "revoke_invite", &id.to_string(), now)?;
        Ok(true)
    }

    /// Links of one bot, or of all, newest first.
    pub fn invites(&self, bot: Option<&str>, now: i64) -> Result<Vec<Invite>, DirectoryError> {
        let mut people: HashMap<i64, Vec<Invited>> = HashMap::new();
        let uses = self.sql.run(
            "SELECT u.invite, u.user_id, coalesce(p.name, ''), u.at FROM invite_use u \
             JOIN invite i ON i.id = u.invite LEFT JOIN person p ON p.bot = i.bot AND p.user_id = u.user_id \
             WHERE ?1 IS NULL OR i.bot = ?1 ORDER BY u.at, u.user_id LIMIT ?2",
            &[bot.into(), (KEEP * MAX_USES).into()],
        )?;
        for row in &uses {
            let invited = Invited { user_id: row.int(1)?, name: row.text(2)?.to_owned(), at: row.int(3)? };
            people.entry(row.int(0)?).or_default().push(invited);
        }
        let rows = self.sql.run(
            "SELECT id, bot, note, uses, used, created_at, created_by, expires_at, revoked_at FROM invite \
             WHERE ?1 IS NULL OR bot = ?1 ORDER BY id DESC LIMIT ?2",
            &[bot.into(), LIST_LIMIT.into()],
        )?;
        rows.iter().map(|row| Ok(read(row, &mut people, now)?)).collect()
    }

    /// A stranger's private text under a policy that asks for approval. `None`: it opens nothing, whatever it is.
    pub(super) fn redeem(
        &self,
        knock: &Knock,
        sender: &Sender,
        cfg: &Config<'_>,
        now: i64,
    ) -> Result<Option<(Reason, Vec<Notice>)>, DirectoryError> {
        let Some(code) = knock.text.as_deref().and_then(code_in) else { return Ok(None) };
        if self.wrong_codes(sender.user_id, now)? >= MAX_WRONG_PER_SENDER {
            return Ok(None);
        }
        // Nobody is charged a use and then left outside.
        let came_in = all_or_nothing(&self.sql, || {
            self.redeem_steps(&knock.bot, code, sender, cfg, now).map_err(StoreError::from)
        })?;
        if came_in.is_none() {
            self.sql
                .run("INSERT INTO invite_guess (at, user_id) VALUES (?1, ?2)", &[now.into(), sender.user_id.into()])?;
        }
        Ok(came_in.map(|notices| (Reason::Invited, notices)))
    }

    fn redeem_steps(
        &self,
        bot: &str,
        code: &str,
        sender: &Sender,
        cfg: &Config<'_>,
        now: i64,
    ) -> Result<Option<Vec<Notice>>, DirectoryError> {
        // One statement takes the use: of two who come at once, one finds it gone. Nobody comes in twice with the same
        // link: who was removed stays out.
        let taken = self.sql.run(
            "UPDATE invite SET used = used + 1 WHERE hash = ?1 AND bot = ?2 AND revoked_at IS NULL AND expires_at > ?3 \
             AND used < uses AND NOT EXISTS (SELECT 1 FROM invite_use WHERE invite = id AND user_id = ?4) \
             RETURNING id, note",
            &[hash(code).into(), bot.into(), now.into(), sender.user_id.into()],
        )?;
        let Some(row) = taken.first() else { return Ok(None) };
        let (id, note) = (row.int(0)?, row.text(1)?);
        self.sql.run(
            "INSERT INTO invite_use (invite, user_id, at) VALUES (?1, ?2, ?3)",
            &[id.into(), sender.user_id.into(), now.into()],
        )?;
        self.remember(bot, sender, now)?;
        let actor = Actor::Invite(id);
        let change = self.let_in(bot, sender.user_id, &actor, cfg, access::invited, now)?;
        self.queue_pushes(&change, now)?;
        let mut notices = change.notices;
        let person = self.person(bot, sender.user_id)?;
        for owner in self.owners(cfg)?.into_iter().take(MAX_OWNERS_TOLD) {
            let lang = prompt::lang_of(self.person(bot, owner)?.as_ref());
            let text = access::owner_invited(lang, prompt::who(person.as_ref(), sender.user_id), note);
            notices.extend(self.queue(prompt::line(bot, owner, &text), now)?);
        }
        Ok(Some(notices))
    }

    /// Codes of the last hour that opened nothing for this sender.
    fn wrong_codes(&self, user_id: i64, now: i64) -> Result<i64, DirectoryError> {
        self.sql.run("DELETE FROM invite_guess WHERE at <= ?1", &[(now - HOUR).into()])?;
        let rows = self.sql.run("SELECT count(*) FROM invite_guess WHERE user_id = ?1", &[user_id.into()])?;
        Ok(rows.first().map(|row| row.int(0)).transpose()?.unwrap_or(0))
    }

    /// Whether strangers may come in with a link: somebody owns the bots and the policy asks for approval.
    pub fn invites_work(&self, cfg: &Config<'_>) -> Result<bool, DirectoryError> {
        use super::DmPolicy::{Allowlist, Pairing};
        Ok(self.has_owner(cfg)? && matches!(self.dm_policy()?, Pairing | Allowlist))
    }
}

fn read(row: &Row, people: &mut HashMap<i64, Vec<Invited>>, now: i64) -> Result<Invite, StoreError> {
    let (id, uses, used) = (row.int(0)?, row.int(3)?, row.int(4)?);
    let (expires_at, revoked_at) = (row.int(7)?, row.opt_int(8)?);
    let state = if revoked_at.is_some() {
        InviteState::Revoked
    } else if used >= uses {
        InviteState::UsedUp
    } else if expires_at <= now {
        InviteState::Expired
    } else {
        InviteState::Open
    };
    Ok(Invite {
        id,
        bot: row.text(1)?.to_owned(),
        note: row.text(2)?.to_owned(),
        uses,
        used,
        created_at: row.int(5)?,
        created_by: row.text(6)?.to_owned(),
        expires_at,
        revoked_at,
        state,
        people: people.remove(&id).unwrap_or_default(),
    })
}

#[cfg(test)]
mod unit {
    use super::*;

    const CODE: &str = "0123456789abcdef0123456789ABCDEF";

    #[test]
    fn a_code_is_known_by_its_shape() {
        for text in [format!("/start {CODE}"), format!("  /start   {CODE}\n"), format!("/start@tide_bot {CODE}")] {
            assert_eq!(code_in(&text), Some(CODE), "{text:?}");
        }
        for text in [
            CODE.to_owned(),
            format!("/start{CODE}"),
            format!("/start {CODE}0"),
            format!("/starter {CODE}"),
            "/start".into(),
        ] {
            assert_eq!(code_in(&text), None, "{text:?}");
        }
        assert_eq!(code_in(&format!("/start {}", CODE.replace('f', "g"))), None);
    }

    #[test]
    fn an_update_goes_on_without_its_codes() {
        for (with, without) in [
            (format!(r#"{{"text":"/start {CODE}","x":"/start"}}"#), r#"{"text":"/start","x":"/start"}"#),
            (
                format!(r#"{{"text":"\/start@b  {CODE}","r":{{"text":"/start {CODE} now"}}}}"#),
                r#"{"text":"\/start@b","r":{"text":"/start now"}}"#,
            ),
            (r#"{"text":"/start owner-code"}"#.to_owned(), r#"{"text":"/start owner-code"}"#),
            (
                r#"{"text":"/start ы0123456789abcdef0123456789abcd"}"#.to_owned(),
                r#"{"text":"/start ы0123456789abcdef0123456789abcd"}"#,
            ),
            (r#"{"text":"hi"}"#.to_owned(), r#"{"text":"hi"}"#),
        ] {
            assert_eq!(without_codes(with), without);
        }
    }
}
