//! An update arrived: decide what it is, store it with what it starts, and say what rides in the webhook's own answer.
//!
//! All of it is synchronous: the platform makes the rows and the alarm durable together before anything leaves the
//! object, so a 200 means "stored" (DESIGN §3.1).

use serde::{Deserialize, Serialize};

use super::conversation::{Conversation, WATCHDOG_MS};
use super::inbox::{self, Entry, Waiting};
use super::meter::RIDE_MS;
use super::model_call::DRAFTS_PER_TURN;
use super::outbox::Slot;
use super::ports::Ports;
use super::{gather, turn};
use crate::directory::{Access, AccessChange, Admission};
use crate::store::{Sql, StoreError, to_json};
use crate::telegram::command::{self, is_stop_word};
use crate::telegram::content::{self, Content};
use crate::telegram::message::{Message, User};
use crate::telegram::method::{SendOptions, typing};
use crate::telegram::update::{Update, UpdateKind};
use crate::text::{self, Lang};

/// What the Worker does next with an update.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Accepted {
    /// Stored (now or earlier). `reply` is a Bot API call for the webhook's answer; `work`: call [`Conversation::work`].
    Stored { reply: Option<String>, work: bool },
    /// This object does not know whether it may talk: ask the Directory and come again with its word.
    NotAdmitted,
}

impl Accepted {
    pub(super) fn quiet() -> Accepted {
        Accepted::Stored { reply: None, work: false }
    }

    pub(super) fn work() -> Accepted {
        Accepted::Stored { reply: None, work: true }
    }
}

/// Longest title kept, in characters.
const MAX_TITLE: usize = 128;
/// Longest stored excerpt of an update we do not understand, in bytes.
const MAX_RECORD: usize = 4_096;

impl<S: Sql, P: Ports> Conversation<S, P> {
    /// Stores one update. `session` is this object's name; `admission` the Directory's word, if the Worker brought one.
    pub fn accept(&self, session: &str, body: &str, admission: Option<Admission>) -> Result<Accepted, StoreError> {
        let accepted = self.atomically(|| self.accept_whole(session, body, admission))?;
        if accepted != Accepted::NotAdmitted {
            self.note_news();
        }
        if accepted == Accepted::quiet() {
            // Nobody works on it, who would set the alarm.
            self.alarm_by(self.ports.now() + RIDE_MS);
        }
        Ok(accepted)
    }

    fn accept_whole(&self, session: &str, body: &str, admission: Option<Admission>) -> Result<Accepted, StoreError> {
        self.change(|settings| {
            if settings.session.is_none() {
                settings.session = Some(session.to_owned());
            }
            if admission.is_some() {
                settings.admission = admission.clone();
            }
        })?;
        let Some(admission) = self.settings.borrow().admission.clone() else { return Ok(Accepted::NotAdmitted) };
        let Ok(update) = Update::decode(body) else { return Ok(Accepted::quiet()) };
        if let Some(reason) = refusal(&update, &self.settings.borrow().blocked) {
            return self.drop_update(&update, reason);
        }
        let lang = update.sender().and_then(|user| user.language_code.as_deref());
        let title = title_of(&update);
        if lang.is_some() || title.is_some() {
            self.change(|settings| {
                if lang.is_some() {
                    settings.lang = Lang::from_code(lang);
                }
                settings.title = title.unwrap_or(std::mem::take(&mut settings.title));
            })?;
        }
        match &update.kind {
            UpdateKind::Message(message) => self.accept_message(&update, message, body, &admission),
            UpdateKind::Edited(message) => self.accept_edit(&update, message, &admission),
            UpdateKind::Callback(callback) => self.accept_press(&update, callback),
            UpdateKind::Stopped(stopped) => self.accept_draft_stop(&update, stopped.draft_id),
            UpdateKind::Membership(_) | UpdateKind::Unknown(_) => self.record(&update, body),
        }
    }

