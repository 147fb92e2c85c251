//! What the control plane asks about people, groups, invitations and refusals, and does about them.
//!
//! The rules, the messages and the audit are those of an owner's buttons in Telegram. Not here: who may ask, and the rules
//! themselves (`people`, `pairing`, `groups`, `invites`, `allowance`).

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::{Desk, Refused, view};
use crate::directory::invites::{MAX_DAYS, MAX_NOTE, MAX_USES};
use crate::directory::{
    AccessChange, Actor, Bot, Change, Code, DAY, Decided, Decision, Directory, DirectoryError, DmPolicy, Group, Invite,
    NewInvite, Pending, Person, Reason, Refusal,
};
use crate::store::Sql;
use crate::text::access::Ending;

/// Rows of one page of a list.
pub const PAGE: usize = 100;
/// Most rows a search looks at.
const MOST_SEARCHED: i64 = 5_000;

/// What can be asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PeopleAsk {
    /// A [`PeopleView`].
    People(Find),
    /// An [`Acted`]. With `code`, about that code: the first decision stands.
    Person { bot: String, user_id: i64, act: PersonAct, code: Option<String> },
    /// An [`Acted`]. `None`: the general cap holds for the person.
    Cap { user_id: i64, nano_usd: Option<u64> },
    /// A [`GroupsView`].
    Groups(Find),
    /// An [`Acted`].
    Group { bot: String, chat_id: i64, act: GroupAct },
    /// An [`InvitesView`].
    Invites(Find),
    /// A [`MadeInvite`].
    Invite { bot: String, note: String, uses: i64, days: i64 },
    /// An [`Acted`].
    Revoke { id: i64 },
    /// A [`RefusalsView`].
    Refusals(Find),
}

/// Which rows of a list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Find {
    /// `None`: all bots.
    pub bot: Option<String>,
    /// A part of a name, title, username or id, in any case; empty: everything.
    pub q: String,
    /// Counts from 1.
    pub page: usize,
}

/// What is done about a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PersonAct {
    Approve,
    Deny,
    Block,
    Unblock,
    Remove,
    Promote,
    Demote,
}

/// What is done about a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GroupAct {
    Admit,
    /// Leave it; who adds the bot again is asked about again.
    Leave,
    /// Leave it, and again whenever a stranger brings the bot back.
    Block,
    /// Forget it: unknown again, and closed.
    Forget,
    /// Answer there only when addressed.
    MentionOn,
    /// Answer everything there.
    MentionOff,
}

/// What an action came to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acted {
    /// False: it was so before.
    pub changed: bool,
    /// Whose access is another one now.
    pub access: Vec<AccessChange>,
}

/// Everybody who matters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeopleView {
    /// Bots whose profile is known.
    pub bots: Vec<Bot>,
    /// Who may write in private.
    pub policy: DmPolicy,
    /// Only while nobody owns the bots.
    pub claim: Option<Claim>,
    /// What each person may spend a day unless they have a cap of their own; `None`: no such cap.
    pub person_cap_nano_usd: Option<u64>,
    /// Those with a code that waits for a decision, oldest first.
    pub waiting: Vec<Waiting>,
    pub owners: Vec<Owner>,
    /// Approved, blocked, and known without being either or waiting; a page of them.
    pub people: Vec<PersonRow>,
    pub page: usize,
    /// There is a further page.
    pub more: bool,
}

/// How the bots get their first owner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// Sent to a bot in private, it makes the sender the owner.
    pub code: String,
    /// One a bot, where its name is known and the code fits a link.
    pub links: Vec<String>,
}

/// Somebody who waits, and for which bot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    pub bot: String,
    #[serde(flatten)]
    pub pending: Pending,
}

/// An owner, of all bots.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    pub user_id: i64,
    /// Empty when never seen.
    pub name: String,
    pub username: Option<String>,
    /// Named in `OWNER_TELEGRAM_IDS`: can only be removed there.
    pub configured: bool,
    /// A bot that knows them; for actions about them.
    pub bot: Option<String>,
}

