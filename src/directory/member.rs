//! The bot was added to a group, or is no longer in it.
//!
//! Nothing is ever said in a group nobody admitted: owners are asked in their private chats.

use super::exchange::{Access, Actor, Change, ChatKind, Config, Member, Sender, one_line};
use super::groups::{GroupState, group_change};
use super::outbox::Notice;
use super::pairing::MAX_OWNERS_TOLD;
use super::{Directory, DirectoryError, prompt};
use crate::store::Sql;
use crate::text::access::{self, Who};

/// Most groups of strangers an hour that owners are asked about; further ones only show on the admin page.
pub const MAX_STRANGE_GROUPS: i64 = 5;
/// Most groups known that were not admitted; the oldest are forgotten.
const MAX_UNADMITTED: i64 = 200;
const SAID: &str = "group";

/// Where an update about a group came from.
pub(super) struct Place<'a> {
    pub bot: &'a str,
    pub chat_id: i64,
    pub title: &'a str,
    pub update_id: i64,
}

impl<S: Sql> Directory<S> {
    /// Takes in a `my_chat_member` update. Only groups matter.
    pub fn member(&self, member: &Member, cfg: &Config<'_>, now: i64) -> Result<Change, DirectoryError> {
        let ChatKind::Group { title } = &member.chat else { return Ok(Change::default()) };
        let (bot, chat_id) = (member.bot.as_str(), member.chat_id);
        if !member.present {
            return self.left(bot, chat_id, &member.by, now);
        }
        let place = Place { bot, chat_id, title, update_id: member.update_id };
        let by_owner = !member.by.is_bot && self.is_owner(member.by.user_id, cfg)?;
        let known = self.group(bot, chat_id)?;
        self.sql.run(
            "INSERT INTO grp (bot, chat_id, title, state, since, added_by) VALUES (?1, ?2, ?3, 'pending', ?4, ?5) \
             ON CONFLICT (bot, chat_id) DO UPDATE SET title = excluded.title, present = 1, \
             added_by = CASE WHEN present = 0 THEN excluded.added_by ELSE added_by END",
            &[bot.into(), chat_id.into(), one_line(title).into(), now.into(), member.by.user_id.into()],
        )?;
        let back = known.as_ref().is_none_or(|group| !group.present);
        if back {
            self.audit(Some(bot), &Actor::Telegram(member.by.user_id), "added", &chat_id.to_string(), now)?;
        }
        let mut change = Change::default();
        match known.as_ref().map(|group| group.state) {
            Some(GroupState::Admitted) => {}
            Some(GroupState::Blocked) if by_owner && back => {
                self.sql.run(
                    "UPDATE grp SET state = 'pending', since = ?3 WHERE bot = ?1 AND chat_id = ?2",
                    &[bot.into(), chat_id.into(), now.into()],
                )?;
                change.notices = self.ask_owner_of_group(&place, &member.by, now)?;
            }
            Some(GroupState::Blocked) => change.notices.extend(self.queue(prompt::leave(bot, chat_id), now)?),
            Some(GroupState::Pending) | None => {
                let told = known.as_ref().is_some_and(|group| group.owners_told_at.is_some());
                if by_owner && (back || !told) {
                    change.notices = self.ask_owner_of_group(&place, &member.by, now)?;
                } else if !by_owner && !told {
                    change.notices = self.ask_owners_of_strange_group(&place, &member.by, cfg, now)?;
                }
            }
        }
        self.trim_groups(bot)?;
        Ok(change)
    }

    /// Asks the owner who brought the bot, or who spoke in a group we had not heard of.
    pub(super) fn ask_owner_of_group(
        &self,
        place: &Place<'_>,
        owner: &Sender,
        now: i64,
    ) -> Result<Vec<Notice>, DirectoryError> {
        self.note_told(place, now)?;
        let text = access::group_prompt_yours(owner.lang(), &shown(place));
        let draft = prompt::group(place.bot, owner.user_id, owner.lang(), &text, place.chat_id, place.update_id);
        Ok(self.queue(draft, now)?.into_iter().collect())
    }

    fn ask_owners_of_strange_group(
        &self,
        place: &Place<'_>,
        by: &Sender,
        cfg: &Config<'_>,
        now: i64,
    ) -> Result<Vec<Notice>, DirectoryError> {
        let owners = self.owners(cfg)?;
        if owners.is_empty() || self.said_count(place.bot, SAID, now)? >= MAX_STRANGE_GROUPS {
            return Ok(Vec::new());
        }
        self.note_said(place.bot, SAID, place.chat_id, now)?;
        self.note_told(place, now)?;
        let name = by.display_name();
        let who = Who { name: &name, username: by.username.as_deref(), user_id: by.user_id };
        let mut notices = Vec::new();
        for owner in owners.into_iter().take(MAX_OWNERS_TOLD) {
            let lang = prompt::lang_of(self.person(place.bot, owner)?.as_ref());
            let text = access::group_prompt_stranger(lang, &shown(place), who);
            notices
                .extend(self.queue(prompt::group(place.bot, owner, lang, &text, place.chat_id, place.update_id), now)?);
        }
        Ok(notices)
    }

    /// The bot is out: the state stays, the sessions close.
    fn left(&self, bot: &str, chat_id: i64, by: &Sender, now: i64) -> Result<Change, DirectoryError> {
        let rows = self.sql.run(
            "UPDATE grp SET present = 0 WHERE bot = ?1 AND chat_id = ?2 AND present = 1 RETURNING state",
            &[bot.into(), chat_id.into()],
        )?;
        if rows.is_empty() {
            return Ok(Change::default());
        }
        self.audit(Some(bot), &Actor::Telegram(by.user_id), "left", &chat_id.to_string(), now)?;
        Ok(Change { notices: Vec::new(), access: vec![group_change(bot, chat_id, Access::Closed)] })
    }

    fn note_told(&self, place: &Place<'_>, now: i64) -> Result<(), DirectoryError> {
        self.sql.run(
            "UPDATE grp SET owners_told_at = ?3 WHERE bot = ?1 AND chat_id = ?2",
            &[place.bot.into(), place.chat_id.into(), now.into()],
        )?;
        Ok(())
    }

    fn trim_groups(&self, bot: &str) -> Result<(), DirectoryError> {
        self.sql.run(
            "DELETE FROM grp WHERE bot = ?1 AND chat_id IN (SELECT chat_id FROM grp WHERE bot = ?1 AND \
             state <> 'admitted' ORDER BY since DESC LIMIT -1 OFFSET ?2)",
            &[bot.into(), MAX_UNADMITTED.into()],
        )?;
        Ok(())
    }
}

/// Title as shown to owners.
fn shown(place: &Place<'_>) -> String {
    let title = one_line(place.title);
    if title.is_empty() { place.chat_id.to_string() } else { title }
}
