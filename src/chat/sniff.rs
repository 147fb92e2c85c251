//! What the bytes of a file say about its type, and what its text says.
//!
//! A name or a type that a sender claims decides nothing: a model refuses a request with a PDF that is a web page, and
//! takes a real PDF that was sent as `application/octet-stream`. Only types that decide what happens to a file are told
//! apart. Source of the signatures: the WHATWG MIME Sniffing Standard, and the formats' own descriptions.

/// Bytes from the start of a file that suffice for [`real_type`].
pub const HEAD: usize = 4_096;

/// The type of a file that begins with `head`. `claimed` counts only between types of one container, and for text.
pub fn real_type(claimed: &str, name: Option<&str>, head: &[u8]) -> String {
    if let Some(found) = signature(head) {
        return by_container(found, claimed).to_owned();
    }
    let plain = match text_of(head, head.len() >= HEAD) {
        Some(text) if starts_like_html(&text) => Some("text/html"),
        Some(_) => Some("text/plain"),
        None => None,
    };
    match plain {
        Some(_) if is_text(claimed) => claimed.to_owned(),
        Some(plain) => plain.to_owned(),
        // Old Russian encodings have no signature: the claim must help.
        None if (is_text(claimed) || has_text_name(name)) && looks_like_cp1251(head) => "text/plain".to_owned(),
        None => "application/octet-stream".to_owned(),
    }
}

/// True for types whose files are read as text.
pub fn is_text(mime: &str) -> bool {
    const OTHERS: [&str; 11] = [
        "application/json",
        "application/xml",
        "application/javascript",
        "application/x-javascript",
        "application/x-sh",
        "application/x-yaml",
        "application/yaml",
        "application/toml",
        "application/sql",
        "application/csv",
        "application/x-subrip",
    ];
    mime.starts_with("text/") || mime.ends_with("+json") || mime.ends_with("+xml") || OTHERS.contains(&mime)
}

/// The text of a file: UTF-8, UTF-16 with a byte order mark, or Windows-1251 if it looks like it. `cut`: the file goes on
/// after `bytes`, which may end inside a character.
pub fn decode(bytes: &[u8], cut: bool) -> Option<String> {
    text_of(bytes, cut).or_else(|| looks_like_cp1251(bytes).then(|| bytes.iter().map(|&byte| cp1251(byte)).collect()))
}

fn signature(head: &[u8]) -> Option<&'static str> {
    const STARTS: [(&[u8], &str); 18] = [
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"\xff\xd8\xff", "image/jpeg"),
        (b"GIF87a", "image/gif"),
        (b"GIF89a", "image/gif"),
        (b"OggS", "audio/ogg"),
        (b"ID3", "audio/mpeg"),
        (b"\xff\xfb", "audio/mpeg"),
        (b"\xff\xf3", "audio/mpeg"),
        (b"\xff\xf2", "audio/mpeg"),
        (b"\xff\xf1", "audio/aac"),
        (b"\xff\xf9", "audio/aac"),
        (b"fLaC", "audio/flac"),
        (b"\x1a\x45\xdf\xa3", "video/webm"),
        (b"PK\x03\x04", "application/zip"),
        (b"\x1f\x8b", "application/gzip"),
        (b"Rar!", "application/vnd.rar"),
        (b"\x7fELF", "application/x-executable"),
        (b"MZ\x90\x00", "application/x-msdownload"),
    ];
    if let Some((_, mime)) = STARTS.iter().find(|(start, _)| head.starts_with(start)) {
        return Some(mime);
    }
    let at = |from: usize, len: usize| head.get(from..from + len);
    match (at(0, 4), at(8, 4)) {
        (Some(b"RIFF"), Some(b"WEBP")) => return Some("image/webp"),
        (Some(b"RIFF"), Some(b"WAVE")) => return Some("audio/wav"),
        _ => {}
    }
    if at(4, 4) == Some(b"ftyp") {
        return Some(match at(8, 4) {
            Some(b"M4A " | b"M4B ") => "audio/mp4",
            Some(b"heic" | b"heix" | b"mif1" | b"msf1") => "image/heic",
            Some(b"avif") => "image/avif",
            _ => "video/mp4",
        });
    }
    // Readers accept a PDF whose header stands somewhere in the first kilobyte; a page that talks about PDF has words first.
    let early = head.get(..head.len().min(1_024)).unwrap_or_default();
    let header = early.windows(5).position(|window| window == b"%PDF-")?;
    let before = early.get(..header).unwrap_or_default();
    (!before.iter().any(u8::is_ascii_alphabetic)).then_some("application/pdf")
}