/// A person who is no owner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonRow {
    #[serde(flatten)]
    pub person: Person,
    /// Their own cap for a day; `None`: the general one.
    pub cap_nano_usd: Option<u64>,
    /// Spent since midnight UTC, with all bots.
    pub today_nano_usd: u64,
}

/// Groups, latest change first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupsView {
    pub bots: Vec<Bot>,
    pub groups: Vec<GroupRow>,
    pub page: usize,
    pub more: bool,
}

/// A group and who brought the bot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupRow {
    #[serde(flatten)]
    pub group: Group,
    /// Empty: not known.
    pub added_by_name: String,
}

/// Invite links, newest first, without their codes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvitesView {
    pub bots: Vec<Bot>,
    /// Links let people in now: somebody owns the bots, and the policy asks for approval.
    pub work: bool,
    pub invites: Vec<Invite>,
}

/// A link just made; nobody can show it again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MadeInvite {
    pub id: i64,
    pub link: String,
    pub expires_at: i64,
}

/// Who was turned away lately, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusalsView {
    pub bots: Vec<Bot>,
    pub refusals: Vec<Refusal>,
    pub page: usize,
    pub more: bool,
}

impl Find {
    fn has_bot(&self, bot: &str) -> bool {
        self.bot.as_deref().is_none_or(|wanted| wanted == bot)
    }

    /// Whether one of `texts`, or `id`, has what is searched for.
    fn fits<'a>(&self, id: Option<i64>, texts: impl IntoIterator<Item = &'a str>) -> bool {
        let wanted = self.q.trim().trim_start_matches('@').to_lowercase();
        wanted.is_empty()
            || id.is_some_and(|id| id.to_string().contains(&wanted))
            || texts.into_iter().any(|text| text.to_lowercase().contains(&wanted))
    }

    fn page(&self) -> usize {
        self.page.max(1)
    }

    /// The wanted page of `rows`, and whether there is a further one.
    fn cut<T>(&self, rows: impl Iterator<Item = T>) -> (Vec<T>, bool) {
        let mut rows = rows.skip((self.page() - 1).saturating_mul(PAGE));
        let page = rows.by_ref().take(PAGE).collect();
        (page, rows.next().is_some())
    }
}

impl<S: Sql> Directory<S> {
    /// Answers one question about people, as JSON.
    pub(super) fn people_desk(&self, ask: &PeopleAsk, desk: &Desk<'_>) -> Result<String, Refused> {
        match ask {
            PeopleAsk::People(find) => view(&self.people_view(find, desk)?),
            PeopleAsk::Groups(find) => view(&self.groups_view(find)?),
            PeopleAsk::Invites(find) => view(&InvitesView {
                bots: self.bots()?,
                work: self.invites_work(desk.cfg)?,
                invites: self.invites(find.bot.as_deref(), desk.now)?,
            }),
            PeopleAsk::Refusals(find) => view(&self.refusals_view(find)?),
            PeopleAsk::Invite { bot, note, uses, days } => {
                view(&self.new_invite(&NewInvite { bot, note, uses: *uses, days: *days }, desk)?)
            }
            action => view(&self.act(action, desk)?),
        }
    }

    fn people_view(&self, find: &Find, desk: &Desk<'_>) -> Result<PeopleView, Refused> {
        let bots = self.bots()?;
        let claim = self
            .claim_code(desk.cfg, desk.random)?
            .map(|code| Claim { links: bots.iter().filter_map(|bot| start_link(bot, &code)).collect(), code });
        let owners = self.owners(desk.cfg)?;
        let (people, more) = self.people_rows(find, &owners, desk.now)?;
        Ok(PeopleView {
            policy: self.dm_policy()?,
            claim,
            person_cap_nano_usd: self.caps(desk.caps)?.person_day_nano_usd,
            waiting: self.waiting(find, desk.now)?,
            owners: self.owner_rows(&owners, desk)?,
            people,
            page: find.page(),
            more,
            bots,
        })
    }

