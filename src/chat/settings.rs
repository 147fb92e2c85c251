//! What one conversation remembers about itself, kept in memory and written through.
//!
//! One object is the only writer of its store, so the copy in memory is the truth once loaded.

use serde::{Deserialize, Serialize};

use crate::directory::Admission;
use crate::llm::{ModelRef, Thinking};
use crate::store::{Sql, StoreError, to_json};
use crate::telegram::session::SessionKey;
use crate::text::Lang;

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// `{bot}:{chat_id}[:{topic}]`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// The person's name or the group's title, as the last message showed it; empty: not seen.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// The Directory's word on this chat, handed over by the Worker; `None`: not admitted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub admission: Option<Admission>,
    /// People whose messages are ignored in this group.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub blocked: Vec<i64>,
    /// Raised by `/new`; the prompt holds messages of the current one only.
    pub epoch: i64,
    /// The model picked in this conversation; `None`: the agent's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<ModelRef>,
    /// How hard models are asked to think here; the default: as the agent says.
    #[serde(skip_serializing_if = "is_default")]
    pub thinking: Thinking,
    /// The model's thoughts stand folded above its answers.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub show_reasoning: bool,
    /// Answers end with what they took.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub show_footer: bool,
    /// Raw data of messages up to this one no longer goes to providers: a key or a route changed, and with it what their
    /// signatures are good for (providers.md §2.3.5).
    #[serde(skip_serializing_if = "is_default")]
    pub unsigned_through: i64,
    pub lang: Lang,
    /// The models last listed by `/model`, in button order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub menu: Vec<ModelRef>,
    /// Telegram asked this chat to wait until then.
    pub flood_until: i64,
    /// The bot's token was refused; nothing is sent before then.
    pub token_rest_until: i64,
    /// Refusals of the token in a row; sets the length of the rest.
    pub token_refusals: u32,
    /// Messages that Telegram accepted only without formatting.
    pub plain_resends: u32,
    /// What reports have taught about models, see [`crate::llm::tokens::learn`]; the last one changed first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub corrections: Vec<(ModelRef, u32)>,
    /// Answers until a failed compaction is tried again; 0: whenever one is due.
    #[serde(skip_serializing_if = "is_default")]
    pub compaction_rest: u32,
    /// The conversation is being deleted; see [`super::desk`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub erasing: Option<Erasing>,
    /// The chat this one moved to (group became supergroup), if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub moved_to: Option<i64>,
}

/// A deletion under way.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Erasing {
    /// Updates up to this one go, and what was made of them.
    pub upto: i64,
    /// Deliveries up to this one go.
    pub delivery: i64,
    /// The rows are gone; files may be left.
    pub wiped: bool,
    /// The last folder of files is done up to this key; empty: not begun.
    pub after: String,
    /// How many folders are done.
    pub folders: usize,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl Settings {
    pub fn load(sql: &impl Sql) -> Result<Settings, StoreError> {
        let rows = sql.run("SELECT value FROM setting WHERE key = 'settings'", &[])?;
        Ok(match rows.first() {
            // A settings row that does not decode must not take the conversation down: start from defaults.
            Some(row) => serde_json::from_str(row.text(0)?).unwrap_or_default(),
            None => Settings::default(),
        })
    }

    pub fn save(&self, sql: &impl Sql) -> Result<(), StoreError> {
        let json = to_json(self)?;
        sql.run("INSERT OR REPLACE INTO setting (key, value) VALUES ('settings', ?1)", &[json.into()])?;
        Ok(())
    }

    pub fn key(&self) -> Option<SessionKey> {
        self.session.as_deref().and_then(SessionKey::parse)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn stored_form_is_pinned() {
        let settings = Settings {
            session: Some("main:5".into()),
            admission: Some(Admission {
                owner: true,
                require_mention: false,
                bot_username: Some("TideBot".into()),
                bot_user_id: Some(9),
                good_for_ms: 60_000,
            }),
            ..Settings::default()
        };
        assert_eq!(
            serde_json::to_string(&settings).unwrap(),
            r#"{"session":"main:5","admission":{"owner":true,"require_mention":false,"bot_username":"TideBot","bot_user_id":9,"good_for_ms":60000},"epoch":0,"lang":"en","flood_until":0,"token_rest_until":0,"token_refusals":0,"plain_resends":0}"#
        );
        assert_eq!(serde_json::from_str::<Settings>("{}").unwrap(), Settings::default());
        let erasing = Erasing { upto: 9, delivery: 8, wiped: true, after: "k".into(), folders: 1 };
        let json = r#"{"upto":9,"delivery":8,"wiped":true,"after":"k","folders":1}"#;
        assert_eq!(serde_json::to_string(&erasing).unwrap(), json);
        let learnt = Settings {
            corrections: vec![(ModelRef::new("ollama", "m"), 1_300)],
            compaction_rest: 3,
            ..Settings::default()
        };
        assert_eq!(
            serde_json::to_string(&learnt).unwrap(),
            r#"{"epoch":0,"lang":"en","flood_until":0,"token_rest_until":0,"token_refusals":0,"plain_resends":0,"corrections":[["ollama/m",1300]],"compaction_rest":3}"#
        );
    }
}
