//! Ten thousand Markdown texts, the same on every run: all pieces legal, nothing visible lost.
//!
//! With `TIDECLAW_CORPUS_OUT=<file>` it writes each text and its pieces as a line of JSON, for the Telegram emulator
//! to judge by its own implementation of the rules.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::io::Write;

use tideclaw::telegram::render::{Formatted, is_blank, legal, plain, render, split};

const TEXTS: u64 = 10_000;
const SEED: u64 = 0x7469_6465_636c_6177;

/// SplitMix64: small, and never changes with a dependency.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(limit).unwrap()).unwrap()
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }
}

const WORDS: &[&str] = &[
    "the",
    "a",
    "answer",
    "function",
    "server",
    "42",
    "3.14",
    "$5",
    "I",
    "model",
    "snake_case",
    "C++",
    "x",
    "reply,",
    "done.",
    "Really?",
    "слово",
    "ответ",
    "Ёлка,",
    "программа",
    "это",
    "не",
    "так.",
    "回答",
    "今天天气很好。",
    "日本語",
    "한국어",
    "مرحبا",
    "שלום",
    "naïve",
    "e\u{301}te\u{301}",
    "😀",
    "👨‍👩‍👧‍👦",
    "🇩🇪🇫🇷",
    "👍🏽",
    "❤️",
    "&amp;",
    "AT&T",
    "a<b",
    "2*3",
    "~/path",
    "#tag",
    "@name",
    "/start",
    "https://example.com/a_b_c",
    "don’t",
    "\u{200B}",
    "\u{202E}",
    "\u{A0}",
    "tab\there",
    "a\u{30A}",
];
const URLS: &[&str] = &[
    "https://example.com",
    "https://example.com/a?b=c&d=e#f",
    "http://localhost:3000",
    "ftp://example.com",
    "mailto:a@b.cd",
    "tel:+123456",
    "tg://resolve?domain=x",
    "tg://user?id=7",
    "#anchor",
    "./file.rs",
    "https://пример.рф/путь",
    "https://exa mple.com",
    "https://example.com/%zz",
    "https://user:pw@example.com",
    "https://example.com:99999/",
    "javascript:alert(1)",
    "www.example.com",
    "",
    "https://[::1]/",
    "https://1.2.3.4/x",
    "//example.com",
    "https://en.wikipedia.org/wiki/A_(b)",
    "data:image/png;base64,AAAA",
];
const LANGUAGES: &[&str] =
    &["", "rust", "Python", "c++", "objective-c", "rust,ignore", "{.js}", "日本", "shell session"];
const CODE: &[&str] = &[
    "let x = 1;",
    "    indented()",
    "\tif (a < b) { return &c; }",
    "# **not bold**",
    "",
    "a | b",
    "```",
    "    ",
    "日本語 // comment",
    "<b>",
];
const UNCLOSED: &[&str] = &[
    "**bold",
    "*it",
    "`code",
    "~~s",
    "[link](https://a",
    "![im",
    "<b>bold",
    "<a href=\"https://a.bc\">x",
    "$$x",
    "\\[x",
    "***",
    "__",
    "|a|b",
    "```",
    "<think>",
    "<!-- c",
];

fn words(random: &mut Random, most: usize) -> String {
    let count = 1 + random.below(most);
    let mut text = String::new();
    for index in 0..count {
        if index > 0 {
            text.push(if random.one_in(25) { '\n' } else { ' ' });
        }
        let word = random.pick(WORDS);
        match random.below(24) {
            0 => text += &format!("**{word} {}**", random.pick(WORDS)),
            1 => text += &format!("*{word}*"),
            2 => text += &format!("`{word}`"),
            3 => text += &format!("~~{word}~~"),
            4 => text += &format!("[{word}]({})", random.pick(URLS)),
            5 if random.one_in(3) => text += &format!("![{word}]({})", random.pick(URLS)),
            6 if random.one_in(3) => text += &format!("<{}>", random.pick(URLS)),
            7 if random.one_in(2) => text += &format!("<u>{word}</u> <b>*{word}</b>*"),
            8 if random.one_in(3) => text += &format!("***{word} `c` [x](https://a.bc)***"),
            9 if random.one_in(3) => text += &format!("$${word}$$ \\({word}\\)"),
            10 if random.one_in(4) => text += random.pick(UNCLOSED),
            11 if random.one_in(4) => text += &format!("<a href=\"{}\">{word}</a><br>", random.pick(URLS)),
            12 if random.one_in(4) => text += "[^1] [1]",
            _ => text += word,
        }
    }
    text
}

