//! Speech to text by an OpenAI-style `/audio/transcriptions` (providers.md §6), for models that do not hear.
//!
//! The sound goes from storage into the request as it is. Not here: which server and model do it, and randomness: the
//! boundary is handed in.
use super::classify;
use super::server::post;
use crate::llm::{Body, Endpoint, ErrorClass, HttpRequest, MediaRef, ModelError, parse};

/// What is to be written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Speech<'a> {
    pub media: &'a MediaRef,
    /// Name with an ending, by which servers tell the format: `voice.ogg`.
    pub file_name: &'a str,
    /// ISO 639-1 code of what is spoken; `None`: the server finds out.
    pub language: Option<&'a str>,
}

/// `POST {base}/audio/transcriptions`. `boundary` separates the fields: 1 to 70 letters and digits that do not occur in
/// the sound, so random ones.
pub fn transcribe(endpoint: &Endpoint, model: &str, speech: &Speech<'_>, boundary: &str) -> HttpRequest {
    let mut body = Body::default();
    let mut field = |name: &str, value: &str| {
        body.push_text(format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{}\r\n",
            one_line(value)
        ));
    };
    field("model", model);
    field("response_format", "json");
    if let Some(language) = speech.language {
        field("language", language);
    }
    body.push_text(format!(
        "--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{}\"\r\nContent-Type: {}\r\n\r\n",
        one_line(speech.file_name),
        one_line(&speech.media.mime),
    ));
    body.push_file(speech.media);
    body.push_text(format!("\r\n--{boundary}--\r\n"));
    post(endpoint, "/audio/transcriptions", &format!("multipart/form-data; boundary={boundary}"), body)
}

/// Reads the answer to [`transcribe`] with status 2xx: what was said, trimmed. Silence is [`ErrorClass::Empty`]. Other
/// statuses go through [`classify`].
pub fn parse_transcript(body: &[u8]) -> Result<String, ModelError> {
    match parse::json(body).as_ref().and_then(|value| value.get("text")?.as_str()) {
        Some(text) if text.trim().is_empty() => Err(ModelError::new(ErrorClass::Empty, "no speech")),
        Some(text) => Ok(text.trim().to_owned()),
        None => Err(ModelError { status: None, ..classify(200, None, body) }),
    }
}

/// Without what would end a header's value or a field early.
fn one_line(text: &str) -> String {
    text.chars().filter(|c| !c.is_control() && *c != '"').collect()
}
