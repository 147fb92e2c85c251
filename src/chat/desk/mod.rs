//! The desk of one conversation: what the control plane asks it and does in it.
//!
//! One question in, one view out, as JSON. Each feature has a file here. Not here: pages and routes (`admin`).

mod backup;

use serde::{Deserialize, Serialize};

use super::conversation::Conversation;
use super::ports::Ports;
use crate::directory::desk::Refused;
use crate::store::Sql;

/// What can be asked of a conversation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChatAsk {
    /// Its name, if it has one.
    Name,
}

impl<S: Sql, P: Ports> Conversation<S, P> {
    /// Answers one question, as JSON.
    pub async fn desk(&self, ask: &ChatAsk) -> Result<String, Refused> {
        match ask {
            ChatAsk::Name => crate::directory::desk::view(&self.session()),
        }
    }
}
