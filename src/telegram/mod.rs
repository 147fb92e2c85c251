//! The Bot API as data.
