//! Looks at a request's body as it streams by: it is one JSON object, and its model is the one that was asked for.
//!
//! What has passed has been looked at, so that Ollama, which acts as soon as the object is closed, never sees another model. Its decoder
//! (Go, `encoding/json`) takes the last of several keys and does not mind their case: more than one spelling is refused, and so
//! are escapes in keys and in the model's name. Memory is bounded whatever comes. Not here: whether what is nested in values is
//! valid; what is not, Ollama refuses as a whole.

/// Why a body does not pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("the body is not one JSON object")]
    NotAnObject,
    #[error("the body has a key with an escape")]
    Escape,
    #[error("the body names its model twice, or spells the key in another way")]
    Twice,
    #[error("the body names another model than the request")]
    OtherModel,
    #[error("the body names no model")]
    NoModel,
}

/// Where in the object it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Before,
    /// After `{`: a key or the end.
    First,
    /// After a comma: a key.
    Next,
    Key,
    Colon,
    Value,
    /// In the model's name.
    Model,
    /// In a string, the top level's or a nested one.
    Text,
    /// After a backslash in such a string.
    Escaped,
    /// In a number, `true`, `false` or `null`.
    Word,
    Nested,
    After,
    Done,
}

/// The key that is looked for.
const KEY: &[u8] = b"model";

/// Looks at one body.
#[derive(Debug)]
pub struct Guard {
    model: String,
    place: Place,
    /// How many brackets are open inside the object.
    depth: usize,
    /// The beginning of the present key, one byte more than [`KEY`] at most.
    key: Vec<u8>,
    /// Bytes of the model's name that were there.
    matched: usize,
    named: bool,
}

impl Guard {
    /// For a body whose model must be `model`.
    pub fn new(model: &str) -> Guard {
        let (key, model) = (Vec::with_capacity(KEY.len() + 1), model.to_owned());
        Guard { model, place: Place::Before, depth: 0, key, matched: 0, named: false }
    }

    /// The next bytes. They may be passed on if this is `Ok`, and not at all otherwise.
    pub fn look(&mut self, bytes: &[u8]) -> Result<(), Refusal> {
        for &byte in bytes {
            self.place = self.step(byte)?;
        }
        Ok(())
    }

    /// The body ends here.
    pub fn end(&self) -> Result<(), Refusal> {
        if self.place == Place::Done { Ok(()) } else { Err(Refusal::NotAnObject) }
    }

    fn step(&mut self, byte: u8) -> Result<Place, Refusal> {
        let blank = matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
        Ok(match (self.place, byte) {
            (Place::Text, b'"') if self.depth > 0 => Place::Nested,
            (Place::Text, b'"') => Place::After,
            (Place::Text, b'\\') => Place::Escaped,
            (Place::Text | Place::Escaped, _) => Place::Text,
            (Place::Nested, b'"') => Place::Text,
            (Place::Nested, b'{' | b'[') => {
                self.depth += 1;
                Place::Nested
            }
            (Place::Nested, b'}' | b']') => {
                self.depth -= 1;
                if self.depth > 0 { Place::Nested } else { Place::After }
            }
            (Place::Nested, _) => Place::Nested,
            (Place::Key, b'"') => self.key_ends()?,
            (Place::Key, b'\\') => return Err(Refusal::Escape),
            (Place::Key, _) => {
                if self.key.len() <= KEY.len() {
                    self.key.push(byte);
                }
                Place::Key
            }
            (Place::Model, b'"') if self.matched == self.model.len() => Place::After,
            (Place::Model, _) => {
                // An escape could spell the same name; nobody needs one, and refusing it keeps this simple.
                if byte == b'"' || self.model.as_bytes().get(self.matched) != Some(&byte) {
                    return Err(Refusal::OtherModel);
                }
                self.matched += 1;
                Place::Model
            }
            (Place::Word, b'0'..=b'9' | b'a'..=b'z' | b'E' | b'+' | b'-' | b'.') => Place::Word,
            (Place::Word | Place::After, b',') => Place::Next,
            (Place::Word | Place::After | Place::First, b'}') => self.closes()?,
            (Place::Word, _) if blank => Place::After,
            (place, _) if blank => place,
            (Place::Before, b'{') => Place::First,
            (Place::First | Place::Next, b'"') => {
                self.key.clear();
                Place::Key
            }
            (Place::Colon, b':') => Place::Value,
            (Place::Value, b'"') if self.key == KEY => Place::Model,
            (Place::Value, _) if self.key == KEY => return Err(Refusal::OtherModel),
            (Place::Value, b'"') => Place::Text,
            (Place::Value, b'{' | b'[') => {
                self.depth = 1;
                Place::Nested
            }
            (Place::Value, b'0'..=b'9' | b'-' | b't' | b'f' | b'n') => Place::Word,
            _ => return Err(Refusal::NotAnObject),
        })
    }

    fn key_ends(&mut self) -> Result<Place, Refusal> {
        if self.key.eq_ignore_ascii_case(KEY) {
            if self.named || self.key != KEY {
                return Err(Refusal::Twice);
            }
            self.named = true;
        }
        Ok(Place::Colon)
    }

    fn closes(&self) -> Result<Place, Refusal> {
        if self.named { Ok(Place::Done) } else { Err(Refusal::NoModel) }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests;