    /// Takes over a change of access. Taken back: what runs ends, what waits is dropped, the next message knocks again.
    pub fn change_access(&self, change: &AccessChange) -> Result<(), StoreError> {
        match (&change.access, change.user_id) {
            (Access::Open { .. }, Some(user)) => self.change(|settings| settings.blocked.retain(|&id| id != user)),
            (Access::Closed, Some(user)) => self.change(|settings| {
                if !settings.blocked.contains(&user) {
                    settings.blocked.push(user);
                }
            }),
            (Access::Open { require_mention }, None) => self.change(|settings| {
                if let Some(admission) = &mut settings.admission {
                    admission.require_mention = *require_mention;
                }
            }),
            (Access::Closed, None) => {
                self.change(|settings| settings.admission = None)?;
                inbox::close_waiting(&self.sql, "dropped", "access was taken back")?;
                for asked in inbox::compactions(&self.sql)? {
                    inbox::close(&self.sql, asked.seq, "dropped", Some("access was taken back"), None)?;
                }
                self.live.came.raise();
                self.stop_turn()?;
                self.note_news();
                Ok(())
            }
        }
    }

    fn accept_message(
        &self,
        update: &Update,
        message: &Message,
        body: &str,
        admission: &Admission,
    ) -> Result<Accepted, StoreError> {
        let username = admission.bot_username.as_deref();
        if let Some(chat) = message.migrate_to_chat_id {
            self.change(|settings| settings.moved_to = Some(chat))?;
            return self.record(update, body);
        }
        let album = message.media_group_id.as_deref();
        if !message.chat.is_private()
            && admission.require_mention
            && !content::is_addressed(message, bot_id(admission), username)
            && !self.waits_with(album)?
        {
            return self.drop_update(update, "not addressed to the bot");
        }
        if let Some(command) = command::parse(message, username) {
            return self.accept_command(update, message, &command);
        }
        let content = Content::read(message, bot_id(admission), username);
        let idle = self.live.idle.get();
        let busy = !idle && turn::is_open(&self.sql)?;
        if is_stop_word(&content.text) && content.attachments.is_empty() && (busy || self.anything_waits()?) {
            return self.accept_stop(update, "stop word");
        }
        if content.is_empty() {
            return self.accept_unreadable(update, message, body);
        }
        let now = self.ports.now();
        let first = if idle { None } else { inbox::first_waiting(&self.sql)? };
        let ready_at = gather::ready_at(&content, album.is_some(), now, first);
        let entry = Entry {
            update_id: update.id,
            kind: "message",
            message_id: Some(message.message_id),
            media_group: album,
            user_id: update.sender().map(|user| user.id),
            content: Some(to_json(&content)?),
            ready_at,
            ..Entry::default()
        };
        let Some(seq) = inbox::insert(&self.sql, entry, now)? else { return Ok(Accepted::quiet()) };
        self.live.idle.set(false);
        self.live.came.raise();
        let commented = busy && content.forwarded_from.is_some() && self.take_back_turn(now)?;
        if first.is_some() || commented {
            inbox::set_ready(&self.sql, ready_at)?;
        }
        if busy && !commented {
            if first.is_none() {
                let options = SendOptions { silent: true, ..SendOptions::default() };
                self.say(Slot::Notice, None, text::chat::queued(self.settings.borrow().lang), &options)?;
            }
            self.alarm_by(now + WATCHDOG_MS);
            return Ok(Accepted::work());
        }
        self.alarm_by(if ready_at > now { ready_at } else { now + WATCHDOG_MS });
        let started = if first.is_some() || commented {
            self.begin_due_turn()?
        } else {
            // It waits alone: no need to read it back.
            let media_group = album.map(str::to_owned);
            self.begin_turn_of(&[Waiting {
                seq,
                message_id: message.message_id,
                ready_at,
                received_at: now,
                media_group,
                user_id: update.sender().map(|user| user.id),
                content,
            }])?
        };
        // The typing sign rides in the webhook's answer: no call, no wait (telegram.md §2).
        let reply = started.then(|| typing(self.target()).into_webhook_reply());
        Ok(Accepted::Stored { reply, work: true })
    }

    /// True if there is something for a stop word to stop besides a turn.
    fn anything_waits(&self) -> Result<bool, StoreError> {
        Ok(inbox::has_waiting(&self.sql)? || !inbox::compactions(&self.sql)?.is_empty())
    }

    /// True if rows of the same album already wait: its other items carry no caption and so no mention.
    fn waits_with(&self, album: Option<&str>) -> Result<bool, StoreError> {
        let Some(album) = album else { return Ok(false) };
        Ok(inbox::waiting(&self.sql)?.iter().any(|row| row.media_group.as_deref() == Some(album)))
    }

