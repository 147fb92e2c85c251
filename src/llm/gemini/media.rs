//! Which media Gemini takes inline, and under which name (providers.md §2.6).
//!
//! Not here: how much of it (the caller keeps a request below 20 MB of files).

/// Types taken as they are named here.
const AS_IS: &[&str] = &[
    "image/png",
    "image/jpeg",
    "image/webp",
    "image/heic",
    "image/heif",
    "audio/wav",
    "audio/mp3",
    "audio/aiff",
    "audio/aac",
    "audio/ogg",
    "audio/flac",
    "audio/m4a",
    "audio/opus",
    "audio/webm",
    "video/mp4",
    "video/mpeg",
    "video/quicktime",
    "video/webm",
    "video/3gpp",
    "application/pdf",
];

/// Other names of the same thing.
const RENAMED: &[(&str, &str)] = &[
    ("image/jpg", "image/jpeg"),
    ("audio/x-wav", "audio/wav"),
    ("audio/wave", "audio/wav"),
    ("audio/vnd.wave", "audio/wav"),
    ("audio/mpeg", "audio/mp3"),
    ("audio/x-mp3", "audio/mp3"),
    ("audio/x-aiff", "audio/aiff"),
    ("audio/x-aac", "audio/aac"),
    ("audio/x-flac", "audio/flac"),
    ("audio/mp4", "audio/m4a"),
    ("audio/x-m4a", "audio/m4a"),
    // Seen to be refused, while the same voice message as audio/ogg works.
    ("application/ogg", "audio/ogg"),
    ("application/json", "text/plain"),
    ("application/xml", "text/plain"),
    ("application/yaml", "text/plain"),
    ("application/x-yaml", "text/plain"),
    ("application/toml", "text/plain"),
    ("application/javascript", "text/plain"),
    ("application/x-sh", "text/plain"),
    ("application/sql", "text/plain"),
];

/// The `mimeType` to send media of type `mime` with; `None` if the model does not take it.
pub(super) fn wire_mime(mime: &str, is_gemma: bool) -> Option<&'static str> {
    let known = AS_IS.iter().find(|known| **known == mime).copied();
    let renamed = || RENAMED.iter().find(|(name, _)| *name == mime).map(|(_, wire)| *wire);
    let wire = known.or_else(renamed).or_else(|| mime.starts_with("text/").then_some("text/plain"))?;
    (!is_gemma || wire.starts_with("image/")).then_some(wire)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table() {
        for (mime, wire, gemma) in [
            ("image/jpeg", Some("image/jpeg"), Some("image/jpeg")),
            ("image/gif", None, None),
            ("audio/ogg", Some("audio/ogg"), None),
            ("application/ogg", Some("audio/ogg"), None),
            ("audio/mpeg", Some("audio/mp3"), None),
            ("audio/mp4", Some("audio/m4a"), None),
            ("video/mp4", Some("video/mp4"), None),
            ("application/pdf", Some("application/pdf"), None),
            ("text/csv", Some("text/plain"), None),
            ("application/json", Some("text/plain"), None),
            ("application/octet-stream", None, None),
            ("application/zip", None, None),
            ("", None, None),
        ] {
            assert_eq!((wire_mime(mime, false), wire_mime(mime, true)), (wire, gemma), "{mime}");
        }
    }
}
