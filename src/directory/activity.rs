//! What conversations tell the Directory of themselves, on the same request as reports of calls: the index of
//! conversations, the counters and the log that operators see are made of it.
//!
//! Not here: what the Directory keeps of it (`conversations`, `events`, `metrics`).

use serde::{Deserialize, Serialize};

/// What happened in a conversation since it last told.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Activity {
    /// When it last changed, Unix milliseconds.
    pub at: i64,
    /// The person's name or the group's title; empty: not known there.
    pub title: String,
    /// The newest words said, at most 300 characters; empty: none new.
    pub newest: String,
    /// What was said since it last told, for the search, at most 500 characters.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub words: String,
    /// Updates taken in.
    pub updates: u64,
    /// Of these, those that were dropped.
    pub dropped: u64,
    /// Turns that ended, oldest first, at most 20.
    pub turns: Vec<TurnEnd>,
    /// Deliveries to Telegram that wait now.
    pub waiting: u64,
    /// What was told before this; only what follows is in the counts and in `turns`.
    pub from: Mark,
    /// What is told with this.
    pub upto: Mark,
    /// The conversation's store went back in time (it was restored), so that the Directory's mark means nothing to it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub anew: bool,
}

/// How far a conversation has told of itself. Kept at both ends: an answer that was lost counts nothing twice.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Mark {
    /// The last update, by its number in the inbox.
    pub update: i64,
    /// The last turn that ended, by the number of its end.
    pub turn: i64,
}

/// How a turn ended.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TurnEnd {
    pub id: i64,
    /// Unix milliseconds.
    pub at: i64,
    /// `answered`, `failed` or `stopped`.
    pub outcome: String,
    /// `provider/model`.
    pub model: String,
    /// From the first message in to the first words out, milliseconds; `None`: none came or not known.
    pub first_ms: Option<i64>,
    /// From the first message in to the end, milliseconds.
    pub total_ms: i64,
}

/// How grave an event is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    Info,
    Warning,
    #[default]
    Error,
}

/// A line of the log. Never holds a secret or a person's words.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Event {
    /// Unix milliseconds.
    pub at: i64,
    pub level: Level,
    /// A word to filter by, such as `model_call`, `telegram`, `store`, `webhook`, `backup`.
    pub what: String,
    /// One line, at most 500 characters.
    pub text: String,
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_json_is_pinned() {
        let turn = TurnEnd {
            id: 7,
            at: 9,
            outcome: "done".into(),
            model: "ollama/m".into(),
            first_ms: Some(20),
            total_ms: 30,
        };
        let activity = Activity {
            at: 9,
            title: "Ann".into(),
            newest: "hi".into(),
            words: "so hi".into(),
            updates: 1,
            dropped: 0,
            turns: vec![turn],
            waiting: 2,
            from: Mark::default(),
            upto: Mark { update: 8, turn: 3 },
            anew: false,
        };
        let json = r#"{"at":9,"title":"Ann","newest":"hi","words":"so hi","updates":1,"dropped":0,"turns":[{"id":7,"at":9,"outcome":"done","model":"ollama/m","first_ms":20,"total_ms":30}],"waiting":2,"from":{"update":0,"turn":0},"upto":{"update":8,"turn":3}}"#;
        assert_eq!(serde_json::to_string(&activity).unwrap(), json);
        assert_eq!(serde_json::from_str::<Activity>("{}").unwrap(), Activity::default());
        let event = Event { at: 1, level: Level::Warning, what: "model_call".into(), text: "slow".into() };
        let json = r#"{"at":1,"level":"warning","what":"model_call","text":"slow"}"#;
        assert_eq!(serde_json::to_string(&event).unwrap(), json);
    }
}
