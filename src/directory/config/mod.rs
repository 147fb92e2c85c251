//! The configuration document: what operators may change while the bot runs.
//!
//! Variables of the environment are the base; what the document sets goes before them. Each save is a version with its
//! author; the newest is live. Not here: secrets, which are never in the document, and groups and people, which have
//! tables of their own.
//!
//! | file | holds |
//! |---|---|
//! | [`document`] | the document itself |
//! | [`schema`] | what may stand in each of its places, in terms of [`shape`] |
//! | [`check`](mod@check) | every mistake in a text at once; `cross`: rules about two places; `twice`: repeated fields |
//! | `json_schema` | the same as JSON Schema |
//! | [`diff`](mod@diff) | the difference of two documents; `lines`: of two texts |
//! | [`versions`] | saved by compare-and-set, history, rollback |
//! | `live` | the version that holds; caps and the policy for private messages |
//! | [`resolve`] | which agent answers where, and what a conversation goes by |

pub mod check;
mod cross;
pub mod diff;
pub mod document;
mod json_schema;
mod lines;
mod live;
mod path;
pub mod resolve;
pub mod schema;
pub mod shape;
mod twice;
pub mod versions;

pub use check::{Checked, check};
pub use diff::{Change, Kind, diff};
pub use document::{Agent, Binding, Document, ToolsProfile};
pub use json_schema::json_schema;
pub use lines::{Line, LineKind};
pub(super) use live::Memory as LiveMemory;
pub use resolve::{ConfigMark, SessionConfig};
pub use versions::{Saved, Version, VersionView};
