//! Properties of any text, and the texts most likely to break them.

use proptest::prelude::*;

use super::super::{Entity, EntityKind, Formatted, is_blank, plain, render, render_partial, split, utf16_len};
use super::assert_sound;

/// Bits of Markdown, Unicode and HTML that mean something next to each other.
const FRAGMENTS: &[&str] = &[
    "word",
    "слово",
    "词语",
    " ",
    " ",
    "\n",
    "\n\n",
    "\n    ",
    "\t",
    "**",
    "*",
    "_",
    "__",
    "~~",
    "~",
    "`",
    "``",
    "```",
    "```rust\n",
    "\n```\n",
    "# ",
    "\n## ",
    "\n- ",
    "\n  - ",
    "\n1. ",
    "\n- [ ] ",
    "\n> ",
    "\n> > ",
    "\n---\n",
    "|",
    "\n|a|b|\n|-|-|\n|c|d|\n",
    "\n|a|b|c|d|\n|-|-|-|-|\n|1|2|3|4|\n",
    "[",
    "]",
    "(",
    ")",
    "[t](https://a.bc)",
    "[t](http://x)",
    "[`c`](https://a.bc/d e)",
    "![i](https://a.bc/i.png)",
    "<https://a.bc>",
    "<a@b.cd>",
    "[1]: https://a.bc\n",
    "[1]",
    "<b>",
    "</b>",
    "<i>",
    "</i>",
    "<code>",
    "</code>",
    "<pre>",
    "</pre>",
    "<a href=\"https://a.bc\">",
    "</a>",
    "<br>",
    "<think>",
    "</think>",
    "<!--",
    "-->",
    "&amp;",
    "&#8232;",
    "&nbsp;",
    "\\",
    "\\[",
    "\\]",
    "\\(",
    "\\)",
    "$$",
    "$",
    "👨‍👩‍👧",
    "🇩🇪",
    "🇩",
    "e\u{301}",
    "a\u{30A}",
    "\u{333}",
    "\u{200B}",
    "\u{200D}",
    "\u{FE0F}",
    "\u{202E}",
    "\u{2028}",
    "\u{0}",
    "\r\n",
    "\u{A0}",
    "\u{3000}",
    "العربية",
    "עברית",
    "！",
    "。",
    ".",
    "! ",
    "[^1]",
    "\n[^1]: ",
    "😀",
    "x\u{300}\u{301}\u{302}",
];

fn markdown() -> impl Strategy<Value = String> {
    let bits = proptest::collection::vec(proptest::sample::select(FRAGMENTS), 0..60);
    (bits, 1..40_usize).prop_map(|(bits, times)| {
        let once = bits.concat();
        if times > 30 { once.repeat(times) } else { once }
    })
}

fn anything() -> impl Strategy<Value = String> {
    proptest::collection::vec(any::<char>(), 0..300).prop_map(String::from_iter)
}

fn is_visible(text: &str) -> bool {
    plain(text).text.chars().any(|c| !is_blank(c))
}

fn entity() -> impl Strategy<Value = Entity> {
    let kinds = vec![
        EntityKind::Blockquote,
        EntityKind::TextLink,
        EntityKind::Bold,
        EntityKind::Italic,
        EntityKind::Spoiler,
        EntityKind::Code,
        EntityKind::Pre,
    ];
    (proptest::sample::select(kinds), 0..300_u32, 0..200_u32).prop_map(|(kind, offset, length)| Entity {
        kind,
        offset,
        length,
        url: (kind == EntityKind::TextLink).then(|| "https://a.bc/".to_owned()),
        language: None,
    })
}

