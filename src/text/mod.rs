//! Every word a person reads from us, in English and Russian, in one place.
//!
//! Not here: Markdown or entities (`telegram::`) and what the model writes. Texts are plain: send them without `parse_mode`.

/// Phrases without arguments, each in English and Russian: `words! { /// Doc. name: "English", "Русский"; }`.
macro_rules! words {
    ($($(#[$doc:meta])* $name:ident: $en:expr, $ru:expr;)*) => {$(
        $(#[$doc])*
        pub fn $name(lang: crate::text::Lang) -> &'static str {
            lang.pick($en, $ru)
        }
    )*};
}

pub mod access;
pub mod admin;
pub mod alerts;
pub mod amount;
pub mod calendar;
pub mod chat;
pub mod context;
pub mod media;
pub mod models;
pub mod relays;
pub mod trouble;
pub mod usage;

use serde::{Deserialize, Serialize};

/// A language we write in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lang {
    #[default]
    En,
    Ru,
}

impl Lang {
    /// The two-letter code; [`Lang::from_code`] reads it back.
    pub fn code(self) -> &'static str {
        match self {
            Lang::En => "en",
            Lang::Ru => "ru",
        }
    }

    /// From Telegram's `language_code`, an IETF tag such as `ru` or `pt-br`. What we do not speak is English.
    pub fn from_code(code: Option<&str>) -> Self {
        let primary = code.and_then(|code| code.split(['-', '_']).next()).unwrap_or_default();
        match primary.to_ascii_lowercase().as_str() {
            "ru" | "uk" | "be" | "kk" => Lang::Ru,
            _ => Lang::En,
        }
    }

    /// Chooses between the two.
    fn pick<'a>(self, en: &'a str, ru: &'a str) -> &'a str {
        match self {
            Lang::En => en,
            Lang::Ru => ru,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_of_russian_read_russian_and_the_rest_english() {
        for code in ["ru", "RU", "ru-RU", "uk", "be", "be_BY", "kk"] {
            assert_eq!(Lang::from_code(Some(code)), Lang::Ru, "{code}");
        }
        for code in [Some("en"), Some("de"), Some(""), Some("rue"), None] {
            assert_eq!(Lang::from_code(code), Lang::En, "{code:?}");
        }
    }
}