/// Ogg, MP4 and WebM hold sound or pictures; the sender knows which.
fn by_container<'a>(found: &'a str, claimed: &str) -> &'a str {
    let (is_audio, is_video) = (claimed.starts_with("audio/"), claimed.starts_with("video/"));
    match found {
        "video/mp4" if is_audio => "audio/mp4",
        "video/webm" if is_audio => "audio/webm",
        "audio/ogg" if is_video => "video/ogg",
        found => found,
    }
}

/// Text in Unicode. `cut`: more follows, so that the last character may be a part.
fn text_of(bytes: &[u8], cut: bool) -> Option<String> {
    if let Some((little, units)) = utf16_units(bytes) {
        let units = units.chunks_exact(2).map(|pair| match pair {
            [a, b] if little => u16::from_le_bytes([*a, *b]),
            [a, b] => u16::from_be_bytes([*a, *b]),
            _ => 0,
        });
        return Some(String::from_utf16_lossy(&units.collect::<Vec<u16>>())).filter(|text| is_readable(text));
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) if cut && error.error_len().is_none() => {
            std::str::from_utf8(bytes.get(..error.valid_up_to()).unwrap_or_default()).ok()?
        }
        Err(_) => return None,
    };
    is_readable(text).then(|| text.to_owned())
}

fn utf16_units(bytes: &[u8]) -> Option<(bool, &[u8])> {
    let little = bytes.strip_prefix(b"\xff\xfe").map(|rest| (true, rest));
    little.or_else(|| bytes.strip_prefix(b"\xfe\xff").map(|rest| (false, rest)))
}