    /// A message with nothing in it that we know: a service message, or something newer than this release.
    fn accept_unreadable(&self, update: &Update, message: &Message, body: &str) -> Result<Accepted, StoreError> {
        if !message.chat.is_private() || content::is_service(body) {
            return self.record(update, body);
        }
        let fresh = self.insert_closed(update, Some(message.message_id), "recorded", "cannot be read yet")?;
        if !fresh {
            return Ok(Accepted::quiet());
        }
        let lang = self.settings.borrow().lang;
        self.say(Slot::Notice, None, text::chat::cannot_read_this(lang), &SendOptions::default())?;
        self.alarm_by(self.ports.now() + WATCHDOG_MS);
        Ok(Accepted::work())
    }

    /// Stops outside the turn's lane: the running model call ends at once, what waits is dropped (DESIGN §3.6).
    pub(super) fn accept_stop(&self, update: &Update, how: &str) -> Result<Accepted, StoreError> {
        if !self.insert_closed(update, None, "stop", how)? {
            return Ok(Accepted::quiet());
        }
        inbox::close_waiting(&self.sql, "dropped", "stopped by the person")?;
        self.stop_compactions()?;
        self.stop_turn()?;
        self.alarm_by(self.ports.now() + WATCHDOG_MS);
        Ok(Accepted::work())
    }

    /// Telegram's own Stop button under a draft: counts only for the turn that shows this draft.
    fn accept_draft_stop(&self, update: &Update, draft_id: i64) -> Result<Accepted, StoreError> {
        let shown_by = draft_id / DRAFTS_PER_TURN;
        if turn::open(&self.sql)?.is_some_and(|turn| turn.id == shown_by) {
            return self.accept_stop(update, &format!("draft {draft_id}"));
        }
        self.drop_update(update, "a draft of a turn that is over")
    }

    /// Asks the open turn to end. False if none is open.
    pub(super) fn stop_turn(&self) -> Result<bool, StoreError> {
        if !turn::is_open(&self.sql)? {
            return Ok(false);
        }
        turn::request_stop(&self.sql)?;
        self.live.stop.raise();
        Ok(true)
    }

    /// Stores an update that needs no further work. False if it was stored before.
    pub(super) fn insert_closed(
        &self,
        update: &Update,
        message_id: Option<i64>,
        outcome: &str,
        detail: &str,
    ) -> Result<bool, StoreError> {
        let entry = Entry {
            update_id: update.id,
            kind: update.kind_name(),
            message_id,
            outcome: Some(outcome),
            detail: Some(detail),
            ..Entry::default()
        };
        Ok(inbox::insert(&self.sql, entry, self.ports.now())?.is_some())
    }

    fn drop_update(&self, update: &Update, reason: &str) -> Result<Accepted, StoreError> {
        self.insert_closed(update, None, "dropped", reason)?;
        Ok(Accepted::quiet())
    }

    /// Keeps an update we do not act on, shortened.
    pub(super) fn record(&self, update: &Update, body: &str) -> Result<Accepted, StoreError> {
        let mut end = body.len().min(MAX_RECORD);
        while !body.is_char_boundary(end) {
            end -= 1;
        }
        let entry = Entry {
            update_id: update.id,
            kind: update.kind_name(),
            content: body.get(..end).map(str::to_owned),
            outcome: Some("recorded"),
            ..Entry::default()
        };
        inbox::insert(&self.sql, entry, self.ports.now())?;
        Ok(Accepted::quiet())
    }
}

/// Our bot's Telegram id; 0, which is nobody's, if it is not known.
pub(super) fn bot_id(admission: &Admission) -> i64 {
    admission.bot_user_id.unwrap_or(0)
}

/// What the conversation is called: the group's title, or the name of the person in a private chat.
fn title_of(update: &Update) -> Option<String> {
    let (UpdateKind::Message(message) | UpdateKind::Edited(message)) = &update.kind else { return None };
    let title = match message.chat.is_private() {
        true => message.from.as_ref().map(User::name),
        false => message.chat.title.clone(),
    };
    title.map(|title| title.chars().take(MAX_TITLE).collect())
}

/// Why an update gets no hearing at all.
fn refusal(update: &Update, blocked: &[i64]) -> Option<&'static str> {
    let sender = update.sender()?;
    if blocked.contains(&sender.id) {
        return Some("this person is blocked");
    }
    // The anonymous admin of a group and a linked channel are shown as bots of Telegram's own.
    let telegrams_own = matches!(sender.id, 1_087_968_824 | 136_817_688 | 777_000);
    (sender.is_bot && !telegrams_own && !matches!(update.kind, UpdateKind::Callback(_))).then_some("sent by a bot")
}
