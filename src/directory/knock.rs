//! May this update come in? Every rule in one place, closed by default.

use super::exchange::{Admission, ChatKind, Config, Knock, Reason, Sender, Verdict, one_line};
use super::groups::GroupState;
use super::member::Place;
use super::outbox::Notice;
use super::people::PersonState;
use super::settings::{CLAIM_CODE, DmPolicy};
use super::{DAY, Directory, DirectoryError, MINUTE};
use crate::store::Sql;

/// An admission is cached so long at most: what is not pushed (an owner taken off the configuration) holds within this time.
const ADMITTED_FOR: i64 = DAY;
/// The same for strangers under the `open` policy, who have no row to push a change for.
const GUEST_FOR: i64 = MINUTE;

/// A decision before it is written down.
enum Step {
    Admit { owner: bool, require_mention: bool, good_for_ms: i64 },
    Refuse(Reason, Vec<Notice>),
}

impl From<Reason> for Step {
    fn from(reason: Reason) -> Self {
        Step::Refuse(reason, Vec::new())
    }
}

impl<S: Sql> Directory<S> {
    /// Decides about one update. `random` is used only when a code has to be made. A redelivered update gets its old
    /// verdict and causes nothing.
    pub fn knock(
        &self,
        knock: &Knock,
        cfg: &Config<'_>,
        now: i64,
        random: [u8; 16],
    ) -> Result<(Verdict, Vec<Notice>), DirectoryError> {
        if let Some(reason) = self.refused_before(knock, now)? {
            return Ok((refuse(reason), Vec::new()));
        }
        let step = match &knock.chat {
            ChatKind::Private => self.private(knock, cfg, now, random)?,
            ChatKind::Group { title } => self.in_group(knock, title, cfg, now)?,
            ChatKind::Channel => Reason::Channel.into(),
        };
        match step {
            Step::Admit { owner, require_mention, good_for_ms } => {
                let bot = self.bot(&knock.bot)?;
                let bot_user_id = bot.as_ref().and_then(|bot| bot.user_id);
                let bot_username = bot.and_then(|bot| bot.username);
                let admission = Admission { owner, require_mention, bot_username, bot_user_id, good_for_ms };
                Ok((Verdict::Admit(admission), Vec::new()))
            }
            Step::Refuse(reason, notices) => {
                self.note_refusal(knock, reason, now)?;
                Ok((refuse(reason), notices))
            }
        }
    }

    fn private(&self, knock: &Knock, cfg: &Config<'_>, now: i64, random: [u8; 16]) -> Result<Step, DirectoryError> {
        let Some(sender) = &knock.sender else { return Ok(Reason::NoSender.into()) };
        if sender.is_bot {
            return Ok(Reason::Bot.into());
        }
        let bot = knock.bot.as_str();
        if self.is_owner(sender.user_id, cfg)? {
            if self.person(bot, sender.user_id)?.is_none() {
                self.forget_setting(CLAIM_CODE)?;
            }
            self.remember(bot, sender, now)?;
            return Ok(Step::Admit { owner: true, require_mention: false, good_for_ms: ADMITTED_FOR });
        }
        let state = self.person(bot, sender.user_id)?.map(|person| person.state);
        if state == Some(PersonState::Blocked) {
            return Ok(Reason::Blocked.into());
        }
        if !self.has_owner(cfg)? {
            let (reason, notices) = self.claim(knock, sender, cfg, now, random)?;
            return Ok(Step::Refuse(reason, notices));
        }
        let approved = state == Some(PersonState::Approved);
        let policy = self.dm_policy()?;
        if !approved
            && matches!(policy, DmPolicy::Pairing | DmPolicy::Allowlist)
            && let Some((reason, notices)) = self.redeem(knock, sender, cfg, now)?
        {
            return Ok(Step::Refuse(reason, notices));
        }
        Ok(match policy {
            DmPolicy::Disabled => Reason::DmDisabled.into(),
            _ if approved => {
                self.remember(bot, sender, now)?;
                Step::Admit { owner: false, require_mention: false, good_for_ms: ADMITTED_FOR }
            }
            DmPolicy::Open => Step::Admit { owner: false, require_mention: false, good_for_ms: GUEST_FOR },
            DmPolicy::Allowlist => Reason::NotAllowed.into(),
            DmPolicy::Pairing => {
                let (reason, notices) = self.start_pairing(knock, sender, cfg, now, random)?;
                Step::Refuse(reason, notices)
            }
        })
    }

    fn in_group(&self, knock: &Knock, title: &str, cfg: &Config<'_>, now: i64) -> Result<Step, DirectoryError> {
        let bot = knock.bot.as_str();
        // Who speaks as a chat is judged as that chat: the user behind it (`GroupAnonymousBot`) is a stand-in.
        let (speaker, user) = match (knock.sender_chat, &knock.sender) {
            (Some(chat), _) => (chat, None),
            (None, Some(sender)) if sender.is_bot => return Ok(Reason::Bot.into()),
            (None, Some(sender)) => (sender.user_id, Some(sender)),
            (None, None) => return Ok(Reason::NoSender.into()),
        };
        let owner = match user {
            Some(sender) => self.is_owner(sender.user_id, cfg)?,
            None => false,
        };
        let Some(group) = self.group(bot, knock.chat_id)?.filter(|group| group.state == GroupState::Admitted) else {
            return self.in_closed_group(knock, title, user.filter(|_| owner), now);
        };
        let blocked = self.person(bot, speaker)?.is_some_and(|person| person.state == PersonState::Blocked);
        if blocked && !owner {
            return Ok(Reason::Blocked.into());
        }
        let title = one_line(title);
        if group.title != title || !group.present {
            self.sql.run(
                "UPDATE grp SET title = ?3, present = 1 WHERE bot = ?1 AND chat_id = ?2",
                &[bot.into(), knock.chat_id.into(), title.into()],
            )?;
        }
        Ok(Step::Admit { owner, require_mention: group.require_mention, good_for_ms: ADMITTED_FOR })
    }

    /// A group not admitted hears nothing. An owner who speaks in one nobody was asked about is asked in private:
    /// the bot may have been there before we were.
    fn in_closed_group(
        &self,
        knock: &Knock,
        title: &str,
        owner: Option<&Sender>,
        now: i64,
    ) -> Result<Step, DirectoryError> {
        let bot = knock.bot.as_str();
        let known = self.group(bot, knock.chat_id)?;
        let reason = match known.as_ref().map(|group| group.state) {
            Some(GroupState::Blocked) => return Ok(Reason::GroupBlocked.into()),
            Some(_) => Reason::GroupPending,
            None => Reason::GroupUnknown,
        };
        let told = known.is_some_and(|group| group.owners_told_at.is_some());
        let Some(owner) = owner.filter(|_| !told) else { return Ok(reason.into()) };
        self.sql.run(
            "INSERT INTO grp (bot, chat_id, title, state, since) VALUES (?1, ?2, ?3, 'pending', ?4) \
             ON CONFLICT (bot, chat_id) DO NOTHING",
            &[bot.into(), knock.chat_id.into(), one_line(title).into(), now.into()],
        )?;
        let place = Place { bot, chat_id: knock.chat_id, title, update_id: knock.update_id };
        Ok(Step::Refuse(reason, self.ask_owner_of_group(&place, owner, now)?))
    }
}

fn refuse(reason: Reason) -> Verdict {
    Verdict::Refuse { reason, quiet_for_ms: reason.quiet_for_ms() }
}