/// No control characters but those of text files and terminals.
fn is_readable(text: &str) -> bool {
    !text.chars().any(|c| c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\u{c}' | '\u{1b}' | '\u{85}'))
}

fn starts_like_html(text: &str) -> bool {
    let start: String = text.trim_start().chars().take(15).collect::<String>().to_ascii_lowercase();
    start.starts_with("<!doctype html") || start.starts_with("<html")
}

fn has_text_name(name: Option<&str>) -> bool {
    const ENDS: [&str; 12] = ["txt", "csv", "log", "md", "ini", "sql", "srt", "bat", "html", "htm", "xml", "json"];
    let end = name.and_then(|name| name.rsplit_once('.')).map(|(_, end)| end.to_ascii_lowercase());
    end.is_some_and(|end| ENDS.contains(&end.as_str()))
}

/// Mostly Russian letters above ASCII, no control characters: what Windows-1251 texts are and other bytes are not.
fn looks_like_cp1251(bytes: &[u8]) -> bool {
    if bytes.iter().any(|&byte| byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r' | 0x0c)) {
        return false;
    }
    let high = bytes.iter().filter(|&&byte| byte >= 0x80).count();
    let letters = bytes.iter().filter(|&&byte| byte >= 0xc0 || matches!(byte, 0xa8 | 0xb8)).count();
    high > 0 && letters * 10 >= high * 8
}

/// Windows-1251 (the table of the WHATWG Encoding Standard).
fn cp1251(byte: u8) -> char {
    const UPPER: &str = "ЂЃ‚ѓ„…†‡€‰Љ‹ЊЌЋЏђ‘’“”•–—\u{98}™љ›њќћџ\u{a0}ЎўЈ¤Ґ¦§Ё©Є«¬\u{ad}®Ї°±Ііґµ¶·ё№є»јЅѕї";
    match byte {
        0..0x80 => char::from(byte),
        0x80..0xc0 => UPPER.chars().nth(usize::from(byte - 0x80)).unwrap_or('\u{fffd}'),
        _ => char::from_u32(0x410 + u32::from(byte - 0xc0)).unwrap_or('\u{fffd}'),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn types_are_told_by_their_bytes() {
        let table: [(&[u8], &str); 16] = [
            (b"%PDF-1.7\n%\xe2\xe3", "application/pdf"),
            (b"\n\n%PDF-1.4", "application/pdf"),
            (b"\x89PNG\r\n\x1a\n\0\0", "image/png"),
            (b"\xff\xd8\xff\xe0\0\x10JFIF", "image/jpeg"),
            (b"GIF89a\x01\0", "image/gif"),
            (b"RIFF\x24\0\0\0WEBPVP8 ", "image/webp"),
            (b"RIFF\x24\0\0\0WAVEfmt ", "audio/wav"),
            (b"OggS\0\x02\0\0", "audio/ogg"),
            (b"ID3\x04\0", "audio/mpeg"),
            (b"\xff\xfb\x90\x64\0", "audio/mpeg"),
            (b"\0\0\0\x20ftypM4A \0\0", "audio/mp4"),
            (b"\0\0\0\x20ftypisom\0\0", "video/mp4"),
            (b"\x1a\x45\xdf\xa3\x01\0", "video/webm"),
            (b"PK\x03\x04\x14\0", "application/zip"),
            (b"MZ\x90\x00\x03\0", "application/x-msdownload"),
            (b"\x01\x02\x03\x04", "application/octet-stream"),
        ];
        for (head, expected) in table {
            for claimed in ["application/octet-stream", "application/pdf", "image/bmp", ""] {
                assert_eq!(real_type(claimed, Some("x.pdf"), head), expected, "{head:?} as {claimed}");
            }
        }
    }

    #[test]
    fn a_pdf_that_lies_is_what_it_is() {
        assert_eq!(real_type("application/pdf", Some("a.pdf"), b"<!DOCTYPE html><title>%PDF-1.4</title>"), "text/html");
        assert_eq!(real_type("application/pdf", None, b"how to write %PDF-1.4"), "text/plain");
        assert_eq!(real_type("application/pdf", None, b""), "text/plain");
    }

    #[test]
    fn a_container_of_sound_stays_sound() {
        assert_eq!(real_type("audio/webm", None, b"\x1a\x45\xdf\xa3"), "audio/webm");
        assert_eq!(real_type("audio/mp4", None, b"\0\0\0\x20ftypisom"), "audio/mp4");
        assert_eq!(real_type("image/png", None, b"\xff\xd8\xff\xe0"), "image/jpeg");
    }

    #[test]
    fn text_keeps_a_claim_of_text() {
        assert_eq!(real_type("text/csv", None, b"a,b\n1,2\n"), "text/csv");
        assert_eq!(real_type("application/json", None, b"{}"), "application/json");
        assert_eq!(real_type("application/octet-stream", Some("a.rs"), "fn main() {} // я".as_bytes()), "text/plain");
        assert_eq!(real_type("text/plain", None, b"a\0b"), "application/octet-stream");
    }

    #[test]
    fn a_head_may_end_inside_a_character() {
        let mut head = vec![b'x'; HEAD - 1];
        head.extend("я".bytes().take(1));
        assert_eq!(real_type("", None, &head), "text/plain");
        assert_eq!(decode(&head, true).unwrap().len(), HEAD - 1);
    }

    #[test]
    fn encodings() {
        assert_eq!(decode("\u{feff}привет".as_bytes(), false).unwrap(), "привет");
        assert_eq!(decode(b"\xff\xfeh\0i\0=\x04", false).unwrap(), "hiн");
        assert_eq!(decode(b"\xfe\xff\0h\0i", false).unwrap(), "hi");
        let cp1251 = b"\xcf\xf0\xe8\xe2\xe5\xf2, \xb8\xe6; \xb9 5";
        assert_eq!(decode(cp1251, false).unwrap(), "Привет, ёж; № 5");
        assert_eq!(real_type("text/plain", None, cp1251), "text/plain");
        assert_eq!(real_type("application/octet-stream", Some("a.TXT"), cp1251), "text/plain");
        assert_eq!(real_type("application/octet-stream", None, cp1251), "application/octet-stream");
        for binary in [&b"\x00\x01"[..], b"\xff\xd8\xff\xe0\x00", b"\x9f\x81\x82 \x83"] {
            assert_eq!(decode(binary, false), None, "{binary:?}");
        }
        assert_eq!(
            "ЂЃ‚ѓ„…†‡€‰Љ‹ЊЌЋЏђ‘’“”•–—\u{98}™љ›њќћџ\u{a0}ЎўЈ¤Ґ¦§Ё©Є«¬\u{ad}®Ї°±Ііґµ¶·ё№є»јЅѕї".chars().count(),
            64
        );
    }
}