fn block(random: &mut Random) -> String {
    match random.below(15) {
        0 => format!("{} {}", "#".repeat(1 + random.below(6)), words(random, 6).replace('\n', " ")),
        1 | 2 => {
            let numbered = random.one_in(2);
            let gap = if random.one_in(4) { "\n\n" } else { "\n" };
            let items: Vec<String> = (0..1 + random.below(8))
                .map(|n| {
                    let mark = if numbered { format!("{}. ", n + 1) } else { "- ".to_owned() };
                    let task = if random.one_in(6) { random.pick(&["[ ] ", "[x] "]) } else { "" };
                    format!("{}{mark}{task}{}", "  ".repeat(random.below(4)), words(random, 8))
                })
                .collect();
            items.join(gap)
        }
        3 => {
            let most = if random.one_in(10) { 30 } else { 5 };
            let columns = 1 + random.below(most);
            let row = |random: &mut Random| {
                let cells: Vec<String> = (0..columns).map(|_| words(random, 3).replace('\n', " ")).collect();
                format!("| {} |", cells.join(" | "))
            };
            let mut lines = vec![row(random)];
            lines.push(format!("|{}", random.pick(&["---|", ":-:|", "--:|"]).repeat(columns)));
            for _ in 0..random.below(8) {
                lines.push(row(random));
            }
            lines.join("\n")
        }
        4 | 5 => {
            let fence = random.pick(&["```", "~~~", "````"]);
            let lines: Vec<&str> = (0..random.below(20)).map(|_| random.pick(CODE)).collect();
            let end = if random.one_in(12) { "" } else { fence };
            format!("{fence}{}\n{}\n{end}", random.pick(LANGUAGES), lines.join("\n"))
        }
        6 => {
            let inner = if random.one_in(3) { block(random) } else { words(random, 30) };
            inner.lines().map(|line| format!("{}{line}\n", "> ".repeat(1 + random.below(2)))).collect()
        }
        7 => random
            .pick(&[
                "---",
                "***",
                "___",
                "<hr>",
                "<details>\n<summary>x</summary>\n</details>",
                "<think>\nhm, **so**\n</think>",
            ])
            .to_owned(),
        8 if random.one_in(3) => random.pick(UNCLOSED).to_owned(),
        9 if random.one_in(3) => format!("[1]: {}\n\n[^1]: {}", random.pick(URLS), words(random, 5)),
        10 if random.one_in(6) => random.pick(&["x", "ш", "漢", "😀", "🇩🇪"]).repeat(random.below(6000)),
        _ => words(random, 60),
    }
}

fn text(random: &mut Random) -> String {
    // Most answers are short; some are long.
    let length = match random.below(100) {
        0 => 1 + random.below(20_000),
        1..=9 => 1 + random.below(5_000),
        10..=59 => 1 + random.below(900),
        _ => 1 + random.below(150),
    };
    let mut text = String::new();
    while text.chars().count() < length {
        text += &block(random);
        text += random.pick(&["\n\n", "\n\n", "\n\n", "\n", "\r\n\r\n"]);
    }
    text.chars().take(length).collect()
}

fn assert_whole(source: &str, whole: &Formatted, pieces: &[Formatted]) {
    let mut rest = whole.text.as_str();
    for piece in pieces {
        if let Err(illegal) = legal::check(piece) {
            panic!("{illegal}\nsource: {source:?}\npiece: {piece:?}");
        }
        let at = rest.find(piece.text.as_str()).unwrap_or_else(|| panic!("{:?} is not in the text", piece.text));
        assert!(rest[..at].chars().all(is_blank), "{:?} was lost from {source:?}", &rest[..at]);
        rest = &rest[at + piece.text.len()..];
    }
    assert!(rest.chars().all(is_blank), "{rest:?} was lost from {source:?}");
}

#[test]
fn ten_thousand_texts_become_legal_pieces() {
    let out = std::env::var_os("TIDECLAW_CORPUS_OUT").map(|path| std::fs::File::create(path).unwrap());
    let mut out = out.map(std::io::BufWriter::new);
    let mut random = Random(SEED);
    for _ in 0..TEXTS {
        let source = text(&mut random);
        let whole = render(&source);
        let pieces = split(&whole);
        assert_whole(&source, &whole, &pieces);
        assert_eq!(pieces.is_empty(), plain(&source).text.is_empty(), "{source:?}");
        if let Some(out) = &mut out {
            serde_json::to_writer(&mut *out, &serde_json::json!({ "source": source, "pieces": pieces })).unwrap();
            out.write_all(b"\n").unwrap();
        }
    }
    if let Some(mut out) = out {
        out.flush().unwrap();
    }
}
