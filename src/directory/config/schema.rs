//! The shape of the whole document: the one table behind validation, the JSON Schema and the settings form.
//!
//! Its fields are those of `document`. Limits: a row of the store has room for a document of [`MAX_DOCUMENT`] many times
//! over, and a conversation's prompt for a persona of [`MAX_PERSONA`]. Not here: rules about two places at once (`cross`).

use super::shape::{Field, Key, Shape};
use crate::text::Lang;
use crate::text::admin::settings as words;

/// Largest document, bytes of JSON.
pub const MAX_DOCUMENT: usize = 256 * 1024;
/// Longest persona, characters.
pub const MAX_PERSONA: usize = 16_000;
/// Most agents.
pub const MAX_AGENTS: usize = 50;
/// Most bindings.
pub const MAX_BINDINGS: usize = 500;
/// Most dollars a cap may have.
pub const MAX_USD: f64 = 100_000.0;
/// Counts changes of this table: a document may need a release that knows them.
pub const SCHEMA_VERSION: i64 = 1;

/// Most tokens a window may have: what fits the catalogue's numbers.
const MAX_TOKENS: i64 = u32::MAX as i64;
/// Integers beyond this lose bits on the platform.
const MAX_INT: i64 = (1 << 53) - 1;

/// A field that may be absent.
const fn field(name: &'static str, shape: &'static Shape, about: fn(Lang) -> &'static str) -> Field {
    Field { name, shape, needed: false, about }
}

/// The document.
pub static DOCUMENT: Shape = Shape::Object(&[
    field("models", &MODELS, words::field_models),
    field("budget", &BUDGET, words::field_budget),
    field("access", &ACCESS, words::field_access),
    field("replies", &REPLIES, words::field_replies),
    field("agents", &Shape::Map { keys: Key::Agent, most: MAX_AGENTS, of: &AGENT }, words::field_agents),
    field("bindings", &Shape::List { most: MAX_BINDINGS, of: &BINDING }, words::field_bindings),
]);

static MODELS: Shape = Shape::Object(&[
    field("default", &Shape::Model, words::field_default),
    field("fallbacks", &FALLBACKS, words::field_fallbacks),
    field("catalogue", &Shape::Map { keys: Key::Model, most: 200, of: &CATALOGUE_ENTRY }, words::field_catalogue),
]);

static FALLBACKS: Shape = Shape::List { most: 10, of: &Shape::Model };

/// As `llm::catalogue` reads it; that every entry of this shape is read there is a test.
static CATALOGUE_ENTRY: Shape = Shape::Object(&[
    field("input_usd", &PER_MILLION, words::field_input_usd),
    field("output_usd", &PER_MILLION, words::field_output_usd),
    field("cached_usd", &PER_MILLION, words::field_cached_usd),
    field("context", &Shape::Whole { least: 1, most: MAX_TOKENS }, words::field_context),
    field("output", &Shape::Whole { least: 1, most: MAX_TOKENS }, words::field_output),
    field("accepts", &Shape::List { most: 4, of: &Shape::Word(MEDIA) }, words::field_accepts),
    field("thinking", &Shape::List { most: 5, of: &Shape::Word(LEVELS) }, words::field_levels),
    field("tools", &Shape::Switch, words::field_can_call),
]);

static PER_MILLION: Shape = Shape::Number { least: 0.0, most: 4_000.0 };
const MEDIA: &[&str] = &["image", "audio", "video", "pdf"];
const LEVELS: &[&str] = &["off", "minimal", "low", "medium", "high"];

static BUDGET: Shape = Shape::Object(&[
    field("day_usd", &DOLLARS, words::field_day),
    field("month_usd", &DOLLARS, words::field_month),
    field("person_day_usd", &DOLLARS, words::field_person_day),
]);

static DOLLARS: Shape = Shape::Number { least: 0.0, most: MAX_USD };

static ACCESS: Shape = Shape::Object(&[field(
    "private",
    &Shape::Word(&["pairing", "allowlist", "open", "disabled"]),
    words::field_private,
)]);

static REPLIES: Shape = Shape::Object(&[
    field("streaming", &Shape::Word(&["draft", "edit", "off"]), words::field_streaming),
    field("deadlines", &Shape::Deadlines, words::field_deadlines),
]);

static AGENT: Shape = Shape::Object(&[
    field("name", &Shape::Text { most: 64, lines: false }, words::field_name),
    field("emoji", &Shape::Emoji, words::field_emoji),
    field("persona", &Shape::Text { most: MAX_PERSONA, lines: true }, words::field_persona),
    field("model", &Shape::Model, words::field_agent_model),
    field("fallbacks", &FALLBACKS, words::field_agent_fallbacks),
    field(
        "thinking",
        &Shape::Word(&["default", "off", "minimal", "low", "medium", "high"]),
        words::field_agent_thinking,
    ),
    field("tools", &Shape::Word(&["all", "none"]), words::field_agent_tools),
]);

static BINDING: Shape = Shape::Object(&[
    field("bot", &Shape::Bot, words::field_bot),
    field("chat", &Shape::Whole { least: -MAX_INT, most: MAX_INT }, words::field_chat),
    field("topic", &Shape::Whole { least: 1, most: i32::MAX as i64 }, words::field_topic),
    Field { name: "agent", shape: &Shape::AgentId, needed: true, about: words::field_agent },
]);

/// The field at a path of object fields, such as `models.default`; `None`: there is none.
pub fn field_at(path: &str) -> Option<&'static Field> {
    let mut shape: &'static Shape = &DOCUMENT;
    let mut found = None;
    for name in path.split('.') {
        let Shape::Object(fields) = shape else { return None };
        let field = fields.iter().find(|field| field.name == name)?;
        shape = field.shape;
        found = Some(field);
    }
    found
}
