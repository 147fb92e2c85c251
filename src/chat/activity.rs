//! What a conversation tells the Directory of itself, for the index of conversations and the counters.
//!
//! Made from the store at the moment of telling, from the mark up to which the Directory has counted: a killed process
//! loses nothing, and what is told twice is counted once, because the Directory answers with its own mark. An update is told
//! when nothing can change its outcome any more. Not here: when it is told (`meter`), what becomes of it (`directory`).

use serde::{Deserialize, Serialize};

use super::conversation::Conversation;
use super::meter::{AGAIN_MS, RIDE_MS};
use super::ports::Ports;
use crate::directory::{Activity, Mark, TurnEnd};
use crate::store::{Row, Sql, StoreError, to_json};

/// Turns told in one request.
const TURNS: usize = 20;
/// Characters of the newest words.
const NEWEST: usize = 300;
/// Characters of the words that can be searched.
const WORDS: usize = 500;

/// How far the Directory has heard. Stored as JSON in the settings table, and behind at most by what is told again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Told {
    pub mark: Mark,
    /// The newest message whose words it has.
    pub message: i64,
    /// Deliveries it believes to wait.
    pub waiting: i64,
    /// Its mark means nothing here: this store is older than it, because it was restored.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub anew: bool,
}

/// A telling under way.
pub(super) struct Telling {
    /// What the Directory has heard then.
    told: Told,
    /// Where the store ended, to see a mark from another life.
    end: Mark,
    /// How much had happened by then.
    happened: u64,
}

impl Told {
    pub fn load(sql: &impl Sql) -> Result<Told, StoreError> {
        let rows = sql.run("SELECT value FROM setting WHERE key = 'counted'", &[])?;
        // What does not decode is told again, and counted once.
        Ok(rows.first().and_then(|row| serde_json::from_str(row.text(0).ok()?).ok()).unwrap_or_default())
    }
}

impl<S: Sql, P: Ports> Conversation<S, P> {
    /// Something happened that the Directory is to hear of within [`RIDE_MS`]. The caller sees to it that an alarm is set.
    pub(super) fn note_news(&self) {
        if !self.has_reports() {
            self.live.report_by.set(self.ports.now() + RIDE_MS);
        }
        let (happened, heard) = self.live.news.get();
        self.live.news.set((happened + 1, heard));
    }

    /// Whether the Directory may have something to hear besides reports.
    pub(super) fn has_news(&self) -> bool {
        let (happened, heard) = self.live.news.get();
        happened != heard
    }

    /// What is to be told, and what is told then; `None`: nothing is new.
    pub(super) fn news(&self) -> Option<(Activity, Telling)> {
        if self.settings.borrow().erasing.as_ref().is_some_and(|erasing| !erasing.wiped) {
            // Told when it is gone.
            self.live.report_by.set(self.ports.now() + RIDE_MS);
            return None;
        }
        let happened = self.live.news.get().0;
        match self.gather(self.live.counted.get(), happened) {
            Ok(Some(news)) => Some(news),
            Ok(None) => {
                self.live.news.set((happened, happened));
                None
            }
            Err(error) => {
                // News must not hold up a model call.
                self.ports.log(&format!("chat activity: {error}"));
                self.live.report_by.set(self.ports.now() + AGAIN_MS);
                None
            }
        }
    }

