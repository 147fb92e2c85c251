//! The index of conversations: one row each, made of what they tell of themselves, listed and searched without asking any.
//!
//! Counts are exact: a conversation tells from a mark on, and what does not begin where the last telling ended is not
//! counted but answered with the mark kept here (`Activity::from`). Not here: what was said (`chat`), pages (`admin`).

use super::exchange::one_line;
use super::{Activity, Directory, DirectoryError, Mark};
use crate::store::{Row, Sql, Value};
use crate::telegram::session::SessionKey;
use serde::{Deserialize, Serialize};

/// Conversations in one page of the list.
pub const PAGE: usize = 50;
/// After every conversation; exact as a JavaScript number.
const END_OF_TIME: i64 = (1 << 53) - 1;
/// Characters of recent words that can be searched.
const WORDS: usize = 500;
/// Characters of the newest words that are shown.
const NEWEST: usize = 300;
/// Words of a search; more are ignored.
const TERMS: usize = 5;
/// Characters of a search; more are ignored.
const MAX_QUERY: usize = 200;
/// The most that one telling counts.
const MOST: u64 = 1_000_000_000;
/// Rows of an older release made searchable at a time.
const FACES_AT_ONCE: i64 = 500;

/// What became of an activity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Noted {
    /// It was counted now. False: it had been before, or comes from elsewhere; then it must not be counted anywhere.
    pub fresh: bool,
    /// How far the conversation is counted.
    pub mark: Mark,
}

/// One conversation of the list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ConversationRow {
    /// `{bot}:{chat_id}[:{topic}]`.
    pub session: String,
    pub bot: String,
    pub chat_id: i64,
    pub topic: Option<i64>,
    /// The person's name or the group's title; empty: not known.
    pub title: String,
    /// The newest words, at most 300 characters.
    pub newest: String,
    /// When it last told of something, Unix milliseconds.
    pub changed_at: i64,
    pub updates: i64,
    /// Of these, those that were dropped.
    pub dropped: i64,
    pub turns: i64,
    /// Deliveries that waited when it last told.
    pub waiting: i64,
    /// How the last turn ended: `answered`, `failed`, `stopped` …
    pub outcome: Option<String>,
}

/// A page of the list, newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ConversationsView {
    pub conversations: Vec<ConversationRow>,
    /// Asks for the page after this one; `None`: there is none.
    pub next: Option<String>,
    /// How many there are in all, whatever was searched for; only with the first page.
    pub total: Option<i64>,
}

const COLUMNS: &str = "name, bot, chat_id, title, newest, changed_at, updates, dropped, turns, waiting, outcome";

impl<S: Sql> Directory<S> {
    /// Takes over what `session` tells. Call within a transaction.
    pub fn note_activity(&self, session: &str, activity: &Activity, now: i64) -> Result<Noted, DirectoryError> {
        let known = self.sql.run(
            "SELECT told_update, told_turn, changed_at, title, newest, words FROM session WHERE name = ?1",
            &[session.into()],
        )?;
        let Some(row) = known.first() else {
            // Admitted by a Directory whose backup was older than this conversation.
            self.list_conversation(session, now)?;
            return self.note_activity(session, activity, now);
        };
        let mark = Mark { update: row.int(0)?, turn: row.int(1)? };
        let fresh = activity.anew || activity.from == mark;
        let title = match one_line(&activity.title) {
            told if told.is_empty() => row.text(3)?.to_owned(),
            told => told,
        };
        let told = clipped(&activity.newest, NEWEST);
        let newest = if told.is_empty() { row.text(4)? } else { told.as_str() };
        // Words of a telling that is not counted come again with the next.
        let words = match fresh {
            true => last_of(&format!("{} {}", row.text(5)?, fold(&clipped(&activity.words, WORDS))), WORDS),
            false => row.text(5)?.to_owned(),
        };
        let faces = match title == row.text(3)? {
            true => Value::Null,
            false => self.faces(session, &title)?.into(),
        };
        let mark = if fresh { activity.upto } else { mark };
        let number = |number: u64| i64::try_from(number.min(MOST)).unwrap_or(0);
        let count = |counted: u64| Value::Int(if fresh { number(counted) } else { 0 });
        self.sql.run(
            "UPDATE session SET title = ?2, faces = coalesce(?3, faces), newest = ?4, words = ?5, changed_at = ?6,
             updates = updates + ?7, dropped = dropped + ?8, turns = turns + ?9, waiting = ?10,
             outcome = coalesce(?11, outcome), told_update = ?12, told_turn = ?13 WHERE name = ?1",
            &[
                session.into(),
                title.into(),
                faces,
                newest.into(),
                words.into(),
                now.max(row.int(2)?).into(),
                count(activity.updates),
                count(activity.dropped),
                count(activity.turns.len() as u64),
                number(activity.waiting).into(),
                activity.turns.last().map(|turn| turn.outcome.as_str()).into(),
                mark.update.into(),
                mark.turn.into(),
            ],
        )?;
        Ok(Noted { fresh, mark })
    }

