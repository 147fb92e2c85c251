//! The judge itself: every rule refuses what breaks it.

use super::super::legal::{Illegal, check};
use super::super::{Entity, EntityKind, Formatted};

fn entity(kind: EntityKind, offset: u32, length: u32) -> Entity {
    let url = (kind == EntityKind::TextLink).then(|| "https://a.bc/".to_owned());
    Entity { kind, offset, length, url, language: None }
}

fn judge(text: &str, entities: &[Entity]) -> Result<(), Illegal> {
    check(&Formatted { text: text.to_owned(), entities: entities.to_vec() })
}

fn judge_url(url: &str) -> Result<(), Illegal> {
    judge("text", &[Entity { url: Some(url.to_owned()), ..entity(EntityKind::TextLink, 0, 4) }])
}

#[test]
fn texts() {
    assert_eq!(judge("a", &[]), Ok(()));
    assert_eq!(judge("", &[]), Err(Illegal::Empty));
    assert_eq!(judge("\u{200B}\u{A0}", &[]), Err(Illegal::Empty));
    assert_eq!(judge("a ", &[]), Err(Illegal::Untrimmed));
    assert_eq!(judge(&"😀".repeat(2000), &[]), Ok(()));
    assert_eq!(judge(&"😀".repeat(2001), &[]), Err(Illegal::TooLong { units: 4002 }));
    for c in ['\0', '\t', '\r', '\u{7F}', '\u{2028}', '\u{202E}', '\u{30A}'] {
        assert_eq!(judge(&format!("a{c}b"), &[]), Err(Illegal::Character(c.into())));
    }
}

#[test]
fn bounds() {
    use EntityKind::{Bold, Italic};
    assert_eq!(judge("a😀", &[entity(Bold, 0, 3)]), Ok(()));
    assert_eq!(judge("a😀", &[entity(Bold, 0, 4)]), Err(Illegal::Bounds { index: 0 }));
    assert_eq!(judge("a😀", &[entity(Bold, u32::MAX, u32::MAX)]), Err(Illegal::Bounds { index: 0 }));
    assert_eq!(judge("a😀", &[entity(Bold, 0, 0)]), Err(Illegal::Bounds { index: 0 }));
    assert_eq!(judge("a😀", &[entity(Bold, 0, 2)]), Err(Illegal::Surrogate { index: 0 }));
    assert_eq!(judge("a😀", &[entity(Bold, 2, 1)]), Err(Illegal::Surrogate { index: 0 }));
    assert_eq!(judge("a b", &[entity(Bold, 1, 1)]), Err(Illegal::Blank { index: 0 }));
    assert_eq!(judge("a b", &[entity(Bold, 0, 2)]), Err(Illegal::Blank { index: 0 }));
    assert_eq!(judge("abc", &[entity(Bold, 1, 1), entity(Italic, 0, 1)]), Err(Illegal::Order { index: 1 }));
}

#[test]
fn nesting() {
    use EntityKind::{Blockquote, Bold, Code, ExpandableBlockquote, Italic, Pre, TextLink};
    let nested = |outer, inner| judge("abcd", &[entity(outer, 0, 4), entity(inner, 1, 2)]);
    let refused = Err(Illegal::Nesting { outer: 0, inner: 1 });
    for (outer, inner) in [(Bold, Italic), (Bold, TextLink), (TextLink, Bold), (Blockquote, Pre), (Blockquote, Code)] {
        assert_eq!(nested(outer, inner), Ok(()), "{outer:?} {inner:?}");
    }
    for (outer, inner) in
        [(Code, Bold), (Bold, Code), (Pre, TextLink), (TextLink, Code), (TextLink, TextLink), (Bold, Bold)]
    {
        assert_eq!(nested(outer, inner), refused, "{outer:?} {inner:?}");
    }
    let quotes = [entity(Blockquote, 0, 3), entity(ExpandableBlockquote, 0, 1)];
    assert_eq!(judge("a\nb", &quotes), refused);
    assert_eq!(
        judge("abc", &[entity(Bold, 0, 2), entity(Italic, 1, 2)]),
        Err(Illegal::Crossing { outer: 0, inner: 1 })
    );
    assert_eq!(judge("ab\nc", &[entity(Blockquote, 1, 1)]), Err(Illegal::HalfLine { index: 0 }));
    assert_eq!(judge("ab\nc", &[entity(Blockquote, 0, 2)]), Ok(()));
}

