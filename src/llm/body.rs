//! The body of a request as pieces, so that files go from storage to the model without ever being whole in memory: a
//! Worker has 128 MB for all conversations of an isolate (cloudflare.md §1.2), and base64 adds a third.
//!
//! Not here: reading the files and writing the pieces (the caller's), nor which media a model takes (each provider's).

use serde::ser::Error as _;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use super::MediaRef;

/// A request's body.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Body {
    pieces: Vec<Piece>,
}

/// A part of a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    Text(String),
    /// The bytes of a stored file, or their base64 (standard alphabet, with padding).
    File {
        key: String,
        size: u64,
        base64: bool,
    },
}

impl Piece {
    /// Length on the wire, bytes.
    pub fn len(&self) -> u64 {
        match self {
            Piece::Text(text) => text.len() as u64,
            Piece::File { size, base64: true, .. } => size.div_ceil(3) * 4,
            Piece::File { size, .. } => *size,
        }
    }

    /// True for a piece of no length.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Opens a marked string. `serde_json` escapes a quote and a backslash and never a slash, so no other string it writes
/// contains these three signs in a row.
const MARK: &str = "\"\\/";

/// Stands for a file in a value that [`Body::json`] serializes: a string of a prefix and the file's base64.
///
/// Only through typed structs: a [`serde_json::Value`] would turn it into an ordinary string.
#[derive(Debug, Clone)]
pub struct MediaMark(Option<Box<RawValue>>);

/// A mark for `media`, written as `prefix` and its base64 (`data:image/png;base64,`, or nothing).
pub fn media_mark(prefix: &str, media: &MediaRef) -> MediaMark {
    let inner = serde_json::to_string(&format!("{prefix}|{}|{}", media.size, media.key)).unwrap_or_default();
    let inner = inner.strip_prefix('"').unwrap_or_default();
    MediaMark(RawValue::from_string(format!("{MARK}{inner}")).ok())
}

impl Serialize for MediaMark {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.as_ref().ok_or_else(|| S::Error::custom("a mark that is no JSON"))?.serialize(serializer)
    }
}

impl Body {
    /// The JSON of `value`, with a file in place of every [`MediaMark`].
    pub fn json(value: &impl Serialize) -> Body {
        // Serializing strings, numbers and string-keyed maps has no way to fail.
        let json = serde_json::to_string(value).unwrap_or_default();
        let mut body = Body::default();
        let mut rest = json.as_str();
        while let Some((before, marked)) = rest.split_once(MARK) {
            body.push_text(before.to_owned());
            body.push_text("\"".to_owned());
            let end = end_of_string(marked);
            let (mark, after) = marked.split_at_checked(end).unwrap_or((marked, ""));
            let text: String = serde_json::from_str(&format!("\"{mark}\"")).unwrap_or_default();
            let mut fields = text.splitn(3, '|');
            let mut next = || fields.next().unwrap_or_default().to_owned();
            let (prefix, size, key) = (next(), next().parse().unwrap_or(0), next());
            body.push_text(prefix);
            body.pieces.push(Piece::File { key, size, base64: true });
            rest = after;
        }
        body.push_text(rest.to_owned());
        body
    }

    /// Appends text.
    pub fn push_text(&mut self, text: String) {
        match self.pieces.last_mut() {
            Some(Piece::Text(last)) => last.push_str(&text),
            _ if text.is_empty() => {}
            _ => self.pieces.push(Piece::Text(text)),
        }
    }

    /// Appends the bytes of a stored file as they are.
    pub fn push_file(&mut self, media: &MediaRef) {
        self.pieces.push(Piece::File { key: media.key.clone(), size: media.size, base64: false });
    }

    /// The pieces in order.
    pub fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// The whole body, if it has no files; empty for none.
    pub fn as_text(&self) -> Option<&str> {
        match self.pieces.as_slice() {
            [] => Some(""),
            [Piece::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// Length on the wire, bytes.
    pub fn len(&self) -> u64 {
        self.pieces.iter().map(Piece::len).sum()
    }

    /// True if there is none.
    pub fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }
}

impl From<String> for Body {
    fn from(text: String) -> Body {
        let mut body = Body::default();
        body.push_text(text);
        body
    }
}

/// Where a JSON string, whose opening quote is gone, ends.
fn end_of_string(text: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Serialize)]
    struct Wire {
        before: String,
        media: Vec<MediaMark>,
        after: String,
    }

    fn media(key: &str, size: u64) -> MediaRef {
        MediaRef { key: key.into(), mime: "image/png".into(), size }
    }

    fn file(key: &str, size: u64) -> Piece {
        Piece::File { key: key.into(), size, base64: true }
    }

    #[test]
    fn marks_become_files_between_the_texts() {
        let wire = Wire {
            before: "a".into(),
            media: vec![
                media_mark("", &media("files/main:5/2026-11/1-0", 4)),
                media_mark("data:image/png;base64,", &media("k|\"\\", 3)),
            ],
            after: "b".into(),
        };
        let body = Body::json(&wire);
        let text = |text: &str| Piece::Text(text.into());
        assert_eq!(
            body.pieces(),
            [
                text(r#"{"before":"a","media":[""#),
                file("files/main:5/2026-11/1-0", 4),
                text(r#"","data:image/png;base64,"#),
                file("k|\"\\", 3),
                text(r#""],"after":"b"}"#),
            ]
        );
        assert_eq!(body.len(), 24 + 8 + 25 + 4 + 15);
        assert_eq!(body.as_text(), None);
    }

    #[test]
    fn without_files_it_is_one_text() {
        assert_eq!(Body::json(&["x"]).as_text(), Some(r#"["x"]"#));
        assert_eq!(Body::default().as_text(), Some(""));
        assert!(Body::default().is_empty());
    }

    proptest! {
        #[test]
        fn no_text_is_taken_for_a_mark(before in ".*", after in r#"[\\/"|0-9]{0,20}"#, key in "[\\\\/\"|a-z]{1,9}", size in 0u64..99) {
            let wire = Wire { before: before.clone(), media: vec![media_mark("p", &media(&key, size))], after: after.clone() };
            let body = Body::json(&wire);
            let mut whole = String::new();
            let mut files = 0;
            for piece in body.pieces() {
                match piece {
                    Piece::Text(text) => whole.push_str(text),
                    Piece::File { key: found, size: counted, .. } => {
                        prop_assert_eq!((found, *counted), (&key, size));
                        files += 1;
                        whole.push_str("QUJD");
                    }
                }
            }
            prop_assert_eq!(files, 1);
            let read: serde_json::Value = serde_json::from_str(&whole).unwrap();
            prop_assert_eq!(read["before"].as_str().unwrap(), before);
            prop_assert_eq!(read["after"].as_str().unwrap(), after);
            prop_assert_eq!(read["media"][0].as_str().unwrap(), "pQUJD");
        }
    }
}