    fn waiting(&self, find: &Find, now: i64) -> Result<Vec<Waiting>, DirectoryError> {
        let bots = self.sql.run("SELECT DISTINCT bot FROM pairing WHERE state = 'waiting' ORDER BY bot", &[])?;
        let mut waiting = Vec::new();
        for row in bots {
            let bot = row.text(0)?;
            for pending in self.pending(bot, now)?.into_iter().filter(|_| find.has_bot(bot)) {
                let names = [pending.name.as_str(), pending.username.as_deref().unwrap_or_default(), &pending.code];
                if find.fits(Some(pending.user_id), names) {
                    waiting.push(Waiting { bot: bot.to_owned(), pending });
                }
            }
        }
        Ok(waiting)
    }

    fn owner_rows(&self, owners: &[i64], desk: &Desk<'_>) -> Result<Vec<Owner>, DirectoryError> {
        let mut rows = Vec::new();
        for &user_id in owners {
            let seen = self.sql.run(
                "SELECT name, username, bot FROM person WHERE user_id = ?1 ORDER BY state <> 'owner', name = '', bot LIMIT 1",
                &[user_id.into()],
            )?;
            let configured = desk.cfg.owners.contains(&user_id);
            let mut owner = Owner { user_id, name: String::new(), username: None, configured, bot: None };
            if let Some(row) = seen.first() {
                owner.name = row.text(0)?.to_owned();
                owner.username = row.opt_text(1)?.map(str::to_owned);
                owner.bot = Some(row.text(2)?.to_owned());
            }
            rows.push(owner);
        }
        Ok(rows)
    }

    fn people_rows(&self, find: &Find, owners: &[i64], now: i64) -> Result<(Vec<PersonRow>, bool), DirectoryError> {
        let people = self.everybody(find.bot.as_deref(), MOST_SEARCHED)?;
        // Who waits for a decision is shown as that.
        let rows = self
            .sql
            .run("SELECT bot, user_id FROM pairing WHERE state = 'waiting' AND expires_at > ?1", &[now.into()])?;
        let mut waiting = Vec::new();
        for row in &rows {
            waiting.push((row.text(0)?, row.int(1)?));
        }
        let fits = |person: &Person| {
            let names = [person.name.as_str(), person.username.as_deref().unwrap_or_default()];
            !owners.contains(&person.user_id)
                && !waiting.contains(&(person.bot.as_str(), person.user_id))
                && find.fits(Some(person.user_id), names)
        };
        let (page, more) = find.cut(people.into_iter().filter(fits));
        let number_by_id = |query: &str, params: &[crate::store::Value]| -> Result<HashMap<i64, u64>, DirectoryError> {
            let rows = self.sql.run(query, params)?;
            Ok(rows
                .iter()
                .map(|row| Ok((row.int(0)?, row.int(1)?.max(0).unsigned_abs())))
                .collect::<Result<_, crate::store::StoreError>>()?)
        };
        let caps = number_by_id("SELECT user_id, nano_usd FROM person_cap LIMIT ?1", &[MOST_SEARCHED.into()])?;
        let today = number_by_id(
            "SELECT person, sum(nano_usd) FROM model_usage WHERE day = ?1 GROUP BY person LIMIT ?2",
            &[now.div_euclid(DAY).into(), MOST_SEARCHED.into()],
        )?;
        let row = |person: Person| PersonRow {
            cap_nano_usd: caps.get(&person.user_id).copied(),
            today_nano_usd: today.get(&person.user_id).copied().unwrap_or(0),
            person,
        };
        Ok((page.into_iter().map(row).collect(), more))
    }

