//! What became of a call to the Bot API, in terms of what the caller can do next.
//!
//! Source: telegram.md §3.3; error codes are "subject to change" there, so texts decide.

use serde::Deserialize;

/// What the transport brought back.
#[derive(Debug, Clone)]
pub enum Reply {
    /// An HTTP answer, read to its end.
    Answered { status: u16, body: String },
    /// The connection failed or the deadline passed. Whether Telegram acted is unknown.
    Lost,
    /// The call never left whole, for a reason on our side that may pass: Telegram did not act.
    Unsent,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Done. `message_id` if the result is a message.
    Sent { message_id: Option<i64> },
    /// Not done; the same call may be made again after `after_ms`. `flood`: the whole chat has to wait.
    Retry { after_ms: i64, flood: bool },
    /// The request left, the answer was lost. Never repeated blindly.
    Ambiguous,
    /// Refused; the same call will be refused again.
    Refused(Refusal),
    /// The token is not valid (any more): no call of this bot can succeed.
    Unauthorized,
}

/// Why a call was refused, by what can be done about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// Entities or URLs were not accepted: send the same text plain.
    Formatting,
    /// The message to reply to is gone: send without the reply.
    ReplyGone,
    /// The topic is closed or gone: send to General.
    TopicGone,
    /// The keyboard was not accepted: send without it.
    Keyboard,
    /// The message to edit or delete is gone.
    TargetGone,
    /// Blocked, kicked, deactivated or not found: nothing reaches this chat.
    ChatGone,
    /// The group became a supergroup with this id.
    Migrated(i64),
    /// A button was pressed too long ago.
    QueryTooOld,
    /// Anything else, in Telegram's words (no secret in them).
    Other(String),
}

#[derive(Deserialize)]
struct Answer {
    ok: bool,
    #[serde(default)]
    error_code: u16,
    #[serde(default)]
    description: String,
    #[serde(default)]
    result: serde_json::Value,
    #[serde(default)]
    parameters: Parameters,
}

#[derive(Deserialize, Default)]
struct Parameters {
    retry_after: Option<i64>,
    migrate_to_chat_id: Option<i64>,
}

/// Wait before a server error is tried again when Telegram names no time.
const SERVER_ERROR_WAIT_MS: i64 = 2_000;

/// Reads a reply to any method.
pub fn read(reply: &Reply) -> Outcome {
    let (status, body) = match reply {
        Reply::Answered { status, body } => (status, body),
        Reply::Lost => return Outcome::Ambiguous,
        Reply::Unsent => return Outcome::Retry { after_ms: SERVER_ERROR_WAIT_MS, flood: false },
    };
    let Ok(answer) = serde_json::from_str::<Answer>(body) else {
        return match status {
            401 => Outcome::Unauthorized,
            429 => Outcome::Retry { after_ms: SERVER_ERROR_WAIT_MS, flood: true },
            // A page from something between us and Telegram: the request may have passed it.
            _ => Outcome::Ambiguous,
        };
    };
    if answer.ok {
        return Outcome::Sent { message_id: answer.result.get("message_id").and_then(serde_json::Value::as_i64) };
    }
    let code = if answer.error_code == 0 { *status } else { answer.error_code };
    match code {
        401 | 404 => Outcome::Unauthorized,
        429 => {
            let seconds = answer.parameters.retry_after.unwrap_or(1).max(1);
            Outcome::Retry { after_ms: seconds.saturating_mul(1000), flood: true }
        }
        500.. => Outcome::Retry { after_ms: SERVER_ERROR_WAIT_MS, flood: false },
        403 => Outcome::Refused(Refusal::ChatGone),
        _ => refusal(&answer),
    }
}

/// Where a file can be downloaded: the result of `getFile`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct FilePath {
    /// Goes behind `/file/bot<token>/`.
    pub file_path: String,
    /// Bytes, if Telegram told.
    #[serde(default)]
    pub file_size: Option<u64>,
}

/// What became of a `getFile`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    At(FilePath),
    /// Telegram lets bots download 20 MB at most (telegram.md §3.1).
    TooBig,
    /// No such file (any more).
    Gone,
    /// The same call may work after so many milliseconds. `flood`: the whole bot has to wait.
    Later {
        after_ms: i64,
        flood: bool,
    },
    Unauthorized,
}

/// Reads a reply to `getFile`.
pub fn file(reply: &Reply) -> Found {
    match read(reply) {
        Outcome::Sent { .. } => {
            #[derive(Deserialize)]
            struct Result {
                result: FilePath,
            }
            let body = if let Reply::Answered { body, .. } = reply { body.as_str() } else { "" };
            serde_json::from_str::<Result>(body).map_or(Found::Gone, |answer| Found::At(answer.result))
        }
        Outcome::Retry { after_ms, flood } => Found::Later { after_ms, flood },
        Outcome::Ambiguous => Found::Later { after_ms: SERVER_ERROR_WAIT_MS, flood: false },
        Outcome::Unauthorized => Found::Unauthorized,
        Outcome::Refused(Refusal::Other(text)) if text.to_ascii_lowercase().contains("too big") => Found::TooBig,
        Outcome::Refused(_) => Found::Gone,
    }
}

