//! The Bot API as data.

pub mod render;
