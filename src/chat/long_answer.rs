//! What of an answer goes as messages and what as files: long code, and whole answers of more than four messages.
//!
//! A file never replaces what fits: the messages show the beginning, the file has all of it. Not here: cutting into
//! messages (`render::split`), delivery (`outbox`).

use pulldown_cmark::{CodeBlockKind, Event, Parser, Tag, TagEnd};

use super::conversation::Conversation;
use super::ports::Ports;
use super::transcript;
use super::turn::Turn;
use crate::store::{Sql, StoreError};
use crate::telegram::method::{Content, Upload};
use crate::telegram::render::{EntityKind, Formatted, split, utf16_len};
use crate::text::Lang;
use crate::text::media as words;

/// Messages one answer has at most; what is longer comes whole as a file.
const MAX_PIECES: usize = 4;
/// UTF-16 units of a block of code above which it comes as a file.
const LONG_CODE: usize = 3_500;
/// Units of such a block that the message shows.
const SHOWN_CODE: usize = 1_000;
/// Telegram's own limit; pieces stay below [`MAX_TEXT`](crate::telegram::render::MAX_TEXT), so a short line fits behind one.
const TELEGRAMS_LIMIT: usize = 4_096;
/// Bytes of a text kept in the outbox with its call; a row holds 2 MB.
const MAX_FILE: usize = 900_000;