fn refusal(answer: &Answer) -> Outcome {
    if let Some(chat) = answer.parameters.migrate_to_chat_id {
        return Outcome::Refused(Refusal::Migrated(chat));
    }
    let text = answer.description.to_ascii_lowercase();
    let has = |needles: &[&str]| needles.iter().any(|needle| text.contains(needle));
    if has(&["message is not modified"]) {
        return Outcome::Sent { message_id: None };
    }
    Outcome::Refused(
        if has(&["parse entities", "messageentity", "entity begins", "entity url", "entities_too_long", "entity "]) {
            Refusal::Formatting
        } else if has(&["message to be replied not found", "message to reply not found", "quote"]) {
            Refusal::ReplyGone
        } else if has(&["message thread not found", "topic_closed", "topic_deleted"]) {
            Refusal::TopicGone
        } else if has(&["button_", "reply markup"]) {
            Refusal::Keyboard
        } else if has(&[
            "message to edit not found",
            "message can't be edited",
            "message to delete",
            "message can't be deleted",
            "message_id_invalid",
        ]) {
            Refusal::TargetGone
        } else if has(&["chat not found", "not enough rights to send", "chat_write_forbidden", "peer_id_invalid"]) {
            Refusal::ChatGone
        } else if has(&["query is too old"]) {
            Refusal::QueryTooOld
        } else {
            Refusal::Other(answer.description.chars().take(200).collect())
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(status: u16, body: &str) -> Outcome {
        read(&Reply::Answered { status, body: body.into() })
    }

    fn refused(description: &str) -> Outcome {
        answered(400, &format!(r#"{{"ok":false,"error_code":400,"description":"Bad Request: {description}"}}"#))
    }

    #[test]
    fn success_carries_the_message_id() {
        assert_eq!(
            answered(200, r#"{"ok":true,"result":{"message_id":41,"chat":{}}}"#),
            Outcome::Sent { message_id: Some(41) }
        );
        assert_eq!(answered(200, r#"{"ok":true,"result":true}"#), Outcome::Sent { message_id: None });
        assert_eq!(refused("message is not modified: same"), Outcome::Sent { message_id: None });
    }

    #[test]
    fn what_get_file_says() {
        let found = |status, body: &str| file(&Reply::Answered { status, body: body.into() });
        let no =
            |text: &str| found(400, &format!(r#"{{"ok":false,"error_code":400,"description":"Bad Request: {text}"}}"#));
        let at = |path: &str, size| Found::At(FilePath { file_path: path.into(), file_size: size });
        assert_eq!(
            found(200, r#"{"ok":true,"result":{"file_id":"a","file_path":"photos/1.jpg","file_size":5}}"#),
            at("photos/1.jpg", Some(5))
        );
        assert_eq!(found(200, r#"{"ok":true,"result":{"file_path":"x"}}"#), at("x", None));
        assert_eq!(found(200, r#"{"ok":true,"result":{"file_id":"a"}}"#), Found::Gone);
        assert_eq!(no("file is too big"), Found::TooBig);
        assert_eq!(no("wrong file_id or the file is temporarily unavailable"), Found::Gone);
        let flood = r#"{"ok":false,"error_code":429,"description":"x","parameters":{"retry_after":3}}"#;
        assert_eq!(found(429, flood), Found::Later { after_ms: 3_000, flood: true });
        assert_eq!(file(&Reply::Lost), Found::Later { after_ms: 2_000, flood: false });
        assert_eq!(found(401, r#"{"ok":false,"error_code":401}"#), Found::Unauthorized);
    }

    #[test]
    fn a_lost_answer_is_ambiguous_and_so_is_a_foreign_page() {
        assert_eq!(read(&Reply::Lost), Outcome::Ambiguous);
        assert_eq!(read(&Reply::Unsent), Outcome::Retry { after_ms: 2_000, flood: false });
        assert_eq!(answered(502, "<html>bad gateway"), Outcome::Ambiguous);
        assert_eq!(answered(200, ""), Outcome::Ambiguous);
    }

    #[test]
    fn flood_waits_as_long_as_told() {
        let body =
            r#"{"ok":false,"error_code":429,"description":"Too Many Requests","parameters":{"retry_after":400}}"#;
        assert_eq!(answered(429, body), Outcome::Retry { after_ms: 400_000, flood: true });
        let body = r#"{"ok":false,"error_code":500,"description":"Internal"}"#;
        assert_eq!(answered(500, body), Outcome::Retry { after_ms: 2_000, flood: false });
    }

    #[test]
    fn refusals_are_told_apart() {
        let table = [
            ("can't parse entities: x", Refusal::Formatting),
            ("entity URL 'x' is invalid: y", Refusal::Formatting),
            ("ENTITIES_TOO_LONG", Refusal::Formatting),
            ("message to be replied not found", Refusal::ReplyGone),
            ("message thread not found", Refusal::TopicGone),
            ("BUTTON_DATA_INVALID", Refusal::Keyboard),
            ("message to edit not found", Refusal::TargetGone),
            ("chat not found", Refusal::ChatGone),
            ("query is too old and response timeout expired or query ID is invalid", Refusal::QueryTooOld),
        ];
        for (description, expected) in table {
            assert_eq!(refused(description), Outcome::Refused(expected), "{description}");
        }
        let migrated =
            r#"{"ok":false,"error_code":400,"description":"upgraded","parameters":{"migrate_to_chat_id":-100}}"#;
        assert_eq!(answered(400, migrated), Outcome::Refused(Refusal::Migrated(-100)));
        let blocked = r#"{"ok":false,"error_code":403,"description":"Forbidden: bot was blocked by the user"}"#;
        assert_eq!(answered(403, blocked), Outcome::Refused(Refusal::ChatGone));
        let token = r#"{"ok":false,"error_code":401,"description":"Unauthorized"}"#;
        assert_eq!(answered(401, token), Outcome::Unauthorized);
    }
}
