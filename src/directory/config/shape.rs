//! What may stand in a place of the document, as data: the vocabulary of `schema`.
//!
//! One table of these is walked by `check`, written out as JSON Schema by `json_schema`, and asked by the settings page.
//! Not here: the table itself, and rules about two places at once (`cross`).

use crate::text::Lang;

/// What may stand in a place.
#[derive(Debug)]
pub enum Shape {
    /// Fields by name; no others.
    Object(&'static [Field]),
    /// Names of the operator's own.
    Map {
        keys: Key,
        most: usize,
        of: &'static Shape,
    },
    List {
        most: usize,
        of: &'static Shape,
    },
    /// At most so many characters; line breaks and tabs only where `lines`.
    Text {
        most: usize,
        lines: bool,
    },
    /// One emoji, or nothing.
    Emoji,
    /// A bot's id.
    Bot,
    /// An agent's id.
    AgentId,
    Word(&'static [&'static str]),
    /// With at most [`DECIMALS`] decimals.
    Number {
        least: f64,
        most: f64,
    },
    Whole {
        least: i64,
        most: i64,
    },
    Switch,
    /// `provider/model` of a provider that this release can call.
    Model,
    /// `first,idle,total` in seconds.
    Deadlines,
}

/// What a name in a [`Shape::Map`] may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// As [`Shape::AgentId`].
    Agent,
    /// As [`Shape::Model`].
    Model,
}

/// A place in an object.
#[derive(Debug)]
pub struct Field {
    pub name: &'static str,
    pub shape: &'static Shape,
    /// Must be there.
    pub needed: bool,
    /// What it means, for people.
    pub about: fn(Lang) -> &'static str,
}

/// Most decimals of a number: a millionth of a dollar.
pub const DECIMALS: usize = 6;

/// Longest id of an agent or a bot, characters.
pub const MAX_ID: usize = 32;

/// Longest deadline, seconds: a call has to end within the platform's 15 minutes of one alarm.
pub const MAX_DEADLINE: f64 = 840.0;

impl Shape {
    /// What may stand there, where that is a short list.
    pub fn allowed(&self) -> Vec<String> {
        match self {
            Shape::Word(words) => words.iter().map(|word| (*word).to_owned()).collect(),
            Shape::Object(fields) => fields.iter().map(|field| field.name.to_owned()).collect(),
            Shape::Switch => vec!["true".to_owned(), "false".to_owned()],
            _ => Vec::new(),
        }
    }

    /// The rule as the end of a sentence that begins with "Must be".
    pub fn rule(&self) -> String {
        match self {
            Shape::Object(_) | Shape::Map { .. } => "an object".to_owned(),
            Shape::List { most, .. } => format!("a list of at most {most} entries"),
            Shape::Text { most, lines: true } => format!("text of at most {most} characters"),
            Shape::Text { most, lines: false } => format!("one line of at most {most} characters"),
            Shape::Emoji => "one emoji, or empty".to_owned(),
            Shape::Bot => format!("a bot's id: at most {MAX_ID} of a-z, 0-9 and _"),
            Shape::AgentId => format!("an agent's id: at most {MAX_ID} of a-z, 0-9, _ and -"),
            Shape::Word(_) => "one of the words allowed here".to_owned(),
            Shape::Number { least, most } => {
                format!("a number from {least} to {most} with at most {DECIMALS} decimals")
            }
            Shape::Whole { least, most } => format!("a whole number from {least} to {most}"),
            Shape::Switch => "true or false".to_owned(),
            Shape::Model => "a model written provider/model, for example ollama/gpt-oss:120b".to_owned(),
            Shape::Deadlines => {
                format!(
                    "three or four numbers of seconds, first,idle,total,relay, each above 0 and at most {MAX_DEADLINE}"
                )
            }
        }
    }
}

/// Whether `text` can be an agent's id.
pub fn is_agent_id(text: &str) -> bool {
    is_id(text, |byte| byte == b'-')
}

/// Whether `text` can be a bot's id: as much as a path to its webhook may hold.
pub fn is_bot_id(text: &str) -> bool {
    is_id(text, |_| false)
}

fn is_id(text: &str, also: fn(u8) -> bool) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_' || also(byte);
    (1..=MAX_ID).contains(&text.len()) && text.bytes().all(plain)
}
