//! The configuration document: what operators may change while the bot runs.
//!
//! Variables of the environment are the base; what the document sets goes before them. Each save is a version with its
//! author; the newest is live. Not here: secrets, which are never in the document, and groups and people, which have
//! tables of their own.
//!
//! | file | holds |
//! |---|---|
//! | [`document`] | the document itself |
//! | `live` | the version that holds; caps and the policy for private messages |

pub mod document;
mod live;

pub use document::{Agent, Binding, Document};
pub(super) use live::Memory as LiveMemory;