    fn groups_view(&self, find: &Find) -> Result<GroupsView, DirectoryError> {
        let known = self.sql.run("SELECT DISTINCT bot FROM grp ORDER BY bot", &[])?;
        let mut groups = Vec::new();
        for row in known.iter() {
            let bot = row.text(0)?;
            if find.has_bot(bot) {
                groups.extend(self.groups(bot)?);
            }
        }
        groups.sort_by_key(|group| -group.since);
        let (page, more) =
            find.cut(groups.into_iter().filter(|group| find.fits(Some(group.chat_id), [group.title.as_str()])));
        let mut rows = Vec::new();
        for group in page {
            let by = match group.added_by {
                Some(by) => self.person(&group.bot, by)?.map(|person| person.name),
                None => None,
            };
            rows.push(GroupRow { group, added_by_name: by.unwrap_or_default() });
        }
        Ok(GroupsView { bots: self.bots()?, groups: rows, page: find.page(), more })
    }

    fn refusals_view(&self, find: &Find) -> Result<RefusalsView, DirectoryError> {
        let fits = |refusal: &Refusal| {
            let names =
                [refusal.name.as_deref().unwrap_or_default(), refusal.chat_title.as_deref().unwrap_or_default()];
            !matches!(refusal.reason, Reason::Claimed | Reason::Invited)
                && find.has_bot(&refusal.bot)
                && (find.fits(refusal.user_id, names) || find.fits(Some(refusal.chat_id), []))
        };
        let (refusals, more) = find.cut(self.refusals()?.into_iter().filter(fits));
        Ok(RefusalsView { bots: self.bots()?, refusals, page: find.page(), more })
    }

    fn new_invite(&self, invite: &NewInvite<'_>, desk: &Desk<'_>) -> Result<MadeInvite, Refused> {
        let bounded = |name: &str, value: i64, most: i64| match value {
            value if (1..=most).contains(&value) => Ok(()),
            _ => Err(Refused::bad_input(&format!("`{name}` must be 1 to {most}."))),
        };
        bounded("uses", invite.uses, MAX_USES)?;
        bounded("days", invite.days, MAX_DAYS)?;
        if invite.note.chars().count() > MAX_NOTE {
            return Err(Refused::bad_input(&format!("`note` has at most {MAX_NOTE} characters.")));
        }
        if !self.has_owner(desk.cfg)? {
            return Err(Refused::new(409, "no_owner", "The bot has no owner yet: a link would let nobody in."));
        }
        let Some(bot) = self.bot(invite.bot)?.filter(|bot| bot.username.is_some()) else {
            return Err(Refused::new(503, "not_reachable", "Telegram has not told the bot's name yet. Try again."));
        };
        let (id, code) = self.make_invite(invite, desk.who, desk.now, desk.random)?;
        let link = start_link(&bot, &code).unwrap_or_default();
        Ok(MadeInvite { id, link, expires_at: desk.now + invite.days * DAY })
    }

    fn act(&self, action: &PeopleAsk, desk: &Desk<'_>) -> Result<Acted, Refused> {
        let before = self.last_audit()?;
        let (who, now) = (desk.who, desk.now);
        let change = match action {
            PeopleAsk::Person { bot, user_id, act, code } => self.act_on(bot, *user_id, *act, code.as_deref(), desk)?,
            PeopleAsk::Group { bot, chat_id, act } => self.act_on_group(bot, *chat_id, *act, who, now)?,
            PeopleAsk::Cap { user_id, nano_usd } => {
                self.set_own_cap(*user_id, *nano_usd, who, now)?;
                Change::default()
            }
            PeopleAsk::Revoke { id } => {
                if !self.revoke_invite(*id, who, now)? && !self.invites(None, now)?.iter().any(|known| known.id == *id)
                {
                    return Err(Refused::not_found("No such invitation."));
                }
                Change::default()
            }
            // Questions are answered elsewhere.
            _ => Change::default(),
        };
        self.queue_pushes(&change, now)?;
        // Whatever changes anything is in the audit.
        Ok(Acted { changed: self.last_audit()? != before, access: change.access })
    }

