//! The name of a conversation: bot, chat and topic. It is the name of its Chat object.

use std::fmt;

/// `{bot}:{chat_id}` or `{bot}:{chat_id}:{topic}`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionKey {
    /// Bot id of the configuration (`main`, …), not Telegram's number.
    pub bot: String,
    pub chat_id: i64,
    pub topic: Option<i64>,
}

impl fmt::Display for SessionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.bot, self.chat_id)?;
        match self.topic {
            Some(topic) => write!(f, ":{topic}"),
            None => Ok(()),
        }
    }
}

impl SessionKey {
    /// Reads the form that [`fmt::Display`] writes.
    pub fn parse(text: &str) -> Option<SessionKey> {
        let mut parts = text.split(':');
        let key = SessionKey {
            bot: parts.next()?.to_owned(),
            chat_id: parts.next()?.parse().ok()?,
            topic: match parts.next() {
                Some(topic) => Some(topic.parse().ok()?),
                None => None,
            },
        };
        parts.next().is_none().then_some(key)
    }

    /// True for a conversation with one person: such chats have the person's own, positive id.
    pub fn is_private(&self) -> bool {
        self.chat_id > 0
    }
}

#[cfg(test)]
mod tests {
    use super::SessionKey;

    #[test]
    fn reads_what_it_writes() {
        for text in ["main:5", "main:-1001:7", "work_2:9007199254740991"] {
            assert_eq!(SessionKey::parse(text).map(|key| key.to_string()).as_deref(), Some(text));
        }
        for text in ["", "main", "main:x", "main:1:y", "main:1:2:3"] {
            assert_eq!(SessionKey::parse(text), None, "{text}");
        }
    }
}