    /// Puts a conversation that is not known into the index.
    pub(super) fn list_conversation(&self, session: &str, now: i64) -> Result<(), DirectoryError> {
        let key = SessionKey::parse(session);
        let (bot, chat) = key.map_or((String::new(), 0), |key| (key.bot, key.chat_id));
        let title = self.sql.run(
            "SELECT coalesce((SELECT name FROM person WHERE bot = ?1 AND user_id = ?2),
             (SELECT title FROM grp WHERE bot = ?1 AND chat_id = ?2), '')",
            &[bot.as_str().into(), chat.into()],
        )?;
        let title = title.first().map_or(Ok(""), |row| row.text(0))?;
        let faces = self.faces(session, title)?;
        self.sql.run(
            "INSERT INTO session (name, since, bot, chat_id, title, faces, changed_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?2)",
            &[session.into(), now.into(), bot.into(), chat.into(), title.into(), faces.into()],
        )?;
        Ok(())
    }

    /// What a conversation can be found by, besides its words: never empty.
    fn faces(&self, session: &str, title: &str) -> Result<String, DirectoryError> {
        let username = match SessionKey::parse(session) {
            Some(key) => self.sql.run(
                "SELECT username FROM person WHERE bot = ?1 AND user_id = ?2 AND username IS NOT NULL",
                &[key.bot.into(), key.chat_id.into()],
            )?,
            None => Vec::new(),
        };
        let username = username.first().map_or(Ok(""), |row| row.text(0))?;
        let at = if username.is_empty() { "" } else { " @" };
        Ok(fold(&format!("{session} {title}{at}{username}")))
    }

    /// One page of the list: those that hold every word of `search`, newest first; after `before`, the `next` of the
    /// page before.
    pub fn conversations(&self, search: &str, before: Option<&str>) -> Result<ConversationsView, DirectoryError> {
        let (before_at, before_name) = before.and_then(read_place).unwrap_or((END_OF_TIME, ""));
        let folded = fold(&search.chars().take(MAX_QUERY).collect::<String>());
        let terms: Vec<&str> = folded.split(' ').filter(|term| !term.is_empty()).take(TERMS).collect();
        if !terms.is_empty() {
            self.make_faces()?;
        }
        let mut params: Vec<Value> =
            vec![before_at.into(), before_name.into(), i64::try_from(PAGE + 1).unwrap_or(i64::MAX).into()];
        let mut holds = String::new();
        for term in &terms {
            params.push((*term).into());
            holds.push_str(&format!(" AND (instr(faces, ?{n}) OR instr(words, ?{n}))", n = params.len()));
        }
        let rows = self.sql.run(
            &format!(
                "SELECT {COLUMNS} FROM session WHERE changed_at > 0 AND (changed_at, name) < (?1, ?2){holds}
                 ORDER BY changed_at DESC, name DESC LIMIT ?3"
            ),
            &params,
        )?;
        let mut conversations = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        let more = conversations.len() > PAGE;
        conversations.truncate(PAGE);
        let next = conversations.last().filter(|_| more).map(|last| format!("{}~{}", last.changed_at, last.session));
        let total = match before {
            Some(_) => None,
            None => {
                let rows = self.sql.run("SELECT count(*) FROM session WHERE changed_at > 0", &[])?;
                rows.first().map(|row| row.int(0)).transpose()?
            }
        };
        Ok(ConversationsView { conversations, next, total })
    }

    /// One conversation of the list, also one that is not listed now; `None`: never heard of it.
    pub fn conversation(&self, session: &str) -> Result<Option<ConversationRow>, DirectoryError> {
        let rows = self.sql.run(&format!("SELECT {COLUMNS} FROM session WHERE name = ?1"), &[session.into()])?;
        rows.first().map(read).transpose()
    }

    /// Takes a conversation off the list, with its words and counts. It comes back when it tells of something new;
    /// changes of access still reach it.
    pub fn unlist_conversation(&self, session: &str) -> Result<(), DirectoryError> {
        self.sql.run(
            "UPDATE session SET newest = '', words = '', changed_at = 0, updates = 0, dropped = 0, turns = 0,
             waiting = 0, outcome = NULL WHERE name = ?1",
            &[session.into()],
        )?;
        Ok(())
    }

    /// Rows made by a release that had no index: letters are folded here, because SQLite folds Latin ones only.
    fn make_faces(&self) -> Result<(), DirectoryError> {
        loop {
            let rows =
                self.sql.run("SELECT name, title FROM session WHERE faces = '' LIMIT ?1", &[FACES_AT_ONCE.into()])?;
            for row in &rows {
                let faces = self.faces(row.text(0)?, row.text(1)?)?;
                self.sql.run("UPDATE session SET faces = ?2 WHERE name = ?1", &[row.text(0)?.into(), faces.into()])?;
            }
            if rows.is_empty() {
                return Ok(());
            }
        }
    }
}

fn read(row: &Row) -> Result<ConversationRow, DirectoryError> {
    let session = row.text(0)?.to_owned();
    let topic = SessionKey::parse(&session).and_then(|key| key.topic);
    Ok(ConversationRow {
        session,
        bot: row.text(1)?.to_owned(),
        chat_id: row.int(2)?,
        topic,
        title: row.text(3)?.to_owned(),
        newest: row.text(4)?.to_owned(),
        changed_at: row.int(5)?,
        updates: row.int(6)?,
        dropped: row.int(7)?,
        turns: row.int(8)?,
        waiting: row.int(9)?,
        outcome: row.opt_text(10)?.map(str::to_owned),
    })
}

/// Where a page ends: `{changed_at}~{session}`.
fn read_place(text: &str) -> Option<(i64, &str)> {
    let (at, name) = text.split_once('~')?;
    Some((at.parse().ok().filter(|at| (0..=END_OF_TIME).contains(at))?, name))
}

/// Letters as they are compared: lower case, ё as е, one space between words.
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !folded.is_empty() {
            folded.push(' ');
        }
        folded.extend(word.chars().flat_map(char::to_lowercase).map(|c| if c == 'ё' { 'е' } else { c }));
    }
    folded
}

/// The first `most` characters, on one line.
fn clipped(text: &str, most: usize) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars().take(most).collect()
}

/// The last `most` characters.
fn last_of(text: &str, most: usize) -> String {
    let skip = text.chars().count().saturating_sub(most);
    text.chars().skip(skip).collect::<String>().trim_start().to_owned()
}