proptest! {
    #[test]
    fn any_text_becomes_sound_pieces(text in anything()) {
        let whole = render(&text);
        let pieces = assert_sound(&whole);
        prop_assert_eq!(pieces.is_empty(), !is_visible(&text));
    }

    #[test]
    fn any_markdown_becomes_sound_pieces(text in markdown()) {
        let whole = render(&text);
        let pieces = assert_sound(&whole);
        prop_assert_eq!(pieces.is_empty(), !is_visible(&text));
        assert_sound(&plain(&text));
    }

    #[test]
    fn every_beginning_is_sound(text in markdown()) {
        let ends: Vec<usize> = text.char_indices().map(|(at, _)| at).take(200).collect();
        for end in ends {
            assert_sound(&render_partial(&text[..end]));
        }
    }

    #[test]
    fn prose_shows_as_a_growing_prefix(text in "[a-zа-я0-9 ,.;:!?'\"()\n@/%+=😀-]{0,200}") {
        let mut shown = String::new();
        for (end, _) in text.char_indices().skip(1) {
            let now = render_partial(&text[..end]).text;
            // Lines that look like list items or indented code are not prose.
            let marked = text.lines().any(|line| line.starts_with([' ', '-', '+', '=', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9']));
            prop_assert!(marked || now.starts_with(&shown), "{:?} then {:?}", shown, now);
            shown = now;
        }
    }

    /// Whatever stands in a link, no URL goes out that Telegram may refuse.
    #[test]
    fn any_link_target_is_judged(
        start in "(https?://|tg://|HTTP:|www\\.|//|)",
        rest in "[a-c.:/?#@%\\[\\] 0-9é😀_-]{0,12}",
        text in "[a ]{0,2}",
    ) {
        assert_sound(&render(&format!("[{text}](<{start}{rest}>)")));
        assert_sound(&render(&format!("<a href=\"{start}{rest}\">t{text}</a>")));
    }

    /// Split takes any entities, even ones no renderer makes, and loses no text.
    #[test]
    fn any_entities_are_put_in_order(text in markdown(), entities in proptest::collection::vec(entity(), 0..20)) {
        let text = plain(&text).text;
        let mut text = text;
        text.retain(|c| c != '\n');
        let entities: Vec<Entity> = entities.into_iter().filter(|entity| !entity.kind.is_quote()).collect();
        assert_sound(&Formatted { text, entities });
    }
}

#[test]
fn nasty_texts_are_sound() {
    let mut texts = vec![
        ">".repeat(1000) + " deep",
        "> ".repeat(1000) + "deep\nlazy\n\nafter",
        (0..200).map(|level| format!("{}- level {level}\n", "  ".repeat(level))).collect(),
        (0..200).map(|level| format!("{}1. level {level}\n", "   ".repeat(level))).collect(),
        "- ".repeat(500) + "x",
        "a".repeat(100_000),
        "слово ".repeat(20_000),
        "😀".repeat(50_000),
        "👨‍👩‍👧‍👦".repeat(5_000),
        "🇩".repeat(9_001),
        "e".to_owned() + &"\u{301}".repeat(20_000),
        "\u{200B}".repeat(20_000) + "x",
        "x".to_owned() + &"\u{200D}".repeat(20_000) + "y",
        (0..500).map(|n| format!("[link {n}](https://example.com/{n}) ")).collect(),
        (0..500).map(|n| format!("[l{n}](https://example.com/{})\n", "long/".repeat(100))).collect(),
        (0..2000).map(|n| format!("**b{n}** _i{n}_ `c{n}` ")).collect(),
        format!("**{}**", (0..500).map(|n| format!("b _i{n}_ ")).collect::<String>()),
        format!("[{}](https://a.bc/)", "long text of a link ".repeat(500)),
        format!("[x](https://a.bc/{})", "y".repeat(9000)),
        "```\n".to_owned() + &"no end\n".repeat(3000),
        "```\n".to_owned() + &"x".repeat(50_000),
        format!("> ```\n{}", "> code\n".repeat(2000)),
        "<think>\nsome **thought**\n".repeat(300),
        "<b>".repeat(3000) + "x",
        "<b>x".repeat(300) + &"</b>".repeat(300),
        "**".repeat(5000),
        "*a ".repeat(5000),
        "[".repeat(5000) + "x",
        "![".repeat(5000) + "x",
        "`".repeat(5000) + " x",
        "\\[".repeat(3000),
        "\\(x\\)".repeat(3000),
        "$$".repeat(3000),
        "&#8232;".repeat(1000) + "x",
        "\0".repeat(1000) + "x",
        "العربية **עברית** `كود` ".repeat(500),
        "\\".repeat(5001),
        "***".to_owned(),
        "---\n".repeat(2000),
        "# h\n".repeat(2000),
    ];
    let row = |cell: &str| format!("|{}\n", format!("{cell}|").repeat(30));
    texts.push(row("head") + &row("-") + &row("some `cell` **text**").repeat(40));
    texts.push("|a|b|\n|-|-|\n".to_owned() + &"|1|2|\n".repeat(2000));
    for text in texts {
        let pieces = assert_sound(&render(&text));
        assert!(!pieces.is_empty(), "nothing shows of {:?}", &text.chars().take(40).collect::<String>());
        assert_sound(&render_partial(&text));
    }
}

/// Wasm has 1 MB of stack; the renderer must do with a quarter of that however deep the nesting.
#[test]
fn depth_costs_no_stack() {
    let deep = [
        ">".repeat(20_000) + " x",
        "- ".repeat(20_000) + "x",
        "*a **b ".repeat(10_000),
        "[".repeat(20_000) + &"](https://a.bc)".repeat(20_000),
        (0..400).map(|level| format!("{}- x\n", "  ".repeat(level))).collect::<String>(),
    ];
    let thread = std::thread::Builder::new().stack_size(256 * 1024);
    let work = move || deep.iter().map(|text| split(&render(text)).len()).sum::<usize>();
    assert!(thread.spawn(work).unwrap().join().unwrap() > 0);
}

#[test]
fn length_in_utf16_units() {
    for text in ["", "a", "ё", "词", "😀", "👨‍👩‍👧", "a\u{301}"] {
        assert_eq!(utf16_len(text), text.encode_utf16().count());
    }
}
