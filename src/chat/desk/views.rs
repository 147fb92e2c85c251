//! What a conversation shows of itself, as it travels. Times are Unix milliseconds, money 10⁻⁹ US dollars.
//!
//! All text in here was written by strangers or machines: whoever shows it must not let it act.

use serde::{Deserialize, Serialize};

/// How the conversation stands.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct OverviewView {
    pub session: String,
    /// The person's name or the group's title; empty: not seen.
    pub title: String,
    /// `en` or `ru`.
    pub lang: String,
    /// Who answers here, by the configuration; empty: the environment alone.
    pub agent: String,
    /// The model that answers here.
    pub model: String,
    /// It was picked here; else it is the default.
    pub picked: bool,
    pub thinking: String,
    /// Access was not taken back.
    pub admitted: bool,
    /// Messages since `/new`, and their estimated tokens.
    pub messages: i64,
    pub tokens: i64,
    /// Older messages are summarised for the model.
    pub summarised: bool,
    /// The turn that runs.
    pub running: Option<i64>,
    /// Updates that wait.
    pub waiting: i64,
    /// Deliveries that wait, that are uncertain, that failed.
    pub undelivered: i64,
    pub ambiguous: i64,
    pub failed: i64,
    pub files: i64,
    pub file_bytes: i64,
    /// It is being deleted.
    pub deleting: bool,
}

/// A message.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct MessageView {
    pub id: i64,
    pub at: i64,
    /// Raised by `/new`.
    pub epoch: i64,
    /// `user`, `assistant` or `tool`.
    pub role: String,
    pub turn: Option<i64>,
    /// Who wrote it, if a model did.
    pub model: Option<String>,
    /// The model does not see it any more: its turn was answered anew.
    pub replaced: bool,
    /// At most 20,000 characters.
    pub text: String,
    /// There was more text.
    pub cut: bool,
    pub extras: Vec<Extra>,
}

/// What a message carries beside its text.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Extra {
    /// `thought`, `file`, `call` or `result`.
    pub kind: String,
    /// At most 2,000 characters.
    pub text: String,
}

/// A page of the transcript, newest first.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct MessagesView {
    pub messages: Vec<MessageView>,
    /// `before` of the next page; `None`: nothing older. With a search there may be a next page although this one is empty.
    pub next: Option<i64>,
    /// How many messages were looked at.
    pub looked_at: i64,
}

/// A turn in the list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TurnRow {
    pub id: i64,
    /// `running`, `answered`, `failed`, `stopped`, `taken back`.
    pub state: String,
    /// The model that was to answer.
    pub model: String,
    /// The one that did.
    pub answered_by: Option<String>,
    pub created_at: i64,
    /// When the first of its messages came.
    pub asked_at: i64,
    /// When its first words were shown.
    pub first_at: Option<i64>,
    pub finished_at: Option<i64>,
    /// Runs so far.
    pub attempts: i64,
    pub error: Option<String>,
    pub epoch: i64,
    pub user_id: Option<i64>,
    /// The beginning of its first message, where that is at hand.
    pub asked: Option<String>,
}

/// A page of turns, newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TurnsView {
    pub turns: Vec<TurnRow>,
    /// `before` of the next page.
    pub next: Option<String>,
}

/// An effect of a turn outside.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct StepView {
    pub id: i64,
    /// `model`, `tools`, `compact`, `transcribe`.
    pub kind: String,
    pub model: Option<String>,
    /// `asking`, `begun`, `done`, `failed`, `stopped`, `refused`, `cut`.
    pub state: String,
    pub started_at: i64,
    pub ended_at: Option<i64>,
    /// Tokens.
    pub input: u64,
    pub cached_input: u64,
    pub output: u64,
    pub thinking: u64,
    pub nano_usd: Option<u64>,
    /// AI Gateway's name for the call.
    pub log_id: Option<String>,
    /// Why it did not go well, or what it did; at most 500 characters.
    pub note: Option<String>,
}

/// A call to Telegram.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DeliveryView {
    pub id: i64,
    /// `answer`, `notice`, `command`, `tidy`.
    pub slot: String,
    pub method: String,
    /// `queued`, `sending`, `sent`, `ambiguous`, `failed`, `resent`.
    pub state: String,
    pub attempts: i64,
    pub created_at: i64,
    /// Not before then.
    pub not_before: i64,
    /// Telegram's id of the message.
    pub message_id: Option<i64>,
    pub error: Option<String>,
    /// The beginning of its text.
    pub text: Option<String>,
}

