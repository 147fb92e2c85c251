//! The desk: what the control plane asks the Directory and does through it.
//!
//! One question in, one view out, as JSON: the API hands it on, a page renders it. Each feature has a file here with its
//! questions, its views and its answers. Who acts is known by the Access token (`admin::access`); nobody else gets here.
//! Not here: pages and routes (`admin`), what needs a conversation's own store (`chat::desk`).

pub mod models;
pub mod people;

mod agents;
mod config;
mod conversations;
mod doctor;
mod logs;
mod state;

pub use agents::{AgentView, AgentsAsk, AgentsView, BindingPlace, BoundPlace, KnownPlace, Resolved};
pub use config::{CheckView, ConfigAsk, ConfigView};
pub use conversations::Act;
pub use doctor::{DoctorBackups, DoctorFacts, DoctorGroup, Waiting};
pub use logs::{AuditView, LogsView};
pub use state::State;

use serde::{Deserialize, Serialize};

use super::backups::RestoreAction;
use super::{Actor, AuditQuery, Caps, Config, Directory, DirectoryError, EventQuery};
use crate::store::Sql;

/// What can be asked. A word of a newer release is refused by the reader.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeskAsk {
    /// How all stands; the answer is a [`State`].
    State,
    /// The configuration document and its versions.
    Config(ConfigAsk),
    /// People, groups, invitations.
    People(people::PeopleAsk),
    /// Backups, what they can be restored from, the last restore: a [`BackupsView`](super::backups::BackupsView).
    Backups,
    /// Back up now; the same view.
    BackUpNow,
    /// Put back what a manifest lists: a [`RestoreView`](super::backups::RestoreView).
    RestoreBackup(RestoreAction),
    /// How the last restore goes: a `RestoreView`, or null.
    LastRestore,
    /// Who answers where.
    Agents(AgentsAsk),
    /// What the doctor needs to know.
    Doctor,
    /// The log; a [`LogsView`].
    Events(EventQuery),
    /// Decisions; an [`AuditView`].
    Audit(AuditQuery),
    /// A page of the list of conversations; see [`Directory::conversations`].
    Conversations { search: Option<String>, before: Option<String> },
    /// One of them: a [`super::ConversationRow`].
    Conversation { session: String },
    /// Somebody is about to act in a conversation, on turn or delivery `about`; the answer is its row.
    NoteAct { session: String, act: Act, about: Option<i64> },
    /// A conversation was deleted: takes it off the list.
    Unlist { session: String },
    /// Models and spend.
    Models(models::ModelsAsk),
}

/// A question with its author, as it travels from the Worker to the Directory object.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeskCall {
    pub who: Actor,
    pub ask: DeskAsk,
}

/// What the desk needs to know beside the question.
#[derive(Debug, Clone, Copy)]
pub struct Desk<'a> {
    pub who: &'a Actor,
    pub cfg: &'a Config<'a>,
    /// The budgets of the environment; for those that hold see [`Directory::caps`].
    pub caps: &'a Caps,
    /// Unix milliseconds.
    pub now: i64,
    pub random: [u8; 16],
}

/// Why something was not done; nothing was changed. Becomes an API error as it is, and a page's message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{code}: {message}")]
pub struct Refused {
    /// The HTTP status: 400 bad input, 404 no such thing, 409 changed meanwhile, 500 store failed, 503 not reachable.
    pub status: u16,
    /// A word for programs, `snake_case`.
    pub code: String,
    /// One English sentence.
    pub message: String,
    /// What is wrong where; only with bad input.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<Problem>,
}

/// Something wrong in a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// Such as `agents.main.model` or `bindings[2].chat`.
    pub path: String,
    pub message: String,
    /// What may stand there, if that is a short list.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allowed: Vec<String>,
}

impl Refused {
    pub fn new(status: u16, code: &str, message: &str) -> Refused {
        Refused { status, code: code.to_owned(), message: message.to_owned(), problems: Vec::new() }
    }

    /// 404.
    pub fn not_found(message: &str) -> Refused {
        Refused::new(404, "not_found", message)
    }

    /// 400.
    pub fn bad_input(message: &str) -> Refused {
        Refused::new(400, "bad_input", message)
    }

    /// 409: somebody else was faster.
    pub fn conflict(message: &str) -> Refused {
        Refused::new(409, "conflict", message)
    }
}

impl From<DirectoryError> for Refused {
    fn from(error: DirectoryError) -> Refused {
        match error {
            DirectoryError::Store(_) => Refused::new(500, "store_failed", "The store failed. Try again."),
            DirectoryError::UnknownGroup => Refused::not_found(&error.to_string()),
            DirectoryError::ConfiguredOwner
            | DirectoryError::LastOwner
            | DirectoryError::NotApproved
            | DirectoryError::BadSetting => Refused::bad_input(&error.to_string()),
        }
    }
}

impl From<crate::store::StoreError> for Refused {
    fn from(error: crate::store::StoreError) -> Refused {
        DirectoryError::Store(error).into()
    }
}

/// A view as JSON.
pub fn view<T: Serialize>(view: &T) -> Result<String, Refused> {
    serde_json::to_string(view).map_err(|_| Refused::new(500, "store_failed", "The answer could not be written."))
}

impl<S: Sql> Directory<S> {
    /// Answers one question, as JSON.
    pub fn desk(&self, ask: &DeskAsk, desk: &Desk<'_>) -> Result<String, Refused> {
        match ask {
            DeskAsk::Events(query) => view(&self.logs_view(query)?),
            DeskAsk::Audit(query) => view(&self.audit_view(query)?),
            DeskAsk::Conversations { search, before } => {
                view(&self.conversations(search.as_deref().unwrap_or_default(), before.as_deref())?)
            }
            DeskAsk::Conversation { session } => view(&self.desk_conversation(session)?),
            DeskAsk::NoteAct { session, act, about } => view(&self.desk_note_act(session, *act, *about, desk)?),
            DeskAsk::Unlist { session } => {
                self.unlist_conversation(session)?;
                view(&serde_json::json!({}))
            }
            DeskAsk::State => view(&self.state(desk)?),
            DeskAsk::Agents(ask) => self.agents_desk(ask, desk),
            DeskAsk::Config(ask) => self.config_desk(ask, desk),
            DeskAsk::People(ask) => self.people_desk(ask, desk),
            DeskAsk::Backups => view(&self.backups()?),
            DeskAsk::BackUpNow => view(&self.back_up_now(desk.who, desk.now)?),
            DeskAsk::RestoreBackup(action) => view(&self.restore_backup(action, desk.who, desk.now)?),
            DeskAsk::LastRestore => view(&self.last_restore()?),
            DeskAsk::Doctor => view(&self.doctor_facts(desk)?),
            DeskAsk::Models(ask) => self.models_desk(ask, desk),
        }
    }
}