#[test]
fn urls_and_languages() {
    for url in ["https://a.bc", "http://1.2.3.4:80/x?y#z", "tg://resolve?domain=x", "HTTPS://A.BC/%20"] {
        assert_eq!(judge_url(url), Ok(()), "{url}");
    }
    for url in [
        "a.bc",
        "ftp://a.bc",
        "mailto:a@b.cd",
        "http://localhost/",
        "https://a.bc:0/",
        "https://a.bc:99999/",
        "https://a b.cd/",
        "https://a.bc/%zz",
        "https://a.bc/%2",
        "https://u@a.bc/",
        "https://a..bc",
        "https://[::1]/",
        "tg://user?id=1",
        "tg://a.b",
        "https://",
    ] {
        assert_eq!(judge_url(url), Err(Illegal::Url { index: 0 }), "{url}");
    }
    let bold = Entity { url: Some("https://a.bc/".to_owned()), ..entity(EntityKind::Bold, 0, 1) };
    assert_eq!(judge("a", &[bold]), Err(Illegal::Url { index: 0 }));
    let pre = |language: &str| Entity { language: Some(language.to_owned()), ..entity(EntityKind::Pre, 0, 1) };
    assert_eq!(judge("a", &[pre("c++")]), Ok(()));
    assert_eq!(judge("a", &[pre("C++")]), Err(Illegal::Language { index: 0 }));
    assert_eq!(judge("a", &[pre("")]), Err(Illegal::Language { index: 0 }));
}

#[test]
fn sizes() {
    let text = "ab ".repeat(100) + "c";
    let many = |kind, count| (0..count).map(|n| entity(kind, n * 3, 2)).collect::<Vec<_>>();
    assert_eq!(judge(&text, &many(EntityKind::Code, 90)), Ok(()));
    assert_eq!(judge(&text, &many(EntityKind::Code, 91)), Err(Illegal::TooMany { count: 91 }));
    // A bold text with italic words in it counts again at each of their borders.
    let mut styles = many(EntityKind::Italic, 40);
    styles.insert(0, entity(EntityKind::Bold, 0, 301));
    assert_eq!(judge(&text, &styles), Err(Illegal::TooMany { count: 41 + 79 }));
    let long = format!("https://a.bc/{}", "x".repeat(1000));
    let links = many(EntityKind::TextLink, 10).into_iter().map(|link| Entity { url: Some(long.clone()), ..link });
    assert!(matches!(judge(&text, &links.collect::<Vec<_>>()), Err(Illegal::TooLarge { .. })));
}

/// What is stored and sent: the names are Telegram's.
#[test]
fn json_is_pinned() {
    let formatted = Formatted {
        text: "abc".to_owned(),
        entities: vec![
            entity(EntityKind::ExpandableBlockquote, 0, 3),
            entity(EntityKind::TextLink, 0, 1),
            Entity { language: Some("rust".to_owned()), ..entity(EntityKind::Pre, 1, 2) },
        ],
    };
    let json = concat!(
        r#"{"text":"abc","entities":[{"type":"expandable_blockquote","offset":0,"length":3},"#,
        r#"{"type":"text_link","offset":0,"length":1,"url":"https://a.bc/"},"#,
        r#"{"type":"pre","offset":1,"length":2,"language":"rust"}]}"#
    );
    assert_eq!(serde_json::to_string(&formatted).unwrap(), json);
    assert_eq!(serde_json::from_str::<Formatted>(json).unwrap(), formatted);
    let kinds = [
        EntityKind::Blockquote,
        EntityKind::ExpandableBlockquote,
        EntityKind::TextLink,
        EntityKind::Bold,
        EntityKind::Italic,
        EntityKind::Underline,
        EntityKind::Strikethrough,
        EntityKind::Spoiler,
        EntityKind::Code,
        EntityKind::Pre,
    ];
    for kind in kinds {
        assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
    }
}