    fn gather(&self, told: Told, happened: u64) -> Result<Option<(Activity, Telling)>, StoreError> {
        let rows = self.sql.run(
            "WITH settled (upto, last) AS (SELECT min(
               coalesce((SELECT min(seq) FROM inbox WHERE outcome IS NULL), after),
               coalesce((SELECT min(id) FROM turn WHERE state = 'running'), after)) - 1, after - 1
               FROM (SELECT coalesce(max(seq), 0) + 1 AS after FROM inbox))
             SELECT upto, last, (SELECT count(*) FROM inbox WHERE seq > ?1 AND seq <= upto AND kind NOT IN ('deleted', 'restored')),
               (SELECT count(*) FROM inbox WHERE seq > ?1 AND seq <= upto AND outcome = 'dropped' AND kind NOT IN ('deleted', 'restored')),
               coalesce((SELECT max(ended) FROM turn WHERE ended IS NOT NULL), 0),
               (SELECT json_group_array(json_array(ended, id, finished_at, state, coalesce(answered_by, model), first_at,
                  coalesce(asked_at, created_at))) FROM (SELECT * FROM turn WHERE ended > ?2 AND state <> 'deleted' ORDER BY ended LIMIT ?4)),
               (SELECT count(*) FROM outbox WHERE state IN ('queued', 'sending')),
               coalesce((SELECT max(id) FROM message), 0),
               (SELECT json_group_array((SELECT substr(group_concat(json_extract(value, '$.text'), ' '), 1, ?5)
                  FROM json_each(body, '$.parts')))
                FROM (SELECT body FROM message WHERE id > ?3 AND hidden = 0 ORDER BY id DESC LIMIT 4))
             FROM settled",
            &[
                told.mark.update.into(),
                told.mark.turn.into(),
                told.message.into(),
                i64::try_from(TURNS).unwrap_or(0).into(),
                i64::try_from(NEWEST).unwrap_or(0).into(),
            ],
        )?;
        let Some(row) = rows.first() else { return Ok(None) };
        let end = Mark { update: row.int(1)?, turn: row.int(4)? };
        // A restored store may end before the mark it was restored with.
        let update = row.int(0)?.max(told.mark.update.min(end.update));
        let turns = read_turns(row)?;
        let turn = turns.last().filter(|_| turns.len() == TURNS).map_or(end.turn, |(ended, _)| *ended);
        let (waiting, message) = (row.int(6)?, row.int(7)?);
        let upto = Told { mark: Mark { update, turn }, message, waiting, anew: false };
        if upto == told {
            return Ok(None);
        }
        // Newest first; tools and files have no words.
        let said: Vec<Option<String>> = serde_json::from_str(row.text(8)?).unwrap_or_default();
        let mut said: Vec<String> = said.into_iter().flatten().filter(|text| !text.trim().is_empty()).collect();
        let newest = said.first().cloned().unwrap_or_default();
        said.reverse();
        let words = said.join(" ");
        let skip = words.chars().count().saturating_sub(WORDS);
        let activity = Activity {
            at: self.ports.now(),
            title: self.settings.borrow().title.clone(),
            newest,
            words: words.chars().skip(skip).collect(),
            updates: row.int(2)?.unsigned_abs(),
            dropped: row.int(3)?.unsigned_abs(),
            turns: turns.into_iter().map(|(_, turn)| turn).collect(),
            waiting: waiting.unsigned_abs(),
            from: told.mark,
            upto: upto.mark,
            anew: told.anew,
        };
        Ok(Some((activity, Telling { told: upto, end, happened })))
    }

    /// The Directory answered `telling`: it has counted up to `counted`.
    pub(super) fn note_counted(&self, telling: &Telling, counted: Option<Mark>) {
        let Telling { told, end, happened } = telling;
        match counted {
            Some(mark) if mark == told.mark => {
                self.live.counted.set(*told);
                // Of many turns only some were told.
                let heard = if told.mark.turn < end.turn { happened - 1 } else { *happened };
                self.live.news.set((self.live.news.get().0, heard));
            }
            Some(mark) => {
                // It had heard some of it before, from an instance that died before the answer came; or all of it from
                // a store that knew more than this one.
                let anew = mark.update > end.update || mark.turn > end.turn;
                let mark = if anew { told.mark } else { mark };
                self.live.counted.set(Told { mark, anew, ..self.live.counted.get() });
            }
            // An older release, which knows nothing of it.
            None => self.live.report_by.set(self.ports.now() + AGAIN_MS),
        }
    }

    /// Stores how far the Directory has heard, outside anybody's way.
    pub(super) fn keep_counted(&self) -> Result<(), StoreError> {
        let counted = self.live.counted.get();
        if counted != self.live.counted_stored.get() {
            let json = to_json(&counted)?;
            self.sql.run("INSERT OR REPLACE INTO setting (key, value) VALUES ('counted', ?1)", &[json.into()])?;
            self.live.counted_stored.set(counted);
        }
        Ok(())
    }
}

/// A row of the array: ended, id, finished_at, state, model, first_at, asked_at.
type End = (i64, i64, Option<i64>, String, String, Option<i64>, i64);

fn read_turns(row: &Row) -> Result<Vec<(i64, TurnEnd)>, StoreError> {
    let ends: Vec<End> = serde_json::from_str(row.text(5)?).map_err(|error| StoreError::Sql(error.to_string()))?;
    let read = |(ended, id, finished_at, outcome, model, first_at, asked_at): End| {
        let at = finished_at.unwrap_or(asked_at);
        let first_ms = first_at.map(|first| (first - asked_at).max(0));
        (ended, TurnEnd { id, at, outcome, model, first_ms, total_ms: (at - asked_at).max(0) })
    };
    Ok(ends.into_iter().map(read).collect())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_stored_form_is_pinned() {
        let told = Told { mark: Mark { update: 3, turn: 2 }, message: 5, waiting: 1, ..Told::default() };
        let json = r#"{"mark":{"update":3,"turn":2},"message":5,"waiting":1}"#;
        assert_eq!(serde_json::to_string(&told).unwrap(), json);
        assert_eq!(serde_json::from_str::<Told>(json).unwrap(), told);
        assert_eq!(serde_json::from_str::<Told>("{}").unwrap(), Told::default());
    }
}
