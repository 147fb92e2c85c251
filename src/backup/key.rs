//! Names of backups in storage: `backups/{yyyy-mm-dd}/{object}-{Unix milliseconds}.ndjson.gz`, in UTC.
//!
//! A session's name has `:` and `-` in it. Letters, digits and `_` stay, `:` becomes `.`, any other byte `=` and two
//! hexadecimal digits: `main:-100:7` is `main.=2d100.7`. So the last `-` of a name is the one before the time, and no two
//! objects share a name. Who chooses the time never chooses it twice for an object: a key is written once.

use crate::text::calendar::date;

/// Before every backup and manifest.
pub const PREFIX: &str = "backups/";
const END: &str = ".ndjson.gz";
/// What a manifest is called in the place of an object. No session has this name: each has a `:`.
pub const MANIFEST: &str = "manifest";
/// What the Directory is called.
pub const DIRECTORY: &str = "directory";
/// Longest name of an object, in bytes.
const MAX_OBJECT: usize = 200;

/// The key for the backup of `object` begun at `at`.
pub fn of(object: &str, at: i64) -> String {
    format!("{PREFIX}{}/{}-{at}{END}", date(at), escaped(object))
}

/// Object and time of a key that [`of`] made.
pub fn parse(key: &str) -> Option<(String, i64)> {
    let name = key.strip_prefix(PREFIX)?.split_once('/')?.1.strip_suffix(END)?;
    let (object, at) = name.rsplit_once('-')?;
    let (object, at) = (unescaped(object)?, at.parse().ok()?);
    (of(&object, at) == key && object.len() <= MAX_OBJECT).then_some((object, at))
}

fn escaped(object: &str) -> String {
    let mut text = String::new();
    for byte in object.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' => text.push(char::from(byte)),
            b':' => text.push('.'),
            byte => text.push_str(&format!("={byte:02x}")),
        }
    }
    text
}

fn unescaped(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'.' => bytes.push(b':'),
            b'=' => {
                let mut digit = || char::from(rest.next()?).to_digit(16);
                let value = digit()? * 16 + digit()?;
                bytes.push(u8::try_from(value).ok()?);
            }
            byte => bytes.push(byte),
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn keys() {
        let at = 1_795_132_800_123;
        assert_eq!(of("main:-100:7", at), "backups/2026-11-20/main.=2d100.7-1795132800123.ndjson.gz");
        assert_eq!(of(MANIFEST, at), "backups/2026-11-20/manifest-1795132800123.ndjson.gz");
        for other in [
            "",
            "files/x",
            "backups/x",
            "backups/2026-11-20/x-1.ndjson.gz",
            "backups/2026-11-20/a=2-1795132800123.ndjson.gz",
        ] {
            assert_eq!(parse(other), None, "{other}");
        }
    }

    proptest! {
        #[test]
        fn a_key_says_what_it_is_of(object in ".{1,40}", at in 0..4_102_444_800_000i64) {
            let key = of(&object, at);
            prop_assert_eq!(parse(&key), Some((object, at)));
            prop_assert!(key.bytes().all(|b| b.is_ascii_graphic()));
            prop_assert!(key.len() <= 1_024);
        }

        #[test]
        fn no_text_is_a_trap(key in ".{0,60}") {
            let _ = parse(&format!("{PREFIX}{key}{END}"));
        }
    }
}
