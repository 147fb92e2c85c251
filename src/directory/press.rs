//! Our own buttons: an owner decides with one tap.
//!
//! Not here: buttons of conversations, whose data does not start with `dir:`.

use super::code::Code;
use super::exchange::{Actor, Change, Config, Press, Pressed};
use super::groups::GroupState;
use super::outbox::Notice;
use super::pairing::{Decided, Decision};
use super::{Directory, DirectoryError, prompt};
use crate::store::Sql;
use crate::text::access::{self, Ending};

/// A button of ours. Its text form is the callback data, at most 64 bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Button {
    Approve(Code),
    Deny(Code),
    Block(Code),
    AdmitGroup(i64),
    LeaveGroup(i64),
}

impl std::fmt::Display for Button {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Button::Approve(code) => write!(f, "dir:a:{}", code.as_str()),
            Button::Deny(code) => write!(f, "dir:d:{}", code.as_str()),
            Button::Block(code) => write!(f, "dir:b:{}", code.as_str()),
            Button::AdmitGroup(chat_id) => write!(f, "dir:g:{chat_id}"),
            Button::LeaveGroup(chat_id) => write!(f, "dir:l:{chat_id}"),
        }
    }
}

impl Button {
    /// Whether callback data is meant for the Directory.
    pub fn is_ours(data: &str) -> bool {
        data.starts_with("dir:")
    }

    /// Reads callback data; anything else is `None`.
    pub fn parse(data: &str) -> Option<Self> {
        let (kind, rest) = data.strip_prefix("dir:")?.split_once(':')?;
        match kind {
            "a" => Code::pairing(rest).map(Button::Approve),
            "d" => Code::pairing(rest).map(Button::Deny),
            "b" => Code::pairing(rest).map(Button::Block),
            "g" => rest.parse().ok().map(Button::AdmitGroup),
            "l" => rest.parse().ok().map(Button::LeaveGroup),
            _ => None,
        }
    }
}

impl<S: Sql> Directory<S> {
    /// Takes in a press. Safe to repeat: the first decision stands, later ones are told so.
    pub fn press(&self, press: &Press, cfg: &Config<'_>, now: i64) -> Result<Pressed, DirectoryError> {
        let lang = press.sender.lang();
        let answer = |text: &str| Pressed { answer: text.to_owned(), change: Change::default() };
        if press.sender.is_bot || !self.is_owner(press.sender.user_id, cfg)? {
            return Ok(answer(access::toast_not_owner(lang)));
        }
        let Some(button) = Button::parse(&press.data) else { return Ok(answer(access::toast_stale(lang))) };
        self.remember(&press.bot, &press.sender, now)?;
        let actor = Actor::Telegram(press.sender.user_id);
        let decided = match &button {
            Button::Approve(code) => self.decide(&press.bot, code, Decision::Approve, &actor, cfg, now),
            Button::Deny(code) => self.decide(&press.bot, code, Decision::Deny, &actor, cfg, now),
            Button::Block(code) => self.decide(&press.bot, code, Decision::Block, &actor, cfg, now),
            Button::AdmitGroup(chat_id) | Button::LeaveGroup(chat_id) => {
                self.decide_group(&press.bot, *chat_id, matches!(button, Button::AdmitGroup(_)), &actor, now)
            }
        };
        let (text, ending, mut change) = match decided {
            Ok(Decided::Now(ending, change)) => (access::toast_done(lang, ending), ending, change),
            Ok(Decided::Before(ending)) => (access::toast_already(lang, ending), ending, Change::default()),
            Ok(Decided::NoSuchCode) => return Ok(answer(access::toast_stale(lang))),
            Err(DirectoryError::ConfiguredOwner | DirectoryError::LastOwner) => {
                (access::toast_already(lang, Ending::Approved), Ending::Approved, Change::default())
            }
            Err(error) => return Err(error),
        };
        change.notices.extend(self.edit_pressed(press, &button, ending, now)?);
        Ok(Pressed { answer: text.to_owned(), change })
    }

    fn decide_group(
        &self,
        bot: &str,
        chat_id: i64,
        admit: bool,
        actor: &Actor,
        now: i64,
    ) -> Result<Decided, DirectoryError> {
        Ok(match self.group(bot, chat_id)?.map(|group| group.state) {
            None => Decided::NoSuchCode,
            Some(GroupState::Admitted) => Decided::Before(Ending::Admitted),
            Some(GroupState::Blocked) => Decided::Before(Ending::Left),
            Some(GroupState::Pending) if admit => {
                Decided::Now(Ending::Admitted, self.admit_group(bot, chat_id, actor, now)?)
            }
            Some(GroupState::Pending) => Decided::Now(Ending::Left, self.block_group(bot, chat_id, actor, now)?),
        })
    }

    /// The pressed message itself, in case its id was not known to us. Each message is edited once.
    fn edit_pressed(
        &self,
        press: &Press,
        button: &Button,
        ending: Ending,
        now: i64,
    ) -> Result<Option<Notice>, DirectoryError> {
        let (Some(chat_id), Some(message_id)) = (press.chat_id, press.message_id) else { return Ok(None) };
        let lang = press.sender.lang();
        let text = match button {
            Button::Approve(code) | Button::Deny(code) | Button::Block(code) => {
                let Some(user_id) = self.pairing_user(&press.bot, code)? else { return Ok(None) };
                let person = self.person(&press.bot, user_id)?;
                access::owner_prompt_decided(lang, prompt::who(person.as_ref(), user_id), ending, None)
            }
            Button::AdmitGroup(group) | Button::LeaveGroup(group) => {
                access::group_prompt_decided(lang, &self.group_title(&press.bot, *group)?, ending, None)
            }
        };
        self.queue(prompt::edit(&press.bot, chat_id, message_id, &text), now)
    }
}
