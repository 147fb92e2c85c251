//! Conversations as the control plane asks the Directory for them: the list, one of them, and who did what in it.

use serde::{Deserialize, Serialize};

use super::{Desk, Refused};
use crate::directory::{ConversationRow, Directory};
use crate::store::Sql;

/// What an operator does in a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    Stop,
    Retry,
    SendAgain,
    Export,
    Delete,
}

impl Act {
    /// The word in the audit.
    fn word(self) -> &'static str {
        match self {
            Act::Stop => "conversation_stop",
            Act::Retry => "conversation_retry",
            Act::SendAgain => "conversation_send_again",
            Act::Export => "conversation_export",
            Act::Delete => "conversation_delete",
        }
    }
}

impl<S: Sql> Directory<S> {
    pub(super) fn desk_conversation(&self, session: &str) -> Result<ConversationRow, Refused> {
        self.conversation(session)?.ok_or_else(|| Refused::not_found("There is no such conversation."))
    }

    /// Writes down who is about to do what, before it is done. A conversation that is not known is not touched.
    pub(super) fn desk_note_act(
        &self,
        session: &str,
        act: Act,
        about: Option<i64>,
        desk: &Desk<'_>,
    ) -> Result<ConversationRow, Refused> {
        let row = self.desk_conversation(session)?;
        let subject = match about {
            Some(number) => format!("{session} {number}"),
            None => session.to_owned(),
        };
        self.audit(Some(&row.bot), desk.who, act.word(), &subject, desk.now)?;
        Ok(row)
    }
}
