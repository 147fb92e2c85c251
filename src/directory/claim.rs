//! The first owner: whoever sends the claim code in private while nobody owns the bots.
//!
//! The code comes from the environment, or is made at first need and shown on the admin page only. It dies when an owner exists.
//! Guessing: 5 wrong codes per sender and hour, 50 in all, then even the right one is refused until the hour is over.

use super::code::{CLAIM_LEN, Code, normal};
use super::exchange::{Actor, Config, Knock, Reason, Sender};
use super::outbox::Notice;
use super::people::PersonState;
use super::settings::CLAIM_CODE;
use super::{Directory, DirectoryError, HOUR, prompt};
use crate::store::Sql;
use crate::text::access;
use subtle::ConstantTimeEq;

/// Wrong codes per sender and hour.
pub const MAX_WRONG_PER_SENDER: i64 = 5;
/// Wrong codes per hour by anybody.
pub const MAX_WRONG: i64 = 50;

impl<S: Sql> Directory<S> {
    /// The claim code to show behind Access; `None` once there is an owner. Makes one at first need.
    pub fn claim_code(&self, cfg: &Config<'_>, random: [u8; 16]) -> Result<Option<String>, DirectoryError> {
        if self.has_owner(cfg)? {
            self.forget_setting(CLAIM_CODE)?;
            return Ok(None);
        }
        if let Some(given) = given(cfg) {
            return Ok(Some(given.to_owned()));
        }
        self.stored_code(random).map(Some)
    }

    /// A private message while nobody owns the bots.
    pub(super) fn claim(
        &self,
        knock: &Knock,
        sender: &Sender,
        cfg: &Config<'_>,
        now: i64,
        random: [u8; 16],
    ) -> Result<(Reason, Vec<Notice>), DirectoryError> {
        let bot = knock.bot.as_str();
        let text = knock.text.as_deref().unwrap_or_default().trim();
        // A code of our own may be typed in any case and spacing; one from the environment is taken literally.
        let (code, shape): (String, fn(&str) -> String) = match given(cfg) {
            Some(given) => (given.to_owned(), |text| text.trim().to_owned()),
            None => (self.stored_code(random)?, normal),
        };
        let payload = start_payload(text);
        let guess = shape(payload.unwrap_or(text));
        // Other texts ("hello") are no guesses: counting them would lock the owner out. The length of a code is no secret.
        if payload.is_none() && guess.len() != code.len() {
            return self.say_once(knock, sender, "no_owner", access::no_owner(sender.lang()), Reason::NoOwner, now);
        }
        if self.guesses_spent(sender.user_id, now)? {
            return self.say_once(
                knock,
                sender,
                "claim_locked",
                access::claim_locked(sender.lang()),
                Reason::ClaimLocked,
                now,
            );
        }
        if !bool::from(guess.as_bytes().ct_eq(code.as_bytes())) {
            self.sql
                .run("INSERT INTO claim_attempt (at, user_id) VALUES (?1, ?2)", &[now.into(), sender.user_id.into()])?;
            let draft = prompt::line(bot, sender.user_id, access::wrong_claim(sender.lang()));
            return Ok((Reason::WrongClaim, self.queue(draft, now)?.into_iter().collect()));
        }
        let actor = Actor::Telegram(sender.user_id);
        self.remember(bot, sender, now)?;
        self.put_state(bot, sender.user_id, PersonState::Owner, &actor, now)?;
        self.audit(Some(bot), &actor, "claim", &sender.user_id.to_string(), now)?;
        self.forget_setting(CLAIM_CODE)?;
        self.sql.run("DELETE FROM claim_attempt", &[])?;
        let draft = prompt::line(bot, sender.user_id, access::claimed(sender.lang()));
        Ok((Reason::Claimed, self.queue(draft, now)?.into_iter().collect()))
    }

    /// Says a line to a sender at most once an hour.
    fn say_once(
        &self,
        knock: &Knock,
        sender: &Sender,
        what: &str,
        text: &str,
        reason: Reason,
        now: i64,
    ) -> Result<(Reason, Vec<Notice>), DirectoryError> {
        let bot = knock.bot.as_str();
        if self.said_lately(bot, what, sender.user_id, now)? {
            return Ok((reason, Vec::new()));
        }
        self.note_said(bot, what, sender.user_id, now)?;
        Ok((reason, self.queue(prompt::line(bot, sender.user_id, text), now)?.into_iter().collect()))
    }

    /// Whether this sender, or everybody together, has used up the wrong codes of the last hour.
    fn guesses_spent(&self, user_id: i64, now: i64) -> Result<bool, DirectoryError> {
        self.sql.run("DELETE FROM claim_attempt WHERE at <= ?1", &[(now - HOUR).into()])?;
        let rows =
            self.sql.run("SELECT count(*), coalesce(sum(user_id = ?1), 0) FROM claim_attempt", &[user_id.into()])?;
        let Some(row) = rows.first() else { return Ok(true) };
        Ok(row.int(0)? >= MAX_WRONG || row.int(1)? >= MAX_WRONG_PER_SENDER)
    }

    /// The code made earlier, or a new one.
    fn stored_code(&self, random: [u8; 16]) -> Result<String, DirectoryError> {
        if let Some(code) = self.setting(CLAIM_CODE)? {
            return Ok(code);
        }
        let bytes: Vec<u8> = random.into_iter().take(CLAIM_LEN).collect();
        let code = Code::from_random(&bytes);
        self.put_setting(CLAIM_CODE, code.as_str())?;
        Ok(code.as_str().to_owned())
    }
}

/// The environment's code; blank counts as absent.
fn given<'a>(cfg: &Config<'a>) -> Option<&'a str> {
    cfg.claim_code.map(str::trim).filter(|code| !code.is_empty())
}

/// What follows `/start`, if anything.
fn start_payload(text: &str) -> Option<&str> {
    let rest = text.strip_prefix("/start")?;
    let payload = rest.strip_prefix(char::is_whitespace)?.trim();
    (!payload.is_empty()).then_some(payload)
}