/// An update and what happened to it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct UpdateRow {
    pub seq: i64,
    /// Telegram's number.
    pub update_id: i64,
    pub at: i64,
    /// What it was, in Telegram's word or ours.
    pub kind: String,
    pub message_id: Option<i64>,
    pub user_id: Option<i64>,
    /// The beginning of its text, where that is kept.
    pub text: Option<String>,
    /// `turn`, `merged`, `command`, `dropped` …; `None`: waits.
    pub outcome: Option<String>,
    /// Why, or which.
    pub detail: Option<String>,
    /// The turn that answered it.
    pub turn: Option<i64>,
}

/// A page of updates, newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct UpdatesView {
    pub updates: Vec<UpdateRow>,
    /// `before` of the next page.
    pub next: Option<i64>,
}

/// A file somebody sent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct FileView {
    pub id: i64,
    pub at: i64,
    pub kind: String,
    pub mime: String,
    pub name: Option<String>,
    /// Bytes.
    pub size: i64,
    /// `queued`, `stored`, `too_big`, `gone`, `failed`.
    pub state: String,
    /// The newest turn with it.
    pub turn: i64,
}

/// A page of files, newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct FilesView {
    pub files: Vec<FileView>,
    /// `before` of the next page.
    pub next: Option<i64>,
}

/// A turn with all there is to know of it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TurnView {
    pub turn: TurnRow,
    /// What was asked and answered, oldest first.
    pub messages: Vec<MessageView>,
    pub updates: Vec<UpdateRow>,
    pub steps: Vec<StepView>,
    pub deliveries: Vec<DeliveryView>,
    pub files: Vec<FileView>,
    /// It can be answered once more.
    pub can_retry: bool,
}

/// What a stop did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Stopped {
    /// Something ran and ends now.
    pub stopped: bool,
    /// Messages that waited and were dropped.
    pub dropped: usize,
}

/// What a retry did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Retried {
    /// The new turn.
    pub turn: i64,
}

/// What sending again did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SentAgain {
    pub queued: bool,
}

/// How far a deletion is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Deleted {
    /// All that was said is gone. False: what runs is being stopped first.
    pub wiped: bool,
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn pinned<T: Serialize + for<'a> Deserialize<'a> + Default + PartialEq + std::fmt::Debug>(json: &str) {
        assert_eq!(serde_json::to_string(&T::default()).unwrap(), json);
        assert_eq!(serde_json::from_str::<T>("{}").unwrap(), T::default(), "an older release tells less");
    }

    #[test]
    fn the_views_are_pinned() {
        pinned::<OverviewView>(
            r#"{"session":"","title":"","lang":"","agent":"","model":"","picked":false,"thinking":"","admitted":false,"messages":0,"tokens":0,"summarised":false,"running":null,"waiting":0,"undelivered":0,"ambiguous":0,"failed":0,"files":0,"file_bytes":0,"deleting":false}"#,
        );
        pinned::<MessageView>(
            r#"{"id":0,"at":0,"epoch":0,"role":"","turn":null,"model":null,"replaced":false,"text":"","cut":false,"extras":[]}"#,
        );
        pinned::<MessagesView>(r#"{"messages":[],"next":null,"looked_at":0}"#);
        pinned::<TurnRow>(
            r#"{"id":0,"state":"","model":"","answered_by":null,"created_at":0,"asked_at":0,"first_at":null,"finished_at":null,"attempts":0,"error":null,"epoch":0,"user_id":null,"asked":null}"#,
        );
        pinned::<TurnsView>(r#"{"turns":[],"next":null}"#);
        pinned::<StepView>(
            r#"{"id":0,"kind":"","model":null,"state":"","started_at":0,"ended_at":null,"input":0,"cached_input":0,"output":0,"thinking":0,"nano_usd":null,"log_id":null,"note":null}"#,
        );
        pinned::<DeliveryView>(
            r#"{"id":0,"slot":"","method":"","state":"","attempts":0,"created_at":0,"not_before":0,"message_id":null,"error":null,"text":null}"#,
        );
        pinned::<UpdateRow>(
            r#"{"seq":0,"update_id":0,"at":0,"kind":"","message_id":null,"user_id":null,"text":null,"outcome":null,"detail":null,"turn":null}"#,
        );
        pinned::<UpdatesView>(r#"{"updates":[],"next":null}"#);
        pinned::<FileView>(r#"{"id":0,"at":0,"kind":"","mime":"","name":null,"size":0,"state":"","turn":0}"#);
        pinned::<FilesView>(r#"{"files":[],"next":null}"#);
        pinned::<Stopped>(r#"{"stopped":false,"dropped":0}"#);
        pinned::<Retried>(r#"{"turn":0}"#);
        pinned::<SentAgain>(r#"{"queued":false}"#);
        pinned::<Deleted>(r#"{"wiped":false}"#);
    }
}
