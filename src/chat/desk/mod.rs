//! The desk of one conversation: what the control plane asks it and does in it.
//!
//! One question in, one view out, as JSON. Who asks, and that they may, is settled before; the audit is the Directory's.
//! Not here: pages and routes (`admin`).
//!
//! | file | holds |
//! |---|---|
//! | `overview` | how the conversation stands |
//! | `messages` | the transcript, page by page, and the search in it |
//! | `turns` | turns, and one with all of its steps |
//! | `updates` | what happened to each update; files |
//! | `acts` | stop, retry, send again |
//! | `erase` | deletion |
//! | `backup` | its rows for a backup, and back from one |
//! | `views` | what of all this travels |

mod acts;
mod backup;
mod erase;
mod messages;
mod overview;
mod turns;
mod updates;
mod views;

pub use super::export::{ExportPage, Form};
pub use views::*;

use serde::{Deserialize, Serialize};

use super::conversation::Conversation;
use super::ports::Ports;
use crate::directory::desk::{Refused, view};
use crate::store::Sql;

/// What can be asked of a conversation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChatAsk {
    /// Its name, if it has one.
    Name,
    /// [`OverviewView`].
    Overview,
    /// [`MessagesView`]: messages before that one, newest first; with `search` only those that hold all of its words.
    Messages { before: Option<i64>, search: Option<String> },
    /// [`TurnsView`]: turns before that place, newest first.
    Turns { before: Option<String> },
    /// [`TurnView`].
    Turn { id: i64 },
    /// [`UpdatesView`]: updates before that one, newest first.
    Updates { before: Option<i64> },
    /// [`FilesView`]: files before that one, newest first.
    Files { before: Option<i64> },
    /// [`ExportPage`]: messages after that one, oldest first, of all that was ever said.
    Export { form: Form, after: i64 },
    /// [`Stopped`]: ends what runs and drops what waits, as `/stop` does.
    Stop,
    /// [`Retried`]: answers the messages of a turn that failed or was stopped once more.
    Retry { turn: i64 },
    /// [`SentAgain`]: sends a delivery once more of which nobody knows whether it arrived.
    SendAgain { delivery: i64 },
    /// [`Deleted`]: forgets all that was said, with files.
    Delete,
}

impl ChatAsk {
    /// It may leave something to be done: call [`Conversation::work`] afterwards.
    pub fn acts(&self) -> bool {
        matches!(self, ChatAsk::Stop | ChatAsk::Retry { .. } | ChatAsk::SendAgain { .. } | ChatAsk::Delete)
    }
}

impl<S: Sql, P: Ports> Conversation<S, P> {
    /// Answers one question, as JSON.
    pub async fn desk(&self, ask: &ChatAsk) -> Result<String, Refused> {
        match ask {
            ChatAsk::Name => view(&self.session()),
            ChatAsk::Overview => view(&self.overview()?),
            ChatAsk::Messages { before, search } => view(&self.messages(*before, search.as_deref())?),
            ChatAsk::Turns { before } => view(&self.turns_page(before.as_deref())?),
            ChatAsk::Turn { id } => view(&self.turn_view(*id)?),
            ChatAsk::Updates { before } => view(&self.updates(*before)?),
            ChatAsk::Files { before } => view(&self.files_page(*before)?),
            ChatAsk::Export { form, after } => view(&self.export_page(*form, *after)?),
            ChatAsk::Stop => view(&self.desk_stop()?),
            ChatAsk::Retry { turn } => view(&self.desk_retry(*turn)?),
            ChatAsk::SendAgain { delivery } => view(&self.desk_send_again(*delivery)?),
            ChatAsk::Delete => view(&self.desk_delete().await?),
        }
    }
}
