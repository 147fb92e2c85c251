//! How Telegram sees our webhook: `getWebhookInfo` (Bot API 10.3, telegram.md §2).

use serde::{Deserialize, Serialize};

use super::method::Call;
use super::outcome::Reply;
use super::update::ALLOWED_UPDATES;

/// What Telegram says of a bot's webhook. Times are Unix seconds, as Telegram has them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct WebhookInfo {
    /// Empty: none is set.
    pub url: String,
    /// Updates that wait for delivery.
    pub pending_update_count: i64,
    /// When a delivery last failed.
    pub last_error_date: Option<i64>,
    /// Why, in Telegram's words.
    pub last_error_message: Option<String>,
    /// Empty: all but a few kinds.
    pub allowed_updates: Vec<String>,
    pub max_connections: Option<i64>,
}

impl WebhookInfo {
    /// The call whose answer [`WebhookInfo::read`] reads.
    pub fn call() -> Call {
        Call { method: "getWebhookInfo".to_owned(), params: serde_json::json!({}), upload: None }
    }

    /// `None`: Telegram did not answer, or with an error.
    pub fn read(reply: &Reply) -> Option<WebhookInfo> {
        #[derive(Deserialize)]
        struct Envelope {
            result: WebhookInfo,
        }
        match reply {
            Reply::Answered { status: 200, body } => Some(serde_json::from_str::<Envelope>(body).ok()?.result),
            _ => None,
        }
    }

    /// Whether exactly the kinds arrive that we act on.
    pub fn has_our_kinds(&self) -> bool {
        self.allowed_updates.len() == ALLOWED_UPDATES.len()
            && ALLOWED_UPDATES.iter().all(|kind| self.allowed_updates.iter().any(|allowed| allowed == kind))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn answered(body: &str) -> Reply {
        Reply::Answered { status: 200, body: body.to_owned() }
    }

    #[test]
    fn an_answer_is_read_and_an_error_is_none() {
        let body = r#"{"ok":true,"result":{"url":"https://w.example/telegram/main","has_custom_certificate":false,
            "pending_update_count":3,"last_error_date":1795000000,"last_error_message":"Wrong response from the webhook: 500",
            "max_connections":20,"allowed_updates":["my_chat_member","message","edited_message","callback_query","stopped_message_generation"]}}"#;
        let info = WebhookInfo::read(&answered(body)).unwrap();
        assert_eq!((info.pending_update_count, info.last_error_date), (3, Some(1_795_000_000)));
        assert!(info.has_our_kinds());
        assert_eq!(WebhookInfo::read(&answered(r#"{"ok":true}"#)), None);
        assert_eq!(WebhookInfo::read(&Reply::Lost), None);
    }

    #[test]
    fn other_kinds_are_not_ours() {
        let unset = r#"{"ok":true,"result":{"url":"","has_custom_certificate":false,"pending_update_count":0}}"#;
        assert!(!WebhookInfo::read(&answered(unset)).unwrap().has_our_kinds());
        let mut info = WebhookInfo { allowed_updates: ALLOWED_UPDATES.map(str::to_owned).into(), ..Default::default() };
        assert!(info.has_our_kinds());
        info.allowed_updates.push("poll".to_owned());
        assert!(!info.has_our_kinds());
    }
}