    fn act_on(
        &self,
        bot: &str,
        user_id: i64,
        act: PersonAct,
        code: Option<&str>,
        desk: &Desk<'_>,
    ) -> Result<Change, Refused> {
        let (who, cfg, now) = (desk.who, desk.cfg, desk.now);
        let decision = match act {
            PersonAct::Approve => Some(Decision::Approve),
            PersonAct::Deny => Some(Decision::Deny),
            PersonAct::Block => Some(Decision::Block),
            _ => None,
        };
        if let (Some(decision), Some(code)) = (decision, code) {
            return self.decide_by_code(bot, user_id, code, decision, desk);
        }
        Ok(match act {
            PersonAct::Approve => self.approve(bot, user_id, who, cfg, now)?,
            PersonAct::Deny => self.deny(bot, user_id, who, now)?,
            PersonAct::Block => self.block(bot, user_id, who, cfg, now)?,
            PersonAct::Unblock => self.unblock(bot, user_id, who, now)?,
            PersonAct::Remove => self.remove(bot, user_id, who, cfg, now)?,
            PersonAct::Promote => self.promote(bot, user_id, who, cfg, now)?,
            PersonAct::Demote => self.demote(user_id, who, cfg, now)?,
        })
    }

    fn decide_by_code(
        &self,
        bot: &str,
        user_id: i64,
        code: &str,
        decision: Decision,
        desk: &Desk<'_>,
    ) -> Result<Change, Refused> {
        let unknown = || Refused::not_found("No such code.");
        let code = Code::pairing(code).ok_or_else(unknown)?;
        if self.pairing_user(bot, &code)? != Some(user_id) {
            return Err(unknown());
        }
        match self.decide(bot, &code, decision, desk.who, desk.cfg, desk.now)? {
            Decided::Now(_, change) => Ok(change),
            Decided::Before(ending) => Err(Refused::conflict(match ending {
                Ending::Approved => "This person was approved meanwhile.",
                Ending::Denied => "This person was denied meanwhile.",
                Ending::Blocked => "This person was blocked meanwhile.",
                _ => "The code has expired. The person can ask again.",
            })),
            Decided::NoSuchCode => Err(unknown()),
        }
    }

    fn act_on_group(
        &self,
        bot: &str,
        chat_id: i64,
        act: GroupAct,
        who: &Actor,
        now: i64,
    ) -> Result<Change, DirectoryError> {
        if self.group(bot, chat_id)?.is_none() && act != GroupAct::Admit {
            return Err(DirectoryError::UnknownGroup);
        }
        match act {
            GroupAct::Admit => self.admit_group(bot, chat_id, who, now),
            GroupAct::Leave => self.leave_group(bot, chat_id, who, now),
            GroupAct::Block => self.block_group(bot, chat_id, who, now),
            GroupAct::Forget => self.forget_group(bot, chat_id, who, now),
            GroupAct::MentionOn => self.set_require_mention(bot, chat_id, true, who, now),
            GroupAct::MentionOff => self.set_require_mention(bot, chat_id, false, who, now),
        }
    }

    fn last_audit(&self) -> Result<Option<i64>, DirectoryError> {
        let rows = self.sql.run("SELECT max(id) FROM audit", &[])?;
        Ok(rows.first().map(|row| row.opt_int(0)).transpose()?.flatten())
    }
}

/// The link that says `/start <code>` to a bot. A code from the environment may have signs that a link cannot carry.
fn start_link(bot: &Bot, code: &str) -> Option<String> {
    let fits = (1..=64).contains(&code.len())
        && code.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
    let username = bot.username.as_deref().filter(|_| fits)?;
    Some(format!("https://t.me/{username}?start={code}"))
}