/// An answer ready to be queued.
#[derive(Debug, Default, PartialEq)]
pub struct Shaped {
    pub pieces: Vec<Formatted>,
    /// Each with its caption.
    pub files: Vec<(Upload, &'static str)>,
}

impl<S: Sql, P: Ports> Conversation<S, P> {
    /// Shapes the answer of `turn`, whose words are in the transcript already.
    pub(super) fn shape_answer(&self, turn: &Turn, shown: &Formatted) -> Result<Shaped, StoreError> {
        let source = if is_short(shown) { String::new() } else { transcript::answer(&self.sql, turn.epoch, turn.id)? };
        Ok(shape(shown, &source, turn.lang))
    }
}

/// True if an answer is short enough to need no look at its source.
fn is_short(shown: &Formatted) -> bool {
    utf16_len(&shown.text) <= LONG_CODE
}

/// Shapes `shown`; `source` is the answer's Markdown.
fn shape(shown: &Formatted, source: &str, lang: Lang) -> Shaped {
    let mut files = Vec::new();
    for (language, code) in blocks(source).into_iter().filter(|(_, code)| utf16_len(code) > LONG_CODE) {
        let number = if files.is_empty() { String::new() } else { format!("-{}", files.len() + 1) };
        let name = format!("code{number}.{}", ending(&language));
        files.push((text_file(name, "text/plain", &code), words::whole_code(lang)));
    }
    let mut pieces = split(&with_code_cut(shown.clone()));
    if pieces.len() > MAX_PIECES {
        pieces.truncate(MAX_PIECES);
        let line = words::rest_in_file(lang);
        if let Some(last) = pieces.last_mut()
            && utf16_len(&last.text) + utf16_len(line) + 2 <= TELEGRAMS_LIMIT
        {
            last.append_line(line);
        }
        files.push((text_file("answer.md".to_owned(), "text/markdown", source), words::whole_answer(lang)));
    }
    Shaped { pieces, files }
}

fn text_file(name: String, mime: &str, text: &str) -> Upload {
    let mut end = text.len().min(MAX_FILE);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let text = text.get(..end).unwrap_or_default().to_owned();
    Upload { field: "document".to_owned(), name, mime: mime.to_owned(), content: Content::Text(text) }
}

/// The fenced blocks of `source` with their languages, as they were written: the message has spaces for tabs.
fn blocks(source: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut open: Option<(String, String)> = None;
    for event in Parser::new(source) {
        match event {
            Event::Start(Tag::CodeBlock(kind)) => {
                let language = match kind {
                    CodeBlockKind::Fenced(info) => {
                        info.split([' ', ',', '{']).next().unwrap_or_default().to_lowercase()
                    }
                    CodeBlockKind::Indented => String::new(),
                };
                open = Some((language, String::new()));
            }
            Event::Text(text) => {
                if let Some((_, code)) = &mut open {
                    code.push_str(&text);
                }
            }
            Event::End(TagEnd::CodeBlock) => found.extend(open.take()),
            _ => {}
        }
    }
    found
}

/// The usual ending of files in a language.
fn ending(language: &str) -> &str {
    const ENDINGS: [(&str, &str); 24] = [
        ("python", "py"),
        ("rust", "rs"),
        ("javascript", "js"),
        ("typescript", "ts"),
        ("bash", "sh"),
        ("shell", "sh"),
        ("zsh", "sh"),
        ("powershell", "ps1"),
        ("yaml", "yml"),
        ("markdown", "md"),
        ("kotlin", "kt"),
        ("ruby", "rb"),
        ("perl", "pl"),
        ("haskell", "hs"),
        ("elixir", "ex"),
        ("erlang", "erl"),
        ("csharp", "cs"),
        ("c#", "cs"),
        ("c++", "cpp"),
        ("objective-c", "m"),
        ("fsharp", "fs"),
        ("latex", "tex"),
        ("makefile", "mk"),
        ("text", "txt"),
    ];
    let plain = !language.is_empty() && language.len() <= 5 && language.bytes().all(|b| b.is_ascii_alphanumeric());
    match ENDINGS.iter().find(|(name, _)| *name == language) {
        Some((_, ending)) => ending,
        // Most short names are the ending: js, ts, go, sql, html.
        None if plain => language,
        None => "txt",
    }
}

/// `shown` with long blocks of code cut after their first lines.
fn with_code_cut(mut shown: Formatted) -> Formatted {
    let long = |kind: EntityKind, length: u32| kind == EntityKind::Pre && length as usize > LONG_CODE;
    // From the last on: what comes before keeps its place.
    for index in (0..shown.entities.len()).rev() {
        let Some(block) = shown.entities.get(index).cloned().filter(|block| long(block.kind, block.length)) else {
            continue;
        };
        let (from, to) = (block.offset, block.offset + block.length);
        let code = units(&shown.text, from, to);
        let head = format!("{}\n…", first_lines(code));
        let kept = u32::try_from(utf16_len(&head)).unwrap_or(0);
        let Some(removed) = block.length.checked_sub(kept) else { continue };
        shown.text = format!("{}{head}{}", units(&shown.text, 0, from), units(&shown.text, to, u32::MAX));
        shown.entities.retain(|one| !(one.offset > from && one.offset + one.length <= to && one.offset >= from + kept));
        for entity in &mut shown.entities {
            if entity.offset >= to {
                entity.offset -= removed;
            } else if entity.offset + entity.length >= to {
                entity.length -= removed;
            }
        }
    }
    shown
}

/// As many whole lines as fit into [`SHOWN_CODE`]; of one endless line its beginning.
fn first_lines(code: &str) -> &str {
    let mut used = 0;
    let mut end = 0;
    for line in code.split_inclusive('\n') {
        used += utf16_len(line);
        if used > SHOWN_CODE {
            break;
        }
        end += line.len();
    }
    let head = if end == 0 { units(code, 0, SHOWN_CODE as u32) } else { code.get(..end).unwrap_or_default() };
    head.trim_end()
}

/// The part of `text` between two UTF-16 offsets.
fn units(text: &str, from: u32, to: u32) -> &str {
    let at = |wanted: u32| {
        let mut unit = 0;
        let place = text.char_indices().find(|(_, c)| {
            let here = unit >= wanted;
            unit += c.len_utf16() as u32;
            here
        });
        place.map_or(text.len(), |(at, _)| at)
    };
    text.get(at(from)..at(to)).unwrap_or_default()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::telegram::render::legal::check;
    use crate::telegram::render::render;
    use proptest::prelude::*;

    fn shaped(source: &str) -> Shaped {
        shape(&render(source), source, Lang::En)
    }

    fn content(upload: &Upload) -> &str {
        match &upload.content {
            Content::Text(text) => text,
            Content::Stored { .. } => "",
        }
    }

    #[test]
    fn short_answers_have_no_files() {
        let source = "Hello\n\n```py\nprint(1)\n```";
        assert!(is_short(&render(source)));
        let shaped = shaped(source);
        assert_eq!((shaped.pieces.len(), shaped.files.len()), (1, 0));
    }

    #[test]
    fn long_code_shows_its_head_and_comes_whole() {
        let code: String = (0..400).map(|n| format!("\tprint({n})\n")).collect();
        let source = format!("Before 😀\n\n```Python\n{code}```\n\nAfter **bold**");
        let shaped = shaped(&source);
        assert_eq!((shaped.pieces.len(), shaped.files.len()), (1, 1));
        let (upload, _) = &shaped.files[0];
        assert_eq!((upload.name.as_str(), content(upload)), ("code.py", code.as_str()), "with its tabs");
        let piece = &shaped.pieces[0];
        assert!(piece.text.starts_with("Before 😀") && piece.text.ends_with("After bold"), "{}", piece.text);
        assert!(piece.text.contains("print(0)") && piece.text.contains("\n…") && !piece.text.contains("print(399)"));
        let bold = piece.entities.last().unwrap();
        assert_eq!(units(&piece.text, bold.offset, bold.offset + bold.length), "bold");
        check(piece).unwrap();
    }

    #[test]
    fn more_than_four_pieces_end_with_a_line_and_the_whole_comes_as_a_file() {
        let source = "A sentence of some length.\n\n".repeat(900);
        let shaped = shaped(&source);
        assert_eq!((shaped.pieces.len(), shaped.files.len()), (4, 1));
        assert!(shaped.pieces[3].text.ends_with(words::rest_in_file(Lang::En)));
        assert!(shaped.pieces.iter().all(|piece| utf16_len(&piece.text) <= TELEGRAMS_LIMIT));
        let (upload, caption) = &shaped.files[0];
        assert_eq!((upload.name.as_str(), content(upload)), ("answer.md", source.as_str()));
        assert_eq!(*caption, words::whole_answer(Lang::En));
        let four = shape(&render(&"x".repeat(15_000)), "", Lang::En);
        assert_eq!((four.pieces.len(), four.files.len()), (4, 0), "four messages need no file");
    }

    #[test]
    fn endings() {
        for (language, expected) in [("rust", "rs"), ("go", "go"), ("", "txt"), ("../../x", "txt"), ("c++", "cpp")] {
            assert_eq!(ending(language), expected);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn what_is_sent_is_legal(before in "[a-zé😀 *_\n]{0,300}", line in "[a-z😀 ]{0,40}", lines in 0usize..900, after in "[a-z*😀 \n]{0,300}") {
            let source = format!("{before}\n\n> quote\n\n```js\n{}```\n\n{after}", format!("{line}x\n").repeat(lines));
            let shown = render(&source);
            for piece in shape(&shown, &source, Lang::Ru).pieces {
                prop_assert!(utf16_len(&piece.text) <= TELEGRAMS_LIMIT);
                for entity in &piece.entities {
                    let end = entity.offset + entity.length;
                    prop_assert!(entity.length > 0 && end as usize <= utf16_len(&piece.text), "{entity:?}");
                }
            }
        }
    }
}
